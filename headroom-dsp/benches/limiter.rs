//! `cargo bench -p headroom-dsp --bench limiter`: what a stereo frame costs in the limiter, and
//! the same without its detector and on signals that need nothing done.
//!
//! Medians of interleaved rounds, so that a machine that is busy for a moment slows all of
//! them alike. `-- --check` fails when a figure is over its bar by more than the slack.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::process::ExitCode;

use headroom_dsp::limiter::Limiter;
use headroom_dsp::{Layout, LimiterParams, Link, Lufs, Oversample, SoftParams};
use headroom_signals::{Programme, noise, stopwatch};

const RATE_HZ: u32 = 48_000;
const FRAMES: usize = 1_024;
const BLOCKS: usize = 200;
const ROUNDS: usize = 21;
const SLACK: f64 = 1.5;
/// A peak of the noise that keeps the limiter at about 3 to 6 dB of reduction in every block.
const LOUD_DBFS: f64 = -2.0;

struct Case {
    name: &'static str,
    /// In nanoseconds a frame, if there is one.
    bar: Option<f64>,
    limiter: Limiter,
    input: Programme,
    work: Vec<Vec<f32>>,
    frames: usize,
    least_db: f32,
    most_db: f32,
}

impl Case {
    fn new(name: &'static str, params: LimiterParams, input: Programme) -> Case {
        let layout = Layout::usual(input.channels.len()).expect("1 to 8 channels");
        let limiter = Limiter::prepare(RATE_HZ, layout, FRAMES, params).expect("a limiter");
        let work = vec![vec![0.0; FRAMES]; input.channels.len()];
        Case {
            name,
            bar: None,
            limiter,
            input,
            work,
            frames: FRAMES,
            least_db: f32::INFINITY,
            most_db: 0.0,
        }
    }

    fn bar(self, ns: f64) -> Case {
        Case { bar: Some(ns), ..self }
    }

    fn in_blocks_of(self, frames: usize) -> Case {
        Case { frames, ..self }
    }

    fn run(&mut self) {
        let frames = self.frames;
        for start in (0..BLOCKS * FRAMES).step_by(frames) {
            for (work, plane) in self.work.iter_mut().zip(&self.input.channels) {
                work[..frames].copy_from_slice(&plane[start..start + frames]);
            }
            match &mut self.work[..] {
                [mono] => self.limiter.process(&mut [&mut mono[..frames]], Lufs::SILENCE),
                [left, right] => self
                    .limiter
                    .process(&mut [&mut left[..frames], &mut right[..frames]], Lufs::SILENCE),
                many => {
                    let mut block: Vec<&mut [f32]> =
                        many.iter_mut().map(|plane| &mut plane[..frames]).collect();
                    self.limiter.process(&mut block, Lufs::SILENCE);
                }
            }
            if start > FRAMES {
                let reduction = self.limiter.take_reduction();
                self.least_db = self.least_db.min(reduction.0);
                self.most_db = self.most_db.max(reduction.0);
            }
        }
    }
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let slack = if check { SLACK } else { 1.0 };
    let seconds = (BLOCKS * FRAMES) as f64 / f64::from(RATE_HZ);
    let white =
        |channels, peak_dbfs| noise::white(RATE_HZ, channels, seconds, 1).at_sample_peak(peak_dbfs);
    let loud = || white(2, LOUD_DBFS);
    let base = LimiterParams::default();
    let over = |oversample| LimiterParams { oversample, ..base };
    let dual = LimiterParams { link: Link::DualMono, ..base };
    let soft = LimiterParams { soft: Some(SoftParams::default()), ..base };
    let mut cases = vec![
        Case::new("stereo, 8x", base, loud()).bar(28.0),
        Case::new("stereo, 8x, blocks of 64", base, loud()).in_blocks_of(64),
        Case::new("stereo, 16x", over(Oversample::X16), loud()),
        Case::new("stereo, 4x", over(Oversample::X4), loud()),
        Case::new("stereo, 8x, dual mono", dual, loud()),
        Case::new("stereo, 8x, soft tier", soft, loud()),
        Case::new("mono, 8x", base, white(1, LOUD_DBFS)),
        Case::new("5.1, 8x", base, white(6, LOUD_DBFS)),
        Case::new("stereo, just under the ceiling", base, white(2, -12.0)),
        Case::new("stereo, far under the ceiling", base, white(2, -30.0)).bar(10.0),
        Case::new("stereo, silence", base, Programme::silence(RATE_HZ, 2, seconds)).bar(10.0),
        Case::new("stereo, tail of 1e-30", base, white(2, -600.0)).bar(10.0),
        Case::new("stereo, tail of denormals", base, white(2, -780.0)).bar(10.0),
    ];
    let mut candidates: Vec<Box<dyn FnMut() + '_>> = Vec::new();
    for case in &mut cases {
        candidates.push(Box::new(|| case.run()));
    }
    let mut borrowed: Vec<&mut dyn FnMut()> =
        candidates.iter_mut().map(|candidate| &mut **candidate as &mut dyn FnMut()).collect();
    let times = stopwatch::interleaved(ROUNDS, &mut borrowed);
    drop(borrowed);
    drop(candidates);

    let mut missed = 0;
    println!("{:34}{:>10}{:>11}   reduction in a block", "limiter, 48 kHz", "ns/frame", "bar");
    for (case, seconds) in cases.iter().zip(times) {
        let ns = seconds * 1e9 / (BLOCKS * FRAMES) as f64;
        let verdict = match case.bar {
            None => String::new(),
            Some(bar) if ns <= bar * slack => format!("{bar:.0} ok"),
            Some(bar) => {
                missed += 1;
                format!("{bar:.0} MISSED")
            }
        };
        println!(
            "{:34}{ns:>10.2}{verdict:>11}   {:.1} to {:.1} dB",
            case.name, case.least_db, case.most_db
        );
    }
    if check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
