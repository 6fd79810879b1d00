//! A folder to work in, the real program to run in it, and ffmpeg to make and read files.
//!
//! What fails shows the command and all that it said.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use headroom_signals::Programme;
use serde_json::Value;

/// The built `headroom`.
pub(crate) const HEADROOM: &str = env!("CARGO_BIN_EXE_headroom");

/// A folder that vanishes with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// All that is in it, sorted, hidden files too.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn write(&self, name: &str, programme: &Programme) -> PathBuf {
        let path = self.path(name);
        programme.write_wav(&path).expect("the programme is written");
        path
    }

    /// `headroom` with this folder as its working directory.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(HEADROOM);
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs it, and it must succeed; gives what it printed.
    pub(crate) fn succeed<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "it failed: {run}");
        run.stdout
    }

    /// Renders with `--json`, and gives what was printed.
    pub(crate) fn render_json(&self, args: &[&str]) -> Value {
        let all = [&["render"], args, &["--json"]].concat();
        serde_json::from_str(&self.succeed(&all)).expect("JSON")
    }

    pub(crate) fn read(&self, name: &str) -> Programme {
        Programme::read_wav(self.path(name)).expect("a WAV file")
    }

    /// Runs ffmpeg in this folder; it must succeed.
    pub(crate) fn ffmpeg(&self, args: &[&str]) {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error", "-y"]).args(args).current_dir(self.0.path());
        let run = Run::of(&mut command);
        assert_eq!(run.code, Some(0), "it failed: {run}");
    }

    /// Any sound file as ffmpeg decodes it, through WAV of this PCM codec.
    pub(crate) fn decoded(&self, name: &str, codec: &str) -> Programme {
        self.ffmpeg(&["-i", name, "-c:a", codec, "decoded-by-ffmpeg.wav"]);
        self.read("decoded-by-ffmpeg.wav")
    }
}

/// A program that has run.
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Run {
        let output = command.output().expect("the program starts");
        Run::from_output(command, output)
    }

    pub(crate) fn from_output(command: &Command, output: Output) -> Run {
        Run {
            command: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It must have been refused: this exit code, one line that has these words, at most one
    /// hint, nothing on stdout.
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.stdout, "", "{self}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(lines[0].starts_with("headroom: "), "{self}");
        assert!(lines.len() == 1 || lines.len() == 2 && lines[1].starts_with("hint: "), "{self}");
        for word in words {
            assert!(lines[0].contains(word), "no {word:?} in the first line of {self}");
        }
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Run { command, code, stdout, stderr } = self;
        write!(f, "{command}\nexit {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}

/// The lag in frames at which `heard` is most like `played`: 0 where they are aligned,
/// positive where `heard` is late.
pub(crate) fn lag_frames(played: &[f32], heard: &[f32]) -> i64 {
    const REACH: usize = 2_500;
    const LENGTH: usize = 4_000;
    let from = (played.len().min(heard.len()) - LENGTH) / 2;
    assert!(from > REACH, "too short to be compared");
    let pattern = &played[from..from + LENGTH];
    let likeness = |lag: i64| {
        let start = (from as i64 + lag) as usize;
        let window = &heard[start..start + LENGTH];
        pattern.iter().zip(window).map(|(a, b)| a * b).sum::<f32>()
    };
    (-(REACH as i64)..=REACH as i64)
        .max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)))
        .expect("some lag")
}

/// How much of `heard` is not `played`, as RMS in dB below it.
pub(crate) fn difference_db(played: &[f32], heard: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x).powi(2);
    let power: f64 = played.iter().map(|&x| square(x)).sum();
    let rest: f64 = played.iter().zip(heard).map(|(&a, &b)| square(a - b)).sum();
    10.0 * (rest / power).log10()
}

/// A path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
