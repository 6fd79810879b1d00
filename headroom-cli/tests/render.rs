//! `headroom render`: the loudness it promises, the figures it tells, and what it leaves alone.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

mod harness;

use harness::Folder;
use headroom_signals::judge::{ffmpeg, oracle};
use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::{Programme, music, noise, tone};

const RATE_HZ: u32 = 48_000;
const TARGET_LUFS: f64 = -18.0;

/// Every level of the programme, through `render`, is at the target from 20 to 40 s.
fn assert_on_target(name: &str, programme: &Programme) {
    let mut heard_lufs = Vec::new();
    for input_lufs in [-33.0, -19.0, -5.0] {
        let folder = Folder::new();
        folder.write("in.wav", &programme.clone().at_lufs(input_lufs));
        folder.succeed(&["render", "in.wav", "out.wav"]);
        let heard = folder.read("out.wav");
        assert_eq!(heard.frames(), programme.frames());
        let lufs = oracle::integrated_between(&heard, 20.0, 40.0);
        assert!(
            (lufs - TARGET_LUFS).abs() <= 0.5,
            "{name} at {input_lufs} LUFS comes out at {lufs:.2} LUFS"
        );
        heard_lufs.push(lufs);
    }
    println!("{name}: {heard_lufs:.2?} LUFS");
}

#[test]
fn pink_noise_comes_out_at_the_target() {
    assert_on_target("pink noise", &noise::pink(RATE_HZ, 2, 40.0, 1));
}

#[test]
fn speech_with_pauses_comes_out_at_the_target() {
    assert_on_target("speech", &speech_like(RATE_HZ, 2, 40.0, Pauses::OneSecond, 3));
}

#[test]
fn music_comes_out_at_the_target() {
    assert_on_target("music", &music::music_like(RATE_HZ, 2, 40.0, 3));
}

#[test]
fn slowly_modulated_noise_comes_out_at_the_target() {
    let programme = noise::amplitude_modulated(RATE_HZ, 2, 40.0, 0.7, 12.0, 4);
    assert_on_target("noise modulated at 0.7 Hz", &programme);
}

#[test]
fn quickly_modulated_noise_comes_out_at_the_target() {
    let programme = noise::amplitude_modulated(RATE_HZ, 2, 40.0, 4.0, 12.0, 5);
    assert_on_target("noise modulated at 4 Hz", &programme);
}

#[test]
fn the_summary_is_what_ffmpeg_measures() {
    if !ffmpeg::is_there("the_summary_is_what_ffmpeg_measures") {
        return;
    }
    let folder = Folder::new();
    let programme = speech_like(RATE_HZ, 2, 15.0, Pauses::Natural, 6).at_lufs(-30.0);
    folder.write("in.wav", &programme);
    let report = folder.render_json(&["in.wav", "out.wav"]);
    for side in ["input", "output"] {
        let file = report[side]["file"].as_str().expect("a name");
        let judge = ffmpeg::read_file(folder.path(file));
        for (key, expected, tolerance) in [
            ("integrated_lufs", judge.integrated_lufs, 0.1),
            // Short windows begin at other places; Tech 3342 allows as much.
            ("loudness_range_lu", judge.range_lu, 1.0),
            // ffmpeg looks every 100 ms, we every 10.
            ("max_short_term_lufs", judge.max_short_term_lufs, 0.2),
            // ffmpeg's meter reads up to half a decibel too low.
            ("true_peak_dbtp", judge.true_peak_dbtp, 0.5),
        ] {
            let told = report[side][key].as_f64().expect("a number");
            assert!((told - expected).abs() <= tolerance, "{side} {key}: {told}, not {expected}");
        }
        let true_peak = report[side]["true_peak_dbtp"].as_f64().expect("a number");
        let loudness = report[side]["integrated_lufs"].as_f64().expect("a number");
        let over = report[side]["peak_to_loudness_lu"].as_f64().expect("a number");
        assert!((over - (true_peak - loudness)).abs() < 0.01);
        assert_eq!(report[side]["duration_s"], 15.0);
    }
    assert!(report["output"]["true_peak_dbtp"].as_f64().expect("a number") <= -0.9);
    assert_eq!(report["profile"], "default");
    assert_eq!(report["target_lufs"], TARGET_LUFS);
    assert!(report["largest_agc_gain_db"].as_f64().expect("a number") > 1.0);
    assert!(report["largest_compressor_reduction_db"].as_f64().expect("a number") > 0.5);
}

