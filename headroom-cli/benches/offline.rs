//! What the offline tools take for 10 minutes of stereo 48 kHz, 16 bit: `render` on one core and
//! on two, and `analyze` beside ffmpeg's `ebur128` filter with true peaks, each as a process of
//! its own, from file to file.
//!
//! `-- --check` fails when a figure misses its bar by more than the slack for a noisy machine.
//! The bar of `analyze` is a ratio to ffmpeg. Those of `render` are for a machine as fast as the
//! chain's benchmark assumes, so they are scaled by what the `ebur128` crate takes here and now,
//! on as many cores.
//!
//! `HEADROOM_BIN_DIR` names another `headroom` to measure than the one that cargo built.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use ebur128::{EbuR128, Mode};
use headroom_signals::{Programme, music, stopwatch};

const RATE_HZ: u32 = 48_000;
const SECONDS: f64 = 600.0;
/// What is made; the rest repeats it.
const MADE_S: f64 = 30.0;
const ROUNDS: usize = 5;
const SLACK: f64 = 1.5;
const RENDER_ONE_BAR: f64 = 200.0;
const RENDER_TWO_BAR: f64 = 300.0;
const ANALYZE_BAR: f64 = 2.0;
/// How much the `ebur128` crate reads to show how fast a core is.
const REFERENCE_S: f64 = 60.0;
/// What it takes there: the chain's bars are 60 ns/frame and 0.35 of it.
const REFERENCE_NS_PER_FRAME: f64 = 60.0 / 0.35;
/// The argument by which this program starts itself as the reference.
const AS_REFERENCE: &str = "--as-reference";

fn main() -> ExitCode {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    if has(AS_REFERENCE) {
        read_loudness();
        return ExitCode::SUCCESS;
    }
    for tool in ["ffmpeg", "taskset"] {
        if Command::new(tool)
            .arg("--help")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            println!(
                "{tool} is missing, and there is nothing to measure beside: scripts/deps.sh test"
            );
            return ExitCode::FAILURE;
        }
    }
    let cores = cores();
    let both = &cores[..cores.len().min(2)];
    let bench = Bench::prepare();
    let times = stopwatch::interleaved(
        ROUNDS,
        &mut [
            &mut || bench.render(&cores[..1]),
            &mut || bench.render(both),
            &mut || bench.analyze(both),
            &mut || bench.ffmpeg(both),
            &mut || bench.analyze(&cores[..1]),
            &mut || bench.ffmpeg(&cores[..1]),
            &mut || bench.reference(&cores[..1]),
            &mut || bench.reference(both),
        ],
    );
    let [render_one, render_two, analyze, ffmpeg, analyze_one, ffmpeg_one, alone, together] =
        times[..]
    else {
        unreachable!("a time for each candidate");
    };

    println!("10 minutes of stereo 48 kHz, 16-bit WAV, median of {ROUNDS} rounds");
    let nominal_s = REFERENCE_NS_PER_FRAME * 1e-9 * REFERENCE_S * f64::from(RATE_HZ);
    let mut failed = 0;
    let mut row = |name: &str, value: f64, bar: f64, slower: f64| {
        let verdict = if value >= bar { "ok" } else { "MISSED" };
        failed += u32::from(value < bar / (SLACK * slower.max(1.0)));
        println!("{name:52}{value:9.1} x   bar {bar:5.0}  {verdict}");
    };
    row(
        "render, one core, times real time",
        SECONDS / render_one,
        RENDER_ONE_BAR,
        alone / nominal_s,
    );
    if both.len() == 2 {
        let slower = together / nominal_s;
        row("render, two cores, times real time", SECONDS / render_two, RENDER_TWO_BAR, slower);
    } else {
        println!("render, two cores: there is one core here");
    }
    row("analyze, times as fast as ffmpeg's ebur128 filter", ffmpeg / analyze, ANALYZE_BAR, 1.0);
    row("the same on one core", ffmpeg_one / analyze_one, ANALYZE_BAR, 1.0);
    for (name, time_s) in [("analyze", analyze), ("ffmpeg, ebur128=peak=true", ffmpeg)] {
        println!("{:52}{:9.1} x real time", format!("  {name}"), SECONDS / time_s);
    }
    for (name, time_s) in [("one core", alone), ("each of two at once", together)] {
        let name = format!("  the ebur128 crate, M, S and I, {name}");
        let ns = time_s * 1e9 / (REFERENCE_S * f64::from(RATE_HZ));
        println!("{name:52}{ns:9.1} ns/frame, bars assume {REFERENCE_NS_PER_FRAME:.0}");
    }
    if has("--check") && failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The files, and the programs that read them.
