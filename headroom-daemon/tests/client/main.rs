//! `headroom-client` against the real headroomd, without PipeWire: what both sides were tested for
//! apart holds together.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headroom_client::ipc::*;
use headroom_client::{Address, Client, ClientError, Subscription, Ticket, Update};

const PATIENCE: Duration = Duration::from_secs(60);

/// A headroomd in a runtime directory of its own. Both vanish with it.
struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
}

impl Daemon {
    fn start() -> Daemon {
        let folder = tempfile::tempdir().unwrap();
        Daemon { child: Daemon::spawn(&folder), folder }
    }

    fn spawn(folder: &tempfile::TempDir) -> Child {
        Command::new(env!("CARGO_BIN_EXE_headroomd"))
            .env_remove("HEADROOM_SOCKET")
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDS")
            .env_remove("PIPEWIRE_REMOTE")
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("PIPEWIRE_RUNTIME_DIR", folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn address(&self) -> Address {
        Address::Path(self.folder.path().join("headroom/control.sock"))
    }

    /// A client, once the daemon listens.
    fn client(&self) -> Client {
        let end = Instant::now() + PATIENCE;
        loop {
            match Client::connect_within(&self.address(), PATIENCE) {
                Err(ClientError::NotRunning { .. }) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                connected => return connected.unwrap(),
            }
        }
    }

    /// Kills it, without a chance to clean up, and starts another in its place.
    fn replace(&mut self) {
        self.kill();
        self.child = Daemon::spawn(&self.folder);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

const KEY: &str = "agc.target_lufs";

#[test]
fn every_op_is_answered_with_what_its_type_says_or_in_words() {
    let daemon = Daemon::start();
    let mut client = daemon.client();
    assert_eq!(client.daemon().pid, daemon.child.id());
    let mut unavailable = Vec::new();
    let matches = Match { process_binary: vec!["mpv".into()], ..Match::default() };
    macro_rules! try_all {
        ($( $name:ident($($arg:expr),*) )+) => { $(
            match client.$name($($arg),*) {
                Ok(_) => {}
                Err(ClientError::Refused(error)) if error.code == Code::Unavailable => {
                    assert!(error.message.len() > 20, "{error}");
                    unavailable.push(stringify!($name));
                }
                Err(error) => panic!("{}: {error}", stringify!($name)),
            }
        )+ };
    }
    try_all! {
        hello("test") ping() describe() status() stream_list() sink_list() profile_list()
        profile_use("default") profile_show(None) profile_reload() route_list()
        route_set(matches.clone(), Route::Bypass) route_unset(matches)
        setting_get(KEY) setting_list(Some("agc")) setting_set(KEY, -20.0) setting_step(KEY, 1.0)
        setting_clear(KEY) setting_reset(None) bypass_set(BypassTo::On)
        subscribe(&[Topic::Meters]) unsubscribe(&[Topic::Meters]) snapshot(&[Topic::Setting])
    }
    // Without PipeWire there is nothing to route; everything else works.
    let of_streams = ["stream_list", "sink_list"];
    assert!(unavailable.iter().all(|op| of_streams.contains(op)), "{unavailable:?}");
    let no_stream = client.route_stream(1, None).unwrap_err().code();
    assert!(matches!(no_stream, Some(Code::NotFound | Code::Unavailable)), "{no_stream:?}");
    assert_eq!(client.describe().unwrap(), Description::of_protocol());
    assert!(client.status().unwrap().bypass);
}

#[test]
fn ten_thousand_requests_without_waiting_are_answered_each_with_its_own() {
    let daemon = Daemon::start();
    let mut client = daemon.client();
    let keys: Vec<String> =
        client.setting_list(None).unwrap().settings.into_iter().map(|s| s.key).collect();
    let mut open = std::collections::VecDeque::new();
    for n in 0..10_000 {
        if open.len() == 1000 {
            let (key, ticket): (&String, Ticket<Setting>) = open.pop_front().unwrap();
            assert_eq!(&client.wait(ticket).unwrap().key, key);
        }
        let key = &keys[n % keys.len()];
        open.push_back((key, client.send(&SettingGet { key: key.clone() }).unwrap()));
    }
    for (key, ticket) in open {
        assert_eq!(&client.wait(ticket).unwrap().key, key);
    }
}

#[test]
fn who_does_not_listen_learns_the_exact_number_it_lost_and_catches_up() {
    const CHANGES: u64 = 6_000;
    let daemon = Daemon::start();
    let mut changing = daemon.client();
    let mut subscription = Subscription::to(&daemon.address(), &[Topic::Setting]);
    match subscription.next_within(PATIENCE) {
        Some(Update::Connected { .. }) => {}
        other => panic!("{other:?}"),
    }
    let before = subscription.mirror().seq(Topic::Setting).unwrap();
    for _ in 0..CHANGES {
        changing.bypass_set(BypassTo::Toggle).unwrap();
    }
    let now = changing.snapshot(&[Topic::Setting]).unwrap();
    assert_eq!(now.seq(Topic::Setting), Some(before + CHANGES));

    let (mut delivered, mut lost, mut caught_up) = (0, 0, 0);
    let end = Instant::now() + PATIENCE;
    while delivered + lost < CHANGES || subscription.mirror() != &now {
        assert!(Instant::now() < end, "{delivered} delivered, {lost} lost, {caught_up} caught up");
        match subscription.next_within(PATIENCE) {
            Some(Update::Event(event)) => match event.as_overflow() {
                Some(overflow) => {
                    lost += overflow.lost;
                    assert_eq!(overflow.total_lost, lost);
                }
                None => delivered += 1,
            },
            Some(Update::Resynchronised(topics)) => {
                assert_eq!(topics, [Topic::Setting]);
                caught_up += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(delivered + lost, CHANGES);
    assert!(lost > 0 && caught_up > 0, "{lost} lost, {caught_up} caught up");
    assert_eq!(subscription.mirror(), &now);
}

#[test]
fn a_killed_daemon_is_waited_for_and_its_successor_is_known_as_another() {
    let mut daemon = Daemon::start();
    let first = daemon.client().daemon().run_id.clone();
    let mut subscription = Subscription::to(&daemon.address(), &[Topic::Setting, Topic::Daemon]);
    match subscription.next_within(PATIENCE) {
        Some(Update::Connected { hello, is_restarted: false }) => assert_eq!(hello.run_id, first),
        other => panic!("{other:?}"),
    }
    daemon.client().bypass_set(BypassTo::On).unwrap();
    // The daemon also tells that PipeWire is not there, sooner or later.
    loop {
        match subscription.next_within(PATIENCE) {
            Some(Update::Event(event)) if event.change.event() == "bypass_changed" => break,
            Some(Update::Event(event)) => assert_eq!(event.topic, Topic::Daemon),
            other => panic!("{other:?}"),
        }
    }
    daemon.replace();
    // What may come in between are events of the first.
    let second = loop {
        match subscription.next_within(PATIENCE) {
            Some(Update::Connected { hello, is_restarted }) => {
                assert!(is_restarted);
                break hello.run_id;
            }
            Some(Update::Event(_) | Update::Disconnected(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_ne!(first, second);
    let snapshot = daemon.client().snapshot(&[Topic::Setting]).unwrap();
    assert_eq!(subscription.mirror().setting, snapshot.setting);
}
