//! Whatever goes wrong is told in one line, with the right exit code, and nothing is lost:
//! what stood at OUT is still there, and nothing is left beside it.

mod harness;

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Folder, Run};
use headroom_signals::judge::ffmpeg;
use headroom_signals::{Programme, noise};

const BEFORE: &[u8] = b"what stood here before";

/// Renders `input` over a file that is there; it must be refused and leave all as it was.
fn assert_refused(folder: &Folder, args: &[&str], code: i32, words: &[&str]) {
    fs::write(folder.path("out.wav"), BEFORE).expect("written");
    let names = folder.names();
    let run = folder.run(&[&["render"], args].concat());
    run.refused(code, words);
    assert_eq!(fs::read(folder.path("out.wav")).expect("still there"), BEFORE, "{run}");
    assert_eq!(folder.names(), names, "{run}");
}

fn noise(seconds: f64) -> Programme {
    noise::pink(48_000, 2, seconds, 21).gain_db(-9.0)
}

/// A WAV file of 16 bit with these lengths in its head.
fn wav(channels: u16, rate_hz: u32, format: u16, data: &[u8], told_bytes: u32) -> Vec<u8> {
    let frame_bytes = channels * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + told_bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(format.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(told_bytes.to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn what_is_no_sound_file_is_told_so() {
    let folder = Folder::new();
    fs::write(folder.path("empty.wav"), "").expect("written");
    fs::write(folder.path("text.wav"), "no sound at all, only words ".repeat(500))
        .expect("written");
    fs::write(folder.path("head.wav"), &wav(2, 48_000, 1, &[], 0)[..30]).expect("written");
    fs::create_dir(folder.path("folder.wav")).expect("made");
    let no_frames = wav(2, 48_000, 1, &[], 0);
    fs::write(folder.path("no-frames.wav"), no_frames).expect("written");
    for (input, words) in [
        ("none.wav", &["opening none.wav: No such file"][..]),
        ("empty.wav", &["empty.wav is empty"]),
        ("text.wav", &["text.wav is no sound file"]),
        ("head.wav", &["head.wav is no sound file"]),
        ("folder.wav", &["folder.wav is a directory"]),
        ("no-frames.wav", &["no-frames.wav has no sound in it"]),
    ] {
        assert_refused(&folder, &[input, "out.wav"], 1, words);
    }
}

#[test]
fn channels_and_rates_that_cannot_be_are_told_with_their_limits() {
    let folder = Folder::new();
    let data = [0_u8; 7_200];
    let bytes = data.len() as u32;
    fs::write(folder.path("c0.wav"), wav(0, 48_000, 1, &data, bytes)).expect("written");
    fs::write(folder.path("c9.wav"), wav(9, 48_000, 1, &data, bytes)).expect("written");
    fs::write(folder.path("r0.wav"), wav(2, 0, 1, &data, bytes)).expect("written");
    fs::write(folder.path("slow.wav"), wav(2, 4_000, 1, &data, bytes)).expect("written");
    fs::write(folder.path("fast.wav"), wav(2, 768_000, 1, &data, bytes)).expect("written");
    assert_refused(&folder, &["c0.wav", "out.wav"], 1, &["c0.wav"]);
    let nine = ["c9.wav: the signal has 9 channels, but must have between 1 and 8"];
    assert_refused(&folder, &["c9.wav", "out.wav"], 1, &nine);
    assert_refused(&folder, &["r0.wav", "out.wav"], 1, &["r0.wav"]);
    let rate = "but must have between 8000 and 384000";
    assert_refused(&folder, &["slow.wav", "out.wav"], 1, &["4000 frames a second", rate]);
    assert_refused(&folder, &["fast.wav", "out.wav"], 1, &["768000 frames a second", rate]);
}

#[test]
fn a_file_that_is_cut_off_is_told_so_and_can_be_taken_as_it_is() {
    if !ffmpeg::is_there("a_file_that_is_cut_off_is_told_so_and_can_be_taken_as_it_is") {
        return;
    }
    let folder = Folder::new();
    folder.write("whole.wav", &noise(4.0));
    let front: &[&str] = &["-b:a", "192k", "-movflags", "+faststart"];
    for (name, codec) in [
        ("a.wav", &["-c:a", "pcm_s16le"][..]),
        ("a.flac", &[]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.mp3", &["-b:a", "192k"]),
        ("a.m4a", front),
    ] {
        folder.ffmpeg(&[&["-i", "whole.wav"], codec, &[name]].concat());
        let bytes = fs::read(folder.path(name)).expect("encoded");
        let cut = format!("cut-{name}");
        fs::write(folder.path(&cut), &bytes[..bytes.len() * 6 / 10]).expect("written");
        assert_refused(&folder, &[&cut, "out.wav"], 1, &[&format!("{cut} is cut off")]);
        let partial = folder.run(&["render", &cut, "part.wav", "--partial"]);
        assert_eq!(partial.code, Some(0), "{partial}");
        let seconds = Programme::read_wav(folder.path("part.wav")).expect("written").seconds();
        assert!((1.5..3.0).contains(&seconds), "{cut}: {seconds} s");
        fs::remove_file(folder.path("part.wav")).expect("removed");
        // The whole file is whole.
        folder.succeed(&["render", name, "all.wav"]);
        fs::remove_file(folder.path("all.wav")).expect("removed");
    }
    // Cut off in its table of contents, which stands at the end.
    folder.ffmpeg(&["-i", "whole.wav", "-b:a", "192k", "late.m4a"]);
    let bytes = fs::read(folder.path("late.m4a")).expect("encoded");
    fs::write(folder.path("no-end.m4a"), &bytes[..bytes.len() / 2]).expect("written");
    assert_refused(&folder, &["no-end.m4a", "out.wav"], 1, &["no-end.m4a"]);
}

#[test]
fn a_file_that_is_damaged_inside_is_told_so() {
    if !ffmpeg::is_there("a_file_that_is_damaged_inside_is_told_so") {
        return;
    }
    let folder = Folder::new();
    folder.write("whole.wav", &noise(4.0));
    folder.ffmpeg(&["-i", "whole.wav", "-sample_fmt", "s16", "a.flac"]);
    let mut bytes = fs::read(folder.path("a.flac")).expect("encoded");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 2_000].fill(0x55);
    fs::write(folder.path("damaged.flac"), bytes).expect("written");
    assert_refused(&folder, &["damaged.flac", "out.wav"], 1, &["damaged.flac is"]);
    folder.succeed(&["render", "damaged.flac", "part.wav", "--partial"]);
}

#[test]
fn codecs_that_cannot_be_decoded_are_told_so() {
    if !ffmpeg::is_there("codecs_that_cannot_be_decoded_are_told_so") {
        return;
    }
    let folder = Folder::new();
    folder.write("whole.wav", &noise(1.0));
    folder.ffmpeg(&["-i", "whole.wav", "-c:a", "libopus", "opus.ogg"]);
    folder.ffmpeg(&["-i", "whole.wav", "-c:a", "adpcm_ima_wav", "adpcm.wav"]);
    folder.ffmpeg(&["-i", "whole.wav", "-c:a", "ac3", "a.ac3"]);
    folder.ffmpeg(&["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-pix_fmt", "yuv420p", "v.mp4"]);
    for name in ["opus.ogg", "adpcm.wav", "a.ac3", "v.mp4"] {
        assert_refused(&folder, &[name, "out.wav"], 1, &[name]);
    }
}

#[test]
fn the_output_is_never_the_input() {
    let folder = Folder::new();
    let input = noise(0.5);
    folder.write("in.wav", &input);
    std::os::unix::fs::symlink("in.wav", folder.path("soft.wav")).expect("linked");
    fs::hard_link(folder.path("in.wav"), folder.path("hard.wav")).expect("linked");
    for output in ["in.wav", "./in.wav", "soft.wav", "hard.wav"] {
        let run = folder.run(&["render", "in.wav", output]);
        run.refused(1, &[output, "is the input"]);
    }
    folder.run(&["render", "soft.wav", "in.wav"]).refused(1, &["in.wav is the input"]);
    fs::hard_link(folder.path("in.wav"), folder.path("in.svg")).expect("linked");
    let run = folder.run(&["render", "in.wav", "out.wav", "--plot", "in.svg"]);
    run.refused(1, &["in.svg is the input"]);
    assert_eq!(folder.read("in.wav"), input);
}

#[test]
fn outputs_that_cannot_be_are_told_so() {
    let folder = Folder::new();
    folder.write("in.wav", &noise(0.5));
    assert_refused(&folder, &["in.wav", "out.mp3"], 2, &["out.mp3 must end in .wav or .flac"]);
    assert_refused(&folder, &["in.wav", "out"], 2, &["out must end in"]);
    let float = ["in.wav", "out.flac", "--format", "f32"];
    assert_refused(&folder, &float, 2, &["FLAC holds no floating point"]);
    assert_refused(&folder, &["in.wav", "none/out.wav"], 1, &["creating none/out.wav: No such"]);
    fs::create_dir(folder.path("folder.wav")).expect("made");
    assert_refused(&folder, &["in.wav", "folder.wav"], 1, &["folder.wav is not a regular file"]);
    let plot = ["in.wav", "out.wav", "--plot", "plot.jpg"];
    assert_refused(&folder, &plot, 2, &["plot.jpg must end in .svg or .png"]);
}

/// `headroom` in a shell that lets no file grow over so many blocks of 512 bytes.
fn run_with_file_limit(folder: &Folder, blocks: u32, args: &str) -> Run {
    let line = format!("ulimit -f {blocks}; exec {} {args}", harness::HEADROOM);
    Run::of(Command::new("sh").args(["-c", &line]).current_dir(folder.path("")))
}

#[test]
fn a_file_that_cannot_be_written_to_its_end_is_not_left_half_written() {
    let folder = Folder::new();
    folder.write("in.wav", &noise(3.0));
    for out in ["out.wav", "out.flac"] {
        fs::write(folder.path(out), BEFORE).expect("written");
        let names = folder.names();
        let run = run_with_file_limit(&folder, 100, &format!("render in.wav {out}"));
        run.refused(1, &[&format!("writing {out}: File too large")]);
        assert_eq!(fs::read(folder.path(out)).expect("still there"), BEFORE, "{run}");
        assert_eq!(folder.names(), names);
    }
}

#[test]
fn a_plot_that_cannot_be_written_leaves_the_sound_unwritten_too() {
    let folder = Folder::new();
    folder.write("in.wav", &noise(0.2));
    let names = folder.names();
    // 0.2 s of 16 bit fit, a picture does not.
    let args = "render in.wav out.wav --format 16 --plot plot.png";
    let run = run_with_file_limit(&folder, 80, args);
    run.refused(1, &["writing plot.png: File too large"]);
    assert_eq!(folder.names(), names);
}

/// A render that reads from a pipe that never ends, after it has begun its output.
fn begun_render(folder: &Folder) -> (Child, fs::File) {
    let fifo = folder.path("pipe.wav");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
    assert!(made.success());
    fs::write(folder.path("out.wav"), BEFORE).expect("written");
    let mut command = folder.command(&["render", "pipe.wav", "out.wav"]);
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    // Opens when the other side does.
    let mut pipe = fs::OpenOptions::new().write(true).open(&fifo).expect("opened");
    let sound = vec![0x11; 48_000 * 4 * 2];
    // The longest that there is: the program that writes does not know its end.
    pipe.write_all(&wav(2, 48_000, 1, &sound, u32::MAX - 36)).expect("written");
    let fds = format!("/proc/{}/fd", child.id());
    let inside = folder.path("").canonicalize().expect("a folder");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let open = fs::read_dir(&fds)
            .expect("it runs")
            .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
        // The output has no name, which the kernel shows as a deleted one; where the file
        // system has no such files it has a hidden one.
        let mut ours = open.filter(|path| path.starts_with(&inside) && !path.ends_with("pipe.wav"));
        if ours.next().is_some() {
            break;
        }
        assert!(Instant::now() < deadline, "the output was not begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, pipe)
}

#[test]
fn an_interrupted_run_leaves_everything_as_it_was() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
        let folder = Folder::new();
        let (child, pipe) = begun_render(&folder);
        let killed = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
        let output = child.wait_with_output().expect("it ends");
        drop(pipe);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), code, "SIG{signal}: {said}");
        assert_eq!(folder.names(), ["out.wav", "pipe.wav"], "SIG{signal}");
        assert_eq!(fs::read(folder.path("out.wav")).expect("still there"), BEFORE);
        if code.is_some() {
            assert_eq!(said, "headroom: interrupted: out.wav was not written\n");
        }
    }
}

