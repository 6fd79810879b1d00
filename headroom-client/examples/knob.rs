//! A knob that is turned from outside, in a program with a loop of its own: here one that does
//! something 60 times a second.
//!
//! `cargo run -p headroom-client --example knob /run/user/1000/knob.sock`
//! `cargo run -p headroom-client --example knob /run/user/1000/knob.sock 3`
//! `cargo run -p headroom-client --example knob /run/user/1000/knob.sock stop`

#![allow(clippy::print_stdout, reason = "it is for people")]

use std::error::Error;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use headroom_client::endpoint::{BindError, Command, Endpoint, call};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Knob {
    Turn { by: i32 },
    Stop,
}

#[derive(Default)]
struct Program {
    position: i32,
    is_over: bool,
}

impl Command for Knob {
    type Response = i32;
    type Context<'a> = Program;

    fn process(self, program: &mut Program) -> i32 {
        match self {
            Knob::Turn { by } => program.position += by,
            Knob::Stop => program.is_over = true,
        }
        program.position
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = PathBuf::from(args.next().ok_or("which socket?")?);
    if let Some(word) = args.next() {
        let command = if word == "stop" { Knob::Stop } else { Knob::Turn { by: word.parse()? } };
        println!("the knob is at {}", call(&command, &path, Duration::from_secs(5))?);
        return Ok(());
    }
    let mut endpoint = match Endpoint::<Knob>::bind(&path) {
        Err(error @ BindError::InUse { .. }) => {
            println!("{error}: turn that one");
            return Ok(());
        }
        outcome => outcome?,
    };
    println!("listening at {}", path.display());
    let mut program = Program::default();
    while !program.is_over {
        // What the program does anyway comes here. Then it sees what it was told:
        if endpoint.poll(&mut program).answered > 0 {
            println!("turned to {}", program.position);
        }
        sleep(Duration::from_millis(16));
    }
    Ok(())
}
