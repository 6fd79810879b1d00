//! From a saved file to the sound that it asks for.
//!
//! A tone is held down by the ceiling, and the ceiling is changed in the file. The time runs from
//! the moment at which the file was closed to the moment at which the recorder of the device's
//! monitor had written the first frame that differs. So it errs to the late side: by what the
//! recorder took, by up to the quantum that the frame stands in, and on 0.3.65 by one quantum
//! more, by which a device's monitor is late there.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use headroom_signals::{Random, tone};
use headroom_tests::{
    Deadline, Generation, Recorder, Saving, let_pass, level_dbfs, on_every_generation, poll,
};

use crate::stage::{DEVICE, Stage};
use crate::verdict::Verdict;

const RATE_HZ: u32 = 48_000;
const QUANTUM: u32 = 1_024;
const TONE_HZ: u32 = 1_000;
const PERIOD_FRAMES: usize = (RATE_HZ / TONE_HZ) as usize;
const TONE_DBFS: f64 = -6.0;
/// One is over the tone, the other holds it down.
const CEILINGS_DBTP: [f64; 2] = [-12.0, 0.0];
const TIMES_EACH: usize = 10;
const MOST_MS: f64 = 300.0;
/// A period whose level is so much off the steady tone is another sound.
const CHANGED_DB: f64 = 0.05;
/// For so many periods on end: longer than any look-ahead, and shorter than a release.
const CHANGED_PERIODS: usize = 3;
/// Nothing that is ever right takes so long.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(5);
/// A recorder that has come no further by then is held up itself, and says nothing of what was heard.
const LEAST_RECORDED_S: f64 = 4.0;
/// So many of the measurements may be in vain because the machine was late.
const MOST_IN_VAIN: usize = 20;

pub(crate) fn run(verdict: &Verdict) {
    on_every_generation(|generation| one(generation, verdict));
}

fn one(generation: &'static Generation, verdict: &Verdict) {
    let mut stage = Stage::at(generation, RATE_HZ, &[]);
    stage.graph.force_quantum(QUANTUM);
    let folder = stage.graph.directory().join("home/.config/headroom/profiles");
    fs::create_dir_all(&folder).expect("the directory of the user's profiles");
    let file = folder.join("reloaded.toml");
    fs::write(&file, text(CEILINGS_DBTP[0], 0)).expect("a profile");
    stage.client.profile_reload().expect("read");
    stage.client.profile_use("reloaded").expect("in force");
    let app = stage.play(&tone::sine(RATE_HZ, 2, 300.0, f64::from(TONE_HZ), TONE_DBFS).channels);
    let recorder = stage.graph.record(DEVICE);
    let mut saved = Saved { file, ceiling: 0, number: 0, random: Random::new(1), in_vain: 0 };
    for way in Saving::ALL {
        let mut took_ms: Vec<f64> =
            (0..TIMES_EACH).map(|_| 1_000.0 * saved.once_more(way, &recorder)).collect();
        took_ms.sort_by(f64::total_cmp);
        let row = |what: &str| format!("{}, saved {}: {what}", generation.name(), name(way));
        println!("{}: {took_ms:.0?} ms", row("heard after"));
        verdict.at_most(&row("median"), took_ms[took_ms.len() / 2], "ms", MOST_MS);
        verdict.at_most(&row("worst"), took_ms[took_ms.len() - 1], "ms", MOST_MS);
    }
    println!("{}: {} measured in vain on a busy machine", generation.name(), saved.in_vain);
    drop(app);
}

fn name(way: Saving) -> &'static str {
    match way {
        Saving::InPlace => "in place",
        Saving::Renamed => "by a rename",
        Saving::Swapped => "as vim does",
        Saving::Checkout => "by git checkout",
    }
}

/// A profile that only limits. The number keeps two of one ceiling apart.
fn text(ceiling_dbtp: f64, number: usize) -> String {
    format!(
        "name = \"reloaded\"\ndescription = \"number {number}\"\n[agc]\nenabled = false\n\
         [compressor]\nenabled = false\n[limiter]\nceiling_dbtp = {ceiling_dbtp:.1}\n"
    )
}

/// The file that is saved again and again.
struct Saved {
    file: PathBuf,
    ceiling: usize,
    number: usize,
    random: Random,
    in_vain: usize,
}

