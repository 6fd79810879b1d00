//! hr-profiles: sees to it that a change of a profile's file is in force before its editor has
//! redrawn the screen.
//!
//! hr-inotify hears what happens in the folders of profiles, the debouncer waits until a file has
//! been at rest for [`QUIET`], and hr-profiles has the engine scan. All three sleep while nothing
//! changes, unless something cannot be watched: that is tried again every [`RETRY`]. What a change
//! means is the state's business; nothing here knows a profile.

mod inotify;
mod plan;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use headroom_profile::Folders;
use nix::errno::Errno;
use notify_debouncer_mini::notify::{self, ErrorKind, RecursiveMode};
use notify_debouncer_mini::{Config, DebounceEventResult, Debouncer, new_debouncer_opt};
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::spare_memory;
use inotify::Ear;
use plan::{About, Plan, Watched};

/// How long a file is at rest before the folders are scanned: longer than between the steps in
/// which an editor saves it, much shorter than anybody waits. Each file is waited for by itself, and
/// one that changes for longer is looked at meanwhile, so that a scan can fall into the middle of a
/// long checkout; one more follows the last change.
const QUIET: Duration = Duration::from_millis(50);
/// When to try again to watch what the system refused to: its limits are raised, and folders
/// opened, without a word to us.
const RETRY: Duration = Duration::from_secs(30);
/// A profile is parsed on it, nested as deep as TOML may be.
const STACK_BYTES: usize = 512 * 1024;
/// How long the end waits for a scan.
const MOST_PATIENCE: Duration = Duration::from_secs(1);
/// How often folders may change while they are being watched, before that is left to the next
/// event.
const TRIES: usize = 8;

/// hr-profiles, while the daemon runs.
#[derive(Debug)]
pub struct WatchThread {
    bell: Arc<Bell>,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
}

/// What wakes hr-profiles.
#[derive(Debug)]
struct Bell {
    /// One place is enough: whoever finds it taken is heard with the one before.
    queue: Sender<()>,
    /// Folders may have been replaced, so that watches may have gone with them.
    in_doubt: AtomicBool,
    stopping: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        let _ = self.queue.try_send(());
    }
}

impl WatchThread {
    /// Watches the folders from now on. What has changed since they were scanned is found.
    ///
    /// # Errors
    /// The system refuses a thread. Where it refuses to watch, clients are warned.
    pub fn spawn(folders: Arc<Folders>, engine: Engine) -> io::Result<WatchThread> {
        let (queue, woken) = bounded(1);
        let bell = Arc::new(Bell {
            queue,
            in_doubt: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        });
        let (until_the_end, ended) = bounded(0);
        Builder::new().name("hr-profiles".into()).stack_size(STACK_BYTES).spawn({
            let bell = bell.clone();
            move || {
                watch(&folders, &engine, &bell, &woken);
                drop(until_the_end);
            }
        })?;
        Ok(WatchThread { bell, ended })
    }

    /// Watches no more. A thread that waits for storage that hangs is left to the end of the
    /// process: it has nothing to lose.
    pub fn stop(self) {
        self.bell.stopping.store(true, Ordering::SeqCst);
        self.bell.ring();
        if self.ended.recv_timeout(MOST_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            log::warn!("a folder of profiles does not answer: not waiting for it");
        }
    }
}

fn watch(folders: &Arc<Folders>, engine: &Engine, bell: &Arc<Bell>, woken: &Receiver<()>) {
    let plan = Arc::new(Mutex::new(Plan::default()));
    let mut watching: Option<Watching> = None;
    again_and_again(bell, woken, RETRY, || {
        if bell.in_doubt.swap(false, Ordering::SeqCst)
            && let Some(watching) = &mut watching
        {
            watching.let_go();
        }
        // Watched first and scanned then, so that nothing is missed in between.
        let trouble = match &mut watching {
            Some(watching) => watching.follow(folders),
            None => match debouncer(folders, bell, &plan) {
                Ok(debouncer) => {
                    let new = Watching { debouncer, plan: plan.clone(), held: BTreeSet::new() };
                    watching.insert(new).follow(folders)
                }
                Err(error) => Some(blind(&error)),
            },
        };
        engine.scan_profiles(trouble.as_deref());
        spare_memory::give_back();
        trouble.is_none()
    });
}

