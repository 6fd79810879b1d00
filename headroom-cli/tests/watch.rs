//! `headroom watch` beside the daemon: rings of the doorbell with and without a daemon, and what
//! it is told from outside.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]

mod harness;
#[path = "profiles/home.rs"]
mod home;
mod scripted;

use std::io::{BufRead, BufReader, Lines, Read};
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use headroom_client::doorbell::{Cause, notify_in};
use headroom_client::ipc::{Bypass, SettingChange};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::Run;
use crate::home::Home;

/// A `headroom watch` that ends with the test.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    notes: Lines<BufReader<ChildStderr>>,
}

impl Watch {
    fn begin(home: &Home, args: &[&str]) -> Watch {
        let args = [&["watch"], args].concat();
        let mut command = home.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let notes = BufReader::new(child.stderr.take().unwrap()).lines();
        Watch { child, lines, notes }
    }

    /// The same where no daemon is, which it says when it is ready.
    fn alone(home: &Home, args: &[&str]) -> Watch {
        let mut watch = Watch::begin(home, args);
        let note = watch.note();
        assert!(
            note.starts_with("headroom: headroomd is not running: nobody listens at "),
            "{note}"
        );
        assert!(note.ends_with("control.sock; waiting for it"), "{note}");
        watch
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn note(&mut self) -> String {
        self.notes.next().unwrap().unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const RUNG: &str = "bell      files of profiles have changed";

#[test]
fn every_command_that_changes_profiles_on_the_disk_rings_also_with_no_daemon() {
    let home = Home::new();
    let mut watch = Watch::alone(&home, &[]);
    let file = home.write("cinema.toml", &home::profile("cinema", ""));
    let file = file.to_str().unwrap();
    for args in [
        &["profile", "new", "mine"][..],
        &["profile", "copy", "mine", "late"],
        &["profile", "import", file],
        &["profile", "delete", "late", "--yes"],
    ] {
        home.succeed(args);
        assert_eq!(watch.line(), RUNG, "{args:?}");
    }
    let mut edit = home.command(&["profile", "edit", "mine"]);
    edit.env("EDITOR", home.editor("echo '# changed' >> \"$1\""));
    let run = Run::of(&mut edit);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(watch.line(), RUNG, "{run}");

    // What changes nothing rings for nothing.
    let mut edit = home.command(&["profile", "edit", "mine"]);
    edit.env("EDITOR", "true");
    assert_eq!(Run::of(&mut edit).code, Some(0));
    home.run(&["profile", "new", "mine"]).refused(1, &["there is a profile mine already"]);
    home.succeed(&["profile", "list"]);
    home.succeed(&["profile", "export", "mine"]);
    notify_in(home.path("headroom/bell"), Cause::State);
    assert_eq!(watch.line(), "bell      what is remembered has changed");
}

#[test]
fn a_ring_is_told_in_front_of_behind_and_between_two_daemons() {
    let home = Home::new();
    let bells = home.path("headroom/bell");
    let mut watch = Watch::alone(&home, &["setting", "profile"]);
    assert_eq!(notify_in(&bells, Cause::Profile), 1);
    assert_eq!(watch.line(), RUNG);
    for note in ["headroomd 0.1.0 is there", "headroomd 0.1.0 is back"] {
        let listener = UnixListener::bind(home.path("control.sock")).unwrap();
        let mut peer = scripted::Peer::greet(&listener, &scripted::hello());
        let mut state = scripted::state();
        peer.subscribed(&state);
        assert_eq!(watch.note(), format!("headroom: {note}"));
        assert_eq!(notify_in(&bells, Cause::All), 1);
        assert_eq!(
            watch.line(),
            "bell      anything may have changed on the disk",
            "while it hears the daemon"
        );
        peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
        assert_eq!(watch.line(), "setting   bypass is on");
        drop((peer, listener));
        std::fs::remove_file(home.path("control.sock")).unwrap();
        let gone = "headroom: headroomd has closed the connection; waiting for it";
        assert_eq!(watch.note(), gone);
        assert_eq!(notify_in(&bells, Cause::Profile), 1);
        assert_eq!(watch.line(), RUNG, "while it waits for the daemon");
    }
}

#[test]
fn rings_are_told_as_json_with_their_count_and_only_where_they_are_of_interest() {
    let home = Home::new();
    let bells = home.path("headroom/bell");
    let mut watch = Watch::alone(&home, &["--json", "routing"]);
    kill_process(Pid::from_child(&watch.child), Signal::STOP).unwrap();
    for cause in [Cause::State, Cause::State, Cause::Profile] {
        assert_eq!(notify_in(&bells, cause), 1);
    }
    kill_process(Pid::from_child(&watch.child), Signal::CONT).unwrap();
    assert_eq!(
        watch.line(),
        r#"{"topic":"bell","event":"rung","data":{"causes":["profile","state"],"count":3}}"#
    );
    notify_in(&bells, Cause::Profile);
    // Routing has nothing to do with that, so the next is told.
    let mut other = Watch::alone(&home, &["--json"]);
    notify_in(&bells, Cause::All);
    let all = r#"{"topic":"bell","event":"rung","data":{"causes":["all"],"count":1}}"#;
    assert_eq!(other.line(), all);
    let next = watch.line();
    assert!(next.contains("\"all\""), "{next}");
}

#[test]
fn a_watch_with_a_name_is_paused_resumed_and_stopped_from_outside() {
    let home = Home::new();
    let bells = home.path("headroom/bell");
    let mut watch = Watch::alone(&home, &["--name", "bar"]);
    home.run(&["watch", "--name", "bar"])
        .refused(1, &["a `headroom watch` called bar is running already"]);
    for _ in 0..2 {
        assert_eq!(home.succeed(&["watch", "--tell", "bar", "pause"]), "bar is paused\n");
    }
    assert_eq!(watch.note(), "headroom: paused from outside");
    for _ in 0..3 {
        assert_eq!(notify_in(&bells, Cause::Profile), 1);
        // Between two answers it has looked at the bell, so that each is a line.
        for _ in 0..2 {
            assert_eq!(home.succeed(&["watch", "--tell", "bar", "pause"]), "bar is paused\n");
        }
    }
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "resume"]), "bar is running\n");
    assert_eq!(watch.note(), "headroom: goes on; lines not printed meanwhile: 3");
    assert_eq!(notify_in(&bells, Cause::State), 1);
    assert_eq!(watch.line(), "bell      what is remembered has changed", "and none from before");
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "stop"]), "bar has stopped\n");
    assert!(watch.child.wait().unwrap().success());
    assert!(home.names("headroom/bell").is_empty());
    assert!(home.names("headroom/watch").is_empty());
    let run = home.run(&["watch", "--tell", "bar", "stop"]);
    run.refused(1, &["no `headroom watch` called bar is running"]);
    assert!(run.stderr.contains("hint: headroom watch --name bar starts one\n"), "{run}");
}

