//! Round trips, connects and bursts, beside the raw echo server.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use headroom_ipc::{Ping, SettingGet, encode_request};

use crate::client::Client;
use crate::process::Process;
use crate::table::{Table, quantile};

const US: f64 = 1e6;

/// `ping` and `setting.get`, one at a time, in turn with the echo of the same bytes.
pub(crate) fn ping(table: &mut Table) {
    let (daemon, echo) = (Process::daemon(&[]), Process::part("echo"));
    let mut ours = greeted(&daemon);
    let mut theirs = Client::connect(&echo.socket);
    let get = SettingGet { key: "agc.target_lufs".into() };
    for (name, request) in [
        ("ping", encode_request(1, &Ping {}).expect("short")),
        ("setting.get", encode_request(1, &get).expect("short")),
    ] {
        let (mut mine, mut raw) = (Vec::new(), Vec::new());
        for round in 0..40 {
            for _ in 0..500 {
                let took = theirs.round_trip(&request);
                // The first rounds warm both up.
                if round > 3 {
                    raw.push(took * US);
                }
            }
            for _ in 0..500 {
                let took = ours.round_trip(&request);
                if round > 3 {
                    mine.push(took * US);
                }
            }
        }
        for (quant, part, bar) in [("p50", 0.5, 1.5), ("p99", 0.99, 2.0)] {
            let what = format!("{name} round trip, {quant}, to the raw echo's");
            table.ratio(&what, quantile(&mut mine, part), quantile(&mut raw, part), "us", bar);
        }
    }
}

/// From `connect` to `hello`, beside a round trip of `ping`.
pub(crate) fn connect(table: &mut Table) {
    let daemon = Process::daemon(&[]);
    let mut pinger = greeted(&daemon);
    let request = encode_request(1, &Ping {}).expect("short");
    let (mut connects, mut trips) = (Vec::new(), Vec::new());
    for _ in 0..600 {
        let mut hello = [0; 1_024];
        let begun = Instant::now();
        let mut stream = UnixStream::connect(&daemon.socket).expect("it listens");
        let read = stream.read(&mut hello).expect("it greets");
        connects.push(begun.elapsed().as_secs_f64() * US);
        assert!(read > 100, "half a hello");
        drop(stream);
        trips.extend((0..20).map(|_| pinger.round_trip(&request) * US));
    }
    let (connect, trip) = (quantile(&mut connects, 0.5), quantile(&mut trips, 0.5));
    table.ratio("connect to hello, p50, to a ping", connect, trip, "us", 3.0);
}

/// 10,000 requests written at once: until the last reply.
pub(crate) fn burst(table: &mut Table) {
    const REQUESTS: usize = 10_000;
    let (daemon, echo) = (Process::daemon(&[]), Process::part("echo"));
    let (mut ours, mut theirs) = (greeted(&daemon), Client::connect(&echo.socket));
    let request = encode_request(1, &Ping {}).expect("short");
    let bytes = request.repeat(REQUESTS);
    let burst = |client: &mut Client| {
        let mut writing = client.stream.try_clone().expect("a second handle");
        let begun = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| writing.write_all(&bytes).expect("written"));
            client.frames(REQUESTS);
        });
        begun.elapsed().as_secs_f64() * 1e3
    };
    let (mut mine, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        raw.push(burst(&mut theirs));
        mine.push(burst(&mut ours));
    }
    let (mine, raw) = (quantile(&mut mine, 0.5), quantile(&mut raw, 0.5));
    table.ratio("10,000 pings at once, to the raw echo's", mine, raw, "ms", 2.0);
}

/// A client that has read `hello`.
pub(crate) fn greeted(process: &Process) -> Client {
    let mut client = Client::connect(&process.socket);
    client.frame();
    client
}
