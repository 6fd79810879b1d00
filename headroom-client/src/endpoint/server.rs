//! The endpoint itself: what is served in one `poll`, and what is left to the next.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use headroom_ipc::{Code, Error};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::event::{PollFlags, epoll};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use super::claim::Claim;
use super::client::{Client, Heard, Written};
use super::error::BindError;
use super::message::{Reply, Unsendable, framed};
use super::timer::Timer;
use super::{Command, DEFAULT_MAX_BYTES, HIGHEST_MAX_BYTES};
use crate::deadline::{Deadline, timespec};

/// So many clients wait at most; those beyond wait in the queue of the kernel.
pub const MAX_CLIENTS: usize = 64;

/// Once a `poll` has taken so long, it leaves the rest to the next one.
const BUDGET: Duration = Duration::from_millis(1);

/// One read takes so many bytes at most.
const READ_BYTES: usize = 64 * 1024;

/// How long nobody is let in after this process had no descriptor left for a client.
const SHORTAGE: Duration = Duration::from_millis(100);

/// What the descriptors are called where they are watched; a client is called by its seat.
const DOOR: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// A command socket of this program, served when [`poll`](Endpoint::poll) is called.
pub struct Endpoint<C> {
    // The name goes first, so that nobody comes any more.
    claim: Claim,
    door: Door,
    seats: Vec<Option<Client>>,
    max_bytes: usize,
    /// Readable when there is something to do.
    readable: OwnedFd,
    timer: Timer,
    buffer: Box<[u8]>,
    command: PhantomData<fn() -> C>,
}

/// What one `poll` has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Commands that were done.
    pub answered: usize,
    /// Clients that were told what is wrong: garbage, too long, of another user.
    pub refused: usize,
    /// Clients that were given up: too slow, or gone in the middle.
    pub dropped: usize,
    /// Clients that wait now.
    pub waiting: usize,
}

#[derive(Debug)]
struct Door {
    listener: OwnedFd,
    is_watched: bool,
    /// Nobody is let in until then.
    shut_until: Option<Instant>,
}

