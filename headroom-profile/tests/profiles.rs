//! What a profile file may say, what it is read as, and what its errors say.

use headroom_dsp as dsp;
use headroom_dsp::{Db, Lufs};
use headroom_profile::{Checked, Kind, Profile, Route, SETTINGS, load};

/// A profile of nothing but a head and these lines.
fn parse(lines: &str) -> Result<Checked, String> {
    let text = format!("name = \"p\"\ndescription = \"d\"\n{lines}");
    Profile::parse("p.toml", &text).map_err(|error| error.to_string())
}

fn error(lines: &str) -> String {
    parse(lines).expect_err("a wrong profile")
}

fn warnings(lines: &str) -> Vec<String> {
    let checked = parse(lines).expect("a valid profile");
    checked.warnings.iter().map(ToString::to_string).collect()
}

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_file_of_the_first_form_loads_unchanged() {
    let loaded = load(&data("evening.toml")).expect("a valid profile");
    assert_eq!(loaded.warnings, []);
    let params = loaded.profile.chain_params();
    assert_eq!(params.bus.agc.target, Lufs(-20.0));
    assert_eq!(params.bus.agc.hold_ms, dsp::AgcParams::default().hold_ms);
    assert_eq!(params.bus.compressor.makeup, dsp::Makeup::Auto);
    assert_eq!(params.master.limiter.oversample, dsp::Oversample::X4);
    let soft = params.master.limiter.soft.expect("the table is there, so it is on");
    assert_eq!((soft.max_psr, soft.static_ceiling), (Db(12.0), Db(-8.0)));
    assert_eq!(loaded.profile.meters.publish_hz, 15.0);
    assert_eq!(loaded.profile.rules.len(), 2);
    assert_eq!(loaded.profile.rules[0].route, Route::Bypass);
    assert_eq!(loaded.profile.rules[1].matches.media_role, ["Communication"]);
}

#[test]
fn a_file_with_tables_per_app_loads_unchanged() {
    let loaded = load(&data("calls.toml")).expect("a valid profile");
    let said: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(":30:14: limiter.oversample is 2, read as 4"), "{said:?}");
    let params = loaded.profile.chain_params();
    assert_eq!(params.bus.agc.target, Lufs(-17.0));
    assert_eq!(params.bus.compressor.makeup, dsp::Makeup::Fixed(Db(2.5)));
    assert_eq!(params.bus.compressor.detector, dsp::Detector::Rms);
    assert_eq!(params.master.limiter.link, dsp::Link::DualMono);
    assert_eq!(params.master.limiter.soft, None);
    assert_eq!(loaded.profile.default_route.route, Route::Bypass);
    let per_app = loaded.profile.per_app.expect("read and kept");
    assert_eq!(per_app.rules[0].min_write_interval_ms, Some(120.0));
    assert_eq!(per_app.rules[0].defer_to_user.as_deref(), Some("ceiling"));
}

#[test]
fn a_misspelt_key_is_told_with_its_place_and_the_right_one() {
    let said = error("[agc]\ntarget_luft = -16.0\n");
    assert!(said.starts_with("p.toml:4:1: unknown key `agc.target_luft`"), "{said}");
    assert!(said.contains("did you mean `target_lufs`?"), "{said}");
    assert!(said.contains("allowed here: enabled, target_lufs, attack_ms"), "{said}");
}

#[test]
fn a_key_in_the_wrong_table_is_told_where_it_belongs() {
    let said = error("[limiter]\ntarget_lufs = -16.0\n");
    assert!(said.contains("did you mean `agc.target_lufs`?"), "{said}");
}

#[test]
fn a_misspelt_table_is_told_the_right_one() {
    let said = error("[compresor]\nratio = 2.0\n");
    assert!(said.starts_with("p.toml:3:2: unknown key `compresor`"), "{said}");
    assert!(said.contains("did you mean `compressor`?"), "{said}");
    assert!(error("[limiter.sotf]\n").contains("did you mean `soft`?"));
    assert!(
        error("[[rules]]\nmatch = { process_binery = [\"a\"] }\nroute = \"bypass\"\n")
            .contains("unknown key `rules.match.process_binery` (did you mean `process_binary`?)")
    );
}

