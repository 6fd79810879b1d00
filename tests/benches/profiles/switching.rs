//! Clicks: switching through all shipped profiles while a low tone plays.
//!
//! The app's own ports and the device's monitor are recorded in the same cycles of the graph. So
//! it can be told what was done to the sound between them from what the graph, the app or the
//! recorder did on a busy machine: where the app's port itself is not the tone, nothing is judged.
//! The right channel carries faint noise beside the tone, by which each frame can be told from
//! every other; clicks are judged on the left.

use headroom_client::ipc::{ProfileOrigin, Route};
use headroom_signals::judge::click::{Loudest, above_2_khz, window_frames};
use headroom_signals::judge::delay::{delay_frames, explained_part};
use headroom_signals::{Random, tone};
use headroom_tests::{Generation, Recorder, Recording, let_pass, on_every_generation};

use crate::circuit::through_every_pair;
use crate::stage::{DEVICE, Stage};
use crate::verdict::Verdict;

pub(crate) const RATES_HZ: [u32; 4] = [44_100, 48_000, 96_000, 192_000];

const TONE_HZ: u32 = 100;
const TONE_DBFS: f64 = -12.0;
const NOISE_AMPLITUDE: f64 = 0.005;
const WINDOW_MOST_DBFS: f64 = -70.0;
const SAMPLE_MOST_DBFS: f64 = -60.0;
/// What a switch may add to the tone that a profile makes of it anyway.
const OVER_STEADY_DB: f64 = 3.0;
const LEAST_SWITCHES: usize = 100;
/// How long each profile stays in force: from less than a fade to more than one.
const STAY_MS: (f64, f64) = (50.0, 180.0);
/// After so long a profile is in force, with its own latency and no other.
const ARRIVED_MS: usize = 150;
/// How much of a stretch must be what was sent, at one delay or at a mix of two.
const EXPLAINED_PART: f64 = 0.7;
/// How many of the failures are shown one by one.
const SHOWN: usize = 12;
/// How much of the recording a busy machine may have spoilt by itself.
const SPOILT_PART: f64 = 0.25;

/// A profile that is switched to.
struct Stop {
    name: String,
    /// What the daemon says that it adds.
    latency_frames: usize,
}

/// A profile was asked for when the recorder had so many frames.
struct Switch {
    to: usize,
    frame: usize,
}

pub(crate) fn run(rate_hz: u32, verdict: &Verdict) {
    on_every_generation(|generation| one(generation, rate_hz, verdict));
}

fn one(generation: &'static Generation, rate_hz: u32, verdict: &Verdict) {
    let mut stage = Stage::at(generation, rate_hz, &[]);
    let programme = programme(rate_hz, 120.0);
    let app = stage.play(&programme);
    let stops = stops(&mut stage);
    let ports = [":output_FL", ":output_FR"].map(|port| format!("{}{port}", app.name()));
    let monitor = [":monitor_FL", ":monitor_FR"].map(|port| format!("{DEVICE}{port}"));
    let ports: Vec<&str> = ports.iter().chain(&monitor).map(String::as_str).collect();
    let recorder = stage.graph.record_ports(rate_hz, &ports);
    recorder.wait_for_more_frames(rate_hz as usize / 2);
    let switches = go_round(&mut stage, &stops, &recorder);
    recorder.wait_for_more_frames(rate_hz as usize / 2);
    let heard = recorder.stop();
    let what = format!("{} at {rate_hz} Hz", generation.name());
    assert_is_a_part(&what, &heard.channels[1], &programme[1]);
    judge(&what, &heard, &stops, &switches, verdict);
    let log = stage.daemon.log();
    assert!(!log.contains("panicked"), "{log}");
    drop(app);
}

/// The tone on both sides, and on the right noise, which no period of the tone has.
fn programme(rate_hz: u32, seconds: f64) -> Vec<Vec<f32>> {
    let mut channels = tone::sine(rate_hz, 2, seconds, f64::from(TONE_HZ), TONE_DBFS).channels;
    let mut random = Random::new(u64::from(rate_hz));
    for sample in &mut channels[1] {
        *sample += (NOISE_AMPLITUDE * random.sample()) as f32;
    }
    channels
}

/// Asserts that the graph runs at the rate of the programme: resampled, nothing is bit-exact.
fn assert_is_a_part(what: &str, recorded: &[f32], programme: &[f32]) {
    let part = &recorded[recorded.len() / 4..][..64];
    let is_there = programme.windows(part.len()).any(|window| window == part);
    assert!(is_there, "{what}: the app's port is not bit by bit what the app plays");
}

