//! What a listener hears of AGC, burst guard and compressor, judged by the `ebur128` crate on
//! what comes out of the whole chain. Each test prints its figures.

mod bursts;
mod pauses;
mod programmes;
mod takeover;

use headroom_dsp::{Chain, ChainParams, Layout};
use headroom_signals::{Programme, noise};

const RATE_HZ: u32 = 48_000;
const TARGET_LUFS: f64 = -18.0;
/// The chain is run in blocks of 10 ms, so that its meters give a curve.
const LOOK_FRAMES: usize = 480;

/// What the chain's meters said every 10 ms.
#[derive(Clone, Copy)]
struct Look {
    agc_gain_db: f64,
    guard_db: f64,
}

/// A programme behind the chain, and what the meters said on the way.
struct Run {
    output: Programme,
    looks: Vec<Look>,
}

impl Run {
    fn of(input: &Programme, params: &ChainParams) -> Run {
        let layout = Layout::usual(input.channels.len()).expect("1 to 8 channels");
        let mut chain =
            Chain::prepare(input.rate_hz, layout, LOOK_FRAMES, params).expect("a valid chain");
        let latency = chain.latency_frames();
        // Silence behind it brings out what the look-ahead still holds.
        let mut output = input.clone();
        for plane in &mut output.channels {
            plane.extend(std::iter::repeat_n(0.0, latency));
        }
        let mut looks = Vec::new();
        let mut output = output.in_blocks(LOOK_FRAMES, |block| {
            chain.process(block);
            let meters = chain.take_meters().bus;
            looks.push(Look {
                agc_gain_db: f64::from(meters.agc_gain.0),
                guard_db: f64::from(meters.guard_reduction.0),
            });
        });
        for plane in &mut output.channels {
            plane.drain(..latency);
        }
        Run { output, looks }
    }

    fn between(&self, from_s: f64, to_s: f64) -> &[Look] {
        let at = |s: f64| ((s * 100.0) as usize).min(self.looks.len());
        &self.looks[at(from_s)..at(to_s)]
    }

    fn gain_swing_db(&self, from_s: f64, to_s: f64) -> f64 {
        let gains = || self.between(from_s, to_s).iter().map(|look| look.agc_gain_db);
        gains().fold(f64::MIN, f64::max) - gains().fold(f64::MAX, f64::min)
    }

    fn largest_guard_db(&self, from_s: f64, to_s: f64) -> f64 {
        self.between(from_s, to_s).iter().map(|look| look.guard_db).fold(0.0, f64::max)
    }
}

fn pink(seconds: f64, lufs: f64, seed: u64) -> Programme {
    noise::pink(RATE_HZ, 2, seconds, seed).at_lufs(lufs)
}