#[test]
fn every_number_is_clamped_with_a_warning_that_says_so() {
    // Without the AGC every value goes with every other.
    let warnings = |line: &str| warnings(&format!("agc.enabled = false\n{line}"));
    for setting in SETTINGS {
        let (Kind::Number(min, max) | Kind::NumberOrAuto(min, max)) = setting.kind else {
            continue;
        };
        for (given, expected) in [(min - 1.0, min), (max + 1.0, max)] {
            let said = warnings(&format!("{} = {given}\n", setting.key));
            assert_eq!(said.len(), 1, "{said:?}");
            let told = format!("{} is {given}, read as {expected}: must be ", setting.key);
            assert!(said[0].contains(&told), "{said:?} has no {told:?}");
            assert!(said[0].contains(&format!("between {min} and {max}")), "{said:?}");
        }
        for inside in [min, max] {
            assert_eq!(warnings(&format!("{} = {inside}\n", setting.key)), [""; 0]);
        }
        assert!(error(&format!("{} = nan\n", setting.key)).contains("is nan, but must be "));
        assert_eq!(warnings(&format!("{} = inf\n", setting.key)).len(), 1);
        assert_eq!(warnings(&format!("{} = -1e999\n", setting.key)).len(), 1);
    }
}

#[test]
fn values_that_contradict_each_other_are_told_with_their_place() {
    let said = error("[agc]\ntarget_lufs = -8.0\n[limiter]\nceiling_dbtp = -6.0\n");
    assert!(said.starts_with("p.toml:4:15: agc.target_lufs is -8 and limiter.ceiling"), "{said}");
    assert!(said.contains("make agc.target_lufs -9 or less, or limiter.ceiling_dbtp -5 or more"));
    // The target is the built-in default here, so the ceiling is to be looked at.
    let said = error("[limiter]\nceiling_dbtp = -20.0\n");
    assert!(said.starts_with("p.toml:4:16: agc.target_lufs is -18 and limiter"), "{said}");
    let said = error("[agc]\ntarget_lufs = -40\nsilence_threshold_lufs = -30\n");
    assert!(said.starts_with("p.toml:5:26: agc.silence_threshold_lufs is -30"), "{said}");
    assert_eq!(warnings("agc.enabled = false\nlimiter.ceiling_dbtp = -20\n"), [""; 0]);
}

#[test]
fn oversampling_that_is_too_coarse_is_read_as_4() {
    for (given, expected, warned) in [
        ("1", dsp::Oversample::X4, true),
        ("2", dsp::Oversample::X4, true),
        ("4", dsp::Oversample::X4, false),
        ("5", dsp::Oversample::X8, true),
        ("8.0", dsp::Oversample::X8, false),
        ("0x10", dsp::Oversample::X16, false),
        ("1_000", dsp::Oversample::X16, true),
    ] {
        let checked = parse(&format!("limiter.oversample = {given}\n")).expect("valid");
        assert_eq!(checked.profile.chain_params().master.limiter.oversample, expected, "{given}");
        assert_eq!(checked.warnings.len(), usize::from(warned), "{given}");
    }
}

#[test]
fn words_are_checked() {
    let said = error("[compressor]\ndetector = \"pek\"\n");
    assert_eq!(
        said,
        "p.toml:4:12: compressor.detector is \"pek\", but must be one of \"peak\", \"rms\" \
         (did you mean `peak`?)"
    );
    assert!(error("limiter.link = \"mono\"\n").contains("one of \"stereo\", \"dual-mono\""));
    assert!(error("compressor.makeup_db = \"Auto\"\n").contains("(did you mean `auto`?)"));
    assert!(error("agc.enabled = \"yes\"\n").contains("is \"yes\", but must be true or false"));
    assert!(error("agc.target_lufs = \"-16\"\n").contains("but must be a number between -40 and"));
    assert!(error("agc = 3\n").contains("agc is 3, but must be a table"));
}