/// The shipped profiles that leave a stream on its route, and the latency of each.
fn stops(stage: &mut Stage) -> Vec<Stop> {
    let profiles = stage.client.profile_list().expect("profiles").profiles;
    let mut stops = Vec::new();
    for profile in profiles {
        assert_eq!(profile.origin, ProfileOrigin::Embedded, "{profile:?}");
        let detail = stage.client.profile_show(Some(&profile.name)).expect("a profile");
        if detail.default_route != Route::Processed {
            continue;
        }
        stage.client.profile_use(&profile.name).expect("in force");
        // The latency is that of the settings in force, and the graph is told of it after us.
        let latency_frames = settled_latency(stage);
        stops.push(Stop { name: profile.name, latency_frames });
    }
    stops
}

/// What the daemon says that it adds, once it says the same for a quarter of a second.
fn settled_latency(stage: &mut Stage) -> usize {
    let mut last = None;
    let mut looks = 0;
    stage.graph.wait_for("a latency", |_| {
        let_pass(std::time::Duration::from_millis(50));
        let now = stage.client.status().expect("status").device.latency_frames;
        looks = if last == Some(now) { looks + 1 } else { 0 };
        last = Some(now);
        (looks == 4).then_some(now as usize)
    })
}

/// Switches from every one to every other.
fn go_round(stage: &mut Stage, stops: &[Stop], recorder: &Recorder) -> Vec<Switch> {
    let mut random = Random::new(1);
    stage.client.profile_use(&stops[0].name).expect("in force");
    recorder.wait_for_more_frames(stage.rate_hz as usize / 2);
    let mut switches = vec![Switch { to: 0, frame: recorder.frames() }];
    recorder.wait_for_more_frames(stage.rate_hz as usize / 2);
    for to in through_every_pair(stops.len()) {
        switches.push(Switch { to, frame: recorder.frames() });
        stage.client.profile_use(&stops[to].name).expect("in force");
        let_pass(std::time::Duration::from_secs_f64(
            random.between(STAY_MS.0, STAY_MS.1) / 1_000.0,
        ));
    }
    switches
}

fn judge(what: &str, heard: &Recording, stops: &[Stop], switches: &[Switch], verdict: &Verdict) {
    let rate_hz = heard.rate_hz;
    let spoilt = Spoilt::of(&heard.channels[0], rate_hz);
    let above: Vec<Vec<f64>> =
        heard.channels[1..].iter().map(|plane| above_2_khz(plane, rate_hz)).collect();
    let [sent, left, right] = &above[..] else { unreachable!("four ports were recorded") };

    // What each profile makes of the steady tone: by the ends of its stays, where nothing is new.
    let stays: Vec<(usize, std::ops::Range<usize>)> =
        switches.windows(2).map(|pair| (pair[0].to, pair[0].frame..pair[1].frame)).collect();
    let steady: Vec<Loudest> =
        (0..stops.len()).map(|stop| steady(left, rate_hz, stop, &stays, &spoilt)).collect();

    let base = base_delay(sent, right, rate_hz, &stays[0].1, stops[stays[0].0].latency_frames);
    let window = window_frames(rate_hz);
    let (mut loudest, mut over, mut lost, mut judged) =
        (Loudest::SILENCE, Vec::new(), Vec::new(), 0);
    for (index, (stop, stay)) in stays.iter().enumerate().skip(1) {
        let before = stays[index - 1].0;
        let allowed = steady[*stop].max(steady[before]);
        // A stay may be shorter than what it takes to get there.
        let earlier = stays[index.saturating_sub(2)].0;
        let delays = [*stop, before, earlier].map(|stop| base + stops[stop].latency_frames);
        for start in stay.clone().step_by(window) {
            let stretch = start..start + window;
            if spoilt.touches(&stretch) {
                continue;
            }
            judged += 1;
            let click = Loudest::of(&left[stretch.clone()], rate_hz);
            loudest = loudest.max(click);
            if click.window_dbfs > WINDOW_MOST_DBFS.max(allowed.window_dbfs + OVER_STEADY_DB)
                || click.sample_dbfs > SAMPLE_MOST_DBFS.max(allowed.sample_dbfs + OVER_STEADY_DB)
            {
                over.push((index, start, click));
            }
            let is_arrived = start >= stay.start + ARRIVED_MS * rate_hz as usize / 1_000;
            let delays = if is_arrived { &delays[..1] } else { &delays[..] };
            let explained = explained_part(sent, right, stretch.clone(), delays);
            if explained < EXPLAINED_PART {
                lost.push((index, start, explained));
            }
        }
    }
    let of = |index: usize, start: usize| {
        let (before, (stop, stay)) = (stays[index - 1].0, &stays[index]);
        let (before, stop) = (&stops[before].name, &stops[*stop].name);
        format!("{what}: {before} -> {stop}, {} frames after the request", start - stay.start)
    };
    for (index, start, click) in over.iter().take(SHOWN) {
        println!("{}: {click:.1?}", of(*index, *start));
    }
    for (index, start, explained) in lost.iter().take(SHOWN) {
        let percent = 100.0 * explained;
        println!("{}: {percent:.0} % of 5 ms are what was sent", of(*index, *start));
    }
    for (stop, steady) in stops.iter().zip(&steady) {
        if steady.window_dbfs + OVER_STEADY_DB > WINDOW_MOST_DBFS {
            println!("{what}: the steady tone of {}: {steady:.1?}", stop.name);
        }
    }
    let switched = stays.len() - 1;
    println!(
        "{what}: {switched} switches among {} profiles: the loudest 5 ms above 2 kHz are {:.1} \
         dBFS, the largest sample {:.1} dBFS",
        stops.len(),
        loudest.window_dbfs,
        loudest.sample_dbfs
    );
    assert!(switched >= LEAST_SWITCHES && judged > 0, "{switched} switches, {judged} judged");
    let row = |figure: &str| format!("{what}: {figure}");
    verdict.at_most(&row("5 ms with a click"), over.len() as f64, "", 0.0);
    verdict.at_most(&row("5 ms with a frame lost or out of place"), lost.len() as f64, "", 0.0);
    let spoilt_percent = 100.0 * spoilt.frames as f64 / heard.frames() as f64;
    let spoilt_most_percent = 100.0 * SPOILT_PART;
    verdict.at_most(&row("not judged: the app was late"), spoilt_percent, "%", spoilt_most_percent);
}

