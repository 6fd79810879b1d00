//! Clients that say nothing, half of it, or too much; and how many there can be.

use std::time::{Duration, Instant};

use headroom_client::endpoint::{MAX_CLIENTS, PATIENCE as TIME_OF_A_CLIENT};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;

fn wait_readable(endpoint: &Endpoint<Knob>, timeout: Duration) -> bool {
    let timeout = Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap(),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    let mut descriptors = [PollFd::new(endpoint, PollFlags::IN)];
    poll(&mut descriptors, Some(&timeout)).unwrap() == 1
}

#[test]
fn silence_and_half_a_command_are_kept_for_two_seconds_and_an_event_loop_is_woken_for_their_end() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let begin = Instant::now();
    let silent = sends(&path, b"");
    let half = sends(&path, &message(&Knob::Turn { by: 1 })[..3]);
    assert_eq!(endpoint.poll(&mut program).waiting, 2);
    assert!(!wait_readable(&endpoint, Duration::ZERO), "an event loop may sleep meanwhile");
    // Those that drip get no more time for that.
    let dripping = std::thread::Builder::new()
        .spawn({
            let mut stream = UnixStream::connect(&path).unwrap();
            let bytes = message(&Knob::Echo("x".repeat(100_000)));
            move || {
                for byte in bytes {
                    if stream.write_all(&[byte]).is_err() {
                        return true;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                false
            }
        })
        .unwrap();
    let mut dropped = 0;
    while dropped < 3 {
        assert!(wait_readable(&endpoint, PATIENCE), "only its own clock wakes the loop");
        let served = endpoint.poll(&mut program);
        assert_eq!((served.answered, served.refused), (0, 0));
        dropped += served.dropped;
        let is_time = begin.elapsed() >= TIME_OF_A_CLIENT;
        assert!(served.dropped == 0 || is_time, "given up after {:?}", begin.elapsed());
    }
    assert!(begin.elapsed() < 10 * TIME_OF_A_CLIENT, "{:?}", begin.elapsed());
    assert!(dripping.join().unwrap());
    assert_eq!((heard(&silent), heard(&half)), (String::new(), String::new()));
    assert!(!wait_readable(&endpoint, Duration::ZERO));
    assert_eq!(endpoint.poll(&mut program), Served::default());
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() {
    let (_folder, path) = place();
    let mut endpoint = Endpoint::bind_with_max_bytes(&path, 4 << 20).unwrap();
    let mut program = Program::default();
    let begin = Instant::now();
    let _stream = sends(&path, &message(&Knob::Long(4_000_000)));
    let served = endpoint.poll(&mut program);
    assert_eq!((served.answered, served.waiting), (1, 1));
    let served = serve_while(&mut endpoint, &mut program, |served| served.dropped == 0);
    assert_eq!(served, Served { dropped: 1, ..Served::default() });
    assert!(begin.elapsed() >= TIME_OF_A_CLIENT);
}

#[test]
fn each_is_told_what_is_wrong_and_nobody_else_feels_it() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let before = sends(&path, &message(&Knob::Turn { by: 1 })[..5]);
    for (bytes, words) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "1195725856 bytes was announced"),
        (&[0xff; 64], "4294967295 bytes was announced"),
        (&[0, 0, 0, 1, 0xc1], "that is no command of this program"),
        (&[0, 0, 0, 2, 0x81, 0xa0], "that is no command of this program"),
        (&[0, 0, 0, 0], "that is no command of this program"),
    ] {
        let stream = sends(&path, bytes);
        let served = endpoint.poll(&mut program);
        assert_eq!(served, Served { refused: 1, waiting: 1, ..Served::default() });
        let heard = heard(&stream);
        assert!(heard.contains("error") && heard.contains(words), "{heard}");
    }
    // Those that go without a word.
    drop(sends(&path, b""));
    drop(sends(&path, b"\0\0\0"));
    let served = endpoint.poll(&mut program);
    assert_eq!(served, Served { dropped: 2, waiting: 1, ..Served::default() });
    (&before).write_all(&message(&Knob::Turn { by: 1 })[5..]).unwrap();
    assert_eq!(endpoint.poll(&mut program).answered, 1);
    assert_eq!(program.position, 1);
}

#[test]
fn sixty_four_wait_at_most_and_the_next_is_served_when_there_is_room() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let silent: Vec<UnixStream> = (0..MAX_CLIENTS).map(|_| sends(&path, b"")).collect();
    serve_while(&mut endpoint, &mut program, |served| served.waiting < MAX_CLIENTS);
    let next = sends(&path, &message(&Knob::Turn { by: 1 }));
    assert_eq!(endpoint.poll(&mut program).waiting, MAX_CLIENTS);
    assert!(!wait_readable(&endpoint, Duration::ZERO), "nothing can be done for it yet");
    drop(silent);
    let served = serve_while(&mut endpoint, &mut program, |served| served.answered == 0);
    assert_eq!(served.waiting, 0);
    assert!(heard(&next).contains("Position"));

    // And when none of them ever goes: their time is up some time.
    let _silent: Vec<UnixStream> = (0..MAX_CLIENTS).map(|_| sends(&path, b"")).collect();
    serve_while(&mut endpoint, &mut program, |served| served.waiting < MAX_CLIENTS);
    let caller = calling(&path, Knob::Turn { by: 1 });
    let mut polls = 0;
    loop {
        assert!(wait_readable(&endpoint, PATIENCE), "its event loop sleeps for ever");
        polls += 1;
        if endpoint.poll(&mut program).answered > 0 {
            break;
        }
    }
    assert_eq!(caller.join().unwrap().unwrap(), Answer::Position(2));
    assert!(polls < 100, "the loop was kept busy: {polls}");
}
