//! `./install` and `./install --uninstall`: what they put where, and that nothing of it stays, in the
//! listener's home, in PipeWire or in what WirePlumber remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headroom_tests::{Device, Service, Setup, on_every_generation};

use crate::defaults::choose_default;
use crate::restoring::journal;
use crate::setting::{BUS, DEVICE, RATE_HZ, Way, headroomd_for, tones};

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../install").canonicalize().expect("the script")
}

/// Where the programs are that are installed.
fn built() -> PathBuf {
    let program = headroom_tests::program("headroomd").canonicalize().expect("built");
    program.parent().expect("a folder").to_owned()
}

/// Runs the script in a home of its own. Gives what it said.
fn install(home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(script())
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a path"))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("HEADROOM_BIN_DIR", built())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "install {arguments:?}: {said}");
    said
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(folder).expect("below");
                found.push(below.display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_home_has_everything_after_an_install_and_nothing_of_it_after_an_uninstall() {
    let folder = tempfile::tempdir().expect("a directory");
    let home = folder.path();
    fs::create_dir_all(home.join(".config/headroom/profiles")).expect("made");
    fs::write(home.join(".config/headroom/profiles/mine.toml"), "# mine\n").expect("written");
    fs::create_dir(home.join("run")).expect("made");
    // A second time is an update.
    for _ in 0..2 {
        let said = install(home, &[]);
        assert!(said.contains("systemctl --user enable --now"), "{said}");
    }
    let there = files(home);
    for name in [
        ".local/bin/headroom",
        ".local/bin/headroomd",
        ".local/share/headroom/shipped-profiles/night.toml",
        ".local/share/systemd/user/headroomd.service",
        ".local/share/systemd/user/headroomd.socket",
    ] {
        assert!(there.contains(&name.to_owned()), "no {name}: {there:?}");
    }
    let units = home.join(".local/share/systemd/user");
    let service = fs::read_to_string(units.join("headroomd.service")).expect("the unit");
    let program = home.join(".local/bin/headroomd").display().to_string();
    assert!(service.contains(&format!("\nExecStart=\"{program}\"\n")), "{service}");
    assert!(service.contains(&format!("\nExecStopPost=-\"{program}\" --restore\n")), "{service}");
    verify(home, &units);
    // What the unit starts when the service has ended: there is nothing to put back.
    let restored = Command::new(&program)
        .arg("--restore")
        .env_clear()
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .output()
        .expect("it starts");
    assert!(restored.status.success(), "{restored:?}");

    install(home, &["--uninstall", "--help"]);
    assert_eq!(files(home), there, "who asks for help has nothing done");
    install(home, &["--uninstall"]);
    assert_eq!(files(home), [".config/headroom/profiles/mine.toml"]);
    install(home, &["--uninstall"]);
}

/// systemd itself says whether it would take the units, where it is installed.
fn verify(home: &Path, units: &Path) {
    let analyzed = Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .args([units.join("headroomd.service"), units.join("headroomd.socket")])
        // It asks for a place where it would run, and leaves nothing there.
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("HOME", home)
        .output();
    match analyzed {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("headroomd."), "{said}");
        }
        Err(error) => println!("the units are not verified: systemd-analyze: {error}"),
    }
}

#[test]
fn an_uninstall_leaves_nothing_in_pipewire_or_in_what_wireplumber_remembers() {
    on_every_generation(|generation| {
        let graph = Setup::default()
            .devices([Device::named(DEVICE), Device::named("headphones").priority(500)])
            .start(generation);
        let script = script().display().to_string();
        let built = format!("HEADROOM_BIN_DIR={}", built().display());
        graph.tool("env", &[&built, &script]);
        choose_default(&graph, "headphones");
        let daemon = headroomd_for(&graph, Way::Promoted);
        // On PipeWire 1.4 a sink that nobody has played to shows nobody its volume.
        let file = graph.write_programme("app.wav", RATE_HZ, &tones(60.0, 0.1));
        let app = graph.play(&file).name("app").start();
        app.wait_until_linked_to(BUS);
        graph.set_volume(BUS, 0.5);
        // It is heard, and WirePlumber has written down that ours was the default.
        graph.wait_for_link("headroom.master.out", "headphones");
        let remembered = graph.directory().join("home/.local/state/wireplumber");
        graph.wait_for("WirePlumber to have stored it", |_| {
            fs::read_to_string(remembered.join("default-nodes")).ok()?.contains(BUS).then_some(())
        });
        // As after a crash.
        daemon.kill();
        graph.tool("env", &[&built, &script, "--uninstall"]);
        let dump = graph.dump();
        assert_eq!(dump.configured_default_sink().as_deref(), Some("headphones"));
        let entries = dump.metadata.get("default").cloned().unwrap_or_default();
        let ours: Vec<_> = entries
            .iter()
            .filter(|entry| entry.key.contains("headroom") || entry.value.contains("headroom"))
            .collect();
        assert!(ours.is_empty(), "{ours:?}");
        assert!(!journal(&graph).exists());
        // WirePlumber goes without another word, and comes back to files without a word of ours.
        graph.kill_service(Service::WirePlumber);
        for name in files(&remembered) {
            let text = fs::read_to_string(remembered.join(&name)).expect("readable");
            let ours = text.lines().find(|line| line.to_lowercase().contains("headroom"));
            assert_eq!(ours, None, "{name}");
        }
        let defaults = fs::read_to_string(remembered.join("default-nodes")).expect("readable");
        assert!(defaults.contains("default.configured.audio.sink=headphones"), "{defaults}");
    });
}
