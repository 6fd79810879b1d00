//! Honest callers: typed commands in, typed answers out.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use headroom_client::endpoint::{CallError, DEFAULT_MAX_BYTES, Endpoint, HIGHEST_MAX_BYTES, call};
use headroom_client::ipc::Code;

use super::*;

#[test]
fn commands_are_done_to_what_the_program_lends_and_answered() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let name = String::from("main: ");
    let mut program = Program { position: 40, name: &name };
    let answer = serve_until(&mut endpoint, &mut program, calling(&path, Knob::Turn { by: 2 }));
    assert_eq!(answer.unwrap(), Answer::Position(42));
    assert_eq!(program.position, 42);
    let echo = calling(&path, Knob::Echo("hello".into()));
    let answer = serve_until(&mut endpoint, &mut program, echo);
    assert_eq!(answer.unwrap(), Answer::Text("main: hello".into()));
}

#[test]
fn nothing_is_done_before_the_program_says_so() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let error = call(&Knob::Turn { by: 1 }, &path, Duration::from_millis(30)).unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("knob.sock has not answered within 30 ms"), "{error}");
    assert_eq!(program.position, 0);
    // It has gone, but it had asked.
    assert_eq!(endpoint.poll(&mut program).answered, 1);
    assert_eq!(program.position, 1);
}

#[test]
fn polling_never_waits_and_polling_with_a_time_ends_with_the_first_answer_or_with_the_time() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        assert_eq!(endpoint.poll(&mut program), Served::default());
        best = best.min(begin.elapsed());
    }
    assert!(best < Duration::from_millis(2), "{best:?}");
    let begin = Instant::now();
    let limit = Duration::from_millis(30);
    assert_eq!(endpoint.poll_timeout(&mut program, limit), Served::default());
    assert!(begin.elapsed() >= limit && begin.elapsed() < PATIENCE);
    let caller = calling(&path, Knob::Turn { by: 1 });
    assert_eq!(endpoint.poll_timeout(&mut program, PATIENCE).answered, 1);
    assert_eq!(caller.join().unwrap().unwrap(), Answer::Position(1));
}

#[test]
fn a_command_of_any_size_up_to_the_limit_is_done_and_one_byte_more_is_refused() {
    let (_folder, path) = place();
    for limit in [DEFAULT_MAX_BYTES, 3 << 20, 100] {
        let mut endpoint = if limit == DEFAULT_MAX_BYTES {
            bind(&path)
        } else {
            Endpoint::bind_with_max_bytes(&path, limit).unwrap()
        };
        let mut program = Program::default();
        let overhead = |length| message(&Knob::Echo("x".repeat(length))).len() - 4 - length;
        let longest = limit - overhead(limit);
        let body = |length: usize| Knob::Echo("x".repeat(length));
        assert_eq!(message(&body(longest)).len() - 4, limit);
        // Its answer is as long, less three bytes of names and more of its own: so a short one.
        let error = serve_until(&mut endpoint, &mut program, calling(&path, body(longest + 1)));
        match error.unwrap_err() {
            CallError::Refused(error) => {
                assert_eq!(error.code, Code::InvalidFrame);
                let words = format!(
                    "a message of {} bytes was announced, but the longest is {limit}",
                    limit + 1
                );
                assert!(error.message.contains(&words), "{}", error.message);
            }
            other => panic!("{other}"),
        }
        let outcome = serve_until(&mut endpoint, &mut program, calling(&path, body(longest)));
        match outcome {
            // The command was done; its answer is a little longer than itself.
            Err(CallError::Refused(error)) => {
                assert_eq!(error.code, Code::Internal);
                assert!(error.message.contains("it was done, but its answer takes"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        let half = serve_until(&mut endpoint, &mut program, calling(&path, body(longest / 2)));
        assert_eq!(half.unwrap(), Answer::Text("x".repeat(longest / 2)));
    }
    let too_high = Endpoint::<Knob>::bind_with_max_bytes(&path, HIGHEST_MAX_BYTES + 1).unwrap_err();
    assert!(too_high.to_string().contains("max_bytes is 67108865, but can be 67108864"));
    let error = call(&Knob::Echo("x".repeat(HIGHEST_MAX_BYTES)), &path, PATIENCE).unwrap_err();
    assert!(matches!(error, CallError::TooLong { .. }), "{error}");
}

#[test]
fn a_long_answer_goes_out_piece_by_piece() {
    let (_folder, path) = place();
    let mut endpoint = Endpoint::bind_with_max_bytes(&path, 8 << 20).unwrap();
    let mut program = Program::default();
    let caller = calling(&path, Knob::Long(6 << 20));
    let answer = serve_until(&mut endpoint, &mut program, caller).unwrap();
    assert_eq!(answer, Answer::Text("x".repeat(6 << 20)));
    let after = serve_while(&mut endpoint, &mut program, |served| served.waiting > 0);
    assert_eq!(after.waiting, 0);
}

#[test]
fn a_half_written_command_goes_on_at_the_next_poll_cut_anywhere() {
    let (_folder, path) = place();
    let mut endpoint = bind(&path);
    let mut program = Program::default();
    let bytes = message(&Knob::Turn { by: 1 });
    for cut in 0..bytes.len() {
        let mut stream = sends(&path, &bytes[..cut]);
        let served = endpoint.poll(&mut program);
        assert_eq!(served, Served { waiting: 1, ..Served::default() }, "cut at {cut}");
        stream.write_all(&bytes[cut..]).unwrap();
        assert_eq!(endpoint.poll(&mut program), Served { answered: 1, ..Served::default() });
        assert!(heard(&stream).contains("Position"));
    }
    assert_eq!(program.position, bytes.len() as i64);
}

#[test]
fn who_is_not_there_and_what_is_no_endpoint_is_said() {
    let (folder, path) = place();
    for absent in [&path, &folder.path().join("no/such.sock")] {
        let error = call(&Knob::Turn { by: 1 }, absent, PATIENCE).unwrap_err();
        assert!(matches!(error, CallError::NotRunning { .. }), "{error}");
        assert!(error.to_string().starts_with("nobody listens at "), "{error}");
    }
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let answers = |bytes: &'static [u8]| {
        let listener = listener.try_clone().unwrap();
        let server = std::thread::Builder::new()
            .spawn(move || {
                let mut stream: UnixStream = listener.accept().unwrap().0;
                stream.write_all(bytes).unwrap();
            })
            .unwrap();
        let error = call(&Knob::Turn { by: 1 }, &path, PATIENCE).unwrap_err();
        server.join().unwrap();
        error
    };
    assert!(matches!(answers(b""), CallError::Closed { .. }));
    assert!(matches!(answers(b"\0\0"), CallError::Closed { .. }));
    assert!(matches!(answers(b"\0\0\0\x01\xc0"), CallError::Unreadable { .. }));
    assert!(matches!(answers(b"HTTP/1.1 400"), CallError::Unreadable { .. }));
    drop(listener);
    let left = call(&Knob::Turn { by: 1 }, &path, PATIENCE).unwrap_err();
    assert!(matches!(left, CallError::NotRunning { .. }), "{left}");
}
