//! Where profiles are looked for, and what becomes of them while the program runs.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use headroom_ipc::{
    Change, ProfileChange, ProfileList, ProfileShow, ProfileUse, Profiles, SettingGet,
    SettingValue, Status, StatusCall, Subscribe, Topic,
};

use nix::libc;

use crate::program::{Program, command, state, wait_until};

/// The folders of profiles below the one that the program lives in, the one that counts most last.
const FOLDERS: [&str; 5] = [
    "data/later/headroom/profiles",
    "data/first/headroom/profiles",
    "config/headroom/profiles",
    "given",
    "given-too",
];
/// `agc.target_lufs` of the embedded `night`.
const NIGHT_LUFS: f32 = -20.0;

/// Starts it so that it looks in these folders, of which none is there.
fn in_folders(command: &mut Command, root: &Path) {
    let data = [root.join("data/first"), root.join("data/later")];
    command
        .env("XDG_DATA_DIRS", std::env::join_paths(data).expect("no colon in it"))
        .env("XDG_CONFIG_HOME", root.join("config"))
        .arg("--profile-dir")
        .arg(root.join("given"))
        .arg("--profile-dir")
        .arg(root.join("given-too"));
}

fn started(arguments: &[&str], before: impl FnOnce(&Path)) -> Program {
    let folder = tempfile::tempdir().expect("a directory");
    before(folder.path());
    let mut command = command(folder.path());
    in_folders(command.args(arguments), folder.path());
    Program::start_as(folder, &mut command)
}

fn text(name: &str, target_lufs: f32) -> String {
    format!("name = {name:?}\ndescription = \"d\"\n[agc]\ntarget_lufs = {target_lufs:?}\n")
}

fn status(program: &Program) -> Status {
    program.peer().call(&StatusCall {}).expect("a status")
}

fn profiles(program: &Program) -> Profiles {
    program.peer().call(&ProfileList {}).expect("profiles")
}

fn target_lufs(program: &Program) -> f32 {
    let call = SettingGet { key: "agc.target_lufs".into() };
    match program.peer().call(&call).expect("a setting").value {
        SettingValue::Number(target_lufs) => target_lufs,
        other => panic!("{other:?}"),
    }
}

fn comes_to(program: &Program, lufs: f32, after: &str) {
    wait_until(after, || target_lufs(program) == lufs);
}

/// What is warned of profiles.
fn warnings(program: &Program) -> Vec<String> {
    let warnings = status(program).warnings.into_iter();
    let warnings = warnings.filter(|warning| warning.about.starts_with("profile"));
    warnings.map(|warning| format!("{}: {}", warning.about, warning.message)).collect()
}

#[test]
fn the_later_folder_counts_and_each_is_watched_though_none_was_there_at_the_start() {
    let program = started(&["--profile", "night"], |_| {});
    let root = program.folder.path();
    assert_eq!(target_lufs(&program), NIGHT_LUFS, "the embedded one");
    for (folder, lufs) in FOLDERS.iter().zip([-21.0, -22.0, -23.0, -24.0, -25.0]) {
        fs::create_dir_all(root.join(folder)).expect("made");
        fs::write(root.join(folder).join("night.toml"), text("night", lufs)).expect("written");
        comes_to(&program, lufs, folder);
        let night = profiles(&program).profiles.into_iter().find(|p| p.name == "night");
        let path = night.expect("night").path.expect("a file");
        assert_eq!(Path::new(&path), root.join(folder).join("night.toml"));
    }
    // From the top down: what is behind comes to light, and at last the embedded one.
    let behind = [-24.0, -23.0, -22.0, -21.0, NIGHT_LUFS];
    for (folder, lufs) in FOLDERS.iter().rev().zip(behind) {
        fs::remove_file(root.join(folder).join("night.toml")).expect("removed");
        comes_to(&program, lufs, folder);
        let warned = warnings(&program);
        let gone = root.join(folder).join("night.toml");
        assert!(
            warned.iter().any(|warning| warning.contains(&gone.display().to_string())),
            "{gone:?} has gone without a word: {warned:?}"
        );
    }
    assert_eq!(status(&program).profile, "night");
}

#[test]
fn when_the_file_in_force_goes_the_default_takes_over_says_so_and_gives_it_back() {
    let program = started(&["--profile", "mine"], |root| {
        let folder = root.join("config/headroom/profiles");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("mine.toml"), text("mine", -27.0)).expect("written");
    });
    let file = program.folder.path().join("config/headroom/profiles/mine.toml");
    comes_to(&program, -27.0, "its own");
    let mut listener = program.peer();
    let call = Subscribe { topics: vec![Topic::Profile], snapshot: false, max_hz: None };
    listener.call(&call).expect("subscribed");
    fs::remove_file(&file).expect("removed");
    loop {
        if let Change::Profile(ProfileChange::Used(used)) = listener.event().change {
            assert_eq!(used.name, "default");
            break;
        }
    }
    assert_eq!(status(&program).profile, "default");
    assert_eq!(target_lufs(&program), -18.0);
    let warned = warnings(&program).join("\n");
    assert!(warned.contains("\"mine\"") && warned.contains("default is in force"), "{warned:?}");
    fs::write(&file, text("mine", -28.0)).expect("written");
    comes_to(&program, -28.0, "it is back");
    assert_eq!(status(&program).profile, "mine");
    assert_eq!(warnings(&program), [""; 0]);
}

