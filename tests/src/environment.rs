//! What every process of a graph sees of the world: its generation's libraries, and directories of
//! the graph's own in place of the listener's.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::generation::Generation;

/// The complete environment of a process: nothing is inherited but what is named here.
#[derive(Debug, Clone)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

/// Handed through from whoever runs the tests: how much PipeWire and WirePlumber log.
const HANDED_THROUGH: [&str; 3] = ["PIPEWIRE_DEBUG", "WIREPLUMBER_DEBUG", "RUST_BACKTRACE"];

impl Environment {
    /// The environment of a graph of `generation` that lives in `directory`.
    pub(crate) fn of(generation: &Generation, directory: &Path) -> Self {
        let mut environment = Self(BTreeMap::new());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut programs = generation.programs().as_os_str().to_owned();
        programs.push(":");
        programs.push(&path);
        environment.set("PATH", programs);
        environment.set("LANG", "C.UTF-8");
        for name in HANDED_THROUGH {
            if let Some(value) = std::env::var_os(name) {
                environment.set(name, value);
            }
        }
        for (name, value) in generation.environment() {
            environment.set(name, value);
        }

        for (name, below) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_STATE_HOME", "home/.local/state"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("PIPEWIRE_RUNTIME_DIR", "run"),
            ("PULSE_RUNTIME_PATH", "run/pulse"),
            ("TMPDIR", "tmp"),
            // Complete copies of what is shipped: /etc and the listener's own files are not read.
            ("PIPEWIRE_CONFIG_DIR", "pipewire"),
            ("WIREPLUMBER_CONFIG_DIR", "wireplumber"),
            ("WIREPLUMBER_DATA_DIR", "wireplumber"),
        ] {
            environment.set(name, directory.join(below));
        }
        let at = |below: &str| {
            let mut address = OsString::from("unix:path=");
            address.push(directory.join(below));
            address
        };
        environment.set("DBUS_SESSION_BUS_ADDRESS", at("run/bus"));
        // The host's rtkit, logind and bluetooth are reached over the system bus: there is none.
        environment.set("DBUS_SYSTEM_BUS_ADDRESS", at("run/no-system-bus"));
        let mut pulse = OsString::from("unix:");
        pulse.push(directory.join("run/pulse/native"));
        environment.set("PULSE_SERVER", pulse);
        environment
    }

    /// The environment of whoever runs this, as it is.
    pub(crate) fn inherited() -> Self {
        Self(std::env::vars_os().collect())
    }

    pub(crate) fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.0.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter()
    }
}