struct Bench {
    folder: tempfile::TempDir,
    headroom: PathBuf,
}

impl Bench {
    fn prepare() -> Bench {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let headroom = std::env::var_os("HEADROOM_BIN_DIR")
            .map_or(env!("CARGO_BIN_EXE_headroom").into(), |dir| Path::new(&dir).join("headroom"));
        let bench = Bench { folder, headroom };
        let piece = music::music_like(RATE_HZ, 2, MADE_S, 1).at_lufs(-14.0).faded(0.01);
        piece.write_wav(bench.path("piece.wav")).expect("the piece is written");
        let again = (SECONDS / MADE_S) as usize - 1;
        run(Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-stream_loop", &again.to_string(), "-i"])
            .arg(bench.path("piece.wav"))
            .args(["-c:a", "pcm_s16le"])
            .arg(bench.path("in.wav")));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn render(&self, cores: &[usize]) {
        let (input, output) = (self.path("in.wav"), self.path("out.wav"));
        run(on(cores, &self.headroom).arg("render").args([&input, &output]));
        std::fs::remove_file(output).expect("it was written");
    }

    fn analyze(&self, cores: &[usize]) {
        run(on(cores, &self.headroom).arg("analyze").arg(self.path("in.wav")));
    }

    /// Says nothing, so that it is not the terminal that is measured.
    fn ffmpeg(&self, cores: &[usize]) {
        run(on(cores, Path::new("ffmpeg"))
            .args(["-nostdin", "-v", "quiet", "-i"])
            .arg(self.path("in.wav"))
            .args(["-af", "ebur128=peak=true", "-f", "null", "-"]));
    }

    /// The same on each of these cores at once.
    fn reference(&self, cores: &[usize]) {
        let itself = std::env::current_exe().expect("this program's path");
        let start = |core: &usize| start(on(&[*core], &itself).arg(AS_REFERENCE));
        let children: Vec<Child> = cores.iter().map(start).collect();
        children.into_iter().for_each(wait_for);
    }
}

/// A command that is kept on some cores.
fn on(cores: &[usize], program: &Path) -> Command {
    let list: Vec<String> = cores.iter().map(usize::to_string).collect();
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &list.join(",")]).arg(program);
    command
}

fn run(command: &mut Command) {
    wait_for(start(command));
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn wait_for(mut child: Child) {
    let status = child.wait().expect("it can be waited for");
    assert!(status.success(), "it ended with {status}");
}

/// The cores that this program may use, from `Cpus_allowed_list: 0-3,8`.
fn cores() -> Vec<usize> {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let spans = list.expect("a list of cores").trim().split(',');
    spans
        .flat_map(|span| {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            let number = |text: &str| text.parse::<usize>().expect("a core's number");
            number(first)..=number(last)
        })
        .collect()
}

/// What the reference does: the crate adds blocks and reads its meters after each.
fn read_loudness() {
    const FRAMES: usize = 1_024;
    let sound: Programme = headroom_signals::noise::pink(RATE_HZ, 2, 1.0, 1);
    let mode = Mode::M | Mode::S | Mode::I | Mode::HISTOGRAM;
    let mut meter = EbuR128::new(2, RATE_HZ, mode).expect("a stereo meter");
    let blocks = (REFERENCE_S * f64::from(RATE_HZ)) as usize / FRAMES;
    let in_sound = sound.frames() / FRAMES;
    for block in 0..blocks {
        let from = block % in_sound * FRAMES;
        let planes: Vec<&[f32]> =
            sound.channels.iter().map(|plane| &plane[from..from + FRAMES]).collect();
        meter.add_frames_planar_f32(&planes).expect("two planes");
        std::hint::black_box((
            meter.loudness_momentary().ok(),
            meter.loudness_shortterm().ok(),
            meter.loudness_global().ok(),
        ));
    }
}
