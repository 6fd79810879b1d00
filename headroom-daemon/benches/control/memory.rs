//! What an idle connection keeps in memory, beside two bare threads.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::client::Client;
use crate::process::{Process, resident_kib, wait_until};
use crate::round_trip::greeted;
use crate::table::Table;

const CONNECTIONS: usize = 200;

pub(crate) fn run(table: &mut Table) {
    let two_threads = (threads(2 * CONNECTIONS) - threads(0)) / CONNECTIONS as f64;
    let daemon = Process::daemon(&[]);
    // One has come and gone, so that what is made once has been made.
    drop(greeted(&daemon));
    let mut looks = 0;
    let mut at_rest = daemon.threads();
    wait_until(|| {
        let now = daemon.threads();
        looks = if now == at_rest { looks + 1 } else { 0 };
        at_rest = now;
        looks == 100
    });
    let before = daemon.resident_kib();
    let clients: Vec<Client> = (0..CONNECTIONS).map(|_| greeted(&daemon)).collect();
    wait_until(|| daemon.threads() == at_rest + 2 * CONNECTIONS);
    let each = (daemon.resident_kib() - before) / CONNECTIONS as f64;
    drop(clients);
    table.ratio("memory of an idle connection, to two bare threads", each, two_threads, "KiB", 1.4);
}

/// The memory of a process with so many bare threads.
fn threads(count: usize) -> f64 {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["threads", &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let said = child.stdout.take().expect("piped");
    BufReader::new(said).read_line(&mut line).expect("a line");
    // Each has come as far as its sleep.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let resident = resident_kib(child.id());
    child.kill().expect("it runs");
    child.wait().expect("a child");
    resident
}
