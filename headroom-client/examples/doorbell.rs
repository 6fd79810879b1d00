//! Prints a line whenever something of Headroom's has changed on the disk, such as by
//! `headroom profile new mine`; and rings, as a program does that changes something.
//!
//! `cargo run -p headroom-client --example doorbell`
//! `cargo run -p headroom-client --example doorbell ring profile`

#![allow(clippy::print_stdout, reason = "it is for people")]

use std::error::Error;
use std::time::Duration;

use headroom_client::doorbell::{Cause, Doorbell, notify};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, register};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("ring") {
        let cause = Cause::from_word(&args.next().unwrap_or_default());
        println!("{} listeners took it", notify(cause));
        return Ok(());
    }
    let mut bell = Doorbell::bind()?;
    for signal in [SIGINT, SIGTERM] {
        let cleaner = bell.cleaner();
        let handler = move || {
            cleaner.cleanup();
            // And then what the signal does to any program.
            let _ = emulate_default_handler(signal);
        };
        // SAFETY: the handler makes system calls with what was prepared, and nothing else: it
        // takes no memory and no lock.
        unsafe { register(signal, handler)? };
    }
    println!("listening at {}", bell.path().display());
    loop {
        let Some(ring) = bell.wait(Duration::MAX) else { continue };
        let causes: Vec<&str> = ring.causes().map(Cause::as_str).collect();
        println!("rung {} times: {}", ring.count(), causes.join(", "));
    }
}
