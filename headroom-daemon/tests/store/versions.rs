//! Every version of `state.toml` that there ever was is read by every daemon that comes after it.
//! Files in `tests/data/state` are only ever added.

use std::fs;
use std::path::Path;

use headroom_daemon::store::{AgcGain, Remembered, UserRoute};
use headroom_ipc::{Match, Route, SettingValue};
use headroom_profile::remembered::format::{Read, VERSION, read, write};

/// What the file of a version remembers.
fn expected(name: &str) -> Remembered {
    let list = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
    match name {
        "v1.toml" => Remembered {
            profile: Some("night".to_owned()),
            overrides: [
                ("agc.enabled", SettingValue::from(true)),
                ("agc.target_lufs", SettingValue::from(-20.5)),
                ("compressor.makeup_db", SettingValue::from("auto")),
                ("limiter.oversample", SettingValue::from(16.0)),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
            routes: vec![
                UserRoute {
                    matches: Match {
                        application_name: list(&["mpv", "*Player"]),
                        ..Match::default()
                    },
                    route: Route::Bypass,
                },
                UserRoute {
                    matches: Match { media_role: list(&["Game"]), ..Match::default() },
                    route: Route::Protected,
                },
            ],
            bypass: true,
            agc: Some(AgcGain { gain_db: 7.3, target_lufs: -20.0 }),
            ..Remembered::default()
        },
        other => panic!("say here what {other} remembers"),
    }
}

#[test]
fn every_version_that_there_was_is_read_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the files are there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_str().expect("text");
        let text = fs::read_to_string(&path).expect("readable");
        let Read { remembered, left_out } = read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(left_out, [""; 0], "{name}");
        assert_eq!(remembered, expected(name), "{name}");
        seen += 1;
    }
    assert_eq!(seen, VERSION, "a file for every version");
}

#[test]
fn the_file_of_the_newest_version_is_what_is_written() {
    let newest = format!("v{VERSION}.toml");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/state");
    let text = fs::read_to_string(folder.join(&newest)).expect("readable");
    assert_eq!(write(&expected(&newest)).expect("written"), text);
}