#[test]
fn the_soft_tier_is_on_where_its_table_is_unless_it_says_otherwise() {
    let soft = |lines: &str| {
        parse(lines).expect("valid").profile.chain_params().master.limiter.soft.is_some()
    };
    assert!(!soft(""));
    assert!(soft("[limiter.soft]\n"));
    assert!(soft("[limiter.soft]\nmax_psr_db = 10\n"));
    assert!(!soft("[limiter.soft]\nenabled = false\nmax_psr_db = 10\n"));
    assert!(!soft("[limiter.soft]\nmax_psr_db = 10\nenabled = false\n"));
}

#[test]
fn the_name_must_be_the_files() {
    let said = Profile::parse("a/b/night.toml", "name = \"nihgt\"\ndescription = \"d\"\n")
        .expect_err("a wrong name")
        .to_string();
    assert!(said.starts_with("a/b/night.toml:1:8: name is \"nihgt\", but must be \"night\""));
}

#[test]
fn a_name_and_a_description_must_be_there() {
    let said = Profile::parse("n.toml", "").expect_err("no name").to_string();
    assert_eq!(said, "n.toml:1:1: name is missing: write name = \"n\" at the top");
    let said = Profile::parse("n.toml", "name = \"n\"").expect_err("no description").to_string();
    assert!(said.contains("description is missing"), "{said}");
}

#[test]
fn what_is_not_toml_is_told_with_its_place() {
    let said = error("[agc]\ntarget_lufs = = -16\n");
    assert!(said.starts_with("p.toml:4:15: not valid TOML at "), "{said}");
    let said = error("[agc]\nenabled = true\nenabled = false\n");
    assert!(said.starts_with("p.toml:5:1: not valid TOML"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn the_first_error_of_the_file_is_the_one_that_is_told() {
    let said = error("[meters]\npublish = 3\n[agc]\ntarget = 2\n");
    assert!(said.contains("p.toml:4:1: unknown key `meters.publish`"), "{said}");
}

#[test]
fn routes_are_fixed_words_or_buses() {
    let route = |word: &str| {
        parse(&format!("default_route.route = {word:?}\n"))
            .map(|checked| (checked.profile.default_route.route, checked.warnings.len()))
    };
    assert_eq!(route("protected"), Ok((Route::Protected, 0)));
    assert_eq!(route("voices"), Ok((Route::Bus("voices".to_owned()), 0)));
    assert_eq!(route("procesed"), Ok((Route::Bus("procesed".to_owned()), 1)));
    assert!(route("two words").expect_err("no name").contains("the name of a bus"));
    assert!(route("").is_err());
    assert!(error("[[rules]]\nroute = \"bypass\"\n").contains("rules.match is missing"));
    assert!(error("[rules]\n").contains("rules is [rules], but must be tables headed [[rules]]"));
}

#[test]
fn a_rule_that_can_match_nothing_is_warned_of() {
    let said = warnings("[[rules]]\nmatch = {}\nroute = \"bypass\"\n");
    assert!(said[0].contains("rules.match names nothing"), "{said:?}");
    let said = error("[[rules]]\nmatch = { process_binary = \"mpv\" }\nroute = \"bypass\"\n");
    assert!(said.contains("but must be a list of texts"), "{said}");
}

#[test]
fn a_rule_can_name_as_much_as_a_request_for_a_route() {
    let rule = |patterns: &[String]| {
        format!("[[rules]]\nroute = \"bypass\"\n[rules.match]\nmedia_role = [\n{}]\n", {
            patterns.iter().map(|pattern| format!("{pattern:?},\n")).collect::<String>()
        })
    };
    let patterns = |count: usize, bytes: usize| vec!["p".repeat(bytes); count];
    let most = parse(&rule(&patterns(64, 256))).expect("as much as there can be");
    assert_eq!(most.profile.rules[0].matches.media_role.len(), 64);
    let limits = "but must be one of at most 64 patterns of at most 256 bytes";
    let too_many = error(&rule(&patterns(65, 1)));
    assert!(too_many.starts_with("p.toml:71:1: rules.match.media_role is \"p\""), "{too_many}");
    assert!(too_many.ends_with(limits), "{too_many}");
    let mut one_too_long = patterns(3, 1);
    one_too_long[1] = "p".repeat(257);
    let too_long = error(&rule(&one_too_long));
    assert!(too_long.starts_with("p.toml:8:1: ") && too_long.ends_with(limits), "{too_long}");
}
