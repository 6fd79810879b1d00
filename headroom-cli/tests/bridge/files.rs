//! `headroom bridge files DIR`.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use headroom_client::{FileChannel, Kind, Message};
use serde_json::json;

use crate::listener::Listener;
use crate::running::{PATIENCE, Running, next};

fn bridge(listener: &Listener) -> (Running, FileChannel) {
    let bridge = begin(&mut listener.command(&["bridge", "files", "panel"]), listener);
    let mut panel = FileChannel::frontend(directory(listener)).unwrap();
    let started = next(&mut panel);
    assert_eq!((started.kind, started.method.as_deref()), (Kind::Event, Some("bridge.started")));
    assert_eq!(started.payload["data"]["version"], json!(env!("CARGO_PKG_VERSION")));
    (bridge, panel)
}

fn directory(listener: &Listener) -> std::path::PathBuf {
    // `headroom` works in the home of the listener.
    listener.home.path("panel")
}

fn begin(command: &mut Command, listener: &Listener) -> Running {
    let running = Running::begin(command);
    let end = Instant::now() + PATIENCE;
    while !directory(listener).join("backend.jsonl").exists() {
        assert!(Instant::now() < end, "it makes no channel");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running
}

fn event(panel: &mut FileChannel, method: &str) -> Message {
    let message = next(panel);
    assert_eq!(
        (message.kind, message.method.as_deref()),
        (Kind::Event, Some(method)),
        "{message:?}"
    );
    let payload = &message.payload;
    let topic = |name: &str| payload[name].as_str().unwrap().to_owned();
    assert_eq!(format!("{}.{}", topic("topic"), topic("event")), method);
    message
}

#[test]
fn requests_are_answered_topics_arrive_as_events_and_a_restart_is_survived() {
    let Some(mut listener) = Listener::begin() else { return };
    let (bridge, mut panel) = bridge(&listener);
    event(&mut panel, "daemon.hello");

    let id = panel.send_request("setting.get", &json!({"key": "agc.target_lufs"})).unwrap();
    let response = panel.wait_response(&id, PATIENCE).unwrap().unwrap();
    assert_eq!(response.payload["value"], json!(-18.0));
    let id = panel.send_request("setting.gte", &json!({})).unwrap();
    let response = panel.wait_response(&id, PATIENCE).unwrap().unwrap();
    assert_eq!(response.error.unwrap()["code"], json!("UNKNOWN_OP"));

    let topics = json!({"topics": ["setting", "daemon"]});
    let id = panel.send_request("subscribe", &topics).unwrap();
    let response = panel.wait_response(&id, PATIENCE).unwrap().unwrap();
    assert_eq!(response.payload["snapshot"]["setting"]["state"]["bypass"], json!(false));
    listener.succeed(&["bypass", "on"]);
    let changed = event(&mut panel, "setting.bypass_changed");
    assert_eq!(changed.payload["data"], json!({"bypass": true}));

    listener.stop();
    event(&mut panel, "daemon.shutdown");
    let told = event(&mut panel, "bridge.disconnected");
    assert_eq!(told.payload["data"]["message"], json!("headroomd has closed the connection"));
    let id = panel.send_request("ping", &json!(null)).unwrap();
    let refused = panel.wait_response(&id, PATIENCE).unwrap().unwrap().error.unwrap();
    assert_eq!(refused["code"], json!("UNAVAILABLE"));
    listener.start();
    event(&mut panel, "daemon.hello");
    let again = event(&mut panel, "bridge.resubscribed");
    let snapshot = &again.payload["data"]["snapshot"];
    assert_eq!(snapshot["setting"]["state"]["bypass"], json!(true), "remembered");
    listener.succeed(&["bypass", "off"]);
    loop {
        // The new daemon may have something to say of itself first.
        let message = next(&mut panel);
        if message.method.as_deref() == Some("setting.bypass_changed") {
            assert_eq!(message.payload["data"], json!({"bypass": false}));
            break;
        }
    }
    drop(bridge);
}

#[test]
fn a_bridge_that_is_started_again_answers_what_was_asked_meanwhile_and_says_so() {
    let Some(listener) = Listener::begin() else { return };
    let (first, mut panel) = bridge(&listener);
    event(&mut panel, "daemon.hello");
    drop(first);
    let id = panel.send_request("ping", &json!({})).unwrap();
    let (_second, mut other) = {
        let running = begin(&mut listener.command(&["bridge", "files", "panel"]), &listener);
        let options = headroom_client::FileChannelOptions::new().reader("other");
        (running, options.frontend(directory(&listener)).unwrap())
    };
    let response = panel.wait_response(&id, PATIENCE).unwrap().unwrap();
    assert_eq!(response.payload, json!({}));
    event(&mut panel, "bridge.started");
    event(&mut panel, "daemon.hello");
    // Another front end sees it all, from the start.
    event(&mut other, "bridge.started");
}

#[test]
fn a_line_that_is_no_message_is_answered_and_others_than_requests_are_skipped() {
    let Some(listener) = Listener::begin() else { return };
    let (_bridge, mut panel) = bridge(&listener);
    event(&mut panel, "daemon.hello");
    let path = directory(&listener).join("frontend.jsonl");
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"nonsense\n").unwrap();
    let told = event(&mut panel, "bridge.unreadable");
    let message = told.payload["data"]["message"].as_str().unwrap();
    assert!(message.starts_with("a line is no message: expected"), "{message}");
    panel.send_event("whatever", &json!(1)).unwrap();
    panel.send_response("backend-1", &json!(1)).unwrap();
    let id = panel.send_request("ping", &json!({})).unwrap();
    let answer = next(&mut panel);
    assert_eq!(answer.reply_to, Some(id));
}

#[test]
fn a_directory_has_one_bridge_and_is_private() {
    let Some(listener) = Listener::begin() else { return };
    let (_bridge, _panel) = bridge(&listener);
    listener
        .run(&["bridge", "files", "panel"])
        .refused(1, &["another program reads as \"backend\" in panel just now"]);
    fs::create_dir(listener.home.path("open")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(listener.home.path("open"), mode).unwrap();
    listener
        .run(&["bridge", "files", "open"])
        .refused(1, &["open has mode 755, but must have 700", "chmod 700"]);
}
