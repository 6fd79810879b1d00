//! The `ebur128` crate as an oracle: loudness as a whole, in a span of time, and over time.
//!
//! Channels are taken in the usual order of their number: 3 FL FR FC, 4 FL FR RL RR,
//! 5 FL FR FC RL RR, 6 FL FR FC LFE SL SR, 7 FL FR FC LFE RC SL SR, 8 FL FR FC LFE RL RR SL SR.
//! All loudness is in LUFS; silence is negative infinity.

use ebur128::{Channel, EbuR128, Mode};

use crate::Programme;
use crate::programme::frames_of;

/// A reading of a running meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The end of the window that was read, from the start of the programme.
    pub at_s: f64,
    /// What it read.
    pub lufs: f64,
}

/// Gated loudness of all of it.
#[must_use]
pub fn integrated(programme: &Programme) -> f64 {
    integrated_between(programme, 0.0, f64::INFINITY)
}

/// Gated loudness of the part between two times, as if nothing had been before it.
#[must_use]
pub fn integrated_between(programme: &Programme, from_s: f64, to_s: f64) -> f64 {
    let mut meter = meter(programme, Mode::I | Mode::HISTOGRAM);
    let (from, to) = span(programme, from_s, to_s);
    add(&mut meter, programme, from, to);
    meter.loudness_global().expect("the meter is in this mode")
}

/// Loudness range (EBU Tech 3342) of all of it, in LU.
#[must_use]
pub fn loudness_range(programme: &Programme) -> f64 {
    let mut meter = meter(programme, Mode::LRA);
    add(&mut meter, programme, 0, programme.frames());
    meter.loudness_range().expect("the meter is in this mode")
}

/// Momentary loudness (400 ms) at every 10 ms, from the start on.
#[must_use]
pub fn momentary_over_time(programme: &Programme) -> Vec<Reading> {
    over_time(programme, Mode::M, |meter| meter.loudness_momentary())
}

/// Short-term loudness (3 s) at every 10 ms, from the start on.
#[must_use]
pub fn short_term_over_time(programme: &Programme) -> Vec<Reading> {
    over_time(programme, Mode::S, |meter| meter.loudness_shortterm())
}

/// The largest momentary loudness that a meter shows between two times. Its window reaches
/// back 400 ms: what came just before `from_s` counts.
#[must_use]
pub fn max_momentary_between(programme: &Programme, from_s: f64, to_s: f64) -> f64 {
    largest(&momentary_over_time(programme), from_s, to_s)
}

/// The largest short-term loudness that a meter shows between two times.
#[must_use]
pub fn max_short_term_between(programme: &Programme, from_s: f64, to_s: f64) -> f64 {
    largest(&short_term_over_time(programme), from_s, to_s)
}

/// The largest reading between two times, both included; negative infinity without one.
#[must_use]
pub fn largest(readings: &[Reading], from_s: f64, to_s: f64) -> f64 {
    readings
        .iter()
        .filter(|reading| (from_s - 1e-9..=to_s + 1e-9).contains(&reading.at_s))
        .fold(f64::NEG_INFINITY, |largest, reading| largest.max(reading.lufs))
}

/// The channel that the crate is told of, for each plane of this many.
///
/// # Panics
/// Over 8 channels.
#[must_use]
pub fn channel_map(channels: usize) -> Vec<Channel> {
    use Channel::{Center, Left, Mm090, Mm135, Mp090, Mp135, Mp180, Right, Unused};
    match channels {
        1 => vec![Center],
        2 => vec![Left, Right],
        3 => vec![Left, Right, Center],
        4 => vec![Left, Right, Channel::LeftSurround, Channel::RightSurround],
        5 => vec![Left, Right, Center, Channel::LeftSurround, Channel::RightSurround],
        6 => vec![Left, Right, Center, Unused, Mp090, Mm090],
        7 => vec![Left, Right, Center, Unused, Mp180, Mp090, Mm090],
        8 => vec![Left, Right, Center, Unused, Mp135, Mm135, Mp090, Mm090],
        n => panic!("the programme has {n} channels, but the oracle knows 1 to 8"),
    }
}

/// A meter of the crate for programmes like this one.
///
/// # Panics
/// When the crate refuses the rate.
#[must_use]
pub fn meter(programme: &Programme, mode: Mode) -> EbuR128 {
    let channels = programme.channels.len();
    let mut meter = EbuR128::new(channels as u32, programme.rate_hz, mode)
        .expect("the crate takes this rate and channel count");
    meter.set_channel_map(&channel_map(channels)).expect("one position a channel");
    meter
}

fn over_time(
    programme: &Programme,
    mode: Mode,
    read: impl Fn(&EbuR128) -> Result<f64, ebur128::Error>,
) -> Vec<Reading> {
    let mut meter = meter(programme, mode);
    let rate_hz = programme.rate_hz as usize;
    let mut readings = Vec::new();
    let mut hop = 0;
    let mut at = 0;
    loop {
        hop += 1;
        let end = hop * rate_hz / 100;
        if end > programme.frames() {
            return readings;
        }
        add(&mut meter, programme, at, end);
        at = end;
        let lufs = read(&meter).expect("the meter is in this mode");
        readings.push(Reading { at_s: end as f64 / rate_hz as f64, lufs });
    }
}

fn add(meter: &mut EbuR128, programme: &Programme, from: usize, to: usize) {
    let planes: Vec<&[f32]> = programme.channels.iter().map(|plane| &plane[from..to]).collect();
    meter.add_frames_planar_f32(&planes).expect("planes of one length");
}

fn span(programme: &Programme, from_s: f64, to_s: f64) -> (usize, usize) {
    let to_s = to_s.min(programme.seconds());
    let to = frames_of(programme.rate_hz, to_s).min(programme.frames());
    (frames_of(programme.rate_hz, from_s).min(to), to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone;

    #[test]
    fn a_stereo_sine_at_minus_23_reads_minus_23_by_every_way_in() {
        let sine = tone::sine(48_000, 2, 10.0, 1_000.0, -23.0);
        for lufs in [
            integrated(&sine),
            integrated_between(&sine, 2.0, 5.0),
            max_momentary_between(&sine, 1.0, 9.0),
            max_short_term_between(&sine, 3.0, 10.0),
        ] {
            assert!((lufs + 23.0).abs() < 0.1, "{lufs}");
        }
    }

    #[test]
    fn a_span_shows_what_is_in_it_and_the_window_before_it() {
        let programme = Programme::concat(&[
            tone::sine(48_000, 2, 2.0, 1_000.0, -40.0),
            tone::sine(48_000, 2, 1.0, 1_000.0, -10.0),
            tone::sine(48_000, 2, 2.0, 1_000.0, -40.0),
        ]);
        assert!((max_momentary_between(&programme, 1.0, 2.0) + 40.0).abs() < 0.1);
        assert!((max_momentary_between(&programme, 2.0, 3.0) + 10.0).abs() < 0.1);
        assert!((max_momentary_between(&programme, 3.5, 5.0) + 40.0).abs() < 0.1);
        assert!(max_momentary_between(&programme, 3.2, 5.0) > -15.0);
    }
}
