//! `headroom watch [TOPIC...]`: every change as it happens, through restarts of the daemon, and
//! what is rung for, also without one. With a name, it does what it is told from outside.
//!
//! One thread and one wait for everything: the daemon's events, the bell, the endpoint and the
//! signals that end it.

mod remote;
mod signals;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use headroom_client::doorbell::{Cause, Doorbell, Ring};
use headroom_client::endpoint::Endpoint;
use headroom_client::ipc::Topic;
use headroom_client::{ClientError, Subscription, Update, daemon_address};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use self::remote::{Command, Doing};
use self::signals::Signals;
use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::print::{self, Paint, Reader};

/// How long a daemon that hangs keeps the bell and the endpoint waiting.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn run(args: &WatchArgs) -> Result<(), Failure> {
    if let Some([name, word]) = args.tell.as_deref() {
        return remote::tell(name, word);
    }
    let signal = Watch::begin(args)?.until_it_ends()?;
    // All that was bound is gone by now.
    if let Some(signal) = signal {
        signals::end_by(signal);
    }
    Ok(())
}

struct Watch {
    subscription: Subscription,
    /// None where there is no place for one.
    bell: Option<Doorbell>,
    endpoint: Option<Endpoint<Command>>,
    signals: Signals,
    topics: Vec<Topic>,
    json: bool,
    paint: Paint,
    doing: Doing,
    /// How many lines were not printed since it was paused.
    held_back: u64,
    /// Whether the daemon was there, or was said not to be.
    has_met: Met,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    NotYet,
    Absent,
    Present,
}

impl Watch {
    fn begin(args: &WatchArgs) -> Result<Watch, Failure> {
        let mut topics = args.topics.clone();
        if topics.is_empty() {
            topics.extend(Topic::ALL.iter().filter(|topic| topic.is_state()));
        }
        let subscription = Subscription::to(&daemon_address()?, &topics)
            .with_max_hz(args.max_hz)
            .with_timeout(PATIENCE);
        let signals = Signals::listen()
            .map_err(|error| Failure::refused(format!("listening for signals: {error}")))?;
        let endpoint = args.name.as_deref().map(remote::listen).transpose()?;
        let bell = Doorbell::bind()
            .inspect_err(|error| {
                print::warning_line(&format!("{error}: what changes on the disk is not told"));
            })
            .ok();
        Ok(Watch {
            subscription,
            bell,
            endpoint,
            signals,
            topics,
            json: args.json,
            paint: Paint::for_stdout(),
            doing: Doing::Running,
            held_back: 0,
            has_met: Met::NotYet,
        })
    }

    /// Runs until nobody reads, it is told to stop, or a signal has come, which it gives.
    fn until_it_ends(mut self) -> Result<Option<i32>, Failure> {
        loop {
            let update = self.subscription.next_within(Duration::ZERO);
            let may_be_more = update.is_some();
            let reader = update.map_or(Ok(Reader::Reads), |update| self.tell_update(update))?;
            if reader == Reader::HasGone || self.ring()? == Reader::HasGone {
                return Ok(None);
            }
            self.obey();
            if self.doing == Doing::Stopping {
                return Ok(None);
            }
            if let Some(signal) = self.signals.take() {
                return Ok(Some(signal));
            }
            if !may_be_more {
                self.wait()?;
            }
        }
    }

    fn tell_update(&mut self, update: Update) -> Result<Reader, Failure> {
        match update {
            Update::Event(event) => {
                if self.holds_back() {
                    return Ok(Reader::Reads);
                }
                return if self.json {
                    print::json_line(&event)
                } else {
                    print::part(&(print::event_line(&event, self.paint) + "\n"))
                };
            }
            Update::Connected { hello, is_restarted } => {
                match (self.has_met, is_restarted) {
                    (Met::NotYet, _) => {}
                    (Met::Absent, _) => {
                        print::note_line(&format!("headroomd {} is there", hello.version));
                    }
                    (Met::Present, true) => {
                        print::note_line(&format!("headroomd {} was started again", hello.version));
                    }
                    (Met::Present, false) => {
                        print::note_line(&format!("headroomd {} is back", hello.version));
                    }
                }
                self.has_met = Met::Present;
            }
            Update::Resynchronised(topics) => {
                let names: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
                print::note_line(&format!(
                    "changes were lost; caught up with {}",
                    names.join(", ")
                ));
            }
            // Not there yet is not wrong; there and not to be spoken with is.
            Update::Disconnected(why @ ClientError::NotRunning { .. })
                if self.has_met == Met::NotYet =>
            {
                print::note_line(&format!("{why}; waiting for it"));
                self.has_met = Met::Absent;
            }
            Update::Disconnected(why) if self.has_met == Met::NotYet => return Err(why.into()),
            Update::Disconnected(why) => print::note_line(&format!("{why}; waiting for it")),
        }
        Ok(Reader::Reads)
    }

    /// Tells what was rung for, where that is of interest.
    fn ring(&mut self) -> Result<Reader, Failure> {
        match self.bell.as_mut().and_then(Doorbell::try_take) {
            Some(ring) if self.is_of_interest(&ring) && !self.holds_back() => {
                if self.json {
                    print::json_line(&print::RingEvent::of(&ring))
                } else {
                    print::part(&(print::ring_line(&ring, self.paint) + "\n"))
                }
            }
            _ => Ok(Reader::Reads),
        }
    }

    fn is_of_interest(&self, ring: &Ring) -> bool {
        let of_files = [Topic::Profile];
        let of_state = [Topic::Profile, Topic::Setting, Topic::Routing];
        let watches = |topics: &[Topic]| topics.iter().any(|topic| self.topics.contains(topic));
        ring.is_about(Cause::Profile) && watches(&of_files)
            || ring.is_about(Cause::State) && watches(&of_state)
    }

    /// Does what it is told from outside.
    fn obey(&mut self) {
        let Some(endpoint) = &mut self.endpoint else { return };
        let before = self.doing;
        let _ = endpoint.poll(&mut self.doing);
        match (before, self.doing) {
            (Doing::Running, Doing::Paused) => print::note_line("paused from outside"),
            (Doing::Paused, Doing::Running) => {
                let held_back = std::mem::take(&mut self.held_back);
                print::note_line(&format!("goes on; lines not printed meanwhile: {held_back}"));
            }
            _ => {}
        }
    }

    /// Whether it is paused; then a line was not printed.
    fn holds_back(&mut self) -> bool {
        let is_paused = self.doing == Doing::Paused;
        self.held_back += u64::from(is_paused);
        is_paused
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Result<(), Failure> {
        let descriptors: [Option<BorrowedFd<'_>>; 4] = [
            Some(self.signals.as_fd()),
            self.subscription.descriptor(),
            self.bell.as_ref().map(AsFd::as_fd),
            self.endpoint.as_ref().map(AsFd::as_fd),
        ];
        let mut descriptors: Vec<PollFd<'_>> = descriptors
            .into_iter()
            .flatten()
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        let timeout = self.subscription.retry_after().map(|pause| Timespec {
            tv_sec: pause.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: pause.subsec_nanos().into(),
        });
        match poll(&mut descriptors, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(Failure::refused(format!("waiting: {error}"))),
        }
    }
}