impl Saved {
    /// Saves it with the other ceiling, and measures the seconds until that is heard; infinity
    /// where it never is, or something else is.
    fn once_more(&mut self, way: Saving, recorder: &Recorder) -> f64 {
        loop {
            wait_until_steady(recorder);
            // At any phase of the quantum, and of a debouncer's clock.
            let_pass(Duration::from_secs_f64(self.random.between(0.0, 0.2)));
            self.number += 1;
            self.ceiling = 1 - self.ceiling;
            let text = text(CEILINGS_DBTP[self.ceiling], self.number);
            let before = recorder.frames();
            let closed = way.save(&self.file, &text).expect("saved");
            let Some((frame, arrived)) = first_changed(recorder, before) else {
                let recorded_s = (recorder.frames() - before) as f64 / f64::from(RATE_HZ);
                println!(
                    "no change is heard in {GIVEN_UP_AFTER:?}, of which {recorded_s:.1} s are recorded"
                );
                if recorded_s >= LEAST_RECORDED_S {
                    return f64::INFINITY;
                }
                // Who cannot write what is heard cannot be asked when it was.
                self.in_vain += 1;
                assert!(
                    self.in_vain <= MOST_IN_VAIN,
                    "the machine is too busy to measure anything"
                );
                continue;
            };
            let wanted_dbfs = TONE_DBFS.min(CEILINGS_DBTP[self.ceiling]);
            match outcome(recorder, frame, wanted_dbfs) {
                Outcome::AsWanted => {
                    return arrived.saturating_duration_since(closed).as_secs_f64();
                }
                Outcome::Wrong { end_dbfs } => {
                    println!("{end_dbfs:.2} dBFS came out, but the file asks for {wanted_dbfs:.2}");
                    return f64::INFINITY;
                }
                Outcome::Disturbed => self.in_vain += 1,
            }
            assert!(self.in_vain <= MOST_IN_VAIN, "the machine is too busy to measure anything");
        }
    }
}

/// Waits until half a second is one steady tone.
fn wait_until_steady(recorder: &Recorder) {
    let half = RATE_HZ as usize / 2;
    let steady = poll(Deadline::after(Duration::from_secs(60)), || {
        recorder.wait_for_more_frames(RATE_HZ as usize / 20);
        let levels = levels_of_periods(recorder, recorder.frames().checked_sub(half)?..);
        let (low, high) = levels
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        (high - low < CHANGED_DB / 4.0).then_some(())
    });
    assert!(steady.is_some(), "a steady tone did not come out steady within a minute");
}

/// The level of each period of the tone from a frame on.
fn levels_of_periods(recorder: &Recorder, from: std::ops::RangeFrom<usize>) -> Vec<f64> {
    let heard = recorder.since(from.start);
    heard.channels[0].chunks_exact(PERIOD_FRAMES).map(level_dbfs).collect()
}

/// The first frame after `before` that is not what the tone was, and when it was there to be read.
fn first_changed(recorder: &Recorder, before: usize) -> Option<(usize, Instant)> {
    let reference = recorder.since(before.saturating_sub(RATE_HZ as usize / 10));
    let steady_dbfs = level_dbfs(&reference.channels[0][..RATE_HZ as usize / 20]);
    let mut arrivals: Vec<(usize, Instant)> = Vec::new();
    let mut last = 0;
    let start = Instant::now();
    while start.elapsed() < GIVEN_UP_AFTER {
        let frames = recorder.frames();
        if frames == last {
            let_pass(Duration::from_millis(1));
            continue;
        }
        last = frames;
        arrivals.push((frames, Instant::now()));
        let levels = levels_of_periods(recorder, before..);
        let changed = levels
            .windows(CHANGED_PERIODS)
            .position(|periods| periods.iter().all(|l| (l - steady_dbfs).abs() > CHANGED_DB));
        if let Some(period) = changed {
            let frame = before + period * PERIOD_FRAMES;
            // What has come since the frames were counted is counted the next time.
            if let Some((_, arrived)) = arrivals.iter().find(|(frames, _)| *frames > frame) {
                return Some((frame, *arrived));
            }
        }
    }
    None
}

/// What a change led to.
enum Outcome {
    /// From one steady tone to the other.
    AsWanted,
    /// To another sound than the file asks for, and no late machine is to blame.
    Wrong { end_dbfs: f64 },
    /// The machine was late, and left a gap: nothing can be said.
    Disturbed,
}

fn outcome(recorder: &Recorder, frame: usize, wanted_dbfs: f64) -> Outcome {
    let quarter = RATE_HZ as usize / 4;
    let around: Range<usize> = frame.saturating_sub(quarter)..frame + 3 * quarter;
    recorder.wait_for_frames(around.end + QUANTUM as usize);
    let heard = recorder.since(around.start).part(0, around.len());
    let quietest = CEILINGS_DBTP.iter().fold(TONE_DBFS, |a, b| a.min(*b));
    let has_gap = heard.channels[0]
        .chunks_exact(PERIOD_FRAMES)
        .any(|period| level_dbfs(period) < quietest - 3.01 - 1.0);
    // As a sine: 3.01 dB under its peak.
    let end_dbfs = level_dbfs(&heard.channels[0][heard.frames() - quarter..]) + 3.01;
    if has_gap {
        Outcome::Disturbed
    } else if (end_dbfs - wanted_dbfs).abs() < 0.5 {
        Outcome::AsWanted
    } else {
        Outcome::Wrong { end_dbfs }
    }
}
