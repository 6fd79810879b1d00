//! A witness: a tone that goes straight to the device while another comes through Headroom. In one and
//! the same recording it tells what the machine was late for from what Headroom has left out.

use std::path::Path;

use headroom_tests::{Client, Gap, Graph, Recording, programme};

use crate::setting::{DEVICE, RATE_HZ};

/// A whole number of frames to a period, and far above the tones that are judged.
const WITNESS_HZ: f64 = 6_000.0;
const PERIOD_FRAMES: usize = 8;
const AMPLITUDE: f64 = 0.1;
/// What is quieter than this is silence, where the witness has been taken out.
const SILENCE: f32 = 0.001;
/// The witness is silent where a sample and that of half a period before are nearer than this: of the
/// tones below 900 Hz no more is left by then.
const WITNESS_SILENCE: f32 = 0.08;
/// The shortest silence that is a gap, in frames.
const GAP_FRAMES: usize = 24;

/// Plays a witness on the device until it is dropped, at most for that long.
pub(crate) fn stand_by(graph: &Graph, seconds: f64) -> Client {
    let hz = [WITNESS_HZ; 2];
    let file = graph.write_programme(
        "witness.wav",
        RATE_HZ,
        &programme::tones(RATE_HZ, seconds, &hz, AMPLITUDE),
    );
    let witness = graph.play(&file).name("witness").target(DEVICE);
    let witness = witness.property("node.dont-move", "true").start();
    witness.wait_until_linked_to(DEVICE);
    witness
}

/// An app that plays a file on the device and is left alone, by us and by WirePlumber. One that asks for
/// the device while that is the default follows the default sink, wherever it goes.
pub(crate) fn linked_by_hand(graph: &Graph, name: &str, file: &Path) -> Client {
    let app = graph.play(file).name(name).property("application.name", name).target("0");
    let app = app.property("node.dont-move", "true").start();
    graph.wait_for(&format!("the ports of {name}"), |dump| {
        (dump.ports_of(name, "out").count() == 2).then_some(())
    });
    for side in ["FL", "FR"] {
        let (from, to) = (format!("{name}:output_{side}"), format!("{DEVICE}:playback_{side}"));
        graph.tool("pw-link", &[&from, &to]);
    }
    app.wait_until_linked_to(DEVICE);
    app
}

/// What of a recording was silent.
#[derive(Debug, Default)]
pub(crate) struct Silences {
    /// Of the tone, while the witness was heard.
    pub(crate) own: Vec<Gap>,
    /// Of the witness.
    pub(crate) of_witness: Vec<Gap>,
}

/// Takes a recording of a tone and of a witness apart. What is silent up to a quantum before or after a
/// silence of the witness is the machine's.
pub(crate) fn silences(heard: &Recording, quantum: usize) -> Silences {
    // A tone and itself a period later is nothing.
    let of_witness = apart(heard, PERIOD_FRAMES / 2).gaps(WITNESS_SILENCE, GAP_FRAMES);
    let gaps = apart(heard, PERIOD_FRAMES).gaps(SILENCE, GAP_FRAMES);
    let is_own = |gap: &Gap| {
        of_witness.iter().all(|late| {
            gap.start > late.start + late.frames + quantum
                || gap.start + gap.frames + quantum < late.start
        })
    };
    Silences { own: gaps.into_iter().filter(is_own).collect(), of_witness }
}

/// Each sample less the one so many frames before it.
fn apart(heard: &Recording, frames: usize) -> Recording {
    let channel = |samples: &Vec<f32>| {
        let later = samples.iter().skip(frames);
        later.zip(samples).map(|(now, before)| now - before).collect()
    };
    Recording { rate_hz: heard.rate_hz, channels: heard.channels.iter().map(channel).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::tones;

    /// Half a second of both, each silent in one stretch.
    fn heard(tone: std::ops::Range<usize>, witness: std::ops::Range<usize>) -> Recording {
        let mut channels = tones(0.5, 0.13);
        let beside = programme::tones(RATE_HZ, 0.5, &[WITNESS_HZ; 2], AMPLITUDE);
        for (channel, beside) in channels.iter_mut().zip(beside) {
            for (frame, (sample, beside)) in channel.iter_mut().zip(beside).enumerate() {
                *sample = if tone.contains(&frame) { 0.0 } else { *sample };
                *sample += if witness.contains(&frame) { 0.0 } else { beside };
            }
        }
        Recording { rate_hz: RATE_HZ, channels }
    }

    #[test]
    fn a_gap_that_the_witness_has_not_is_our_own() {
        for frames in [64, 256, 2_048] {
            let Silences { own, of_witness } = silences(&heard(9_000..9_000 + frames, 0..0), 256);
            assert!(of_witness.is_empty(), "{of_witness:?}");
            let [gap] = own[..] else { panic!("{own:?}") };
            assert!(gap.start.abs_diff(9_000) < 16 && gap.frames.abs_diff(frames) < 16, "{gap:?}");
        }
    }

    #[test]
    fn a_gap_beside_one_of_the_witness_is_the_machines() {
        let Silences { own, of_witness } = silences(&heard(9_000..9_256, 9_256..9_512), 256);
        assert!(own.is_empty(), "{own:?}");
        assert_eq!(of_witness.len(), 1);
        let Silences { own, .. } = silences(&heard(9_000..9_256, 12_000..12_256), 256);
        assert_eq!(own.len(), 1);
        let Silences { own, of_witness } = silences(&heard(0..0, 0..0), 256);
        assert!(own.is_empty() && of_witness.is_empty());
    }
}
