//! Writers that are killed, and what they leave.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use headroom_client::{FileChannelOptions, Gone, Received};
use serde_json::{Value, json};

use crate::place::{Place, all, message, numbers};

const KILLS: u64 = 500;

/// Channels side by side, each with its writer.
const SERIES: u64 = 4;

/// Not a test of its own: the writer that is killed. It says what it has sent, each after `send`
/// has returned.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os("FILE_CHANNEL") else { return };
    let round: u64 = std::env::var("ROUND").unwrap().parse().unwrap();
    // Short files, so that it is killed while it rotates, too.
    let options = FileChannelOptions::new().segment_bytes(600).limit_bytes(64 << 20);
    let mut backend = options.backend(directory).unwrap();
    let mut said = std::io::stdout().lock();
    // Longer than a page now and then, so that half a line can be left.
    let padding = ["x".repeat(40), "x".repeat(9_000)];
    for n in 0.. {
        let long = &padding[usize::from(n % 8 == 7)];
        backend.send_event("n", &json!([round, n, long])).unwrap();
        if writeln!(said, "sent {n}").is_err() {
            return;
        }
    }
}

#[test]
fn a_writer_killed_at_500_random_moments_loses_nothing_it_had_sent_and_doubles_nothing() {
    let seed = std::env::var("SEED").map_or(17, |seed| seed.parse().unwrap());
    let sent: u64 = std::thread::scope(|scope| {
        let series = |n| scope.spawn(move || kill_and_look(seed + n, KILLS / SERIES));
        let series: Vec<_> = (0..SERIES).map(series).collect();
        series.into_iter().map(|series| series.join().unwrap()).sum()
    });
    assert!(sent > KILLS, "hardly one of them came to write: {sent}");
}

