//! Lets the sound pass untouched, or no longer: what a key on the keyboard would be bound to.
//!
//! `cargo run -p headroom-client --example toggle_bypass`

#![allow(clippy::print_stdout, reason = "it is for people")]

use headroom_client::ipc::BypassTo;
use headroom_client::{Client, ClientError, daemon_address};

fn main() -> Result<(), ClientError> {
    let mut client = Client::connect(&daemon_address()?)?;
    let now = client.bypass_set(BypassTo::Toggle)?;
    println!("bypass is {}", if now.bypass { "on" } else { "off" });
    Ok(())
}
