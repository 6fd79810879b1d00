//! hr-inotify: hears from the kernel what has changed where it is watched, and tells the debouncer.
//!
//! notify's own watcher asks to hear of every file that anybody opens as well. That woke the
//! daemon whenever a program looked into `/usr/share`, and again after each scan of its own. This
//! one is told for each place how much to ask for, so that busy folders above it stay unheard.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use notify_debouncer_mini::notify::{
    self, Config, ErrorKind, Event, EventHandler, EventKind, RecursiveMode, Watcher, WatcherKind,
};
use notify_debouncer_mini::{DebounceEventHandler, Debouncer, new_debouncer_opt};
use parking_lot::Mutex;

use super::plan::Asked;

/// It reads events, decides whether they matter, and hands them on.
const STACK_BYTES: usize = 64 * 1024;

/// Hears of changes where it is told to, behind a debouncer.
pub(super) struct Hearing {
    shared: Arc<Shared>,
    /// Ends the debouncer's thread and hr-inotify.
    _debouncer: Debouncer<Ear>,
}

/// The debouncer's watcher.
#[derive(Debug)]
struct Ear {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a change at a path matters to anybody.
type Matters = Box<dyn Fn(&Path) -> bool + Send + Sync>;

struct Shared {
    inotify: Inotify,
    /// Readable at the end.
    end: EventFd,
    watched: Mutex<HashMap<WatchDescriptor, PathBuf>>,
    matters: OnceLock<Matters>,
}

thread_local! {
    /// What was made last on this thread. The debouncer makes its watcher by itself, and lends it
    /// as a `dyn Watcher` only, which cannot be told how much to ask for.
    static MADE: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

impl Hearing {
    /// Nothing is watched yet. What matters of that which is heard later comes to `handler` when
    /// its file has been at rest for `quiet`; `matters` is asked on hr-inotify, before that.
    ///
    /// # Errors
    /// The system refuses an inotify instance or a thread.
    pub(super) fn start(
        quiet: Duration,
        matters: Matters,
        handler: impl DebounceEventHandler,
    ) -> notify::Result<Hearing> {
        let config = notify_debouncer_mini::Config::default().with_timeout(quiet);
        let debouncer = new_debouncer_opt(config, handler)?;
        let shared = MADE.take().expect("the debouncer has made it on this thread");
        // Nothing is heard before something is watched.
        let _ = shared.matters.set(matters);
        Ok(Hearing { shared, _debouncer: debouncer })
    }

    /// Hears of a place what is asked for, from now on.
    ///
    /// # Errors
    /// The system refuses, and the place is one that has to be watched.
    pub(super) fn watch(&self, path: &Path, asked: Asked) -> notify::Result<()> {
        self.shared.watch(path, asked).or_else(|error| refused(path, asked, error))
    }

    /// Hears nothing more of it.
    pub(super) fn unwatch(&self, path: &Path) {
        self.shared.unwatch(path);
    }

    /// Whether there is something that hr-inotify has not come to read yet.
    pub(super) fn is_behind(&self) -> bool {
        let mut waited_for = [PollFd::new(self.shared.inotify.as_fd(), PollFlags::POLLIN)];
        poll(&mut waited_for, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

/// What to ask the kernel for. A writer closes a file when it is done, and nobody wants to read it
/// before that; but a link that is made is never closed. `IN_ATTRIB` is for who may read it, and
/// tells of a link that its name is gone.
fn mask(asked: Asked) -> AddWatchFlags {
    let itself =
        AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_DONT_FOLLOW;
    let arrivals = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ATTRIB;
    match asked {
        Asked::Link => itself | AddWatchFlags::IN_ATTRIB,
        Asked::Itself => itself | AddWatchFlags::IN_ONLYDIR,
        Asked::Arrivals => itself | AddWatchFlags::IN_ONLYDIR | arrivals,
        Asked::Changes => {
            let others = AddWatchFlags::IN_CLOSE_WRITE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVED_FROM;
            itself | AddWatchFlags::IN_ONLYDIR | arrivals | others
        }
    }
}

impl Watcher for Ear {
    fn new<F: EventHandler>(handler: F, _: Config) -> notify::Result<Ear> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let end = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let shared = Arc::new(Shared {
            inotify: inotify.map_err(failed)?,
            end: end.map_err(failed)?,
            watched: Mutex::default(),
            matters: OnceLock::new(),
        });
        let thread = Builder::new().name("hr-inotify".into()).stack_size(STACK_BYTES).spawn({
            let shared = shared.clone();
            move || shared.listen(handler)
        });
        let thread = Some(thread.map_err(notify::Error::io)?);
        MADE.set(Some(shared.clone()));
        Ok(Ear { shared, thread })
    }

    /// Not how anybody asks: see [`Hearing::watch`].
    fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
        self.shared.watch(path, Asked::Changes).map_err(failed)
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.shared.unwatch(path);
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

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Shared {
    fn watch(&self, path: &Path, asked: Asked) -> Result<(), Errno> {
        // Nothing is heard of it before its name is known.
        let mut watched = self.watched.lock();
        let watch = self.inotify.add_watch(path, mask(asked))?;
        watched.insert(watch, path.to_owned());
        Ok(())
    }

    fn unwatch(&self, path: &Path) {
        self.watched.lock().retain(|watch, known| {
            if known == path {
                // It may have ended with its folder.
                let _ = self.inotify.rm_watch(*watch);
            }
            known != path
        });
    }

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
                        let path = self.path_of(event);
                        if let Some(path) = path.filter(|path| self.matters(path)) {
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

    fn matters(&self, path: &Path) -> bool {
        self.matters.get().is_none_or(|matters| matters(path))
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

/// What is to be made of a refusal to watch. Who may not read a folder above cannot hear it move,
/// and that is so for every user of a machine whose `/home` is closed.
fn refused(path: &Path, asked: Asked, error: Errno) -> notify::Result<()> {
    let error = match error {
        Errno::EACCES if asked <= Asked::Itself => return Ok(()),
        Errno::ENOSPC => notify::Error::new(ErrorKind::MaxFilesWatch),
        other => failed(other),
    };
    Err(error.add_path(path.to_owned()))
}

fn failed(error: Errno) -> notify::Error {
    notify::Error::io(io::Error::from(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
    use std::time::Duration;

    use super::*;

    /// An ear, and what it hears.
    fn ear() -> (Ear, Receiver<Vec<PathBuf>>) {
        let (heard, changes) = sync_channel(100);
        let handler = move |event: notify::Result<Event>| {
            heard.send(event.expect("an event").paths).expect("somebody listens");
        };
        (Ear::new(handler, Config::default()).expect("inotify"), changes)
    }

    fn next(changes: &Receiver<Vec<PathBuf>>) -> PathBuf {
        let mut paths = changes.recv_timeout(Duration::from_secs(60)).expect("a change");
        paths.pop().expect("a path")
    }

    /// Whatever a busy folder sees, but that it is moved.
    fn be_busy(folder: &Path) {
        let [file, other] = ["busy", "other"].map(|name| folder.join(name));
        fs::write(&file, "1").expect("written");
        fs::write(&file, "2").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("changed");
        fs::rename(&file, &other).expect("moved");
        symlink(&other, &file).expect("linked");
        fs::remove_file(&file).expect("removed");
        fs::remove_file(&other).expect("removed");
        fs::create_dir(&file).expect("made");
        fs::rename(&file, &other).expect("moved");
        fs::remove_dir(&other).expect("removed");
    }

    #[test]
    fn changes_are_heard_and_reading_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("a");
        fs::write(&file, "1").expect("written");
        let (mut ear, changes) = ear();
        ear.watch(folder.path(), RecursiveMode::NonRecursive).expect("it is there");
        assert_eq!(fs::read(&file).expect("read"), b"1");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
        fs::write(&file, "2").expect("written");
        // The first that is heard is the write.
        assert_eq!(next(&changes), file);
        fs::remove_file(&file).expect("removed");
        assert_eq!(next(&changes), file);
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
    fn of_a_folder_above_nothing_is_heard_but_that_it_goes() {
        let root = tempfile::tempdir().expect("a directory");
        let [busy, away] = ["home", "away"].map(|name| root.path().join(name));
        fs::create_dir(&busy).expect("made");
        let (ear, changes) = ear();
        ear.shared.watch(&busy, Asked::Itself).expect("it is there");
        be_busy(&busy);
        fs::create_dir_all(busy.join("config/headroom")).expect("made");
        fs::rename(&busy, &away).expect("moved");
        assert_eq!(next(&changes), busy, "the first that is heard");
        fs::remove_dir_all(&away).expect("removed");
        assert_eq!(next(&changes), busy, "and the second, by the name that was asked for");
        assert!(changes.try_recv().is_err());
    }

    #[test]
    fn of_a_link_it_is_heard_that_it_goes_and_nothing_of_where_it_leads() {
        let root = tempfile::tempdir().expect("a directory");
        let [real, link, other] = ["real", "link", "other"].map(|name| root.path().join(name));
        fs::create_dir(&real).expect("made");
        symlink(&real, &link).expect("linked");
        let (ear, changes) = ear();
        ear.shared.watch(&link, Asked::Link).expect("it is there");
        be_busy(&link);
        // As "ln -sfn" does it.
        symlink("elsewhere", &other).expect("linked");
        fs::rename(&other, &link).expect("moved");
        assert_eq!(next(&changes), link);
    }

    #[test]
    fn where_something_is_missing_only_what_comes_is_heard_and_what_does_not_matter_goes_no_further()
     {
        let root = tempfile::tempdir().expect("a directory");
        let (missing, there) = (root.path().join("missing"), root.path().join("there"));
        fs::write(&there, "1").expect("written");
        let (ear, changes) = ear();
        ear.shared.watch(root.path(), Asked::Arrivals).expect("it is there");
        fs::write(&there, "2").expect("written");
        fs::remove_file(&there).expect("removed");
        fs::create_dir(&missing).expect("made");
        assert_eq!(next(&changes), missing);
        let wanted = missing.clone();
        let _ = ear.shared.matters.set(Box::new(move |path| path == wanted));
        be_busy(root.path());
        fs::remove_dir(&missing).expect("removed");
        fs::create_dir(&missing).expect("made");
        assert_eq!(next(&changes), missing);
        assert!(changes.try_recv().is_err());
    }

    #[test]
    fn a_folder_above_that_may_not_be_read_is_no_trouble_and_one_of_profiles_is() {
        let above = Path::new("/home");
        for (asked, error, is_trouble) in [
            (Asked::Itself, Errno::EACCES, false),
            (Asked::Link, Errno::EACCES, false),
            (Asked::Arrivals, Errno::EACCES, true),
            (Asked::Changes, Errno::EACCES, true),
            (Asked::Itself, Errno::ENOSPC, true),
            (Asked::Itself, Errno::ENOENT, true),
        ] {
            assert_eq!(refused(above, asked, error).is_err(), is_trouble, "{asked:?} {error}");
        }
    }

    #[test]
    fn lost_events_are_about_everything() {
        let (ear, _changes) = ear();
        let folder = tempfile::tempdir().expect("a directory");
        let wd = ear.shared.inotify.add_watch(folder.path(), mask(Asked::Changes));
        let mask = AddWatchFlags::IN_Q_OVERFLOW;
        let lost = InotifyEvent { wd: wd.expect("watched"), mask, cookie: 0, name: None };
        assert_eq!(ear.shared.path_of(lost), Some("/".into()));
    }
}
