//! The examples run, as they stand, against a scripted daemon.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use headroom_client::Address;
use headroom_ipc::*;

use super::peer::{Peer, beside, bypass, hello, listen, place, setting};

/// A program that ends with the test.
struct Running(Child);

impl Running {
    fn example(name: &str, address: &Address) -> Running {
        Running::begin(built(name).env("HEADROOM_SOCKET", address.to_string()))
    }

    fn begin(command: &mut Command) -> Running {
        let child = command.stdout(Stdio::piped()).spawn();
        Running(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    fn lines(&mut self) -> std::io::Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().unwrap()).lines()
    }
}

/// An example as it was built.
fn built(name: &str) -> Command {
    // target/debug/deps/client-... beside target/debug/examples/NAME
    let this = std::env::current_exe().unwrap();
    let built: PathBuf = this.ancestors().nth(2).unwrap().join("examples").join(name);
    Command::new(built)
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn state() -> Mirror {
    let mut state = Mirror::full();
    let _ = state
        .publish(ProfileChange::Reloaded(Profiles { used: "night".into(), ..Profiles::default() }));
    state
}

#[test]
fn toggle_bypass_asks_once_and_says_what_holds_now() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let daemon = beside(move || {
        let mut peer = Peer::accept(&listener);
        peer.send(&ServerFrame::hello(&hello("first")));
        let request = peer.request().unwrap();
        assert_eq!(request.op, BypassSet { bypass: BypassTo::Toggle }.into());
        peer.send(&ServerFrame::reply(request.id, &Bypass { bypass: true }));
        assert_eq!(peer.request(), None);
    });
    let mut program = Running::example("toggle_bypass", &address);
    let lines: Vec<String> = program.lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["bypass is on"]);
    assert!(program.0.wait().unwrap().success());
    daemon.join().unwrap();
}

#[test]
fn watch_tells_every_change() {
    let (_folder, address) = place();
    let listener = listen(&address);
    let mut program = Running::example("watch", &address);
    let mut lines = program.lines().map(Result::unwrap);
    let mut peer = Peer::accept(&listener);
    let mut state = state();
    peer.send(&ServerFrame::hello(&hello("first")));
    peer.subscribed(&state);
    assert_eq!(lines.next().unwrap(), "connected to headroomd 0.1.0");
    peer.publish(&mut state, bypass(true));
    assert_eq!(lines.next().unwrap(), "setting 1 bypass_changed");
    drop(peer);
    assert_eq!(lines.next().unwrap(), "headroomd has closed the connection; waiting for it");
    let mut peer = Peer::accept(&listener);
    peer.send(&ServerFrame::hello(&hello("second")));
    peer.subscribed(&Mirror::full());
    assert_eq!(lines.next().unwrap(), "connected to headroomd 0.1.0, started again");
}

#[test]
fn status_bar_prints_one_line_of_json_per_change_of_what_it_shows() {
    let (_folder, address) = place();
    let mut program = Running::example("status_bar", &address);
    let mut lines = program
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    // The bar is there before the daemon.
    assert_eq!(lines.next().unwrap()["class"], "off");
    let listener = listen(&address);
    let mut peer = Peer::accept(&listener);
    let mut state = state();
    peer.send(&ServerFrame::hello(&hello("first")));
    peer.subscribed(&state);
    let line = lines.next().unwrap();
    assert_eq!((&line["text"], &line["class"]), (&"night".into(), &"on".into()));
    // Not shown, so not printed.
    peer.publish(&mut state, SettingChange::Changed(setting("agc.target_lufs", -16.0)));
    peer.publish(&mut state, bypass(true));
    assert_eq!(lines.next().unwrap()["class"], "bypass");
    drop(peer);
    assert_eq!(lines.next().unwrap()["class"], "off");
}

#[test]
fn file_channel_asks_and_answers_through_a_directory_in_two_processes() {
    let home = tempfile::tempdir().unwrap();
    let side = |words: &[&str]| {
        Running::begin(built("file_channel").arg(home.path().join("desk")).args(words))
    };
    let mut service = side(&["backend"]);
    let told = |mut program: Running| -> Vec<String> {
        let lines = program.lines().map(Result::unwrap).collect();
        assert!(program.0.wait().unwrap().success());
        lines
    };
    assert_eq!(told(side(&["frontend", "add", "20"])), ["the sum is 20"]);
    assert_eq!(told(side(&["frontend", "add", "22"])), ["the sum is 42"]);
    assert_eq!(
        told(side(&["frontend", "subtract", "1"])),
        ["refused: there is no \"subtract\", only add and stop"]
    );
    assert_eq!(told(side(&["frontend", "stop"])), ["the sum is 42"]);
    assert!(service.0.wait().unwrap().success());
    // What the service told of itself was left in place by those who waited for their answers.
    assert_eq!(told(side(&["frontend"])), ["sum 20", "sum 42"]);
}