/// Kills one writer after the other, and looks after each what has arrived. Gives how many
/// messages were sent in all.
fn kill_and_look(seed: u64, kills: u64) -> u64 {
    let place = Place::new();
    let mut frontend = place.frontend();
    assert!(numbers(&mut frontend).is_empty());
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut next_seq, mut sent_in_all) = (1, 0);
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writer", "--nocapture", "--test-threads=1"])
            .env("FILE_CHANNEL", place.path())
            .env("ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // Most in their stride, the others while they begin.
        if rng.u8(..4) > 0 {
            while !line.contains("sent ") {
                line.clear();
                assert!(lines.read_line(&mut line).unwrap() > 0, "the writer has ended");
            }
        }
        std::thread::sleep(Duration::from_micros(rng.u64(0..2_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        // The last may be cut off: then it counts as not said.
        let sent = |line: &str| match line.strip_suffix('\n')?.rsplit_once("sent ") {
            Some((_, n)) => n.parse::<u64>().ok(),
            None => None,
        };
        let mut confirmed = sent(&line);
        line.clear();
        while lines.read_line(&mut line).unwrap() > 0 {
            confirmed = sent(&line).or(confirmed);
            line.clear();
        }
        let sent = confirmed.map_or(0, |n| n + 1);
        let mut got = 0;
        for message in all(&mut frontend).into_iter().map(message) {
            assert_eq!(message.seq, next_seq, "seed {seed}, round {round}");
            next_seq += 1;
            let at = [0, 1].map(|place| message.payload[place].as_u64().unwrap());
            assert_eq!(at, [round, got], "seed {seed}: each once, in order, in its round");
            got += 1;
        }
        // It may have been killed between the write and the word.
        assert!(got == sent || got == sent + 1, "seed {seed}, round {round}: {got} of {sent}");
        sent_in_all += sent;
    }
    sent_in_all
}

#[test]
fn a_torn_last_line_is_ignored_and_the_next_writer_repairs_it() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    backend.send_event("n", &1).unwrap();
    let whole = "{\"seq\":2,\"type\":\"event\",\"payload\":\"ü\"}\n".as_bytes();
    let path = place.file("backend.jsonl");
    let good = fs::read(&path).unwrap();
    // Cut anywhere, also within a letter, and where only its end is missing.
    for length in 1..whole.len() {
        let torn = [&good, &whole[..length]].concat();
        fs::write(&path, &torn).unwrap();
        let mut reader = place.reader(&format!("r{length}"));
        assert_eq!(numbers(&mut reader), [1]);
        assert_eq!(fs::read(&path).unwrap().len(), good.len(), "opening repairs it");
        fs::write(&path, &torn).unwrap();
        assert!(numbers(&mut reader).is_empty(), "a reader repairs nothing and takes nothing");
        assert_eq!(fs::read(&path).unwrap(), torn);
        assert_eq!(backend.send_event("n", &2).unwrap(), "backend-2");
        assert_eq!(numbers(&mut reader), [2]);
        drop(reader);
        assert!(backend.forget_reader(&format!("r{length}")).unwrap());
        fs::write(&path, &good).unwrap();
    }
    assert_eq!(backend.send_event("n", &2).unwrap(), "backend-2");
    assert_eq!(numbers(&mut frontend), [1, 2]);
}

#[test]
fn a_rotation_that_was_cut_off_anywhere_is_finished_by_the_next_writer() {
    let place = Place::new();
    let mut frontend = place.frontend();
    let rotated = place.file("backend.00000000000000000001.jsonl");
    let mut backend = place.backend();
    backend.send_event("n", &1).unwrap();
    backend.send_event("n", &2).unwrap();
    assert_eq!(message(frontend.recv_one().unwrap().unwrap()).payload, json!(1));
    // Renamed, and half of the next one made.
    fs::rename(place.file("backend.jsonl"), &rotated).unwrap();
    fs::write(place.file("backend.new"), "{\"type\":\"chan").unwrap();
    assert_eq!(numbers(&mut frontend), [2], "a reader goes on meanwhile");
    assert!(numbers(&mut frontend).is_empty());
    assert_eq!(backend.send_event("n", &3).unwrap(), "backend-3");
    assert_eq!(numbers(&mut frontend), [3]);
    // And by one that has not seen it before.
    drop(backend);
    fs::rename(place.file("backend.jsonl"), place.file("backend.00000000000000000003.jsonl"))
        .unwrap();
    assert_eq!(place.backend().send_event("n", &4).unwrap(), "backend-4");
    assert_eq!(numbers(&mut frontend), [4]);
    assert_eq!(numbers(&mut place.reader("late")), [1, 2, 3, 4]);
}

#[test]
fn no_number_is_given_twice_when_a_machine_has_lost_messages_that_were_read() {
    let place = Place::new();
    let mut backend = place.backend();
    let (mut frontend, mut slow) = (place.frontend(), place.reader("slow"));
    assert!(numbers(&mut slow).is_empty());
    for n in 1..=5 {
        backend.send_event("n", &n).unwrap();
    }
    assert_eq!(numbers(&mut frontend), [1, 2, 3, 4, 5]);
    drop((backend, frontend, slow));
    // What a power cut may leave: the file ends earlier.
    let path = place.file("backend.jsonl");
    let lines: Vec<String> =
        fs::read_to_string(&path).unwrap().split_inclusive('\n').map(str::to_owned).collect();
    fs::write(&path, lines[..4].concat()).unwrap();
    assert_eq!(place.backend().send_event("n", &6).unwrap(), "backend-6");
    assert_eq!(numbers(&mut place.frontend()), [6]);
    let got = all(&mut place.reader("slow"));
    let seqs = |received: &Received| match received {
        Received::Message(message) => Ok(message.seq),
        Received::Gone(gone) => Err(*gone),
        other => panic!("{other:?}"),
    };
    let gone = Gone { first_seq: 4, last_seq: 5, count: 2 };
    let got: Vec<_> = got.iter().map(seqs).collect();
    assert_eq!(got, [Ok(1), Ok(2), Ok(3), Err(gone), Ok(6)]);
}

#[test]
fn an_emptied_file_begins_anew_with_the_next_number() {
    let place = Place::new();
    let (mut backend, mut frontend) = (place.backend(), place.frontend());
    backend.send_event("n", &1).unwrap();
    assert_eq!(numbers(&mut frontend), [1]);
    fs::write(place.file("backend.jsonl"), "").unwrap();
    assert_eq!(backend.send_event("n", &Value::from(2)).unwrap(), "backend-2");
    assert_eq!(numbers(&mut frontend), [2]);
}
