//! The services of a graph: how each is started, and how to see that it is up.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::device::Device;
use crate::generation::Generation;

/// A program that a graph needs running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The session bus that WirePlumber asks for.
    Bus,
    /// The graph itself.
    PipeWire,
    /// The session manager, which links and moves streams.
    WirePlumber,
    /// PipeWire's PulseAudio server, for `paplay` and `pactl`.
    Pulse,
}

impl Service {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Bus => "dbus-daemon",
            Self::PipeWire => "pipewire",
            Self::WirePlumber => "wireplumber",
            Self::Pulse => "pipewire-pulse",
        }
    }

    pub(crate) fn arguments(self, directory: &Path) -> Vec<String> {
        match self {
            Self::Bus => vec![
                "--nofork".into(),
                format!("--config-file={}", directory.join("bus.conf").display()),
            ],
            Self::PipeWire | Self::WirePlumber | Self::Pulse => Vec::new(),
        }
    }

    /// The socket that it answers on once it is up. WirePlumber has none.
    pub(crate) fn socket(self) -> Option<&'static str> {
        match self {
            Self::Bus => Some("run/bus"),
            Self::PipeWire => Some("run/pipewire-0"),
            Self::WirePlumber => None,
            Self::Pulse => Some("run/pulse/native"),
        }
    }

    pub(crate) fn answers(self, directory: &Path) -> bool {
        self.socket().is_none_or(|socket| UnixStream::connect(directory.join(socket)).is_ok())
    }
}

/// Lays out the directory of a graph: everything that its services read and write lies in it.
pub(crate) fn write_configuration(generation: &Generation, directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for below in ["run/pulse", "home", "tmp", "log", "audio"] {
        std::fs::create_dir_all(directory.join(below))?;
    }
    // PipeWire and D-Bus refuse a runtime directory that others can read.
    std::fs::set_permissions(directory.join("run"), PermissionsExt::from_mode(0o700))?;
    copy(generation.pipewire_data(), &directory.join("pipewire"))?;
    copy(generation.wireplumber_data(), &directory.join("wireplumber"))?;

    // No service directories: nothing is ever started by the bus.
    let bus = format!(
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
         \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
         <busconfig>\n  <type>session</type>\n  <listen>unix:path={}</listen>\n  \
         <policy context=\"default\">\n    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n    \
         <allow eavesdrop=\"true\"/>\n    <allow own=\"*\"/>\n  </policy>\n</busconfig>\n",
        directory.join("run/bus").display()
    );
    write(&directory.join("bus.conf"), &bus)?;

    // WirePlumber must not find the host's sound cards, cameras and headsets.
    if generation.wireplumber() >= (0, 5, 0) {
        write(
            &directory.join("wireplumber/wireplumber.conf.d/90-no-hardware.conf"),
            "wireplumber.profiles = { main = {\n  hardware.audio = disabled\n  \
             hardware.bluetooth = disabled\n  hardware.video-capture = disabled\n  \
             support.logind = disabled\n  support.portal-permissionstore = disabled\n  \
             support.reserve-device = disabled\n} }\n",
        )
    } else {
        write(
            &directory.join("wireplumber/main.lua.d/51-no-hardware.lua"),
            "alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\n\
             libcamera_monitor.enabled = false\n",
        )?;
        write(
            &directory.join("wireplumber/bluetooth.lua.d/51-no-hardware.lua"),
            "bluez_monitor.enabled = false\n\
             if bluez_midi_monitor then bluez_midi_monitor.enabled = false end\n",
        )
    }
}

/// The devices that are there when PipeWire starts.
pub(crate) fn write_devices(directory: &Path, devices: &[Device]) -> io::Result<()> {
    let mut text = String::from("context.objects = [\n");
    for device in devices {
        text += &format!("  {{ factory = adapter, args = {} }}\n", device.properties());
    }
    write(&directory.join("pipewire/pipewire.conf.d/90-devices.conf"), &(text + "]\n"))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, text)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
