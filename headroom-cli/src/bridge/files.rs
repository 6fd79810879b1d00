//! `headroom bridge files DIR`: the protocol over a file channel, of which this is the backend.
//!
//! A request of the front end has the op as its method and the arguments as its payload; its
//! response has the result as its payload, or the daemon's error. Every event goes out with the
//! method `TOPIC.EVENT` and the event as the daemon sends it. What the channel does not take,
//! because a reader has left too much unread, is dropped and counted if it is an event, and kept
//! if it is a reply: while one is kept, no request is taken.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use headroom_client::ipc::{Address, Value};
use headroom_client::{ChannelError, FileChannel, Kind, Received};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::link::{Link, Said};
use super::losses::Losses;
use super::notice::{event, map};
use super::stdio::timespec;
use crate::failure::Failure;
use crate::print;

/// How often a channel is looked at whose news the kernel cannot tell.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often a channel that takes nothing is tried again.
const TRY_AGAIN_EVERY: Duration = Duration::from_millis(500);

pub(crate) fn files(address: Address, directory: &Path) -> Result<(), Failure> {
    let mut channel = FileChannel::backend(directory).map_err(Failure::refused)?;
    // Another bridge on the same directory is told so here.
    channel.descriptor().map_err(Failure::refused)?;
    let mut bridge = Files {
        channel,
        link: Link::new(address),
        kept: VecDeque::new(),
        losses: Losses::default(),
        retry_at: None,
        is_stuck: false,
    };
    print::note_line(&format!("serves the front ends of {}", directory.display()));
    let version = map([("version", env!("CARGO_PKG_VERSION").into())]);
    bridge.keep(Said::Event(event("started", version)));
    bridge.run()
}

/// A message for the channel that must not be lost.
type Kept = Said<String>;

struct Files {
    channel: FileChannel,
    link: Link<String>,
    /// What the channel has not taken yet: replies, and what the bridge and `hello` say.
    kept: VecDeque<Kept>,
    losses: Losses,
    /// The channel takes nothing; it is tried again then.
    retry_at: Option<Instant>,
    /// And that was said.
    is_stuck: bool,
}

impl Files {
    fn run(&mut self) -> Result<(), Failure> {
        let mut said = Vec::new();
        loop {
            if self.retry_at.is_some_and(|at| at <= Instant::now()) {
                self.retry_at = None;
            }
            self.link.connect(&mut said);
            self.carry(&mut said);
            let has_more = self.ask(&mut said)?;
            self.carry(&mut said);
            let to_read = self.wait(has_more)?;
            self.link.step(to_read, &mut said);
            self.carry(&mut said);
        }
    }

    /// Takes the requests that have come, as far as there is room. Says whether there may be more.
    fn ask(&mut self, said: &mut Vec<Said<String>>) -> Result<bool, Failure> {
        while self.link.has_room() && self.kept.is_empty() {
            let received = match self.channel.recv_one().map_err(Failure::refused)? {
                Some(received) => received,
                None => return Ok(false),
            };
            match received {
                Received::Message(message) if message.kind == Kind::Request => {
                    // JSON both, so that nothing can go wrong but too deep a nesting.
                    let args = serde_json::from_value(message.payload).unwrap_or(Value::Nil);
                    let mut request = vec![("args".to_owned(), args)];
                    request.extend(
                        message.method.map(|method| ("op".to_owned(), Value::Text(method))),
                    );
                    self.link.request(&Value::Map(request), message.id, said);
                }
                Received::Message(_) => {}
                Received::Gone(gone) => {
                    print::warning_line(&format!(
                        "{} messages were cleared away unread",
                        gone.count
                    ));
                }
                Received::Unreadable { why, .. } => {
                    let data =
                        map([("message", format!("a line is no message: {why}")[..].into())]);
                    said.push(Said::Event(event("unreadable", data)));
                }
            }
            self.carry(said);
        }
        Ok(true)
    }