impl<C: Command> Endpoint<C> {
    /// Listens at a path, with [`DEFAULT_MAX_BYTES`] for a command and for an answer.
    ///
    /// # Errors
    /// [`BindError::InUse`] where another program is, which can be [called](super::call) instead;
    /// and the others.
    pub fn bind(path: impl AsRef<Path>) -> Result<Endpoint<C>, BindError> {
        Endpoint::bind_with_max_bytes(path, DEFAULT_MAX_BYTES)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As for [`bind`](Endpoint::bind), and [`BindError::Limit`] over [`HIGHEST_MAX_BYTES`].
    pub fn bind_with_max_bytes(
        path: impl AsRef<Path>,
        max_bytes: usize,
    ) -> Result<Endpoint<C>, BindError> {
        if max_bytes > HIGHEST_MAX_BYTES {
            return Err(BindError::Limit { max_bytes });
        }
        let path = path.as_ref();
        let path = std::path::absolute(path).map_err(|source| BindError::System {
            doing: "finding",
            path: path.to_owned(),
            source,
        })?;
        let (claim, listener) = Claim::listen(&path)?;
        let watched = || -> Result<(OwnedFd, Timer), Errno> {
            let readable = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            let timer = Timer::new()?;
            watch(&readable, &listener, DOOR)?;
            watch(&readable, timer.descriptor(), TIMER)?;
            Ok((readable, timer))
        };
        let (readable, timer) = watched().map_err(|error| BindError::System {
            doing: "watching",
            path,
            source: error.into(),
        })?;
        Ok(Endpoint {
            claim,
            door: Door { listener, is_watched: true, shut_until: None },
            seats: Vec::new(),
            max_bytes,
            readable,
            timer,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            command: PhantomData,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.claim.path()
    }

    /// Does what there is to do just now: takes commands, has them done, answers. It never waits,
    /// and nothing that a client does is an error of it.
    pub fn poll(&mut self, context: &mut C::Context<'_>) -> Served {
        let end = Instant::now() + BUDGET;
        let mut served = Served::default();
        let (mut is_knocked, mut is_late) = (false, false);
        // What cannot be looked at now can be the next time.
        let at_once = timespec(Duration::ZERO);
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; MAX_CLIENTS + 2];
        let ready = epoll::wait(&self.readable, &mut events[..], Some(&at_once));
        for event in ready.map_or(&mut [][..], |(ready, _)| ready) {
            match event.data.u64() {
                DOOR => is_knocked = true,
                TIMER => is_late = true,
                // Those that are left are ahead of these the next time.
                _ if Instant::now() >= end => is_late = false,
                seat => {
                    let seat = usize::try_from(seat).unwrap_or(usize::MAX);
                    if let Some(client) = self.seats.get_mut(seat).and_then(Option::take) {
                        self.advance(client, Some(seat), end, context, &mut served);
                    }
                }
            }
        }
        if is_late {
            self.timer.clear();
            self.give_up_the_slow(&mut served);
        }
        if is_knocked {
            self.let_in(end, context, &mut served);
        }
        served.waiting = self.seats.iter().flatten().count();
        self.mind_the_door(served.waiting);
        self.set_timer();
        served
    }

    /// Waits until a command was done, so long at most, and serves meanwhile.
    pub fn poll_timeout(&mut self, context: &mut C::Context<'_>, timeout: Duration) -> Served {
        let deadline = Deadline::within(timeout);
        let mut served = Served::default();
        loop {
            let now = self.poll(context);
            served.answered += now.answered;
            served.refused += now.refused;
            served.dropped += now.dropped;
            served.waiting = now.waiting;
            if served.answered > 0 || deadline.is_over() {
                return served;
            }
            // A wait that fails is a wait that is over.
            if deadline.wait_for(self.as_fd(), PollFlags::IN).is_err() {
                return served;
            }
        }
    }

    /// Takes those in who wait outside, while there are seats and time.
    fn let_in(&mut self, end: Instant, context: &mut C::Context<'_>, served: &mut Served) {
        let mut seated = self.seats.iter().flatten().count();
        while seated < MAX_CLIENTS {
            match accept_with(&self.door.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(stream) => {
                    let client = Client::new(stream, self.max_bytes);
                    seated += usize::from(self.advance(client, None, end, context, served));
                }
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => return,
                // Those outside wait; asking again at once would keep the program busy.
                Err(_) => {
                    self.door.shut_until = Some(Instant::now() + SHORTAGE);
                    return;
                }
            }
            if Instant::now() >= end {
                return;
            }
        }
    }

    /// Does for one client what can be done now, and keeps it if there is more to come.
    fn advance(
        &mut self,
        mut client: Client,
        seat: Option<usize>,
        end: Instant,
        context: &mut C::Context<'_>,
        served: &mut Served,
    ) -> bool {
        if !client.is_taking_its_answer() {
            let heard = match seat.is_none().then(|| stranger(&client)).flatten() {
                Some(refusal) => Heard::Whole(Err(refusal)),
                None => client
                    .read(&mut self.buffer, end, |body| done::<C>(body, context, self.max_bytes)),
            };
            let outcome = match heard {
                Heard::Part => return self.keep(client, seat, served),
                Heard::Gone => {
                    served.dropped += 1;
                    return false;
                }
                Heard::Whole(outcome) => outcome,
            };
            match &outcome {
                Ok(_) => served.answered += 1,
                Err(_) => served.refused += 1,
            }
            client.give(outcome.unwrap_or_else(refusal));
        }
        match client.write() {
            Written::All => false,
            Written::Part => self.keep(client, seat, served),
            Written::Gone => {
                served.dropped += 1;
                false
            }
        }
    }

    /// Gives a client a seat, or its own again.
    fn keep(&mut self, client: Client, seat: Option<usize>, served: &mut Served) -> bool {
        let wanted = if client.is_taking_its_answer() {
            epoll::EventFlags::OUT
        } else {
            epoll::EventFlags::IN
        };
        let is_watched = match seat {
            Some(seat) => {
                let data = epoll::EventData::new_u64(seat as u64);
                let is_watched =
                    epoll::modify(&self.readable, &client.stream, data, wanted).is_ok();
                self.seats[seat] = is_watched.then_some(client);
                is_watched
            }
            None => {
                let free = self.seats.iter().position(Option::is_none);
                let seat = free.unwrap_or_else(|| {
                    self.seats.push(None);
                    self.seats.len() - 1
                });
                let data = epoll::EventData::new_u64(seat as u64);
                let is_watched = epoll::add(&self.readable, &client.stream, data, wanted).is_ok();
                self.seats[seat] = is_watched.then_some(client);
                is_watched
            }
        };
        // One that cannot be watched would wait for ever.
        served.dropped += usize::from(!is_watched);
        is_watched
    }

    fn give_up_the_slow(&mut self, served: &mut Served) {
        let now = Instant::now();
        for seat in &mut self.seats {
            if seat.as_ref().is_some_and(|client| client.until() <= now) {
                *seat = None;
                served.dropped += 1;
            }
        }
    }

    /// While nobody can be let in, those outside are no reason to wake the program.
    fn mind_the_door(&mut self, waiting: usize) {
        let now = Instant::now();
        self.door.shut_until = self.door.shut_until.filter(|until| *until > now);
        let wanted = waiting < MAX_CLIENTS && self.door.shut_until.is_none();
        if wanted != self.door.is_watched {
            let flags = if wanted { epoll::EventFlags::IN } else { epoll::EventFlags::empty() };
            let data = epoll::EventData::new_u64(DOOR);
            let is_done = epoll::modify(&self.readable, &self.door.listener, data, flags).is_ok();
            if is_done {
                self.door.is_watched = wanted;
            }
        }
    }

    /// Wakes the program when the first of the waiting has had its time.
    fn set_timer(&mut self) {
        let first = self.seats.iter().flatten().map(Client::until);
        let first = first.chain(self.door.shut_until).min();
        match (first, self.timer.set_to()) {
            (None, None) => {}
            // It is set early enough: it will be set anew then.
            (Some(first), Some(set_to)) if set_to <= first => {}
            (first, _) => self.timer.set(first),
        }
    }
}

/// Has a command done, and gives the answer as bytes.
fn done<C: Command>(
    body: &[u8],
    context: &mut C::Context<'_>,
    max_bytes: usize,
) -> Result<Vec<u8>, Error> {
    let command: C = rmp_serde::from_slice(body).map_err(|error| {
        Error::new(Code::InvalidMessage, format!("that is no command of this program: {error}"))
    })?;
    let answer = Reply::Result(command.process(context));
    framed(&answer, max_bytes).map_err(|error| {
        let why = match error {
            Unsendable::TooLong(length_bytes) => {
                format!("it was done, but its answer takes {length_bytes} bytes of {max_bytes}")
            }
            Unsendable::Unwritable(error) => {
                format!("it was done, but its answer cannot be written: {error}")
            }
        };
        Error::new(Code::Internal, why)
    })
}

/// Why somebody is not served at all.
fn stranger(client: &Client) -> Option<Error> {
    let ours = rustix::process::geteuid().as_raw();
    let theirs = getsockopt(&client.stream, PeerCredentials).map(|peer| peer.uid());
    (theirs != Ok(ours)).then(|| {
        Error::new(Code::PermissionDenied, format!("this program serves user {ours} alone"))
    })
}

fn refusal(error: Error) -> Vec<u8> {
    // A sentence is far below any limit that makes sense.
    framed(&Reply::<()>::Error(error), HIGHEST_MAX_BYTES).unwrap_or_default()
}

fn watch(readable: &OwnedFd, descriptor: &OwnedFd, name: u64) -> Result<(), Errno> {
    epoll::add(readable, descriptor, epoll::EventData::new_u64(name), epoll::EventFlags::IN)
}

impl<C> fmt::Debug for Endpoint<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("path", &self.claim.path()).finish_non_exhaustive()
    }
}

impl<C> AsFd for Endpoint<C> {
    /// Readable when there is something to do, the end of a client's patience included: for any
    /// event loop. Then call [`poll`](Endpoint::poll).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.as_fd()
    }
}

impl<C> AsRawFd for Endpoint<C> {
    fn as_raw_fd(&self) -> RawFd {
        self.readable.as_raw_fd()
    }
}
