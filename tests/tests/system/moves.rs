//! What a move costs: the silence while a stream is sent elsewhere, beside one that is moved without
//! Headroom.

use std::ops::Range;

use headroom_tests::{Device, Recorder, Recording, Setup, on_every_generation};

use crate::apps::{AMPLITUDE, put};
use crate::control::steered;
use crate::setting::{BUS, DEVICE, RATE_HZ, tones};

const QUANTUM: u32 = 1024;
/// What a move may cost, in quanta of silence.
const MOST_QUANTA: f64 = 2.0 + HEARD_LATE;
/// A tone is heard a little after it begins, at its first frames that are no silence.
const HEARD_LATE: f64 = 0.05;
const UP_DB: f64 = 4.0;

/// The stretches in which a sound is silent, in frames.
fn gaps(sound: Vec<f32>) -> Vec<Range<usize>> {
    let sound = Recording { rate_hz: RATE_HZ, channels: vec![sound] };
    let gaps = sound.gaps((AMPLITUDE / 50.0) as f32, 24);
    gaps.into_iter().map(|gap| gap.start..gap.start + gap.frames).collect()
}

fn quanta(frames: usize) -> f64 {
    frames as f64 / f64::from(QUANTUM)
}

/// The silence of the left since that frame, in quanta, but for what is silence of the right too:
/// there somebody plays whom nobody moves, and what a busy machine misses, it misses for both.
fn silence_of_the_left(recorder: &Recorder, since: usize) -> f64 {
    let [left, right] = <[_; 2]>::try_from(recorder.since(since).channels).expect("stereo");
    let missed = gaps(right);
    // What comes through us is late by what the limiter looks ahead.
    let late = QUANTUM as usize / 4;
    let is_missed = |frame: &usize| {
        missed.iter().any(|gap| (gap.start.saturating_sub(late)..gap.end + late).contains(frame))
    };
    quanta(gaps(left).into_iter().flatten().filter(|frame| !is_missed(frame)).count())
}

/// The silence since that frame of who plays on either channel, in quanta.
fn silence_of_both(recorder: &Recorder, since: usize) -> f64 {
    let [left, right] = <[_; 2]>::try_from(recorder.since(since).channels).expect("stereo");
    let sum = left.iter().zip(&right).map(|(left, right)| left + right);
    quanta(gaps(sum.collect()).iter().map(ExactSizeIterator::len).sum())
}

fn level_dbfs(recorder: &Recorder) -> f64 {
    let half = RATE_HZ as usize / 2;
    let from = recorder.frames();
    recorder.wait_for_frames(from + 2 * half);
    let heard = recorder.since(from);
    heard.part(heard.frames() - half, heard.frames()).levels_dbfs()[0]
}

#[test]
fn a_switch_of_profile_sends_streams_elsewhere_within_two_quanta() {
    on_every_generation(|generation| {
        let asides = ["aside-0", "aside-1"];
        let devices = asides.map(|name| Device::named(name).priority(1));
        let devices = [Device::named(DEVICE)].into_iter().chain(devices);
        let graph = Setup::default().devices(devices).start(generation);
        graph.force_quantum(QUANTUM);
        let [left, right] = ["left.wav", "right.wav"].map(|name| {
            let mut channels = tones(240.0, AMPLITUDE);
            channels[usize::from(name == "left.wav")].fill(0.0);
            graph.write_programme(name, RATE_HZ, &channels)
        });
        // On the right plays who is never moved, and aside who is moved without Headroom.
        let right = graph.play(&right).name("witness").property("node.dont-move", "true").start();
        right.wait_until_linked_to(DEVICE);
        let aside = graph.play(&left).name("aside").target(asides[0]).start();
        aside.wait_until_linked_to(asides[0]);
        let (_daemon, mut client, _) = steered(&graph, &[]);
        let recorder = graph.record(DEVICE);
        let beside = asides.map(|name| format!("{name}:monitor_FL"));
        let beside = graph.record_ports(RATE_HZ, &beside.each_ref().map(String::as_str));
        let heard_on_the_left = |since: usize| {
            graph.wait_for("the app to be heard", |_| {
                let heard = recorder.since(since);
                let is_loud = |sample: &f32| f64::from(sample.abs()) > AMPLITUDE / 50.0;
                Some(since + heard.channels[0].iter().position(is_loud)?)
            })
        };
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        let mut app = None;
        for n in 0..3 {
            drop(app.take());
            recorder.wait_for_more_frames(RATE_HZ as usize / 4);
            let before = recorder.frames();
            let name = format!("app-{n}");
            let new = graph.play(&left).name(&name).property("application.name", &name).start();
            let began = heard_on_the_left(before);
            new.wait_until_linked_to(BUS);
            recorder.wait_for_more_frames(RATE_HZ as usize / 2);
            ours.push(("a start".to_owned(), silence_of_the_left(&recorder, began)));
            app = Some(new);
        }
        let app = app.expect("the last of them");
        let sent = 20.0 * (AMPLITUDE / 2_f64.sqrt()).log10();
        let profiles = ["gaming", "bypass-all"].repeat(4).into_iter();
        for (n, profile) in profiles.flat_map(|profile| [profile, "default"]).enumerate() {
            let (sink, is_processed) =
                if profile == "default" { (BUS, true) } else { (DEVICE, false) };
            let (before, before_beside) = (recorder.frames(), beside.frames());
            client.profile_use(profile).expect("a shipped profile");
            let to = asides[(n + 1) % 2];
            put(&graph, &aside, to);
            app.wait_until_linked_to(sink);
            aside.wait_until_linked_to(to);
            recorder.wait_for_more_frames(RATE_HZ as usize / 2);
            beside.wait_for_more_frames(1);
            let mut silent = silence_of_the_left(&recorder, before);
            if is_processed {
                // What goes through us is later by what the limiter looks ahead: no gap, and told.
                silent -= quanta(client.status().expect("a status").device.latency_frames as usize);
            }
            ours.push((profile.to_owned(), silent));
            others.push(silence_of_both(&beside, before_beside));
            if is_processed {
                let is_up = |level: &f64| *level > sent + UP_DB;
                graph.wait_for("it to be levelled", |_| Some(level_dbfs(&recorder)).filter(is_up));
            } else {
                let level = level_dbfs(&recorder);
                assert!((level - sent).abs() < 0.1, "{profile}: {level:.2} dBFS, sent {sent:.2}");
            }
        }
        let most_of_ours = ours.iter().map(|(_, silent)| *silent).fold(0.0, f64::max);
        let most_of_others = others.iter().copied().fold(0.0, f64::max);
        println!(
            "{generation}: quanta of silence at each move: {ours:.2?}, and aside {others:.2?}"
        );
        println!(
            "{generation}: {most_of_ours:.2} quanta of silence at most in {} moves, and {most_of_others:.2} \
             in those without Headroom",
            ours.len(),
        );
        // WirePlumber, PipeWire and the app each answer several times before a stream is heard
        // again. Where a busy machine makes them late, it is not only two quanta without us either.
        assert!(most_of_ours <= MOST_QUANTA.max(most_of_others + 1.0 + HEARD_LATE), "{ours:.2?}");
    });
}
