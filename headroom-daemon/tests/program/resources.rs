//! Threads, descriptors and time.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use headroom_ipc::{BypassSet, BypassTo, Ping, Subscribe, Topic};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::peer::Peer;
use crate::program::{Program, wait_until};

#[test]
fn a_thousand_connects_and_disconnects_leave_threads_and_descriptors_where_they_were() {
    let program = Program::start(&[]);
    program.peer().call(&Ping {}).expect("served");
    let before = at_rest(&program);
    for round in 0..1_000 {
        match round % 4 {
            // Gone before it was greeted, after hello, after a request, in the midst of one.
            0 => drop(UnixStream::connect(program.socket()).expect("a connection")),
            1 => drop(program.peer()),
            2 => program.peer().call(&Ping {}).map(drop).expect("served"),
            _ => program.peer().write(&[0, 0, 1]),
        }
    }
    wait_until("threads and descriptors to be where they were", || program.held() == before);
}

/// What it holds once it has held nothing else for 100 looks: it starts threads of its own.
fn at_rest(program: &Program) -> (usize, usize) {
    let (mut held, mut looks) = (program.held(), 0);
    wait_until("it to be at rest", || {
        let now = program.held();
        looks = if now == held { looks + 1 } else { 0 };
        held = now;
        looks == 100
    });
    held
}

#[test]
fn a_request_is_answered_within_20_ms_while_an_event_goes_out_to_512() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(4_096), hard).expect("raised");
    let program = Program::start(&["--max-connections", "600"]);
    let mut subscribers: Vec<Peer> = (0..512).map(|_| program.peer()).collect();
    for subscriber in &mut subscribers {
        let topics = vec![Topic::Setting];
        let call = Subscribe { topics, snapshot: false, max_hz: None };
        subscriber.call(&call).expect("subscribed");
    }
    let (mut writer, mut asker) = (program.peer(), program.peer());
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..21 {
        let changed = writer.send(&BypassSet { bypass: BypassTo::Toggle });
        // The event is on its way as soon as the first has it.
        subscribers[0].event();
        let begun = Instant::now();
        asker.call(&Ping {}).expect("answered");
        took.push(begun.elapsed());
        writer.reply::<BypassSet>(changed).expect("done");
        for subscriber in &mut subscribers[1..] {
            subscriber.event();
        }
    }
    took.sort();
    // One of them may have met something else that this machine had to do.
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    println!("answered in {median:?} (median of {}), at worst {worst:?}", took.len());
    assert!(median < Duration::from_millis(20), "median {median:?}, worst {worst:?}");
}
