//! Tells every change of every topic but meters, for as long as it runs, through restarts of the
//! daemon.
//!
//! `cargo run -p headroom-client --example watch`

#![allow(clippy::print_stdout, reason = "it is for people")]

use headroom_client::ipc::Topic;
use headroom_client::{ClientError, Subscription, Update, daemon_address};

fn main() -> Result<(), ClientError> {
    let topics: Vec<Topic> = Topic::ALL.iter().copied().filter(|t| t.is_state()).collect();
    for update in Subscription::to(&daemon_address()?, &topics) {
        match update {
            Update::Connected { hello, is_restarted } => {
                let again = if is_restarted { ", started again" } else { "" };
                println!("connected to {} {}{again}", hello.daemon, hello.version);
            }
            Update::Event(event) => {
                println!("{} {} {}", event.topic, event.seq, event.change.event());
            }
            Update::Resynchronised(topics) => println!("caught up with {topics:?}"),
            Update::Disconnected(why) => println!("{why}; waiting for it"),
        }
    }
    Ok(())
}
