//! Several apps at once, each with a voice of its own, told apart in one recording of what the
//! device hears. Beside them plays a witness that nobody moves: what it misses, the machine has
//! missed, and not Headroom.

use headroom_client::Client;
use headroom_client::ipc::{Match, Route};
use headroom_tests::{Device, Dump, Generation, Graph, Recorder, Recording, Setup, programme};

use crate::setting::{BUS, DEVICE, MASTER, RATE_HZ};
use crate::witness::linked_by_hand;

/// Two tones: one on the left, another on the right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Voice {
    left_hz: f64,
    right_hz: f64,
}

impl Voice {
    /// The voices, by number from 0: the first is 440 Hz left and 880 Hz right. Every two of them
    /// beat in 12.5 ms, so that no voice is heard in another's tone over [`WINDOW_FRAMES`].
    const fn number(number: usize) -> Voice {
        Voice { left_hz: 440.0 + 80.0 * number as f64, right_hz: 880.0 + 80.0 * number as f64 }
    }
}

/// 25 ms: whole periods of every tone.
const WINDOW_FRAMES: usize = 1_200;
/// From one window to the next: how finely a silence is measured.
pub(crate) const HOP_FRAMES: usize = 120;
/// 400 ms and 500 ms.
const MOMENT_HOPS: usize = 160;
const HALF_SECOND_HOPS: usize = 200;
/// How loud each voice is sent: all of them together stay below full scale.
pub(crate) const AMPLITUDE: f64 = 0.1;
/// How many voices there are, the witness's among them.
pub(crate) const VOICES: f64 = 5.0;

/// The app that nobody moves, and its voice.
const WITNESS: (&str, Voice) = ("witness", Voice::number(4));

/// Who sings, and where each goes: two by the profile's rule, two by the user's routes.
const SINGERS: [(&str, &str); 4] =
    [("ruled", BUS), ("too", BUS), ("chosen", BUS), ("protected", MASTER)];

/// The profile that they sing under: what it does not name is left alone.
const PROFILE: &str = "name = \"choir\"\ndescription = \"Levels some of the singers\"\n\
     [[rules]]\nmatch = { application_name = [\"ruled\", \"too\"] }\nroute = \"processed\"\n\
     [default_route]\nroute = \"bypass\"\n";

/// The singers, the witness, and the recorder at the device.
pub(crate) struct Choir {
    singers: Vec<headroom_tests::Client>,
    witness: headroom_tests::Client,
    pub(crate) recorder: Recorder,
}

/// A graph with a device that is the default and another that is not.
pub(crate) fn stage(generation: &'static Generation) -> Graph {
    let other = Device::named("headphones").priority(1);
    Setup::default().devices([Device::named(DEVICE), other]).start(generation)
}

/// The profile of the singers, for `--profile`.
pub(crate) fn profile(graph: &Graph) -> String {
    let path = graph.directory().join("choir.toml");
    std::fs::write(&path, PROFILE).expect("written");
    path.display().to_string()
}

/// The user's routes of the singers, which are remembered from then on.
pub(crate) fn choose_routes(client: &mut Client) {
    for (name, route) in [("chosen", Route::Processed), ("protected", Route::Protected)] {
        let who = Match { application_name: vec![name.to_owned()], ..Match::default() };
        client.route_set(who, route).expect("a route");
    }
}

impl Choir {
    /// They begin, and the device's recorder runs.
    pub(crate) fn starts(graph: &Graph, seconds: f64) -> Choir {
        // By its ports: WirePlumber moves a recorder when the default sink changes.
        let ports = ["FL", "FR"].map(|channel| format!("{DEVICE}:monitor_{channel}"));
        let recorder = graph.record_ports(RATE_HZ, &ports.each_ref().map(String::as_str));
        let file = |name: &str, voice: Voice| {
            let tones = [voice.left_hz, voice.right_hz];
            let channels = programme::tones(RATE_HZ, seconds, &tones, AMPLITUDE);
            graph.write_programme(&format!("{name}.wav"), RATE_HZ, &channels)
        };
        let play = |name: &str, voice: Voice| {
            graph.play(&file(name, voice)).name(name).property("application.name", name)
        };
        let witness = linked_by_hand(graph, WITNESS.0, &file(WITNESS.0, WITNESS.1));
        let singers = SINGERS
            .iter()
            .enumerate()
            .map(|(number, (name, _))| play(name, Voice::number(number)).start());
        let choir = Choir { singers: singers.collect(), witness, recorder };
        choir.wait_until_raw();
        choir
    }

