//! What every test here begins with: a graph, `headroomd` on it, and a stream through it.

use std::time::Duration;

use headroom_tests::{Client, Daemon, Graph, Recorder, Recording, programme};

pub(crate) const RATE_HZ: u32 = 48_000;
/// The sink of the main bus, as apps see it.
pub(crate) const BUS: &str = "headroom.main";
/// The sink of the master.
pub(crate) const MASTER: &str = "headroom.master";
/// The device sink of a graph that nothing else was said about.
pub(crate) const DEVICE: &str = "speakers";

/// What a busy machine may be late for: each cycle of the graph that it misses is a quantum of
/// silence, with Headroom and without it. What is wrong in a graph is wrong all the time, and leaves
/// out half of the sound or all of it.
const LATE_PART: f64 = 0.1;

/// Asserts that a tone [is whole](is_whole).
pub(crate) fn assert_whole(what: &str, heard: &Recording) {
    let gaps = heard.gaps(0.001, 24);
    let silent: usize = gaps.iter().map(|gap| gap.frames).sum();
    println!("{what}: {silent} of {} frames are silent", heard.frames());
    assert!(
        is_whole(heard),
        "{what}: a tenth is silent, or not a quarter of a second is whole: {gaps:?}"
    );
}

/// Whether a tone has come through: whole for a quarter of a second at least, and next to no
/// silence in all of it.
fn is_whole(heard: &Recording) -> bool {
    let gaps = heard.gaps(0.001, 24);
    let silent: usize = gaps.iter().map(|gap| gap.frames).sum();
    let quarter = RATE_HZ as usize / 4;
    let edges = gaps.iter().flat_map(|gap| [gap.start, gap.start + gap.frames]);
    let edges: Vec<usize> = [0].into_iter().chain(edges).chain([heard.frames()]).collect();
    let mut stretches = edges.chunks_exact(2).map(|stretch| stretch[1] - stretch[0]);
    silent as f64 <= LATE_PART * heard.frames() as f64
        && stretches.any(|frames| frames >= quarter.min(heard.frames()))
}

/// How a stream gets to the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The app asks for our sink by name.
    Target,
    /// The app asks for nothing, and our sink is the default.
    Promoted,
    /// The app asks for nothing, and the default route sends it to us.
    Routed,
}

pub(crate) const WAYS: [Way; 3] = [Way::Target, Way::Promoted, Way::Routed];

/// Starts `headroomd` and waits until sound can flow through it.
pub(crate) fn headroomd(graph: &Graph, arguments: &[&str]) -> Daemon {
    let mut daemon = graph.headroomd(arguments);
    daemon.wait_for_log("ready");
    daemon
}

/// Starts `headroomd` so that a stream gets to it in that way.
pub(crate) fn headroomd_for(graph: &Graph, way: Way) -> Daemon {
    match way {
        Way::Target | Way::Routed => headroomd(graph, &[]),
        Way::Promoted => {
            let daemon = headroomd(graph, &["--promote"]);
            graph.wait_for("our sink to be the default", |dump| {
                (dump.default_sink().as_deref() == Some(BUS)).then_some(())
            });
            daemon
        }
    }
}

/// Plays `channels` to the bus in that way, and waits until they flow.
pub(crate) fn play(graph: &Graph, way: Way, name: &str, channels: &[Vec<f32>]) -> Client {
    let file = graph.write_programme(&format!("{name}.wav"), RATE_HZ, channels);
    let mut play = graph.play(&file).name(name);
    if way == Way::Target {
        play = play.target(BUS);
    }
    let client = play.start();
    client.wait_until_linked_to(BUS);
    graph.wait_for_flow(&format!("{BUS}.out"), MASTER);
    graph.wait_for_flow(&format!("{MASTER}.out"), DEVICE);
    client
}

/// 440 Hz on the left and 880 Hz on the right for that long.
pub(crate) fn tones(seconds: f64, amplitude: f64) -> Vec<Vec<f32>> {
    programme::tones(RATE_HZ, seconds, &[440.0, 880.0], amplitude)
}

/// Waits until a steady programme comes out steady: its level in one second is its level in the
/// next, within 0.02 dB. Returns the levels of the channels.
pub(crate) fn settled_levels_dbfs(recorder: &Recorder) -> Vec<f64> {
    let second = RATE_HZ as usize;
    for _ in 0..60 {
        let from = recorder.frames();
        recorder.wait_for_frames(from + 2 * second + second / 2);
        let heard = recorder.since(from);
        let end = heard.frames();
        let before = heard.part(end - 2 * second, end - second).levels_dbfs();
        let now = heard.part(end - second, end).levels_dbfs();
        if before.iter().zip(&now).all(|(before, now)| (before - now).abs() < 0.02) {
            return now;
        }
    }
    panic!("a steady tone did not come out steady within two minutes and a half");
}

/// Asserts that this device is what is heard: 440 Hz on the left and 880 Hz on the right, each on its
/// own side. Gives their levels.
pub(crate) fn assert_heard(recorder: Recorder, what: &str) -> [f64; 2] {
    let start = recorder.wait_until_heard(0.005, 0);
    let end = start + RATE_HZ as usize * 3 / 4;
    recorder.wait_for_frames(end);
    let heard = recorder.stop().part(end - RATE_HZ as usize / 2, end);
    assert_order(&heard, what)
}

/// The same of what has been heard.
pub(crate) fn assert_order(heard: &Recording, what: &str) -> [f64; 2] {
    let (low, high) = (heard.tone_levels_dbfs(440.0), heard.tone_levels_dbfs(880.0));
    println!("{what}: 440 Hz at {low:.1?} dBFS, 880 Hz at {high:.1?} dBFS");
    assert!(low[0] > -55.0 && high[1] > -55.0, "{what}: {low:?} {high:?}");
    assert!(low[0] - low[1] > 30.0 && high[1] - high[0] > 30.0, "{what}: {low:?} {high:?}");
    [low[0], high[1]]
}

/// A stretch to measure over: as long as said, or ten times that in a soak.
pub(crate) fn stretch(seconds: u64) -> Duration {
    let soak = std::env::var_os("HEADROOM_LONG").is_some();
    Duration::from_secs(if soak { 10 * seconds } else { seconds })
}
