//! What each shipped profile promises, measured on what `headroom render` makes of speech,
//! music and a film, by meters that share no code with ours.
//!
//! `cargo test --release -p headroom-cli --test promises -- --nocapture` prints the table.

#![allow(clippy::print_stdout, reason = "tests print what they measure, also through functions")]

mod harness;

use std::sync::{LazyLock, Mutex};

use harness::Folder;
use headroom_profile::{Profile, Route};
use headroom_signals::cinema::{self, Film, SceneKind};
use headroom_signals::judge::{level, oracle, true_peak};
use headroom_signals::speech::{Pauses, speech_like};
use headroom_signals::{Programme, music, noise};

const RATE_HZ: u32 = 48_000;
/// How long speech and music are; their loudness is judged over the second half.
const SECONDS: f64 = 40.0;
const FILM_RANGE_LU: f64 = 15.0;

/// What a profile promises of a film's loudness range.
enum Range {
    AtMost(f64),
    AsIn { within_lu: f64 },
}
use Range::{AsIn, AtMost};

struct Promise {
    profile: &'static str,
    target_lufs: Option<f64>,
    ceiling_dbtp: f64,
    range: Range,
    most_momentary_lufs: Option<f64>,
}

/// The table of promises; what a row cannot hold has a test of its own below.
#[rustfmt::skip]
const PROMISES: [Promise; 14] = [
    promise("default", Some(-18.0), -1.0, AtMost(10.0), None),
    promise("night", Some(-20.0), -3.0, AtMost(6.0), Some(-12.0)),
    promise("quiet-hours", Some(-24.0), -6.0, AtMost(5.0), Some(-18.0)),
    promise("speech", Some(-16.0), -1.0, AtMost(8.0), None),
    promise("podcast", Some(-16.0), -1.0, AtMost(8.0), None),
    promise("movie", Some(-20.0), -1.0, AtMost(12.0), None),
    promise("music", Some(-16.0), -1.0, AsIn { within_lu: 2.0 }, None),
    promise("gaming", Some(-16.0), -1.0, AtMost(8.0), None),
    promise("broadcast-14", Some(-14.0), -1.0, AtMost(12.0), None),
    promise("commute", Some(-16.0), -1.0, AtMost(5.0), None),
    promise("party", Some(-12.0), -1.0, AtMost(8.0), None),
    promise("spike-protection", None, -1.0, AsIn { within_lu: 1.0 }, None),
    promise("transparent", None, -1.0, AsIn { within_lu: 0.5 }, None),
    promise("bypass-all", None, 0.0, AsIn { within_lu: 0.5 }, None),
];

const fn promise(
    profile: &'static str,
    target_lufs: Option<f64>,
    ceiling_dbtp: f64,
    range: Range,
    most_momentary_lufs: Option<f64>,
) -> Promise {
    Promise { profile, target_lufs, ceiling_dbtp, range, most_momentary_lufs }
}

static SPEECH: LazyLock<Programme> =
    LazyLock::new(|| speech_like(RATE_HZ, 2, SECONDS, Pauses::OneSecond, 3));
static MUSIC: LazyLock<Programme> = LazyLock::new(|| music::music_like(RATE_HZ, 2, SECONDS, 3));
static FILMS: LazyLock<Vec<Film>> = LazyLock::new(|| {
    let seeds = if cfg!(debug_assertions) { 1..=1 } else { 1..=3 };
    seeds.map(|seed| cinema::film(RATE_HZ, 120.0, FILM_RANGE_LU, seed)).collect()
});

fn profile(name: &str) -> Profile {
    headroom_profile::load(name).expect("a shipped profile").profile
}

/// What the real program makes of a programme.
fn rendered(profile: &str, input: &Programme) -> Programme {
    let folder = Folder::new();
    folder.write("in.wav", input);
    folder.succeed(&["render", "in.wav", "out.wav", "--profile", profile]);
    let output = folder.read("out.wav");
    assert_eq!(output.frames(), input.frames());
    output
}

/// Sample peak over RMS, from where the gain has settled on.
fn crest_db(programme: &Programme) -> f64 {
    let settled = programme.between(SECONDS / 2.0, SECONDS);
    let peak = settled.channels.iter().map(|plane| level::sample_peak_db(plane));
    let all: Vec<f32> = settled.channels.concat();
    peak.fold(f64::NEG_INFINITY, f64::max) - level::rms_db(&all)
}

