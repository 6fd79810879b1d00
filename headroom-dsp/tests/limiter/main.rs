//! What the limiter promises: the ceiling, judged between the samples by the 16x judge; nothing
//! changed that is under it; latency; links; smooth gains; settings that change without a
//! click. The tests print what they measure.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

mod ceiling;
mod gain;
mod shape;
mod switching;
mod true_peak;

use headroom_dsp::limiter::Limiter;
use headroom_dsp::{Db, Layout, LimiterParams, Lufs};
use headroom_signals::Programme;

/// What a limiter makes of a programme, in blocks of 1,024 frames, with its delay taken off.
fn limited(params: &LimiterParams, input: &Programme) -> Programme {
    limited_in_blocks(params, input, &mut || 1_024)
}

fn limited_in_blocks(
    params: &LimiterParams,
    input: &Programme,
    next_block: &mut dyn FnMut() -> usize,
) -> Programme {
    let mut limiter = limiter_for(params, input);
    let latency = limiter.latency_frames();
    let mut planes = input.channels.clone();
    planes.iter_mut().for_each(|plane| plane.resize(plane.len() + latency, 0.0));
    let total = planes[0].len();
    let mut done = 0;
    while done < total {
        let end = total.min(done + next_block());
        play(&mut limiter, &mut planes, done..end, Lufs::SILENCE);
        done = end;
    }
    planes.iter_mut().for_each(|plane| drop(plane.drain(..latency)));
    Programme::new(input.rate_hz, planes)
}

fn limiter_for(params: &LimiterParams, input: &Programme) -> Limiter {
    let layout = Layout::usual(input.channels.len()).expect("1 to 8 channels");
    Limiter::prepare(input.rate_hz, layout, 1_024, *params).expect("a limiter")
}

/// Processes a range of frames in place.
fn play(
    limiter: &mut Limiter,
    planes: &mut [Vec<f32>],
    range: std::ops::Range<usize>,
    programme: Lufs,
) {
    let mut block: Vec<&mut [f32]> =
        planes.iter_mut().map(|plane| &mut plane[range.clone()]).collect();
    limiter.process(&mut block, programme);
}

/// The largest sample value that a ceiling allows.
fn sample_ceiling(ceiling: Db) -> f32 {
    ceiling.to_gain().0
}