#[test]
fn what_it_is_told_while_it_hears_a_daemon_is_done_at_once() {
    let home = Home::new();
    let listener = UnixListener::bind(home.path("control.sock")).unwrap();
    let mut watch = Watch::begin(&home, &["--name", "bar", "setting"]);
    let mut peer = scripted::Peer::greet(&listener, &scripted::hello());
    let mut state = scripted::state();
    peer.subscribed(&state);
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "pause"]), "bar is paused\n");
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "resume"]), "bar is running\n");
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: false }));
    assert_eq!(watch.line(), "setting   bypass is off");
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "stop"]), "bar has stopped\n");
    assert!(watch.child.wait().unwrap().success());
}

#[test]
fn a_signal_ends_it_as_any_program_and_leaves_nothing_behind() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut watch = Watch::alone(&home, &["--name", "bar"]);
        kill_process(Pid::from_child(&watch.child), signal).unwrap();
        let status = watch.child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert!(home.names("headroom/bell").is_empty());
        assert!(home.names("headroom/watch").is_empty());
    }
    // One that was killed is in nobody's way.
    let mut killed = Watch::alone(&home, &["--name", "bar"]);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let _next = Watch::alone(&home, &["--name", "bar"]);
    assert_eq!(home.succeed(&["watch", "--tell", "bar", "pause"]), "bar is paused\n");
    home.succeed(&["profile", "new", "mine"]);
    assert_eq!(home.names("headroom/bell").len(), 1);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let home = Home::new();
    home.run(&["watch", "--tell", "bar", "pauze"])
        .refused(2, &["\"pauze\" is nothing to tell it, but must be pause, resume or stop"]);
    for args in [&["watch", "--name", "a/b"][..], &["watch", "--tell", "../x", "stop"]] {
        home.run(args).refused(2, &["letters, digits"]);
    }
    let run = home.run(&["watch", "--tell", "bar", "stop", "--json"]);
    assert_eq!(run.code, Some(2), "{run}");
    let mut nowhere = home.command(&["watch", "--tell", "bar", "stop"]);
    nowhere.env("XDG_RUNTIME_DIR", "");
    let run = Run::of(&mut nowhere);
    assert_eq!(run.code, Some(1), "{run}");
}

#[test]
fn without_a_place_for_a_bell_it_says_so_and_watches_the_daemon() {
    let home = Home::new();
    let listener = UnixListener::bind(home.path("control.sock")).unwrap();
    let mut command = home.command(&["watch", "setting"]);
    command.env("XDG_RUNTIME_DIR", home.path("absent"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut peer = scripted::Peer::greet(&listener, &scripted::hello());
    let mut state = scripted::state();
    peer.subscribed(&state);
    peer.publish(&mut state, SettingChange::BypassChanged(Bypass { bypass: true }));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "setting   bypass is on");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("warning: making ") && said.contains("is not told"), "{said}");
}