/// The loudest that a profile has in the last third of its stays; the median of the stays.
fn steady(
    left: &[f64],
    rate_hz: u32,
    stop: usize,
    stays: &[(usize, std::ops::Range<usize>)],
    spoilt: &Spoilt,
) -> Loudest {
    let ends = stays.iter().filter(|(to, _)| *to == stop).map(|(_, stay)| {
        let length = (stay.len() / 3).max(window_frames(rate_hz)).min(stay.len());
        stay.end - length..stay.end
    });
    let ends: Vec<Loudest> = ends
        .filter(|end| !spoilt.touches(end))
        .map(|end| Loudest::of(&left[end], rate_hz))
        .collect();
    let median = |of: fn(&Loudest) -> f64| {
        let mut values: Vec<f64> = ends.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NEG_INFINITY)
    };
    Loudest {
        window_dbfs: median(|end| end.window_dbfs),
        sample_dbfs: median(|end| end.sample_dbfs),
    }
}

/// What the way from the app's port to the device's monitor has of its own: none, or a quantum.
fn base_delay(
    sent: &[f64],
    right: &[f64],
    rate_hz: u32,
    stay: &std::ops::Range<usize>,
    latency_frames: usize,
) -> usize {
    let end = stay.end;
    let delay = delay_frames(sent, right, end - rate_hz as usize / 50..end, rate_hz as usize / 10);
    let delay = delay.expect("what is heard is what was sent, up to 100 ms ago");
    delay.checked_sub(latency_frames).unwrap_or_else(|| {
        panic!("heard {delay} frames after it was sent, but {latency_frames} are reported")
    })
}

/// Where the app's own port was not the tone: the graph, the app or the recorder was late.
struct Spoilt {
    ranges: Vec<std::ops::Range<usize>>,
    frames: usize,
}

impl Spoilt {
    fn of(tone: &[f32], rate_hz: u32) -> Spoilt {
        let period = (rate_hz / TONE_HZ) as usize;
        // What was late may be heard until it has left every delay and filter on the way.
        let after = rate_hz as usize / 5;
        let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
        let mut frames = 0;
        for frame in period..tone.len() {
            if (tone[frame] - tone[frame - period]).abs() <= 1e-4 {
                continue;
            }
            let range = frame.saturating_sub(period)..frame + after;
            match ranges.last_mut() {
                Some(last) if last.end >= range.start => {
                    frames += range.end - last.end;
                    last.end = range.end;
                }
                _ => {
                    frames += range.len();
                    ranges.push(range);
                }
            }
        }
        Spoilt { ranges, frames }
    }

    fn touches(&self, stretch: &std::ops::Range<usize>) -> bool {
        let after = self.ranges.partition_point(|range| range.end <= stretch.start);
        self.ranges.get(after).is_some_and(|range| range.start < stretch.end)
    }
}
