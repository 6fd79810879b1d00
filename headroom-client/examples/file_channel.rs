//! Two programs that share nothing but a directory: a service that adds up, and who asks it.
//!
//! ```sh
//! cargo run -p headroom-client --example file_channel -- /tmp/desk backend &
//! cargo run -p headroom-client --example file_channel -- /tmp/desk frontend add 20
//! cargo run -p headroom-client --example file_channel -- /tmp/desk frontend stop
//! cargo run -p headroom-client --example file_channel -- /tmp/desk frontend    # what was told
//! ```

#![allow(clippy::print_stdout, reason = "it is for people")]

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

use headroom_client::{FileChannel, Kind, Received};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [directory, "backend"] => serve(FileChannel::backend(directory)?),
        [directory, "frontend"] => listen(FileChannel::frontend(directory)?),
        [directory, "frontend", method] => ask(FileChannel::frontend(directory)?, method, 0),
        [directory, "frontend", method, number] => {
            ask(FileChannel::frontend(directory)?, method, number.parse()?)
        }
        _ => Err("DIRECTORY backend, or DIRECTORY frontend [METHOD [NUMBER]]".into()),
    }
}

/// Answers until it is told to stop.
fn serve(mut channel: FileChannel) -> Result<(), Box<dyn Error>> {
    let mut sum = 0;
    let mut outcome = Ok(());
    channel.poll(Duration::from_millis(200), |channel, received| {
        let Received::Message(request) = received else { return ControlFlow::Continue(()) };
        if request.kind != Kind::Request {
            return ControlFlow::Continue(());
        }
        let method = request.method.unwrap_or_default();
        let sent = match method.as_str() {
            "add" => {
                sum += request.payload.as_i64().unwrap_or(0);
                let told = channel.send_event("sum", &sum);
                told.and_then(|_| channel.send_response(&request.id, &sum))
            }
            "stop" => channel.send_response(&request.id, &sum),
            other => {
                let why = format!("there is no {other:?}, only add and stop");
                channel.send_error(&request.id, &json!({"message": why}))
            }
        };
        let is_over = sent.is_err() || method == "stop";
        outcome = sent.map(|_| ());
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(outcome?)
}

/// Asks once. Events that come meanwhile stay for `listen`.
fn ask(mut channel: FileChannel, method: &str, number: i64) -> Result<(), Box<dyn Error>> {
    let id = channel.send_request(method, &number)?;
    let response = channel.wait_response(&id, Duration::from_secs(20))?;
    match response.ok_or("nobody has answered within 20 s: does the backend run?")? {
        response if response.error.is_some() => {
            let error = response.error.unwrap_or_default();
            println!("refused: {}", error["message"].as_str().unwrap_or_default());
        }
        response => println!("the sum is {}", response.payload),
    }
    Ok(())
}

/// Says what the service has told, and what of that is gone.
fn listen(mut channel: FileChannel) -> Result<(), Box<dyn Error>> {
    while let Some(received) = channel.recv_one()? {
        match received {
            Received::Message(event) if event.kind == Kind::Event => {
                println!("{} {}", event.method.unwrap_or_default(), event.payload);
            }
            Received::Message(_) => {}
            Received::Gone(gone) => println!("{} messages are gone", gone.count),
            Received::Unreadable { path, why } => println!("{}: {why}", path.display()),
        }
    }
    Ok(())
}