/// Does a round at once, and one more whenever the bell rings, until the end. A round that gives
/// that not all was well is followed by the next after `retry` at the latest.
fn again_and_again(
    bell: &Bell,
    woken: &Receiver<()>,
    retry: Duration,
    mut round: impl FnMut() -> bool,
) {
    loop {
        let is_anybody_there = if round() {
            woken.recv().is_ok()
        } else {
            woken.recv_timeout(retry) != Err(RecvTimeoutError::Disconnected)
        };
        if !is_anybody_there || bell.stopping.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn debouncer(
    folders: &Arc<Folders>,
    bell: &Arc<Bell>,
    plan: &Arc<Mutex<Plan>>,
) -> notify::Result<Debouncer<Ear>> {
    let (folders, bell, plan) = (folders.clone(), bell.clone(), plan.clone());
    let handler = move |events: DebounceEventResult| {
        let about = match events {
            Ok(events) => {
                let plan = plan.lock();
                let about = |path: &Path| plan.about(&folders, path);
                events.iter().map(|event| about(&event.path)).max()
            }
            // Something was not told.
            Err(_) => Some(About::Folder),
        };
        if about == Some(About::Folder) {
            bell.in_doubt.store(true, Ordering::SeqCst);
        }
        if about.is_some_and(|about| about != About::Nothing) {
            bell.ring();
        }
    };
    new_debouncer_opt(Config::default().with_timeout(QUIET), handler)
}

struct Watching {
    debouncer: Debouncer<Ear>,
    /// What should be watched.
    plan: Arc<Mutex<Plan>>,
    /// What is.
    held: BTreeSet<Watched>,
}

impl Watching {
    /// Watches what is to be watched as the disk is now. Gives why something is not.
    fn follow(&mut self, folders: &Folders) -> Option<String> {
        let mut trouble = None;
        for _ in 0..TRIES {
            let wanted = Plan::of(folders).watched;
            if wanted == self.held {
                return None;
            }
            // A watch goes by its name, so those of folders that have gone make room first.
            for gone in &self.held - &wanted {
                let _ = self.debouncer.watcher().unwatch(&gone.path);
                self.held.remove(&gone);
            }
            trouble = None;
            for new in &wanted - &self.held {
                match self.debouncer.watcher().watch(&new.path, RecursiveMode::NonRecursive) {
                    Ok(()) => {
                        self.held.insert(new);
                    }
                    Err(error) => trouble = Some(blind(&error)),
                }
            }
            // What has come into being meanwhile may be a nearer folder.
            *self.plan.lock() = Plan::of(folders);
        }
        trouble
    }

    /// Ends every watch: some may have ended by themselves.
    fn let_go(&mut self) {
        for held in std::mem::take(&mut self.held) {
            let _ = self.debouncer.watcher().unwatch(&held.path);
        }
    }
}

fn blind(error: &notify::Error) -> String {
    let why = match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "the system allows no more watches (fs.inotify.max_user_watches)".to_owned()
        }
        ErrorKind::Io(error) if error.raw_os_error() == Some(Errno::EMFILE as i32) => {
            "the system allows no more watchers (fs.inotify.max_user_instances)".to_owned()
        }
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    };
    let what = match error.paths.first() {
        Some(folder) => format!("watching {}", folder.display()),
        None => "watching the folders of profiles".to_owned(),
    };
    format!(
        "{what}: {why}: changes there are not seen until \"profile.reload\", or until that works \
         (tried again every {} s)",
        RETRY.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_watched_is_tried_again_unasked_and_nothing_else_is() {
        let (queue, woken) = bounded(1);
        let [in_doubt, stopping] = [false, false].map(AtomicBool::new);
        let bell = Bell { queue, in_doubt, stopping };
        let mut rounds = 0;
        again_and_again(&bell, &woken, Duration::from_millis(1), || {
            rounds += 1;
            if rounds == 3 {
                bell.stopping.store(true, Ordering::SeqCst);
                bell.ring();
            }
            rounds > 2
        });
        assert_eq!(rounds, 3, "two that failed, and one that nobody asked for");
        // All is well: the next round is when the bell rings, however short the time to retry.
        let (begun, rang) = bounded(8);
        bell.stopping.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut rounds = 0;
                again_and_again(&bell, &woken, Duration::ZERO, || {
                    rounds += 1;
                    let _ = begun.try_send(rounds);
                    true
                });
                drop(begun);
            });
            assert_eq!(rang.recv_timeout(Duration::from_secs(60)), Ok(1));
            bell.ring();
            assert_eq!(rang.recv_timeout(Duration::from_secs(60)), Ok(2));
            bell.stopping.store(true, Ordering::SeqCst);
            bell.ring();
        });
        assert!(rang.is_empty(), "no round that nobody asked for");
    }
}