/// What was measured of one profile, and where it broke its promise.
#[derive(Default)]
struct Row {
    cells: String,
    broken: Vec<String>,
}

impl Row {
    fn cell(&mut self, width: usize, text: &str) {
        self.cells += &format!("{text:>width$}");
    }

    fn must(&mut self, kept: bool, what: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(what());
        }
    }
}

/// How near to its target a film comes out as a whole, from its first scene on. Nobody knows then
/// how loud the loudest scene will be: who leaves scenes their range finds out when it is there.
/// `music` takes nothing from a scene, `default` follows scenes and is late for each.
fn film_within_lu(profile: &str) -> f64 {
    match profile {
        "music" => 1.25,
        "default" => 1.1,
        _ => 0.75,
    }
}

fn row(promise: &Promise) -> Row {
    let mut row = Row::default();
    let name = promise.profile;
    let (mut loudest_lufs, mut highest_dbtp) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let mut judge = |output: &Programme| {
        let momentary = oracle::max_momentary_between(output, 0.4, output.seconds());
        loudest_lufs = loudest_lufs.max(momentary);
        highest_dbtp = highest_dbtp.max(true_peak::of(output));
    };
    row.cell(0, &format!("{name:17}"));
    row.cell(6, &promise.target_lufs.map_or("-".to_owned(), |lufs| format!("{lufs}")));
    for (kind, programme, input_lufs) in [
        ("speech", &*SPEECH, -30.0),
        ("speech", &SPEECH, -12.0),
        ("music", &MUSIC, -30.0),
        ("music", &MUSIC, -12.0),
    ] {
        let output = rendered(name, &programme.clone().at_lufs(input_lufs));
        judge(&output);
        let lufs = oracle::integrated_between(&output, SECONDS / 2.0, SECONDS);
        row.cell(9, &format!("{lufs:.2}"));
        if let Some(target) = promise.target_lufs {
            row.must((lufs - target).abs() <= 0.5, || {
                format!("{name}: {kind} of {input_lufs} LUFS comes out at {lufs:.2}, not {target}")
            });
        }
    }
    for film in FILMS.iter() {
        let output = rendered(name, &film.programme);
        judge(&output);
        let (lufs, range) = (oracle::integrated(&output), oracle::loudness_range(&output));
        row.cell(9, &format!("{lufs:.2}"));
        row.cell(7, &format!("{range:.2}"));
        if let Some(target) = promise.target_lufs {
            row.must((lufs - target).abs() <= film_within_lu(name), || {
                format!("{name}: the film comes out at {lufs:.2} LUFS, not {target}")
            });
        }
        match promise.range {
            AtMost(most) => row.must(range <= most, || {
                format!("{name}: the film's range is {range:.2} LU, over {most}")
            }),
            AsIn { within_lu } => {
                let sent = oracle::loudness_range(&film.programme);
                row.must((range - sent).abs() <= within_lu, || {
                    format!("{name}: the film's range of {sent:.2} LU becomes {range:.2}")
                });
            }
        }
    }
    row.cell(8, &format!("{loudest_lufs:.2}"));
    row.cell(8, &format!("{highest_dbtp:.2}"));
    row.must(highest_dbtp <= promise.ceiling_dbtp + 0.1, || {
        format!("{name}: {highest_dbtp:.2} dBTP, over {}", promise.ceiling_dbtp)
    });
    if let Some(most) = promise.most_momentary_lufs {
        row.must(loudest_lufs <= most, || {
            format!("{name}: {loudest_lufs:.2} LUFS momentary, over {most}")
        });
    }
    row
}