    /// Those who go through Headroom once it is there.
    pub(crate) fn singers(&self) -> impl Iterator<Item = &headroom_tests::Client> {
        self.singers.iter()
    }

    /// Waits until every singer goes to the device by itself.
    pub(crate) fn wait_until_raw(&self) {
        self.singers.iter().for_each(|singer| singer.wait_until_linked_to(DEVICE));
        self.witness.wait_until_linked_to(DEVICE);
    }

    /// Waits until every singer goes where it is to go, and Headroom tells it so.
    pub(crate) fn wait_until_picked_up(&self, graph: &Graph, client: &mut Client) {
        graph.wait_for("every singer to be where it is to go, and to be told of there", |dump| {
            let told = client.stream_list().ok()?.streams;
            let is_there = |(name, sink): &(&str, &str)| {
                let is_told = |stream: &headroom_client::ipc::Stream| {
                    stream.application_name.as_deref() == Some(name)
                        && stream.sink.as_deref() == Some(sink)
                };
                dump.is_flowing(name, sink) && told.iter().any(is_told)
            };
            (SINGERS.iter().all(is_there) && chain_flows(dump)).then_some(())
        });
    }

    /// What each singer has sung of this stretch.
    pub(crate) fn heard(&self, from: usize, to: usize) -> Heard {
        Heard::of(&self.recorder.since(from).part(0, to - from))
    }
}

fn chain_flows(dump: &Dump) -> bool {
    dump.is_flowing(&format!("{BUS}.out"), MASTER)
        && dump.is_flowing(&format!("{MASTER}.out"), DEVICE)
}

/// What was heard of every singer, and of the witness, in one stretch.
#[derive(Debug)]
pub(crate) struct Heard {
    /// How long each singer was silent, in milliseconds, and the witness after them.
    pub(crate) silent_ms: Vec<f64>,
    /// How loud each singer was at the end, against what it sends, in dB.
    pub(crate) level_db: Vec<f64>,
    /// How much of each is on its own side at the end, over what is on the other, in dB.
    pub(crate) apart_db: f64,
    /// The largest sample.
    pub(crate) peak: f64,
    /// How much louder or quieter each singer became within half a second, at most, in dB: for a
    /// tone that is the same in LU.
    pub(crate) jump_db: Vec<f64>,
}

impl Heard {
    fn of(recording: &Recording) -> Heard {
        let mut heard = Heard {
            silent_ms: Vec::new(),
            level_db: Vec::new(),
            apart_db: f64::INFINITY,
            peak: f64::from(headroom_tests::peak(&recording.channels)),
            jump_db: Vec::new(),
        };
        let voices = (0..SINGERS.len()).map(Voice::number).chain([WITNESS.1]);
        for voice in voices {
            let left = amplitudes(&recording.channels[0], voice.left_hz);
            let right = amplitudes(&recording.channels[1], voice.right_hz);
            let edge = left.len().min(40);
            let steady =
                |curve: &[f64]| middle(&curve[..edge]).min(middle(&curve[curve.len() - edge..]));
            let (quiet_left, quiet_right) = (steady(&left) / 2.0, steady(&right) / 2.0);
            let silent = left
                .iter()
                .zip(&right)
                .filter(|(left, right)| **left < quiet_left || **right < quiet_right)
                .count();
            heard.silent_ms.push((silent * HOP_FRAMES) as f64 * 1_000.0 / f64::from(RATE_HZ));
            let louder =
                middle(&left[left.len() - edge..]).max(middle(&right[right.len() - edge..]));
            heard.level_db.push(20.0 * (louder / AMPLITUDE).log10());
            heard.jump_db.push(largest_jump_db(&left).max(largest_jump_db(&right)));
            let end = recording.frames() - WINDOW_FRAMES * 4;
            let end = recording.part(end, recording.frames());
            let level = |channel: usize, hz: f64| middle(&amplitudes(&end.channels[channel], hz));
            let across = level(1, voice.left_hz) / level(0, voice.left_hz);
            let back = level(0, voice.right_hz) / level(1, voice.right_hz);
            heard.apart_db = heard.apart_db.min(-20.0 * across.max(back).log10());
        }
        heard
    }

