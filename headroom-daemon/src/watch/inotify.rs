//! hr-inotify: hears from the kernel what has changed in the folders that are watched, and tells
//! the debouncer.
//!
//! notify's own watcher asks to hear of every file that anybody opens as well. That woke the
//! daemon whenever a program looked into `/usr/share`, and again after each scan of its own.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use notify_debouncer_mini::notify::{
    self, Config, ErrorKind, Event, EventHandler, EventKind, RecursiveMode, Watcher, WatcherKind,
};
use parking_lot::Mutex;
use std::os::fd::AsFd;

/// It reads events and hands them on.
const STACK_BYTES: usize = 64 * 1024;

/// Hears of changes in folders, and of nothing else.
#[derive(Debug)]
pub(super) struct Ear {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    inotify: Inotify,
    /// Readable at the end.
    end: EventFd,
    watched: Mutex<HashMap<WatchDescriptor, PathBuf>>,
}

/// A writer closes a file when it is done, and nobody wants to read it before that; but a link
/// that is made is never closed. `IN_ATTRIB` is for who may read it.
fn changes() -> AddWatchFlags {
    AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_ATTRIB
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_ONLYDIR
}

impl Watcher for Ear {
    fn new<F: EventHandler>(handler: F, _: Config) -> notify::Result<Ear> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let end = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let shared = Arc::new(Shared {
            inotify: inotify.map_err(failed)?,
            end: end.map_err(failed)?,
            watched: Mutex::default(),
        });
        let thread = Builder::new().name("hr-inotify".into()).stack_size(STACK_BYTES).spawn({
            let shared = shared.clone();
            move || shared.listen(handler)
        });
        Ok(Ear { shared, thread: Some(thread.map_err(notify::Error::io)?) })
    }

    /// Watches a folder, whatever the mode: not what is below the folders in it.
    fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
        // Nothing is heard of it before its name is known.
        let mut watched = self.shared.watched.lock();
        match self.shared.inotify.add_watch(path, changes()) {
            Ok(watch) => {
                watched.insert(watch, path.to_owned());
                Ok(())
            }
            Err(Errno::ENOSPC) => {
                Err(notify::Error::new(ErrorKind::MaxFilesWatch).add_path(path.to_owned()))
            }
            Err(error) => Err(failed(error).add_path(path.to_owned())),
        }
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.shared.watched.lock().retain(|watch, known| {
            if known == path {
                // It may have ended with its folder.
                let _ = self.shared.inotify.rm_watch(*watch);
            }
            known != path
        });
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::Inotify
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.shared.end.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn listen(&self, mut handler: impl EventHandler) {
        loop {
            let mut waited_for = [
                PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.end.as_fd(), PollFlags::POLLIN),
            ];
            let waited = poll(&mut waited_for, PollTimeout::NONE);
            if waited_for[1].any().unwrap_or(true) {
                return;
            }
            let events = match waited {
                Ok(_) => self.inotify.read_events(),
                Err(error) => Err(error),
            };
            match events {
                Ok(events) => {
                    for event in events {
                        if let Some(path) = self.path_of(event) {
                            let event = Event::new(EventKind::Any).add_path(path);
                            handler.handle_event(Ok(event));
                        }
                    }
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(error) => {
                    handler.handle_event(Err(failed(error)));
                    return;
                }
            }
        }
    }

    /// Where something has changed.
    fn path_of(&self, event: InotifyEvent) -> Option<PathBuf> {
        let mut watched = self.watched.lock();
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            // Events were lost: anything may have changed anywhere.
            return Some("/".into());
        }
        if event.mask.contains(AddWatchFlags::IN_IGNORED) {
            watched.remove(&event.wd);
            return None;
        }
        let folder = watched.get(&event.wd)?;
        Some(event.name.map_or_else(|| folder.clone(), |name| folder.join(name)))
    }
}

fn failed(error: Errno) -> notify::Error {
    notify::Error::io(io::Error::from(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn changes_are_heard_and_reading_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("a");
        fs::write(&file, "1").expect("written");
        let (heard, changes) = sync_channel(100);
        let handler = move |event: notify::Result<Event>| {
            heard.send(event.expect("an event").paths).expect("somebody listens");
        };
        let mut ear = Ear::new(handler, Config::default()).expect("inotify");
        ear.watch(folder.path(), RecursiveMode::NonRecursive).expect("it is there");
        assert_eq!(fs::read(&file).expect("read"), b"1");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
        fs::write(&file, "2").expect("written");
        // The first that is heard is the write.
        let next = || changes.recv_timeout(Duration::from_secs(60)).expect("a change");
        assert_eq!(next(), [file.as_path()]);
        fs::remove_file(&file).expect("removed");
        assert_eq!(next(), [file.as_path()]);
        drop(folder);
        ear.unwatch(Path::new("/nowhere")).expect("fine");
        drop(ear);
        // Its thread has ended, whatever else it has heard.
        let mut last = Ok(Vec::new());
        while last.is_ok() {
            last = changes.recv_timeout(Duration::from_secs(60));
        }
        assert_eq!(last, Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn lost_events_are_about_everything() {
        let ear = Ear::new(|_: notify::Result<Event>| {}, Config::default()).expect("inotify");
        let folder = tempfile::tempdir().expect("a directory");
        let wd = ear.shared.inotify.add_watch(folder.path(), changes()).expect("watched");
        let mask = AddWatchFlags::IN_Q_OVERFLOW;
        let lost = InotifyEvent { wd, mask, cookie: 0, name: None };
        assert_eq!(ear.shared.path_of(lost), Some("/".into()));
    }
}
