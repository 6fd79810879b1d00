//! One event to 512 subscribers that wait.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use headroom_daemon::step::Input;
use headroom_ipc::{Event, MetersChange, Mirror, ServerFrame, Subscribe, Topic};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::client::Client;
use crate::process::wait_until;
use crate::served::{meters, serve};
use crate::table::{Table, quantile};

const SUBSCRIBERS: usize = 512;
const ROUNDS: usize = 60;

pub(crate) fn run(table: &mut Table) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(4_096), hard).expect("raised");
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("control.sock");
    let (server, engine) = serve(&path, 600);
    let mut subscribers: Vec<Client> = (0..SUBSCRIBERS)
        .map(|_| {
            let mut client = Client::connect(&path);
            client.frame();
            let topics = vec![Topic::Meters];
            client.call(&Subscribe { topics, snapshot: false, max_hz: None });
            client
        })
        .collect();
    wait_until(|| server.connections() == SUBSCRIBERS);

    let bare = Bare::start();
    let frame = ServerFrame::event(&event()).expect("an event");
    let (mut under_lock, mut all_out, mut loops) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // All of them are asleep again.
        thread::sleep(Duration::from_millis(10));
        loops.push(bare.send(&frame) * 1e6);
        thread::sleep(Duration::from_millis(10));
        let input = Input::Meters(meters());
        let begun = Instant::now();
        let (rings, _) = engine.step_quietly(input);
        under_lock.push(begun.elapsed().as_secs_f64() * 1e6);
        engine.ring(&rings);
        wait_for_all(&subscribers);
        all_out.push(begun.elapsed().as_secs_f64() * 1e6);
        for subscriber in &mut subscribers {
            subscriber.frame();
        }
    }
    let each = quantile(&mut under_lock, 0.5) / SUBSCRIBERS as f64;
    table.figure("an event to 512: under the lock, per subscriber", each, "us", 0.5);
    let (all_out, bare_us) = (quantile(&mut all_out, 0.5), quantile(&mut loops, 0.5));
    table.ratio("an event to 512: until all are out", all_out, bare_us, "us", 1.5);
    drop(subscribers);
    server.stop("measured");
}

/// Waits until there is something to read for every one. It sleeps over one after the other, and
/// hardly ever over a second one: to read here would be work that the bare loop has not.
fn wait_for_all(subscribers: &[Client]) {
    let mut on: Vec<PollFd<'_>> = subscribers
        .iter()
        .map(|subscriber| PollFd::new(subscriber.stream.as_fd(), PollFlags::POLLIN))
        .collect();
    while let Some(late) = on.last() {
        let mut late = [late.clone()];
        poll(&mut late, PollTimeout::NONE).expect("polled");
        poll(&mut on, PollTimeout::ZERO).expect("polled");
        on.retain(|fd| !fd.any().unwrap_or(false));
    }
}

fn event() -> Event {
    Mirror::full().publish(MetersChange::Tick(meters()))
}

/// 512 receivers that sleep, each behind a queue of its own.
struct Bare {
    queues: Vec<Sender<ServerFrame>>,
    taken: Arc<AtomicUsize>,
}

impl Bare {
    fn start() -> Bare {
        let taken = Arc::new(AtomicUsize::new(0));
        let main: Thread = thread::current();
        let queues = (0..SUBSCRIBERS)
            .map(|_| {
                let (sender, receiver) = bounded::<ServerFrame>(64);
                let (taken, main) = (taken.clone(), main.clone());
                thread::Builder::new()
                    .stack_size(64 * 1024)
                    .spawn(move || {
                        for _ in receiver {
                            if (taken.fetch_add(1, Ordering::SeqCst) + 1) % SUBSCRIBERS == 0 {
                                main.unpark();
                            }
                        }
                    })
                    .expect("a thread");
                sender
            })
            .collect();
        Bare { queues, taken }
    }

    /// Sends one shared frame to all; until all have it, in seconds.
    fn send(&self, frame: &ServerFrame) -> f64 {
        let wanted = self.taken.load(Ordering::SeqCst) + SUBSCRIBERS;
        let begun = Instant::now();
        for queue in &self.queues {
            queue.try_send(frame.clone()).expect("there is room");
        }
        while self.taken.load(Ordering::SeqCst) < wanted {
            thread::park();
        }
        begun.elapsed().as_secs_f64()
    }
}