    /// How long each singer was silent beyond the witness.
    pub(crate) fn silences_ms(&self) -> Vec<f64> {
        let (singers, witness) = self.silent_ms.split_at(SINGERS.len());
        singers.iter().map(|ms| ms - witness[0]).collect()
    }

    /// How much the worst singer jumped.
    pub(crate) fn largest_jump_db(&self) -> f64 {
        self.jump_db[..SINGERS.len()].iter().fold(0.0, |most, db| most.max(*db))
    }

    /// How long the worst singer was silent beyond the witness.
    pub(crate) fn longest_silence_ms(&self) -> f64 {
        self.silences_ms().into_iter().fold(0.0_f64, f64::max)
    }

    /// The quietest and the loudest singer at the end, against what they send.
    pub(crate) fn levels_db(&self) -> (f64, f64) {
        let singers = &self.level_db[..SINGERS.len()];
        let quietest = singers.iter().fold(f64::INFINITY, |least, db| least.min(*db));
        (quietest, singers.iter().fold(f64::NEG_INFINITY, |most, db| most.max(*db)))
    }
}

/// How much the level of a moment changes within half a second, at most. A moment is as long as that
/// of momentary loudness; its level is the power of what sounds in it, for a silence is told for itself.
fn largest_jump_db(amplitudes: &[f64]) -> f64 {
    const STEP: usize = MOMENT_HOPS / 4;
    let moments = amplitudes.windows(MOMENT_HOPS).step_by(STEP);
    // What is silent has no level, and is no jump from or to anything.
    let level_db = |moment: f64| if moment > 1e-5 { 20.0 * moment.log10() } else { f64::NAN };
    let sounding = |moment: &[f64]| {
        let mut sorted = moment.to_vec();
        sorted.sort_by(f64::total_cmp);
        let silent = sorted[sorted.len() * 3 / 4] / 2.0;
        let sounds = &sorted[sorted.partition_point(|it| *it <= silent)..];
        let power: f64 = sounds.iter().map(|amplitude| amplitude * amplitude).sum();
        (power / sounds.len().max(1) as f64).sqrt()
    };
    let levels_db: Vec<f64> = moments.map(|moment| level_db(sounding(moment))).collect();
    let changes = levels_db.iter().enumerate().flat_map(|(at, now)| {
        let before = &levels_db[at.saturating_sub(HALF_SECOND_HOPS / STEP)..at];
        before.iter().map(move |before| (now - before).abs())
    });
    changes.fold(0.0, f64::max)
}

/// The amplitude of a tone in each window of a plane.
fn amplitudes(plane: &[f32], hz: f64) -> Vec<f64> {
    use std::f64::consts::TAU;
    let turn = TAU * hz / f64::from(RATE_HZ);
    let tones: Vec<(f64, f64)> = (0..WINDOW_FRAMES).map(|n| (turn * n as f64).sin_cos()).collect();
    let starts = (0..(plane.len() + 1).saturating_sub(WINDOW_FRAMES)).step_by(HOP_FRAMES);
    let amplitude = |start: usize| {
        let window = &plane[start..start + WINDOW_FRAMES];
        let (mut re, mut im) = (0.0, 0.0);
        for (sample, (sin, cos)) in window.iter().zip(&tones) {
            re += f64::from(*sample) * cos;
            im += f64::from(*sample) * sin;
        }
        2.0 * re.hypot(im) / WINDOW_FRAMES as f64
    };
    starts.map(amplitude).collect()
}

/// The value in the middle.
pub(crate) fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
