//! What the whole chain costs: AGC, burst guard, compressor, limiter with 8x detection, and
//! both meters, stereo 48 kHz in blocks of 1,024 frames; beside the `ebur128` crate, which
//! only measures, on the same blocks.
//!
//! `-- --check` fails when a figure is over its bar by more than the slack for a noisy machine;
//! bars in nanoseconds are then those of a machine as fast as the reference shows this one to be.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::process::ExitCode;

use ebur128::{EbuR128, Mode};
use headroom_dsp::{Chain, ChainParams, Db, Layout, Lufs};
use headroom_signals::{Programme, noise, stopwatch};

const RATE_HZ: u32 = 48_000;
const FRAMES: usize = 1_024;
const BLOCKS: usize = 400;
const ROUNDS: usize = 15;
const SLACK: f64 = 1.5;
const CHAIN_BAR_NS: f64 = 60.0;
const RATIO_BAR: f64 = 0.35;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let loud = noise::white(RATE_HZ, 2, seconds(), 1).at_lufs(-14.0);
    let silence = Programme::silence(RATE_HZ, 2, seconds());
    let tail = decaying_from(1e-30);
    let quiet = noise::white(RATE_HZ, 2, seconds(), 1).at_lufs(-40.0);

    // A target at which white noise keeps the limiter busy in every block.
    let mut params = ChainParams::default();
    params.bus.agc.target = Lufs(-0.2);
    let mut idle_params = ChainParams::default();
    idle_params.bus.agc.enabled = false;
    idle_params.bus.compressor.enabled = false;

    let mut busy = settled(&params, &loud);
    let (least, most) = reductions(&mut busy, &loud);
    let mut on_silence = settled(&params, &silence);
    let mut on_tail = settled(&params, &tail);
    let mut idle = settled(&idle_params, &quiet);
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::M | Mode::S | Mode::I | Mode::HISTOGRAM)
        .expect("a stereo meter");
    let [mut w0, mut w1, mut w2, mut w3] = [(); 4].map(|()| Work::new());

    let times = stopwatch::interleaved(
        ROUNDS,
        &mut [
            &mut || w0.run(&mut busy, &loud),
            &mut || measure(&mut meter, &loud),
            &mut || w1.run(&mut on_silence, &silence),
            &mut || w2.run(&mut on_tail, &tail),
            &mut || w3.run(&mut idle, &quiet),
        ],
    );
    let ns: Vec<f64> = times.iter().map(|s| s * 1e9 / (BLOCKS * FRAMES) as f64).collect();

    println!("limiter reduction on the noise: {least:.1} to {most:.1} dB in every block");
    let slower = (ns[1] * RATIO_BAR / CHAIN_BAR_NS).max(1.0);
    let mut failed = 0;
    let mut row = |name: &str, value: f64, bar: f64, unit: &str| {
        let verdict = if value <= bar { "ok" } else { "MISSED" };
        let slack = if unit.is_empty() { SLACK } else { SLACK * slower };
        failed += u32::from(value > bar * slack);
        println!("{name:52}{value:9.2} {unit:9} bar {bar:7.2}  {verdict}");
    };
    row("chain on limited noise", ns[0], CHAIN_BAR_NS, "ns/frame");
    println!("{:52}{:9.2} ns/frame", "ebur128 crate, adding and reading M, S, I", ns[1]);
    row("chain / ebur128", ns[0] / ns[1], RATIO_BAR, "");
    row("chain on digital silence", ns[2], 10.0, "ns/frame");
    row("chain on a tail that decays from 1e-30", ns[3], ns[0], "ns/frame");
    row("settled chain with nothing to do", ns[4], ns[0], "ns/frame");
    if !(3.0..=6.0).contains(&least) || !(3.0..=6.0).contains(&most) {
        println!("the noise does not keep the limiter at 3 to 6 dB: the first figure says nothing");
        failed += 1;
    }
    if check && failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn seconds() -> f64 {
    (BLOCKS * FRAMES) as f64 / f64::from(RATE_HZ)
}

/// An exponential decay so slow that it stays among the denormals for the whole run.
fn decaying_from(start: f32) -> Programme {
    let plane: Vec<f32> = (0..BLOCKS * FRAMES)
        .map(|n| start * (-(n as f32) / (BLOCKS * FRAMES) as f32 * 30.0).exp())
        .collect();
    Programme::new(RATE_HZ, vec![plane.clone(), plane])
}

/// Two planes to process in place, so that no run sees the last one's output.
struct Work {
    planes: [Vec<f32>; 2],
}

impl Work {
    fn new() -> Work {
        Work { planes: [vec![0.0; FRAMES], vec![0.0; FRAMES]] }
    }

    fn block(&mut self, chain: &mut Chain, input: &Programme, block: usize) {
        let at = block * FRAMES;
        for (plane, source) in self.planes.iter_mut().zip(&input.channels) {
            if let Some(source) = source.get(at..at + FRAMES) {
                plane.copy_from_slice(source);
            }
        }
        let [left, right] = &mut self.planes;
        chain.process(&mut [left, right]);
    }

    fn run(&mut self, chain: &mut Chain, input: &Programme) {
        for block in 0..BLOCKS {
            self.block(chain, input, block);
            std::hint::black_box(chain.take_meters());
        }
    }
}

fn settled(params: &ChainParams, input: &Programme) -> Chain {
    let mut chain = Chain::prepare(RATE_HZ, Layout::STEREO, FRAMES, params).expect("a valid chain");
    let mut work = Work::new();
    for _ in 0..4 {
        work.run(&mut chain, input);
    }
    chain
}

fn reductions(chain: &mut Chain, input: &Programme) -> (f32, f32) {
    let mut work = Work::new();
    let (mut least, mut most) = (f32::MAX, 0.0_f32);
    for block in 0..BLOCKS {
        work.block(chain, input, block);
        let Db(reduction) = chain.take_meters().master.limiter_reduction;
        least = least.min(reduction);
        most = most.max(reduction);
    }
    (least, most)
}

fn measure(meter: &mut EbuR128, input: &Programme) {
    for block in 0..BLOCKS {
        let planes: [&[f32]; 2] =
            [0, 1].map(|channel: usize| &input.channels[channel][block * FRAMES..][..FRAMES]);
        meter.add_frames_planar_f32(&planes).expect("two planes");
        std::hint::black_box((
            meter.loudness_momentary().ok(),
            meter.loudness_shortterm().ok(),
            meter.loudness_global().ok(),
        ));
    }
}
