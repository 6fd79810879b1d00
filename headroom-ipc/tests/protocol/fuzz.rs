//! The functions of the fuzz targets, over the frozen messages, over the corpus in `fuzz/corpus`
//! (what libFuzzer has found to reach the most), and over inputs that are made from both by a
//! seed: the same ones on every machine.

use super::{objects, specimens};
use fastrand::Rng;
use headroom_ipc::fuzzing;

/// Of each of the four; 220,000 in all.
const INPUTS: usize = 55_000;

/// Bytes that mean something to MessagePack or to a length.
const TELLING: [u8; 18] = [
    0, 1, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc7, 0xcb, 0xd9, 0xdd, 0xdf,
    0xff,
];

/// An input that is almost right: a piece of one from the corpus, with edits.
fn input(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = corpus[rng.usize(..corpus.len())].clone();
    for _ in 0..rng.usize(0..6) {
        let place = rng.usize(..=input.len());
        match rng.u8(0..7) {
            0 => input.truncate(place),
            1 => input.insert(place, TELLING[rng.usize(..TELLING.len())]),
            2 => input.insert(place, rng.u8(..)),
            3 if place < input.len() => input[place] = TELLING[rng.usize(..TELLING.len())],
            4 if place < input.len() => input[place] ^= 1 << rng.u8(0..8),
            5 if place < input.len() => drop(input.remove(place)),
            _ => {
                let other = &corpus[rng.usize(..corpus.len())];
                let from = rng.usize(..=other.len());
                let to = rng.usize(from..=other.len());
                input.splice(place..place, other[from..to].iter().copied());
            }
        }
    }
    input
}

/// What libFuzzer has found, in the order of the names.
fn found(name: &str) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/");
    let folder = std::fs::read_dir(format!("{folder}{name}")).expect("the corpus");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("an input")).collect()
}

fn run(name: &str, target: fn(&[u8]), seeds: Vec<Vec<u8>>) {
    let mut corpus = found(name);
    assert!(corpus.len() > 10, "{name} has hardly any corpus");
    corpus.extend(seeds);
    let corpus = &corpus[..];
    for seed in corpus {
        target(seed);
    }
    let mut rng = Rng::with_seed(0x6865_6164);
    for n in 0..INPUTS {
        let input = input(corpus, &mut rng);
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("input {n} breaks it: {input:02x?}");
        }
    }
}

fn bodies(begins: &str) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = specimens::all()
        .into_iter()
        .filter(|specimen| specimen.name.starts_with(begins))
        .map(|specimen| specimen.body)
        .collect();
    bodies.push(Vec::new());
    bodies
}

#[test]
fn any_stream_of_bytes_is_cut_into_the_same_bodies() {
    let corpus: Vec<Vec<u8>> = bodies("request.")
        .into_iter()
        .enumerate()
        .map(|(n, body)| {
            // How to cut, then two messages.
            let length = (body.len() as u32).to_be_bytes();
            [&[n as u8], &length[..], &body, &length, &body].concat()
        })
        .collect();
    run("deframe", fuzzing::deframe, corpus);
}

#[test]
fn any_body_is_a_request_or_refused() {
    run("request", fuzzing::request, bodies("request."));
}

#[test]
fn any_body_is_a_message_of_a_daemon_or_refused() {
    let corpus = [bodies("event."), bodies("error."), bodies("reply.")].concat();
    run("event", fuzzing::event, corpus);
}

#[test]
fn any_body_is_a_snapshot_or_refused() {
    let mirror = objects::mirror();
    let mut corpus: Vec<Vec<u8>> = headroom_ipc::Topic::ALL
        .iter()
        .map(|topic| mirror.replicate(&[*topic]))
        .chain([mirror.clone()])
        .map(|mirror| rmp_serde::to_vec_named(&mirror).expect("a snapshot"))
        .collect();
    corpus.push(Vec::new());
    run("snapshot", fuzzing::snapshot, corpus);
}