#[test]
fn every_shipped_profile_keeps_the_promises_of_the_table() {
    let shipped: Vec<&str> = headroom_profile::embedded().map(|(name, _)| name).collect();
    assert_eq!(shipped, PROMISES.map(|promise| promise.profile));
    let film_columns = "     film  range".repeat(FILMS.len());
    println!(
        "{:17}{:>6}{:>9}{:>9}{:>9}{:>9}{film_columns}{:>8}{:>8}",
        "LUFS, LU, dBTP", "target", "spk -30", "spk -12", "mus -30", "mus -12", "max M", "peak"
    );
    let rows: [Mutex<Row>; PROMISES.len()] = std::array::from_fn(|_| Mutex::default());
    let next = Mutex::new(0..PROMISES.len());
    let work = || {
        loop {
            let Some(index) = next.lock().expect("no worker panics here").next() else { return };
            *rows[index].lock().expect("its own row") = row(&PROMISES[index]);
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let named = std::thread::Builder::new().name(format!("promises-{worker}"));
            named.spawn_scoped(scope, work).expect("a thread");
        }
    });
    let mut broken = Vec::new();
    for row in rows.map(|row| row.into_inner().expect("its worker is done")) {
        println!("{}", row.cells);
        broken.extend(row.broken);
    }
    assert!(broken.is_empty(), "promises broken:\n{}", broken.join("\n"));
}

#[test]
fn night_and_quiet_hours_let_no_burst_through() {
    const ONSET_S: f64 = 30.0;
    let talk = speech_like(RATE_HZ, 2, ONSET_S, Pauses::Natural, 8).at_lufs(-38.0);
    let burst = noise::pink(RATE_HZ, 2, 1.0, 9).at_lufs(-7.5);
    let input = Programme::concat(&[talk.clone(), burst, talk.between(0.0, 8.0)]);
    for name in ["night", "quiet-hours"] {
        let promised = PROMISES.iter().find(|promise| promise.profile == name);
        let most = promised.and_then(|promise| promise.most_momentary_lufs).expect("a promise");
        let output = rendered(name, &input);
        let loudest = oracle::max_momentary_between(&output, 0.4, output.seconds());
        println!("{name}: a burst comes out at {loudest:.2} LUFS, of at most {most}");
        assert!(loudest <= most, "{name}: {loudest:.2} LUFS momentary, over {most}");
    }
}

#[test]
fn default_and_music_leave_music_its_crest() {
    let input = MUSIC.clone().at_lufs(-16.0);
    let sent = crest_db(&input);
    for (name, least) in [("default", 0.8 * sent), ("music", sent - 1.0)] {
        let got = crest_db(&rendered(name, &input));
        println!("{name}: a crest of {sent:.2} dB becomes {got:.2}, {:.0} %", 100.0 * got / sent);
        assert!(got >= least, "{name}: {got}");
        assert!(name != "music" || got <= sent + 1.0, "{name}: {got}");
    }
}

#[test]
fn speech_settles_in_two_seconds() {
    const TARGET_LUFS: f64 = -16.0;
    for (name, seed) in [("one", 3), ("another", 10), ("a third", 21)] {
        let talker = speech_like(RATE_HZ, 2, 8.0, Pauses::Natural, seed);
        for lufs in [-34.0, -26.0, -18.0, -10.0] {
            let output = rendered("speech", &talker.clone().at_lufs(lufs));
            let (soon, later) = (
                oracle::integrated_between(&output, 2.0, 5.0),
                oracle::integrated_between(&output, 5.0, 8.0),
            );
            // Gated over all that follows: a talker's single sentences differ by more than this.
            let all = oracle::integrated_between(&output, 2.0, 8.0);
            println!(
                "{name} talker at {lufs} LUFS: {all:.2} LUFS from 2 s on, {soon:.2} until 5 s, \
                 then {later:.2}"
            );
            assert!((all - TARGET_LUFS).abs() <= 1.0, "{name} at {lufs}: {all}");
            assert!((soon - TARGET_LUFS).abs() <= 1.3, "{name} at {lufs}: {soon}");
            assert!((later - TARGET_LUFS).abs() <= 1.0, "{name} at {lufs}: {later}");
        }
    }
}

#[test]
fn after_a_change_of_talker_speech_settles_in_two_seconds_more() {
    let talker =
        |seconds, seed, lufs| speech_like(RATE_HZ, 2, seconds, Pauses::Natural, seed).at_lufs(lufs);
    for (before, after) in [(-32.0, -16.0), (-16.0, -32.0), (-20.0, -26.0), (-30.0, -22.0)] {
        let input = talker(12.0, 5, before).then(&talker(8.0, 6, after));
        let output = rendered("speech", &input);
        let soon = oracle::integrated_between(&output, 14.0, 17.0);
        let later = oracle::integrated_between(&output, 17.0, 20.0);
        println!(
            "from {before} to {after} LUFS: {soon:.2} LUFS from 2 to 5 s after the change, then \
             {later:.2}"
        );
        assert!((soon + 16.0).abs() <= 1.5, "from {before} to {after}: {soon}");
        assert!((later + 16.0).abs() <= 1.0, "from {before} to {after}: {later}");
    }
}