    fn carry(&mut self, said: &mut Vec<Said<String>>) {
        for message in said.drain(..) {
            let is_event = match &message {
                Said::Reply(..) => false,
                Said::Event(event) => {
                    if self.losses.absorbs(event) {
                        continue;
                    }
                    if is_hello(event) {
                        self.losses.begin_anew();
                    }
                    event.field("seq").is_some()
                }
            };
            if !is_event {
                self.keep(message);
                continue;
            }
            self.flush();
            let goes = self.kept.is_empty() && self.losses.next().is_none();
            if !(goes && self.send(&message))
                && let Said::Event(event) = &message
            {
                self.losses.lose(event);
            }
        }
        self.flush();
    }

    /// Sends it, or keeps it until it can be sent.
    fn keep(&mut self, message: Kept) {
        if let Said::Event(event) = &message {
            // Of each kind the newest is enough; so these are never many.
            let name = event.field("event").cloned();
            self.kept.retain(
                |kept| !matches!(kept, Said::Event(old) if old.field("event") == name.as_ref()),
            );
        }
        self.kept.push_back(message);
        self.flush();
    }

    /// Sends what was kept, and tells what was lost, as far as the channel takes it.
    fn flush(&mut self) {
        if self.retry_at.is_some() {
            return;
        }
        while let Some(message) = self.kept.pop_front() {
            if !self.send(&message) {
                self.kept.push_front(message);
                return;
            }
        }
        while let Some((topic, notice)) = self.losses.next() {
            if !self.send(&Said::Event(notice)) {
                return;
            }
            self.losses.is_told(&topic);
        }
    }

    /// Says whether the channel has taken it.
    fn send(&mut self, message: &Kept) -> bool {
        if self.retry_at.is_some() {
            return false;
        }
        let sent = match message {
            Said::Reply(id, reply) => match (reply.field("error"), reply.field("result")) {
                (Some(error), _) => self.channel.send_error(id, error),
                (None, result) => self.channel.send_response(id, result.unwrap_or(&Value::Nil)),
            },
            Said::Event(event) => {
                let word = |name: &str| event.field(name).and_then(Value::as_text).unwrap_or("?");
                let method = format!("{}.{}", word("topic"), word("event"));
                self.channel.send_event(&method, event)
            }
        };
        match sent {
            Ok(_) => {
                self.is_stuck = false;
                true
            }
            // It never will.
            Err(ChannelError::TooLong { .. } | ChannelError::Payload(_)) => {
                if let Said::Reply(id, _) = message {
                    let why = map([
                        ("code", "INTERNAL".into()),
                        ("message", "the reply is too long for a file channel".into()),
                    ]);
                    return self.channel.send_error(id, &why).is_ok();
                }
                false
            }
            Err(why) => {
                if !std::mem::replace(&mut self.is_stuck, true) {
                    print::warning_line(&format!("{why}; trying again until it works"));
                }
                self.retry_at = Some(Instant::now() + TRY_AGAIN_EVERY);
                false
            }
        }
    }

    /// Sleeps until there is something to do. Says whether the daemon has said something.
    fn wait(&mut self, has_more: bool) -> Result<bool, Failure> {
        let takes = self.link.has_room() && self.kept.is_empty();
        let Files { channel, link, retry_at, .. } = self;
        let news = channel.descriptor().map_err(Failure::refused)?;
        let look_at = match (takes, has_more, news.is_some()) {
            (true, true, _) => Some(Instant::now()),
            (true, false, false) => Some(Instant::now() + LOOK_EVERY),
            _ => None,
        };
        let mut files = Vec::new();
        if let Some((daemon, is_unsent)) = link.descriptor() {
            let to_send = if is_unsent { PollFlags::OUT } else { PollFlags::empty() };
            files.push(PollFd::from_borrowed_fd(daemon, PollFlags::IN | to_send));
        }
        let is_up = !files.is_empty();
        if takes && let Some(news) = news {
            files.push(PollFd::from_borrowed_fd(news, PollFlags::IN));
        }
        let ends = [link.next_attempt(), *retry_at, look_at].into_iter().flatten().min();
        let left = ends.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        match poll(&mut files, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Failure::refused(format!("waiting: {error}"))),
        }
        Ok(is_up && files[0].revents().intersects(!PollFlags::OUT))
    }
}

fn is_hello(event: &Value) -> bool {
    event.field("event").and_then(Value::as_text) == Some("hello")
}
