//! What WirePlumber has on disk of where streams go, and of which defaults were asked for.
//!
//! It reads that when a stream comes, and writes it into the metadata; but where we write first, it
//! forgets. So `session::routes` asks here before the first word about a stream. The files are
//! small, and are read only when a stream comes that says nothing of itself and they are other than
//! before.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::libc;

use super::is_ours;

/// Where WirePlumber 0.4 and 0.5 keep it.
const FILES: [&str; 2] = ["restore-stream", "stream-properties"];
/// Where both keep the defaults that were asked for, the last first.
const DEFAULTS: &str = "default-nodes";
const DEFAULT_SINK: &str = "default.configured.audio.sink";
/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 20;
const TARGET: &str = ":target";

/// What is in the files.
#[derive(Debug, Default)]
pub(super) struct Stored {
    folder: Option<PathBuf>,
    files: [File; 2],
}

#[derive(Debug, Default)]
struct File {
    is_of: Option<(SystemTime, u64)>,
    /// The name of a sink, by what WirePlumber remembers the stream under.
    targets: BTreeMap<String, String>,
}

impl Stored {
    /// In the state of this user.
    pub(super) fn of_user() -> Stored {
        let absolute =
            |path: std::ffi::OsString| Some(PathBuf::from(path)).filter(|p| p.is_absolute());
        let state = std::env::var_os("XDG_STATE_HOME").and_then(absolute);
        let home = || Some(std::env::var_os("HOME").and_then(absolute)?.join(".local/state"));
        Stored {
            folder: state.or_else(home).map(|state| state.join("wireplumber")),
            ..Stored::default()
        }
    }

    /// The sink that streams of this key are put at.
    pub(super) fn sink(&mut self, key: &str) -> Option<&str> {
        let folder = self.folder.as_deref()?;
        for (file, name) in self.files.iter_mut().zip(FILES) {
            file.read(&folder.join(name));
        }
        // One of a version that is gone is the older.
        let newest = self.files.iter().max_by_key(|file| file.is_of.map(|(time, _)| time))?;
        newest.targets.get(key).map(String::as_str)
    }
}

impl Stored {
    /// The sink that was asked for last as the default, but for ours. What we give back at a logout,
    /// a WirePlumber that ends within a second does not get to writing down.
    pub(super) fn former_default(&self) -> Option<String> {
        former_default(&text_of(&self.folder.as_deref()?.join(DEFAULTS))?)
    }
}

/// What is in a file, if it is one that is not too large. What was found there a moment ago may be
/// something else by now.
fn text_of(path: &Path) -> Option<String> {
    // A pipe would keep us waiting for somebody who writes.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let bytes = file.take(MOST_BYTES + 1).read_to_string(&mut text).ok()?;
    (bytes as u64 <= MOST_BYTES).then_some(text)
}

/// Of lines `KEY=SINK`, for the last, and `KEY.0=SINK` and on, for those before it.
fn former_default(text: &str) -> Option<String> {
    let asked_for = text.lines().filter_map(|line| {
        let (number, sink) = line.strip_prefix(DEFAULT_SINK)?.split_once('=')?;
        let place = match number.strip_prefix('.') {
            Some(number) => Some(number.parse::<u32>().ok()?),
            None => None,
        };
        Some((place, sink)).filter(|(_, sink)| !is_ours(sink))
    });
    asked_for.min().map(|(_, sink)| sink.to_owned())
}

impl File {
    fn read(&mut self, path: &Path) {
        let found = fs::metadata(path).ok().filter(|found| found.is_file());
        let is_of = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        let is_of = is_of.filter(|(_, bytes)| *bytes <= MOST_BYTES);
        if is_of == self.is_of {
            return;
        }
        self.is_of = is_of;
        let text = is_of.and_then(|_| text_of(path));
        self.targets = text.as_deref().unwrap_or_default().lines().filter_map(target).collect();
    }
}

/// The key and the sink of a line: `KEY:target=SINK`, or `KEY={"target":"SINK"}`.
fn target(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    let key = unescaped(key);
    if let Some(key) = key.strip_suffix(TARGET) {
        return Some((key.to_owned(), value.to_owned()));
    }
    let value: serde_json::Value = serde_json::from_str(value).ok()?;
    Some((key, value.get("target")?.as_str()?.to_owned()))
}

/// A key as it was before WirePlumber wrote it into a file of keys and values.
fn unescaped(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut letters = key.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next() {
                Some('s') => ' ',
                Some('o') => '[',
                Some('c') => ']',
                Some('e') => '=',
                Some(other) => other,
                None => '\\',
            },
            letter => letter,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_before_ours_is_the_one_that_was_asked_for_last() {
        let of = |places: &[(&str, &str)]| {
            let line = |(place, sink): &(&str, &str)| format!("{DEFAULT_SINK}{place}={sink}\n");
            former_default(&places.iter().map(line).collect::<String>())
        };
        let (ours, hdmi) = ("headroom.main", Some("hdmi".to_owned()));
        assert_eq!(of(&[("", ours), (".10", "usb"), (".0", ours), (".2", "hdmi")]), hdmi);
        assert_eq!(of(&[("", "hdmi"), (".0", "usb")]), hdmi);
        assert_eq!(of(&[("", ours), (".0", ours), (".x", "usb")]), None);
        assert_eq!(former_default("default.configured.audio.source=mic\n"), None);
    }

    #[test]
    fn nobody_waits_for_what_is_no_file_or_is_too_large() {
        use nix::sys::stat::Mode;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DEFAULTS);
        let (told, read) = std::sync::mpsc::sync_channel(1);
        let former_default = || {
            let stored = Stored { folder: Some(folder.path().to_owned()), ..Stored::default() };
            let told = told.clone();
            let reads = move || told.send(stored.former_default()).unwrap();
            std::thread::Builder::new().name("reads".into()).spawn(reads).unwrap();
            read.recv_timeout(std::time::Duration::from_secs(10)).expect("it waits for a writer")
        };
        let line = format!("{DEFAULT_SINK}=hdmi\n");
        fs::write(&path, &line).unwrap();
        assert_eq!(former_default().as_deref(), Some("hdmi"));
        fs::write(&path, line.repeat(MOST_BYTES as usize / line.len() + 1)).unwrap();
        assert_eq!(former_default(), None);
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        assert_eq!(former_default(), None);
        let mut file = File::default();
        file.read(&path);
        assert_eq!((file.is_of, file.targets), (None, BTreeMap::new()));
    }

    #[test]
    fn the_sink_is_read_as_either_version_writes_it_and_anew_when_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut stored = Stored { folder: Some(folder.to_owned()), ..Stored::default() };
        let key = "Output/Audio:application.name:A [film] = x";
        assert_eq!(stored.sink(key), None);
        let escaped = r"Output/Audio:application.name:A\s\ofilm\c\s\e\sx";
        let write = |name: &str, line: String| {
            fs::write(folder.join(name), format!("[{name}]\n{line}\n")).unwrap();
        };
        write("restore-stream", format!("{escaped}:mute=false\n{escaped}:target=hdmi"));
        assert_eq!(stored.sink(key), Some("hdmi"));
        assert_eq!(stored.sink("Output/Audio:application.name:A"), None);
        write(
            "stream-properties",
            format!("{escaped}={{\"mute\":false, \"target\":\"speakers\"}}"),
        );
        assert_eq!(stored.sink(key), Some("speakers"));
        write("stream-properties", format!("{escaped}={{\"mute\":false}}"));
        assert_eq!(stored.sink(key), None);
    }
}