#[test]
fn movie_brings_dialogue_up_and_explosions_down_and_keeps_the_range() {
    let film = &FILMS[0];
    let output = rendered("movie", &film.programme);
    // Loudness of all scenes of a kind beside that of the film.
    let beside = |programme: &Programme, kind: SceneKind| {
        let scenes: Vec<Programme> = film
            .scenes
            .iter()
            .filter(|scene| scene.kind == kind)
            .map(|scene| programme.between(scene.from_s, scene.to_s))
            .collect();
        oracle::integrated(&Programme::concat(&scenes)) - oracle::integrated(programme)
    };
    let moved = |kind| {
        let (sent, got) = (beside(&film.programme, kind), beside(&output, kind));
        println!("{kind:?}: {sent:+.2} LU beside the film becomes {got:+.2}");
        got - sent
    };
    assert!(moved(SceneKind::Dialogue) >= 1.0);
    assert!(moved(SceneKind::Explosions) <= -1.0);
    let range = oracle::loudness_range(&output);
    println!("movie: a range of {FILM_RANGE_LU} LU becomes {range:.2}");
    assert!((7.5..=12.0).contains(&range), "{range} LU");
}

#[test]
fn what_is_to_be_left_alone_is_bit_exact() {
    let hot = noise::pink(RATE_HZ, 2, 10.0, 4);
    for (name, peak_dbfs) in
        [("spike-protection", -6.01), ("transparent", -5.0), ("bypass-all", -5.0)]
    {
        for (kind, programme) in [("music", &*MUSIC), ("speech", &SPEECH), ("noise", &hot)] {
            let input = programme.between(0.0, 10.0).at_sample_peak(peak_dbfs);
            // Between its samples, too, it must be under the ceiling.
            assert!(true_peak::of(&input) < -1.0);
            assert_eq!(rendered(name, &input), input, "{name}, {kind} at {peak_dbfs} dBFS");
        }
    }
}

#[test]
fn spike_protection_takes_a_blast_down_and_nothing_else() {
    let talk = speech_like(RATE_HZ, 2, 6.0, Pauses::Natural, 8).at_lufs(-26.0);
    let blast = noise::pink(RATE_HZ, 2, 0.5, 9).at_lufs(0.0);
    let input = Programme::concat(&[talk.between(0.0, 3.0), blast, talk.clone()]);
    let output = rendered("spike-protection", &input);
    let limited = rendered("transparent", &input);
    let loudest = |programme: &Programme| oracle::max_momentary_between(programme, 3.0, 3.6);
    println!(
        "a blast of {:.1} LUFS: {:.1} behind the limiter alone, {:.1} behind spike-protection",
        loudest(&input),
        loudest(&limited),
        loudest(&output)
    );
    assert!(loudest(&output) <= loudest(&limited) - 2.0);
    let before = RATE_HZ as usize * 29 / 10;
    assert_eq!(input.channels[0][..before], output.channels[0][..before]);
    // Two seconds later nothing is left of it.
    let after = RATE_HZ as usize * 11 / 2;
    let apart = input.channels[0][after..].iter().zip(&output.channels[0][after..]);
    let apart = apart.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-3, "{apart}");
}

#[test]
fn routes_of_gaming_and_bypass_all_leave_apps_alone() {
    for profile in headroom_profile::embedded().map(|(name, _)| profile(name)) {
        let alone = matches!(profile.name.as_str(), "gaming" | "bypass-all");
        let expected = if alone { Route::Bypass } else { Route::Processed };
        assert_eq!(profile.default_route.route, expected, "{}", profile.name);
    }
    let gaming = profile("gaming");
    assert!(gaming.rules.iter().all(|rule| rule.route == Route::Processed));
    let names = |find: fn(&headroom_profile::Match) -> &Vec<String>, name: &str| {
        gaming.rules.iter().any(|rule| find(&rule.matches).iter().any(|listed| listed == name))
    };
    assert!(names(|m| &m.process_binary, "Discord"));
    assert!(names(|m| &m.media_role, "Communication"));
    assert!(profile("bypass-all").rules.is_empty());
}
