//! `headroom analyze`: what it measures, and several files of which some are bad.

mod harness;

use harness::{Folder, Run};
use headroom_signals::judge::ffmpeg;
use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::{Programme, film, music, noise, tone};
use serde_json::Value;

fn analyze_json(folder: &Folder, files: &[&str]) -> Value {
    let told = folder.succeed(&[&["analyze", "--json"], files].concat());
    serde_json::from_str(&told).expect("JSON")
}

#[test]
fn a_tone_reads_as_tech_3341_says() {
    let folder = Folder::new();
    folder.write("tone.wav", &tone::sine(48_000, 2, 20.0, 1_000.0, -23.0));
    let report = analyze_json(&folder, &["tone.wav"]);
    let entry = &report.as_array().expect("a list")[0];
    for key in ["integrated_lufs", "max_momentary_lufs", "max_short_term_lufs"] {
        let told = entry[key].as_f64().expect("a number");
        assert!((told + 23.0).abs() <= 0.1, "{key} {told}");
    }
    let peak = entry["true_peak_dbtp"].as_f64().expect("a number");
    assert!((peak + 23.0).abs() <= 0.1, "{peak}");
    assert_eq!(entry["file"], "tone.wav");
    assert_eq!(entry["duration_s"], 20.0);
    assert_eq!(entry["rate_hz"], 48_000);
    assert_eq!(entry["channels"], 2);
}

#[test]
fn every_kind_of_programme_reads_as_ffmpeg_reads_it() {
    if !ffmpeg::is_there("every_kind_of_programme_reads_as_ffmpeg_reads_it") {
        return;
    }
    let folder = Folder::new();
    for (name, programme) in [
        ("speech", speech_like(48_000, 2, 12.0, Pauses::OneSecond, 1)),
        ("music", music::music_like(44_100, 2, 12.0, 2)),
        ("film", film::film_like(48_000, 2, 20.0, 3)),
        ("noise", noise::pink(96_000, 1, 6.0, 4)),
    ] {
        let file = format!("{name}.wav");
        folder.write(&file, &programme);
        let judge = ffmpeg::read_file(folder.path(&file));
        let report = analyze_json(&folder, &[&file]);
        let told = |key: &str| report[0][key].as_f64().expect("a number");
        assert!((told("integrated_lufs") - judge.integrated_lufs).abs() <= 0.1, "{name}");
        assert!((told("loudness_range_lu") - judge.range_lu).abs() <= 1.0, "{name}");
        assert!((told("max_short_term_lufs") - judge.max_short_term_lufs).abs() <= 0.3, "{name}");
        // ffmpeg's windows begin every 100 ms and may miss the loudest, ours every 10.
        let momentary = told("max_momentary_lufs") - judge.max_momentary_lufs;
        assert!((-0.1..=1.5).contains(&momentary), "{name}: {momentary}");
        let over = told("true_peak_dbtp") - judge.true_peak_dbtp;
        assert!((-0.1..=0.6).contains(&over), "{name}: {over}");
        let peak = f64::from(programme.sample_peak());
        assert!((told("sample_peak_dbfs") - 20.0 * peak.log10()).abs() < 0.01, "{name}");
    }
}

#[test]
fn a_bad_file_does_not_keep_the_others_from_being_measured() {
    let folder = Folder::new();
    folder.write("good.wav", &noise::pink(48_000, 2, 2.0, 5));
    folder.write("also-good.wav", &noise::pink(48_000, 2, 2.0, 6));
    std::fs::write(folder.path("bad.wav"), "not sound at all").expect("written");
    let run = folder.run(&["analyze", "good.wav", "bad.wav", "none.wav", "also-good.wav"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("bad.wav is no sound file"), "{run}");
    assert!(run.stderr.contains("opening none.wav: No such file"), "{run}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{run}");
    assert!(lines[2].starts_with("good.wav") && lines[3].starts_with("also-good.wav"), "{run}");
}

#[test]
fn silence_has_no_loudness() {
    let folder = Folder::new();
    folder.write("silence.wav", &Programme::silence(48_000, 2, 1.0));
    let report = analyze_json(&folder, &["silence.wav"]);
    for key in ["integrated_lufs", "true_peak_dbtp", "sample_peak_dbfs", "peak_to_loudness_lu"] {
        assert!(report[0][key].is_null(), "{report}");
    }
    assert!(folder.succeed(&["analyze", "silence.wav"]).contains(" -"));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = Folder::new();
    folder.write("good.wav", &noise::pink(48_000, 2, 1.0, 7));
    let mut shell = std::process::Command::new("sh");
    let line = format!("{} analyze good.wav | true", harness::HEADROOM);
    shell.args(["-c", &line]).current_dir(folder.path(""));
    let run = Run::of(&mut shell);
    assert_eq!(run.stderr, "", "{run}");
}

#[test]
fn one_plot_is_of_one_file() {
    let folder = Folder::new();
    folder.run(&["analyze", "a.wav", "b.wav", "--plot", "p.svg"]).refused(2, &["draws one file"]);
    folder.run(&["analyze", "a.wav", "--plot", "p.gif"]).refused(2, &[".svg or .png"]);
}
