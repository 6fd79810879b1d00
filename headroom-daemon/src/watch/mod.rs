//! hr-profiles: sees to it that a change of a profile's file is in force before its editor has
//! redrawn the screen.
//!
//! hr-inotify hears what happens in the folders of profiles, the debouncer waits until a file has
//! been at rest for [`QUIET`], and hr-profiles waits until all of them are, if that is soon, and
//! has the engine scan. All three sleep while nothing changes, unless something cannot be watched:
//! that is tried again every [`RETRY`]. What a change means is the state's business; nothing here
//! knows a profile.

mod inotify;
mod motion;
mod plan;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use headroom_profile::Folders;
use nix::errno::Errno;
use notify_debouncer_mini::DebounceEventResult;
use notify_debouncer_mini::notify::{self, ErrorKind};
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::spare_memory;
use crate::state::Stillness;
use inotify::Hearing;
use motion::{Motion, QUIET};
use plan::{About, Plan, Watched};

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
    motion: Mutex<Motion>,
    stopping: AtomicBool,
}

impl Bell {
    fn new(queue: Sender<()>) -> Bell {
        Bell {
            queue,
            in_doubt: AtomicBool::new(false),
            motion: Mutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

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
        let bell = Arc::new(Bell::new(queue));
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
    let mut watching: Option<Watching> = None;
    again_and_again(bell, woken, || {
        wait_for_rest(bell, woken);
        if bell.in_doubt.swap(false, Ordering::SeqCst)
            && let Some(watching) = &mut watching
        {
            watching.let_go();
        }
        // Watched first and scanned then, so that nothing is missed in between.
        let trouble = match &mut watching {
            Some(watching) => watching.follow(folders),
            None => match Watching::start(bell) {
                Ok(new) => watching.insert(new).follow(folders),
                Err(error) => Some(blind(&error)),
            },
        };
        bell.motion.lock().look();
        let stillness = || {
            let is_behind = watching.as_ref().is_some_and(|it| it.hearing.is_behind());
            match bell.motion.lock().is_at_rest(Instant::now()) && !is_behind {
                true => Stillness::AtRest,
                false => Stillness::InMotion,
            }
        };
        let stillness = engine.scan_profiles(trouble.as_deref(), stillness);
        spare_memory::give_back();
        match stillness {
            // What was not believed is looked at once more, whether or not anybody rings.
            Stillness::InMotion => Some(QUIET),
            Stillness::AtRest => trouble.map(|_| RETRY),
        }
    });
}

/// Does a round at once, and one more whenever the bell rings, until the end. A round may say after
/// how long the next one follows at the latest.
fn again_and_again(bell: &Bell, woken: &Receiver<()>, mut round: impl FnMut() -> Option<Duration>) {
    loop {
        let is_anybody_there = match round() {
            None => woken.recv().is_ok(),
            Some(most) => woken.recv_timeout(most) != Err(RecvTimeoutError::Disconnected),
        };
        if !is_anybody_there || bell.stopping.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// Waits for a change that is still going on, as one of many files at once: somebody's checkout.
/// The debouncer waits for each file by itself.
fn wait_for_rest(bell: &Bell, woken: &Receiver<()>) {
    let wait = || bell.motion.lock().wait(Instant::now());
    while let Some(wait) = wait() {
        // Whoever rings meanwhile is served by the look that follows, but for the end.
        let _ = woken.recv_timeout(wait);
        if bell.stopping.load(Ordering::SeqCst) {
            bell.ring();
            return;
        }
    }
}

struct Watching {
    hearing: Hearing,
    /// What should be watched.
    plan: Arc<Mutex<Plan>>,
    /// What is.
    held: BTreeSet<Watched>,
}

impl Watching {
    /// Watches nothing yet.
    fn start(bell: &Arc<Bell>) -> notify::Result<Watching> {
        let plan = Arc::new(Mutex::new(Plan::default()));
        let matters = {
            let (bell, plan) = (bell.clone(), plan.clone());
            move |path: &Path| {
                let about = plan.lock().about(path);
                if about == About::Folder {
                    bell.in_doubt.store(true, Ordering::SeqCst);
                }
                if about != About::Nothing {
                    bell.motion.lock().heard(Instant::now());
                }
                about != About::Nothing
            }
        };
        let at_rest = {
            let bell = bell.clone();
            move |events: DebounceEventResult| {
                if events.is_err() {
                    // Something was not told.
                    bell.in_doubt.store(true, Ordering::SeqCst);
                }
                bell.ring();
            }
        };
        let hearing = Hearing::start(QUIET, Box::new(matters), at_rest)?;
        Ok(Watching { hearing, plan, held: BTreeSet::new() })
    }

    /// Watches what is to be watched as the disk is now. Gives why something is not.
    fn follow(&mut self, folders: &Folders) -> Option<String> {
        let mut trouble = None;
        for _ in 0..TRIES {
            let plan = Plan::of(folders);
            let wanted = plan.watched();
            *self.plan.lock() = plan;
            if wanted == self.held {
                return None;
            }
            // A watch goes by its name, so those of folders that have gone make room first.
            for gone in &self.held - &wanted {
                self.hearing.unwatch(&gone.path);
                self.held.remove(&gone);
            }
            trouble = None;
            for new in &wanted - &self.held {
                match self.hearing.watch(&new.path, new.asked) {
                    Ok(()) => {
                        self.held.insert(new);
                    }
                    Err(error) => trouble = Some(blind(&error)),
                }
            }
            // Once more: what has come into being meanwhile may be a nearer folder.
        }
        trouble
    }

    /// Ends every watch: some may have ended by themselves.
    fn let_go(&mut self) {
        for held in std::mem::take(&mut self.held) {
            self.hearing.unwatch(&held.path);
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
        let bell = Bell::new(queue);
        let mut rounds = 0;
        again_and_again(&bell, &woken, || {
            rounds += 1;
            if rounds == 3 {
                bell.stopping.store(true, Ordering::SeqCst);
                bell.ring();
            }
            (rounds <= 2).then_some(Duration::from_millis(1))
        });
        assert_eq!(rounds, 3, "two that failed, and one that nobody asked for");
        // All is well: the next round is when the bell rings.
        let (begun, rang) = bounded(8);
        bell.stopping.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut rounds = 0;
                again_and_again(&bell, &woken, || {
                    rounds += 1;
                    let _ = begun.try_send(rounds);
                    None
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

    #[test]
    fn a_look_waits_until_nothing_changes_and_the_end_waits_for_nothing() {
        let (queue, woken) = bounded(1);
        let bell = Bell::new(queue);
        wait_for_rest(&bell, &woken);
        let began = Instant::now();
        bell.motion.lock().heard(began);
        bell.ring();
        wait_for_rest(&bell, &woken);
        assert!(began.elapsed() >= QUIET, "the bell alone is no reason to look");
        // Whoever stops rings, and is heard in the midst of a change.
        bell.motion.lock().heard(began + Duration::from_secs(3_600));
        bell.stopping.store(true, Ordering::SeqCst);
        bell.ring();
        wait_for_rest(&bell, &woken);
        assert!(woken.try_recv().is_ok(), "the end is still to be heard");
    }
}