#[test]
fn the_summary_for_people_has_every_figure() {
    let folder = Folder::new();
    folder.write("in.wav", &noise::pink(RATE_HZ, 2, 4.0, 7));
    let told = folder.succeed(&["render", "in.wav", "out.wav"]);
    for word in ["Integrated loudness", "Loudness range", "True peak", "AGC gain", "reduction"] {
        assert!(told.contains(word), "no {word} in:\n{told}");
    }
}

#[test]
fn below_the_ceiling_the_transparent_profile_changes_no_bit() {
    let folder = Folder::new();
    // 50,001 frames: shorter than a block, no multiple of one, and longer.
    for frames in [1, 700, 50_001] {
        let mut programme = noise::white(44_100, 2, 1.2, 8).gain_db(-9.0);
        programme.channels.iter_mut().for_each(|plane| plane.truncate(frames));
        folder.write("in.wav", &programme);
        folder.succeed(&["render", "in.wav", "out.wav", "--profile", "transparent"]);
        assert_eq!(folder.read("out.wav"), programme, "{frames} frames");
    }
}

#[test]
fn what_is_on_the_grid_is_not_dithered_and_what_is_off_it_is() {
    if !ffmpeg::is_there("what_is_on_the_grid_is_not_dithered_and_what_is_off_it_is") {
        return;
    }
    let folder = Folder::new();
    folder.write("float.wav", &noise::pink(RATE_HZ, 2, 1.0, 9).gain_db(-9.0));
    for (depth, codec) in [("16", "pcm_s16le"), ("24", "pcm_s24le")] {
        let on_grid = format!("{depth}.wav");
        folder.ffmpeg(&["-i", "float.wav", "-c:a", codec, &on_grid]);
        for out in ["out.wav", "out.flac"] {
            folder.succeed(&["render", &on_grid, out, "--profile", "transparent"]);
            assert_eq!(folder.decoded(out, codec), folder.read(&on_grid), "{depth} bit {out}");
        }
    }
    // A tone of half a step: rounding would leave silence, dither keeps it.
    let faint = tone::sine(RATE_HZ, 1, 4.0, 1_000.0, 20.0 * f64::log10(0.5 / 32_768.0));
    folder.write("faint.wav", &faint);
    let args =
        ["render", "faint.wav", "faint-16.wav", "--format", "16", "--profile", "transparent"];
    folder.succeed(&args);
    let kept = folder.read("faint-16.wav");
    let level_db = headroom_signals::judge::level::tone_db(&kept.channels[0], RATE_HZ, 1_000.0);
    let expected_db = headroom_signals::judge::level::tone_db(&faint.channels[0], RATE_HZ, 1_000.0);
    assert!((level_db - expected_db).abs() < 1.0, "{level_db} dB, not {expected_db}");
}

#[test]
fn the_same_input_gives_the_same_file() {
    let folder = Folder::new();
    folder.write("in.wav", &noise::pink(RATE_HZ, 2, 3.0, 10));
    let bytes = |name: &str| {
        folder.succeed(&["render", "in.wav", name, "--format", "16"]);
        std::fs::read(folder.path(name)).expect("written")
    };
    assert_eq!(bytes("one.flac"), bytes("two.flac"));
}

#[test]
fn nothing_passes_the_ceiling_in_the_file_that_is_written() {
    let folder = Folder::new();
    folder.write("in.wav", &tone::hot_inter_sample(RATE_HZ, 2, 2.0, 0.0));
    for (format, out) in [("f32", "out.wav"), ("16", "out.flac")] {
        let args = [&["in.wav", out, "--profile", "transparent"][..], &["--format", format]];
        let report = folder.render_json(&args.concat());
        let told = report["output"]["true_peak_dbtp"].as_f64().expect("a number");
        assert!((-2.0..=-0.9).contains(&told), "{told} dBTP");
        assert!(report["input"]["true_peak_dbtp"].as_f64().expect("a number") > 1.0);
        assert!(report["largest_limiter_reduction_db"].as_f64().expect("a number") > 1.0);
    }
}

