//! A loop of 60 Hz with an endpoint in it, and 20 clients of which 5 are hostile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::*;

const HONEST: usize = 15;
const CALLS_EACH: usize = 40;

/// What a `poll` may take.
const BAR: Duration = Duration::from_millis(2);

/// The processor's time that this thread has had: what others did meanwhile does not count.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// The hostile ones, each at it for as long as the test runs.
fn hostile(kind: usize, path: &Path, is_over: &AtomicBool) -> usize {
    let mut attacks = 0;
    let mut kept = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        let whole = message(&Knob::Echo("x".repeat(1000)));
        match kind {
            0 => drop(stream.write_all(&[0xfe; 10_000])),
            1 => drop(stream.write_all(&whole[..whole.len() / 2])),
            2 => {}
            // A long one that is announced as such, for as long as anybody reads.
            3 => {
                let _ = stream.write_all(&[0, 0x10, 0, 0]);
                let _ = stream.write_all(&[b'x'; 1 << 20]);
            }
            _ => {
                let _ = stream.write_all(&[0x7f, 0xff, 0xff, 0xff]);
                let _ = stream.write_all(&[b'x'; 1 << 20]);
            }
        }
        attacks += 1;
        if kind == 1 || kind == 2 {
            // These hold on to what they have, and three at a time are enough.
            kept.push(stream);
            if kept.len() > 3 {
                kept.remove(0);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    attacks
}

#[test]
fn an_endpoint_in_a_loop_of_60_hz_answers_every_honest_call_among_hostile_clients() {
    // Every call is answered every time; for the clock alone a busy machine is forgiven twice.
    let longest = (0..3).map(|_| hammered()).find(|longest| *longest < BAR);
    assert!(longest.is_some(), "a poll took over {BAR:?} each time");
}

/// Gives the longest that a `poll` has taken.
fn hammered() -> Duration {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let is_over = Arc::new(AtomicBool::new(false));
    let finished = Arc::new(AtomicUsize::new(0));
    let hostiles: Vec<_> = (0..5)
        .map(|kind| {
            let (path, is_over) = (path.clone(), Arc::clone(&is_over));
            std::thread::Builder::new().spawn(move || hostile(kind, &path, &is_over)).unwrap()
        })
        .collect();
    let honest: Vec<_> = (0..HONEST)
        .map(|_| {
            let (path, finished) = (path.clone(), Arc::clone(&finished));
            std::thread::Builder::new()
                .spawn(move || {
                    for n in 0..CALLS_EACH {
                        let text = format!("{n}");
                        let answer = call(&Knob::Echo(text.clone()), &path, PATIENCE);
                        assert_eq!(answer.unwrap(), Answer::Text(text));
                        call(&Knob::Turn { by: 1 }, &path, PATIENCE).unwrap();
                    }
                    finished.fetch_add(1, Ordering::Relaxed);
                })
                .unwrap()
        })
        .collect();
    let begin = Instant::now();
    let (mut longest, mut rounds) = (Duration::ZERO, 0);
    while !honest.iter().all(JoinHandle::is_finished) {
        assert!(begin.elapsed() < PATIENCE, "{} have finished", finished.load(Ordering::Relaxed));
        let before = own_time();
        let _ = endpoint.poll(&mut program);
        longest = longest.max(own_time() - before);
        rounds += 1;
        std::thread::sleep(Duration::from_micros(16_667));
    }
    for thread in honest {
        thread.join().unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let mut attacks = Vec::new();
    for thread in hostiles {
        while !thread.is_finished() {
            let _ = endpoint.poll(&mut program);
        }
        attacks.push(thread.join().unwrap());
    }
    eprintln!(
        "{} honest calls and {attacks:?} hostile ones in {rounds} polls, the longest {} us",
        HONEST * CALLS_EACH * 2,
        longest.as_micros()
    );
    assert_eq!(program.position, (HONEST * CALLS_EACH) as i64, "each was done once");
    assert!(attacks.iter().all(|attacks| *attacks > 3), "{attacks:?}");
    longest
}

#[test]
fn no_poll_takes_over_2_ms_with_idle_clients_attached() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let idle: Vec<UnixStream> = (0..60).map(|_| sends(&path, b"")).collect();
    serve_while(&mut endpoint, &mut program, |served| served.waiting < 60);
    let mut times = Vec::new();
    for _ in 0..200 {
        let before = own_time();
        let served = endpoint.poll(&mut program);
        times.push(own_time() - before);
        assert_eq!(served.answered, 0);
    }
    times.sort();
    let (middle, longest) = (times[100], times[199]);
    eprintln!(
        "60 idle clients: {} us in the middle, {} us at most",
        middle.as_micros(),
        longest.as_micros()
    );
    assert!(longest < BAR, "{longest:?}");
    drop(idle);
}
