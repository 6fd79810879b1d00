//! `cargo bench -p headroom-dsp --bench meter`: what measuring costs a frame, beside the
//! `ebur128` crate on the same blocks in the same run.
//!
//! Medians of interleaved rounds, so that a machine that is busy for a moment slows all of
//! them alike.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::Instant;

use ebur128::{EbuR128, Mode};
use headroom_dsp::layout::Layout;
use headroom_dsp::{KWeighting, LoudnessMeter, Oversample, TruePeakMeter};
use headroom_signals::judge::oracle;
use headroom_signals::{Programme, noise};

const RATE_HZ: u32 = 48_000;
const BLOCK_FRAMES: usize = 1_024;
const ROUNDS: usize = 25;

struct Case<'a> {
    name: String,
    frames: usize,
    run: Box<dyn FnMut() + 'a>,
    times_ns: Vec<f64>,
}

fn main() {
    let stereo = noise::pink(RATE_HZ, 2, 4.0, 1);
    let mono = noise::pink(RATE_HZ, 1, 4.0, 2);
    let surround = noise::pink(RATE_HZ, 6, 4.0, 3);
    let wide = noise::pink(RATE_HZ, 8, 4.0, 4);
    let silence = Programme::silence(RATE_HZ, 2, 4.0);
    let tail = stereo.clone().gain_db(-600.0);
    let mut cases: Vec<Case> = vec![
        theirs("ebur128, stereo, M+S+I", &stereo),
        ours("ours, stereo, M+S+I", &stereo),
        power("power alone, mono", &mono),
        power("power alone, stereo", &stereo),
        power("power alone, 5.1", &surround),
        power("power alone, 7.1", &wide),
        ours("ours, silence", &silence),
        ours("ours, tail of 1e-30", &tail),
        true_peak("true peak at 16 points, stereo", &stereo),
    ];
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let start = Instant::now();
            (case.run)();
            case.times_ns.push(start.elapsed().as_nanos() as f64 / case.frames as f64);
        }
    }
    println!("{:32}{:>12}{:>12}", "", "ns/frame", "x ebur128");
    let reference = median(&cases[0].times_ns);
    for case in &cases {
        let ns = median(&case.times_ns);
        println!("{:32}{ns:>12.2}{:>12.3}", case.name, ns / reference);
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn blocks(programme: &Programme) -> impl Iterator<Item = Vec<&[f32]>> {
    (0..programme.frames() / BLOCK_FRAMES).map(|block| {
        let part = block * BLOCK_FRAMES..(block + 1) * BLOCK_FRAMES;
        programme.channels.iter().map(|plane| &plane[part.clone()]).collect()
    })
}

fn case<'a>(
    name: &str,
    programme: &'a Programme,
    mut each: impl FnMut(&[&'a [f32]]) + 'a,
) -> Case<'a> {
    let blocks: Vec<Vec<&[f32]>> = blocks(programme).collect();
    let frames = blocks.len() * BLOCK_FRAMES;
    let run = Box::new(move || blocks.iter().for_each(|block| each(block)));
    Case { name: name.to_owned(), frames, run, times_ns: Vec::new() }
}

fn layout(programme: &Programme) -> Layout {
    Layout::usual(programme.channels.len()).expect("up to 8 channels")
}

fn ours<'a>(name: &str, programme: &'a Programme) -> Case<'a> {
    let mut meter = LoudnessMeter::prepare(RATE_HZ, &layout(programme), BLOCK_FRAMES);
    case(name, programme, move |block| {
        meter.process(block);
        black_box(meter.reading());
    })
}

fn theirs<'a>(name: &str, programme: &'a Programme) -> Case<'a> {
    let mode = Mode::M | Mode::S | Mode::I | Mode::HISTOGRAM;
    let mut meter: EbuR128 = oracle::meter(programme, mode);
    case(name, programme, move |block| {
        meter.add_frames_planar_f32(block).expect("planes of one length");
        black_box(meter.loudness_momentary().expect("in this mode"));
        black_box(meter.loudness_shortterm().expect("in this mode"));
        black_box(meter.loudness_global().expect("in this mode"));
    })
}

fn power<'a>(name: &str, programme: &'a Programme) -> Case<'a> {
    let mut weighting = KWeighting::prepare(RATE_HZ, &layout(programme));
    let mut out = vec![0.0; BLOCK_FRAMES];
    case(name, programme, move |block| {
        weighting.power(block, &mut out);
        black_box(&out);
    })
}

fn true_peak<'a>(name: &str, programme: &'a Programme) -> Case<'a> {
    let mut meter = TruePeakMeter::prepare(&layout(programme), Oversample::X8);
    case(name, programme, move |block| {
        meter.process(block);
        black_box(meter.true_peak());
        meter.take();
    })
}
