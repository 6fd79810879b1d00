//! Every format that can be read comes out as long as it was, aligned with it, with its
//! channels in their places; every format that can be written holds what it should.

mod harness;

use harness::{Folder, difference_db, lag_frames};
use headroom_signals::judge::ffmpeg;
use headroom_signals::{Programme, noise, tone};

/// Noise that stays under every ceiling, of a length that is no multiple of any packet.
fn noise(rate_hz: u32, channels: usize) -> Programme {
    let mut programme = noise::pink(rate_hz, channels, 1.6, 7).gain_db(-9.0);
    for plane in &mut programme.channels {
        plane.truncate(plane.len() - 777);
    }
    programme
}

/// The original through an encoder, and that file through `headroom render`.
fn round_trip(rate_hz: u32, channels: usize, name: &str, codec: &[&str]) -> (Programme, Programme) {
    let folder = Folder::new();
    let original = noise(rate_hz, channels);
    folder.write("original.wav", &original);
    let layout = if channels == 1 { "mono" } else { "stereo" };
    let map = format!("channelmap=channel_layout={layout}");
    folder.ffmpeg(&[&["-i", "original.wav", "-af", &map], codec, &[name]].concat());
    folder.succeed(&["render", name, "out.wav", "--profile", "transparent", "--format", "f32"]);
    (original, folder.read("out.wav"))
}

fn assert_aligned(rate_hz: u32, channels: usize, name: &str, codec: &[&str], likeness_db: f64) {
    let (original, heard) = round_trip(rate_hz, channels, name, codec);
    assert_eq!(heard.rate_hz, rate_hz, "{name}");
    assert_eq!(heard.channels.len(), channels, "{name}");
    assert_eq!(heard.frames(), original.frames(), "{name} has another length");
    for (played, heard) in original.channels.iter().zip(&heard.channels) {
        let difference = difference_db(played, heard);
        if difference > -20.0 {
            assert_eq!(lag_frames(played, heard), 0, "{name} is late or early");
        }
        assert!(difference < likeness_db, "{name} differs by {difference} dB");
    }
}

#[test]
fn lossless_files_come_out_to_the_last_bit_of_their_depth() {
    if !ffmpeg::is_there("lossless_files_come_out_to_the_last_bit_of_their_depth") {
        return;
    }
    for (name, codec, likeness_db) in [
        ("a16.wav", &["-c:a", "pcm_s16le"][..], -65.0),
        ("a24.wav", &["-c:a", "pcm_s24le"], -110.0),
        ("a32.wav", &["-c:a", "pcm_s32le"], -120.0),
        ("af32.wav", &["-c:a", "pcm_f32le"], -120.0),
        ("af64.wav", &["-c:a", "pcm_f64le"], -120.0),
        ("a8.wav", &["-c:a", "pcm_u8"], -20.0),
        ("a16.flac", &["-sample_fmt", "s16"], -65.0),
        ("a24.flac", &["-sample_fmt", "s32"], -110.0),
        ("alac.m4a", &["-c:a", "alac", "-sample_fmt", "s16p"], -65.0),
    ] {
        assert_aligned(48_000, 2, name, codec, likeness_db);
    }
}

