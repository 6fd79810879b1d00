//! A daemon that is killed while it writes leaves a state that loads: the last that was written
//! whole, or the one before it.
//!
//! The helper is this very program, started again to do nothing but write, back to back, through
//! the code that hr-store runs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headroom_daemon::store::{Found, Remembered, StateDirectory, StateFile, UserRoute};
use headroom_ipc::{Match, Route};

/// Set in the helper, to where it is to write.
const DIRECTORY: &str = "HEADROOM_TEST_WRITES_STATE_IN";
const KILLS: usize = 500;
/// A write takes a part of this.
const LONGEST_LIFE_US: u64 = 8_000;
/// The sizes of states go up and down over so many of them.
const SIZES: usize = 32;

/// The state of a number, whose every part tells the number.
fn state(number: usize) -> Remembered {
    let route = |index: usize| UserRoute {
        matches: Match { application_name: vec![format!("{number}-{index}")], ..Match::default() },
        route: Route::Bypass,
    };
    Remembered {
        profile: Some(number.to_string()),
        overrides: [("limiter.hold_ms".to_owned(), ((number % 1_000) as f32).into())].into(),
        routes: (0..number % SIZES * 4).map(route).collect(),
        bypass: number % 2 == 1,
        promote: number.is_multiple_of(2),
        sink: Some(number.to_string()),
        ..Remembered::default()
    }
}

fn number(remembered: &Remembered) -> usize {
    remembered.profile.as_deref().expect("a number").parse().expect("a number")
}

fn file(directory: &Path) -> StateFile {
    StateFile::in_directory(StateDirectory::at(directory.to_owned()))
}

/// The helper: goes on from what is there, and never ends by itself.
#[test]
fn helper() {
    // Only means something as a process of the test below.
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let mut file = file(Path::new(&directory));
    let Found { remembered, warnings, .. } = file.read();
    assert_eq!(warnings, [""; 0]);
    println!("\nwrites");
    std::io::stdout().flush().expect("somebody reads");
    for next in number(&remembered) + 1.. {
        file.write(&state(next)).expect("written");
    }
}

fn start_helper(directory: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "killed::helper", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(said.any(|line| line.expect("text") == "writes"), "the helper does not write");
    child
}

#[test]
fn one_that_is_killed_500_times_while_it_writes_leaves_a_state_that_loads() {
    let folder = tempfile::tempdir().expect("a directory");
    let directory = folder.path().join("headroom");
    file(&directory).write(&state(0)).expect("written");
    let begun = Instant::now();
    let (mut last, mut halves, mut random) = (0, 0, 1_u64);
    for kill in 0..KILLS {
        let mut helper = start_helper(&directory);
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The moment is what is tested; nothing is waited for.
        std::thread::sleep(Duration::from_micros((random >> 33) % LONGEST_LIFE_US));
        helper.kill().expect("it runs");
        helper.wait().expect("a child");
        halves += usize::from(directory.join("state.toml.new").exists());
        let Found { remembered, warnings, .. } = file(&directory).read();
        assert_eq!(warnings, [""; 0], "after kill {kill}");
        let now = number(&remembered);
        assert_eq!(remembered, state(now), "after kill {kill}: not what was written");
        assert!(now >= last, "after kill {kill}: {now} after {last} was there");
        last = now;
    }
    println!(
        "{KILLS} kills in {:.1} s: {last} states written, {halves} kills in the midst of a write, \
         every state loaded",
        begun.elapsed().as_secs_f64()
    );
    assert!(halves >= KILLS / 20, "only {halves} kills fell into a write: nothing is tested");
}