#[test]
fn a_remembered_profile_whose_file_is_bad_by_now_stops_nobody() {
    let program = started(&[], |root| {
        let folder = root.join("config/headroom/profiles");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("mine.toml"), text("mine", -27.0)).expect("written");
    });
    program.peer().call(&ProfileUse { name: "mine".into() }).expect("in force");
    let folder = program.stop();
    let file = folder.path().join("config/headroom/profiles/mine.toml");
    assert!(fs::read_to_string(state(folder.path())).expect("a state").contains("mine"));
    fs::write(&file, text("mine", -27.0).replace("agc", "agv")).expect("written");

    let mut again = command(folder.path());
    in_folders(&mut again, folder.path());
    let program = Program::start_as(folder, &mut again);
    assert_eq!((status(&program).profile.as_str(), target_lufs(&program)), ("default", -18.0));
    let warned = warnings(&program).join("\n");
    let place = format!("{}:3:", file.display());
    assert!(warned.contains(&place) && warned.contains("did you mean"), "{warned:?}");
    let refused = program.peer().call(&ProfileUse { name: "mine".into() }).expect_err("bad");
    assert!(refused.message.contains(&place), "{refused:?}");
    fs::write(&file, text("mine", -29.0)).expect("written");
    comes_to(&program, -29.0, "it is good again");
    assert_eq!(status(&program).profile, "mine");
}

#[test]
fn a_file_that_was_named_at_the_start_is_watched_wherever_it_lies() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("elsewhere.toml");
    fs::write(&file, text("elsewhere", -30.0)).expect("written");
    let program = started(&["--profile", file.to_str().expect("text")], |_| {});
    assert_eq!(target_lufs(&program), -30.0);
    fs::write(&file, text("elsewhere", -31.0)).expect("written");
    comes_to(&program, -31.0, "an edit");
    fs::write(&file, "name = 3").expect("written");
    wait_until("the fault", || !warnings(&program).is_empty());
    assert_eq!(target_lufs(&program), -31.0, "what was last good");
}

#[test]
fn storage_that_hangs_delays_neither_a_request_nor_the_end() {
    let program = started(&[], |root| {
        let folder = root.join("config/headroom/profiles");
        fs::create_dir_all(&folder).expect("made");
    });
    let folder = program.folder.path().join("config/headroom/profiles");
    fs::write(folder.join("before.toml"), text("before", -27.0)).expect("written");
    wait_until("the first", || profiles(&program).profiles.iter().any(|p| p.name == "before"));
    let lease = Lease::of(&folder.join("hangs.toml"), &text("hangs", -28.0));
    wait_until("it to be opened", || lease.is_waited_for());
    let begun = Instant::now();
    program.peer().call(&ProfileUse { name: "before".into() }).expect("in force");
    let answered = begun.elapsed();
    program.stop();
    let ended = begun.elapsed();
    assert!(lease.is_waited_for(), "it did not hang");
    println!("answered after {answered:?}, ended after {ended:?}");
    assert!(ended < Duration::from_secs(10), "it took {ended:?}");
}

/// A file that nobody else can open before the kernel's patience ends, after 45 seconds: what
/// they see is what storage looks like that does not answer.
struct Lease(fs::File);

impl Lease {
    fn of(path: &Path, text: &str) -> Lease {
        // Made elsewhere, so that nobody has it open when the lease is asked for.
        let beside = path.with_extension("beside");
        fs::write(&beside, text).expect("written");
        let file = fs::File::open(&beside).expect("opened");
        // SAFETY: both take integers, and one a descriptor that is open; to ignore a signal runs
        // no code. SIGIO says that somebody waits, and would end this process.
        let done = unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN);
            libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK)
        };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
        fs::rename(&beside, path).expect("moved");
        Lease(file)
    }

    /// Whether somebody waits for it.
    fn is_waited_for(&self) -> bool {
        // SAFETY: it takes an open descriptor and an integer.
        let lease = unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_GETLEASE) };
        lease == libc::F_UNLCK || lease == libc::F_RDLCK
    }
}

#[test]
fn use_of_what_is_in_force_changes_nothing_and_of_what_is_not_there_names_the_nearest() {
    let program = started(&[], |_| {});
    let mut listener = program.peer();
    let topics = vec![Topic::Profile, Topic::Setting, Topic::Routing];
    listener.call(&Subscribe { topics, snapshot: false, max_hz: None }).expect("subscribed");
    let mut peer = program.peer();
    let used = peer.call(&ProfileUse { name: "default".into() }).expect("no-op");
    assert_eq!(used.name, "default");
    let refused = peer.call(&ProfileUse { name: "nihgt".into() }).expect_err("no such");
    assert_eq!(refused.code, headroom_ipc::Code::NotFound);
    assert!(refused.message.contains("did you mean \"night\"?"), "{refused:?}");
    peer.call(&ProfileUse { name: "night".into() }).expect("in force");
    // The first that is told is of the third.
    match listener.event().change {
        Change::Profile(ProfileChange::Used(used)) => assert_eq!(used.name, "night"),
        other => panic!("{other:?}"),
    }
    let shown = peer.call(&ProfileShow { name: None }).expect("night");
    assert_eq!(shown.profile.name, "night");
}