#[test]
fn mp3_comes_out_without_its_encoders_delay_and_padding() {
    if !ffmpeg::is_there("mp3_comes_out_without_its_encoders_delay_and_padding") {
        return;
    }
    assert_aligned(48_000, 2, "cbr.mp3", &["-c:a", "libmp3lame", "-b:a", "320k"], -12.0);
    assert_aligned(44_100, 2, "vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "0"], -12.0);
    assert_aligned(44_100, 1, "mono.mp3", &["-c:a", "libmp3lame", "-b:a", "160k"], -12.0);
}

#[test]
fn vorbis_comes_out_without_its_encoders_delay_and_padding() {
    if !ffmpeg::is_there("vorbis_comes_out_without_its_encoders_delay_and_padding") {
        return;
    }
    assert_aligned(48_000, 2, "stereo.ogg", &["-c:a", "libvorbis", "-q:a", "9"], -10.0);
    assert_aligned(44_100, 1, "mono.ogg", &["-c:a", "libvorbis", "-q:a", "9"], -10.0);
}

#[test]
fn aac_comes_out_without_its_encoders_delay_and_padding() {
    if !ffmpeg::is_there("aac_comes_out_without_its_encoders_delay_and_padding") {
        return;
    }
    assert_aligned(48_000, 2, "stereo.m4a", &["-c:a", "aac", "-b:a", "320k"], -10.0);
    let to_the_front = ["-c:a", "aac", "-b:a", "320k", "-movflags", "+faststart"];
    assert_aligned(44_100, 2, "front.m4a", &to_the_front, -10.0);
    assert_aligned(44_100, 1, "mono.mp4", &["-c:a", "aac", "-b:a", "192k"], -10.0);
}

/// A tone of its own in every channel.
const TONES_HZ: [f64; 8] = [200.0, 317.0, 500.0, 60.0, 797.0, 1_259.0, 1_999.0, 3_163.0];

fn tones(folder: &Folder, channels: usize) -> Programme {
    let programme = tone::per_channel(48_000, 1.2, &TONES_HZ[..channels], -12.0);
    folder.write("tones.wav", &programme);
    programme
}

fn assert_each_in_its_place(heard: &Programme, file: &str) {
    for (channel, (plane, hz)) in heard.channels.iter().zip(TONES_HZ).enumerate() {
        let middle = &plane[4_800..plane.len() - 4_800];
        let level_db = headroom_signals::judge::level::tone_db(middle, heard.rate_hz, hz);
        // Vorbis gives the LFE channel 1.7 dB more on its way in.
        assert!((level_db + 12.0).abs() < 2.0, "{file}: channel {channel} has {level_db} dB");
    }
}

#[test]
fn surround_channels_keep_their_places_in_every_format() {
    if !ffmpeg::is_there("surround_channels_keep_their_places_in_every_format") {
        return;
    }
    let transparent = ["--profile", "transparent"];
    for (channels, layout) in [(6, "5.1"), (8, "7.1")] {
        let folder = Folder::new();
        tones(&folder, channels);
        let ends: [(&str, &[&str]); 3] = [
            ("in.wav", &["-c:a", "pcm_s24le"]),
            ("in.flac", &[]),
            ("in.ogg", &["-c:a", "libvorbis", "-q:a", "9"]),
        ];
        for (name, codec) in ends {
            let layout_map = format!("channelmap=channel_layout={layout}");
            let make = ["-i", "tones.wav", "-af", &layout_map];
            folder.ffmpeg(&[&make[..], codec, &[name]].concat());
            for out in ["out.wav", "out.flac"] {
                folder.succeed(&[&["render", name, out], &transparent[..]].concat());
                let heard = folder.decoded(out, "pcm_f32le");
                assert_eq!(heard.channels.len(), channels);
                assert_each_in_its_place(&heard, &format!("{layout} {name} to {out}"));
            }
        }
    }
}

#[test]
fn the_names_of_the_loudspeakers_are_kept() {
    if !ffmpeg::is_there("the_names_of_the_loudspeakers_are_kept") {
        return;
    }
    for layout in ["5.1", "5.1(side)", "quad(side)", "3.1", "7.1"] {
        let folder = Folder::new();
        let channels = match layout {
            "quad(side)" | "3.1" => 4,
            "7.1" => 8,
            _ => 6,
        };
        tones(&folder, channels);
        let layout_map = format!("channelmap=channel_layout={layout}");
        folder.ffmpeg(&["-i", "tones.wav", "-af", &layout_map, "in.wav"]);
        folder.succeed(&["render", "in.wav", "out.flac", "--profile", "transparent"]);
        for (input, out) in [("in.wav", "out.wav"), ("out.flac", "again.wav")] {
            folder.succeed(&["render", input, out, "--profile", "transparent"]);
        }
        for out in ["out.wav", "out.flac", "again.wav"] {
            let mut probe = std::process::Command::new("ffprobe");
            probe.args(["-v", "error", "-show_entries", "stream=channel_layout"]);
            probe.args(["-of", "csv=p=0"]).arg(folder.path(out));
            let run = harness::Run::of(&mut probe);
            assert_eq!(run.stdout.trim(), layout, "{out}: {run}");
        }
    }
}

#[test]
fn the_depth_is_the_sources_unless_another_is_asked_for() {
    if !ffmpeg::is_there("the_depth_is_the_sources_unless_another_is_asked_for") {
        return;
    }
    let folder = Folder::new();
    folder.write("float.wav", &noise(48_000, 2));
    folder.ffmpeg(&["-i", "float.wav", "-c:a", "pcm_s16le", "16.wav"]);
    folder.ffmpeg(&["-i", "float.wav", "-c:a", "pcm_s24le", "24.wav"]);
    folder.ffmpeg(&["-i", "float.wav", "-sample_fmt", "s32", "24.flac"]);
    folder.ffmpeg(&["-i", "float.wav", "-b:a", "192k", "lossy.mp3"]);
    for (args, codec) in [
        (&["16.wav", "out.wav"][..], "pcm_s16le,16"),
        (&["24.wav", "out.wav"], "pcm_s24le,24"),
        (&["24.flac", "out.wav"], "pcm_s24le,24"),
        (&["float.wav", "out.wav"], "pcm_f32le,32"),
        (&["lossy.mp3", "out.wav"], "pcm_f32le,32"),
        (&["lossy.mp3", "out.flac"], "flac,24"),
        (&["float.wav", "out.flac"], "flac,24"),
        (&["16.wav", "out.flac"], "flac,16"),
        (&["16.wav", "out.wav", "--format", "24"], "pcm_s24le,24"),
        (&["24.wav", "out.flac", "--format", "16"], "flac,16"),
        (&["24.wav", "out.wav", "--format", "f32"], "pcm_f32le,32"),
    ] {
        folder.succeed(&[&["render"], args].concat());
        let mut probe = std::process::Command::new("ffprobe");
        let entries = "stream=codec_name,bits_per_raw_sample,bits_per_sample";
        probe.args(["-v", "error", "-show_entries", entries, "-of", "csv=p=0"]);
        let run = harness::Run::of(probe.arg(folder.path(args[1])));
        let mut fields: Vec<&str> =
            run.stdout.trim().split(',').filter(|field| !["0", "N/A"].contains(field)).collect();
        fields.dedup();
        assert_eq!(fields.join(","), codec, "{args:?}: {run}");
    }
}

#[test]
fn a_flac_file_passes_its_own_check_and_is_smaller() {
    if !ffmpeg::is_there("a_flac_file_passes_its_own_check_and_is_smaller") {
        return;
    }
    let folder = Folder::new();
    let original = noise(44_100, 2);
    folder.write("in.wav", &original);
    folder.succeed(&["render", "in.wav", "out.flac", "--format", "16"]);
    folder.succeed(&["render", "in.wav", "out.wav", "--format", "16"]);
    // ffmpeg compares every frame's checksum, and with `-err_detect explode` stops at a wrong one.
    folder.ffmpeg(&["-err_detect", "explode", "-i", "out.flac", "-f", "null", "-"]);
    assert_eq!(folder.decoded("out.flac", "pcm_s16le"), folder.read("out.wav"));
    let size = |name: &str| std::fs::metadata(folder.path(name)).expect("written").len();
    assert!(size("out.flac") < size("out.wav") * 9 / 10);
    // The checksum of the sound in the head is that of the sound.
    let head = std::fs::read(folder.path("out.flac")).expect("read");
    folder.ffmpeg(&["-i", "out.wav", "-f", "md5", "-c:a", "pcm_s16le", "sum.txt"]);
    let sum = std::fs::read_to_string(folder.path("sum.txt")).expect("read");
    let in_head: String = head[26..42].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum.trim(), format!("MD5={in_head}"));
}
