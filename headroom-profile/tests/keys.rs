//! Every key of the format with its default and its range: the table that profiles are written
//! by, checked from end to end in a file and in a setting.

use headroom_profile::{Checked, Kind, Profile, SETTINGS, Setting, Value};

const PEAK_RMS: &[&str] = &["peak", "rms"];
const LINKS: &[&str] = &["stereo", "dual-mono"];

/// Key, default, and what may stand there.
const KEYS: &[(&str, Value<'static>, Kind)] = &[
    ("agc.enabled", Value::Switch(true), Kind::Switch),
    ("agc.target_lufs", Value::Number(-18.0), Kind::Number(-40.0, -8.0)),
    ("agc.attack_ms", Value::Number(800.0), Kind::Number(50.0, 60_000.0)),
    ("agc.release_ms", Value::Number(3_000.0), Kind::Number(50.0, 60_000.0)),
    ("agc.silence_threshold_lufs", Value::Number(-50.0), Kind::Number(-70.0, -20.0)),
    ("agc.max_boost_db", Value::Number(18.0), Kind::Number(0.0, 30.0)),
    ("agc.max_cut_db", Value::Number(30.0), Kind::Number(0.0, 60.0)),
    ("agc.hold_ms", Value::Number(5_000.0), Kind::Number(0.0, 600_000.0)),
    ("agc.return_db_per_s", Value::Number(1.0), Kind::Number(0.0, 20.0)),
    ("agc.rise_db_per_s", Value::Number(3.0), Kind::Number(0.1, 60.0)),
    ("agc.fall_db_per_s", Value::Number(12.0), Kind::Number(0.1, 60.0)),
    ("compressor.enabled", Value::Switch(true), Kind::Switch),
    ("compressor.detector", Value::Word("peak"), Kind::Word(PEAK_RMS)),
    ("compressor.threshold_db", Value::Number(-24.0), Kind::Number(-80.0, 0.0)),
    ("compressor.ratio", Value::Number(2.5), Kind::Number(1.0, 100.0)),
    ("compressor.knee_db", Value::Number(6.0), Kind::Number(0.0, 40.0)),
    ("compressor.attack_ms", Value::Number(10.0), Kind::Number(0.1, 1_000.0)),
    ("compressor.release_ms", Value::Number(100.0), Kind::Number(1.0, 5_000.0)),
    ("compressor.makeup_db", Value::Word("auto"), Kind::NumberOrAuto(-24.0, 40.0)),
    ("compressor.rms_window_ms", Value::Number(5.0), Kind::Number(0.1, 500.0)),
    ("limiter.ceiling_dbtp", Value::Number(-1.0), Kind::Number(-24.0, 0.0)),
    ("limiter.lookahead_ms", Value::Number(2.0), Kind::Number(0.5, 10.0)),
    ("limiter.release_ms", Value::Number(80.0), Kind::Number(1.0, 5_000.0)),
    ("limiter.hold_ms", Value::Number(5.0), Kind::Number(0.0, 1_000.0)),
    ("limiter.oversample", Value::Number(8.0), Kind::OneOf(&[4, 8, 16])),
    ("limiter.link", Value::Word("stereo"), Kind::Word(LINKS)),
    ("limiter.soft.enabled", Value::Switch(false), Kind::Switch),
    ("limiter.soft.max_psr_db", Value::Number(14.0), Kind::Number(3.0, 40.0)),
    ("limiter.soft.static_ceiling_dbtp", Value::Number(-6.0), Kind::Number(-40.0, 0.0)),
    ("limiter.soft.attack_ms", Value::Number(5.0), Kind::Number(0.1, 1_000.0)),
    ("limiter.soft.release_ms", Value::Number(200.0), Kind::Number(1.0, 5_000.0)),
    ("meters.publish_hz", Value::Number(20.0), Kind::Number(0.0, 60.0)),
];

/// A profile of nothing but a head and one line. The AGC is off, so that no key contradicts
/// another.
fn with(line: &str) -> Result<Checked, String> {
    let head = "name = \"p\"\ndescription = \"d\"\n";
    let agc = if line.starts_with("agc.enabled") { "" } else { "agc.enabled = false\n" };
    Profile::parse("p.toml", &format!("{head}{agc}{line}\n")).map_err(|error| error.to_string())
}

fn plain() -> Profile {
    Profile::parse("p.toml", "name = \"p\"\ndescription = \"d\"\n").expect("valid").profile
}

fn setting(key: &str) -> &'static Setting {
    Setting::find(key).unwrap_or_else(|| panic!("{key} is no setting"))
}

/// What a file holds once it has been read with this line, and what was said about it.
fn read(key: &str, value: &str) -> (Value<'static>, usize) {
    let checked = with(&format!("{key} = {value}")).unwrap_or_else(|error| panic!("{error}"));
    (setting(key).value(&checked.profile), checked.warnings.len())
}

#[test]
fn there_is_no_key_but_these_and_each_has_its_default_and_its_range() {
    let told: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    let expected: Vec<&str> = KEYS.iter().map(|(key, ..)| *key).collect();
    assert_eq!(told, expected);
    for (key, default, kind) in KEYS {
        assert_eq!(setting(key).value(&plain()), *default, "{key}");
        assert_eq!(setting(key).kind, *kind, "{key}");
    }
}

#[test]
fn a_number_out_of_range_is_clamped_with_a_warning_in_a_file_and_refused_in_a_setting() {
    for (key, _, kind) in KEYS {
        let (Kind::Number(min, max) | Kind::NumberOrAuto(min, max)) = *kind else { continue };
        for (given, clamped, warnings) in [
            (min, min, 0),
            (max, max, 0),
            (f32::midpoint(min, max), f32::midpoint(min, max), 0),
            (min - 0.5, min, 1),
            (max + 0.5, max, 1),
        ] {
            assert_eq!(
                read(key, &format!("{given:?}")),
                (Value::Number(clamped), warnings),
                "{key}"
            );
            let mut profile = plain();
            profile.agc.enabled = false;
            let before = profile.clone();
            let put = setting(key).put(&mut profile, Value::Number(given));
            assert_eq!(put.is_ok(), warnings == 0, "{key} = {given}");
            assert!(put.is_ok() || profile == before, "{key} = {given} was refused and put");
        }
    }
}

#[test]
fn a_word_or_a_switch_is_itself_and_nothing_else() {
    for (key, _, kind) in KEYS {
        let words: Vec<String> = match kind {
            Kind::Switch => vec!["true".into(), "false".into()],
            Kind::Word(words) => words.iter().map(|word| format!("{word:?}")).collect(),
            _ => continue,
        };
        for word in words {
            assert_eq!(read(key, &word).1, 0, "{key} = {word}");
        }
        for wrong in ["1", "\"perhaps\"", "[]", "\"TRUE\""] {
            assert!(with(&format!("{key} = {wrong}")).is_err(), "{key} = {wrong}");
        }
    }
    assert_eq!(read("compressor.makeup_db", "\"auto\""), (Value::Word("auto"), 0));
}

#[test]
fn oversampling_by_one_or_two_is_read_as_four_with_a_warning_and_refused_in_a_setting() {
    for (given, taken, warnings) in [(1, 4, 1), (2, 4, 1), (4, 4, 0), (8, 8, 0), (16, 16, 0)] {
        let expected = (Value::Number(taken as f32), warnings);
        assert_eq!(read("limiter.oversample", &given.to_string()), expected);
        let put = setting("limiter.oversample").put(&mut plain(), Value::Number(given as f32));
        assert_eq!(put.is_ok(), warnings == 0, "{given}");
    }
}
