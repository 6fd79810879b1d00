//! What one subscriber that reads nothing costs, while ten others take meters at 30 Hz.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use headroom_ipc::{Snapshot, Subscribe, Topic, encode_request};

use crate::client::Client;
use crate::process::Process;
use crate::round_trip::greeted;
use crate::table::Table;

/// 60 s in all, with and without in turn.
const TURN: Duration = Duration::from_secs(5);
const TURNS: usize = 6;

pub(crate) fn run(table: &mut Table) {
    let daemon = Process::part("tick");
    let ended = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let mut client = subscribed(&daemon);
            let ended = ended.clone();
            thread::Builder::new()
                .spawn(move || {
                    while !ended.load(Ordering::SeqCst) {
                        client.frame();
                    }
                })
                .expect("a thread")
        })
        .collect();
    let (mut with, mut without) = (0.0, 0.0);
    for _ in 0..TURNS {
        without += used(&daemon);
        let stuck = stuck(&daemon);
        with += used(&daemon);
        drop(stuck);
    }
    ended.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.join().expect("no panic");
    }
    let percent = |seconds: f64| seconds * 100.0 / (TURN.as_secs_f64() * TURNS as f64);
    println!(
        "(ten that read cost {:.2} % of a core, with one beside them that does not {:.2} %)",
        percent(without),
        percent(with)
    );
    table.figure("CPU that a stuck subscriber adds", percent(with - without), "%", 0.3);
}

fn subscribed(daemon: &Process) -> Client {
    let mut client = greeted(daemon);
    client.call(&Subscribe { topics: vec![Topic::Meters], snapshot: false, max_hz: None });
    client
}

/// One whose socket and queue are full: it has asked for more than fits, and reads none of it.
fn stuck(daemon: &Process) -> Client {
    let client = subscribed(daemon);
    client.stream.set_nonblocking(true).expect("set");
    let request = encode_request(1, &Snapshot { topics: None }).expect("short");
    let mut refused = 0;
    while refused < 20 {
        // Refused for a while: the daemon reads no more, because it has no room for replies.
        refused = match (&client.stream).write(&request) {
            Ok(_) => 0,
            Err(_) => refused + 1,
        };
        if refused > 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    client
}

/// What the daemon uses in one turn, in seconds.
fn used(daemon: &Process) -> f64 {
    // The one that comes or goes is no part of it.
    thread::sleep(Duration::from_millis(200));
    let (begun, before) = (Instant::now(), daemon.cpu_s());
    thread::sleep(TURN);
    (daemon.cpu_s() - before) * TURN.as_secs_f64() / begun.elapsed().as_secs_f64()
}