#[test]
fn silence_stays_silence_and_has_no_loudness() {
    let folder = Folder::new();
    folder.write("in.wav", &Programme::silence(RATE_HZ, 2, 2.0));
    let report = folder.render_json(&["in.wav", "out.wav"]);
    assert!(report["output"]["integrated_lufs"].is_null());
    assert!(report["output"]["true_peak_dbtp"].is_null());
    assert_eq!(folder.read("out.wav"), Programme::silence(RATE_HZ, 2, 2.0));
}

#[test]
fn samples_that_are_no_numbers_are_silence_and_are_told() {
    let folder = Folder::new();
    let mut programme = noise::pink(RATE_HZ, 2, 1.0, 11).gain_db(-9.0);
    programme.channels[0][1_000] = f32::NAN;
    programme.channels[1][2_000] = f32::INFINITY;
    folder.write("in.wav", &programme);
    let run = folder.run(&["render", "in.wav", "out.wav", "--profile", "transparent"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("in.wav has 2 samples that are no numbers"), "{run}");
    programme.channels[0][1_000] = 0.0;
    programme.channels[1][2_000] = 0.0;
    assert_eq!(folder.read("out.wav"), programme);
}

#[test]
fn a_profile_is_named_or_is_a_file() {
    let folder = Folder::new();
    folder.write("in.wav", &noise::pink(RATE_HZ, 2, 1.0, 12));
    let lines = "name = \"mine\"\ndescription = \"d\"\n[limiter]\nceiling_dbtp = -30\n[agc]\n\
                 enabled = false\n";
    std::fs::write(folder.path("mine.toml"), lines).expect("written");
    let run = folder.run(&["render", "in.wav", "out.wav", "--profile", "mine.toml"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("mine.toml:4:16: limiter.ceiling_dbtp is -30, read as -24"));
    // By its name it is found where the daemon would find it.
    let folders = folder.path("config/headroom/profiles");
    std::fs::create_dir_all(&folders).expect("made");
    std::fs::copy(folder.path("mine.toml"), folders.join("mine.toml")).expect("copied");
    let mut command = folder.command(&["render", "in.wav", "out.wav", "--profile", "mine"]);
    let run = harness::Run::of(command.env("XDG_CONFIG_HOME", folder.path("config")));
    assert_eq!(run.code, Some(0), "{run}");
    let run = folder.run(&["render", "in.wav", "out.wav", "--profile", "defualt"]);
    run.refused(1, &["no profile \"defualt\"", "did you mean \"default\"?"]);
    std::fs::write(folder.path("bad.toml"), "name = \"bad\"\n[agcc]\n").expect("written");
    let run = folder.run(&["render", "in.wav", "out.wav", "--profile", "./bad.toml"]);
    run.refused(1, &["./bad.toml:2:2: unknown key `agcc`", "did you mean `agc`?"]);
}

#[test]
fn a_plot_is_drawn_beside_the_sound() {
    let folder = Folder::new();
    folder.write("in.wav", &speech_like(RATE_HZ, 2, 6.0, Pauses::Natural, 13));
    folder.succeed(&["render", "in.wav", "out.wav", "--plot", "plot.svg"]);
    folder.succeed(&["render", "in.wav", "out.wav", "--plot", "plot.png"]);
    folder.succeed(&["analyze", "in.wav", "--plot", "analysis.png"]);
    let svg = std::fs::read_to_string(folder.path("plot.svg")).expect("written");
    for word in ["<svg", "in.wav through the profile default", "target -18 LUFS", "AGC gain"] {
        assert!(svg.contains(word), "no {word}");
    }
    for name in ["plot.png", "analysis.png"] {
        let png = std::fs::read(folder.path(name)).expect("written");
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 10_000);
    }
    let names = ["analysis.png", "in.wav", "out.wav", "plot.png", "plot.svg"];
    assert_eq!(folder.names(), names);
}