#[test]
fn what_was_typed_wrong_is_told_with_exit_code_2() {
    let folder = Folder::new();
    for args in [&["render"][..], &["render", "a.wav"], &["analyze"], &["rendr", "a", "b"], &[]] {
        let run = folder.run(args);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(!run.stderr.is_empty() && run.stdout.is_empty(), "{run}");
    }
    for args in [&["--help"][..], &["render", "--help"], &["--version"]] {
        let run = folder.run(args);
        assert!(run.code == Some(0) && run.stderr.is_empty(), "{run}");
    }
}

#[test]
fn the_daemon_is_found_beside_headroom_and_gets_all_arguments() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    fs::copy(harness::HEADROOM, folder.path("headroom")).expect("copied");
    let run = |folder: &Folder| {
        let mut command = Command::new(folder.path("headroom"));
        let args = ["daemon", "--profile", "night", "--help", "-v"];
        Run::of(command.args(args).env("PATH", "/nowhere"))
    };
    run(&folder).refused(1, &["there is no headroomd beside headroom or in PATH"]);
    let script = "#!/bin/sh\necho \"$@\"\nexit 7\n";
    fs::write(folder.path("headroomd"), script).expect("written");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path("headroomd"), executable).expect("set");
    let ran = run(&folder);
    assert_eq!(ran.stdout, "--profile night --help -v\n", "{ran}");
    assert_eq!(ran.code, Some(7), "{ran}");
}
