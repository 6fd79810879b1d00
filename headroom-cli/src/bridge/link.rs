//! The daemon's end of a bridge: a connection that comes back.
//!
//! Every request gets exactly one reply, also while there is no daemon and when it goes before it
//! has answered. Topics that were subscribed to are asked for again when it is back, and what they
//! are then is told by an event of the bridge. It never waits, and holds nothing that grows: who
//! uses it asks for room before giving it a request.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use headroom_client::ipc::{Address, Code, PROTOCOL, Value};
use headroom_client::{ClientError, Relay};

use super::notice::{event, id_of, map, refusal};

/// So many requests are on their way at most.
const MAX_WAITING: usize = 64;

/// And no further one while so many bytes wait to be sent.
const MAX_UNSENT_BYTES: usize = 64 * 1024;

/// How long it is waited before the first and at most before any attempt to connect.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A connection that has lasted for so long was good.
const GOOD_AFTER: Duration = Duration::from_secs(1);

/// A daemon whose queue of connections is full for so long hangs.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// What is to be carried to the other end. `T` is how that knows its requests.
#[derive(Debug, PartialEq)]
pub(super) enum Said<T> {
    /// The reply to a request, as the daemon sends it.
    Reply(T, Value),
    /// An event of the daemon or of the bridge.
    Event(Value),
}

#[derive(Debug)]
pub(super) struct Link<T> {
    address: Address,
    state: State,
    waiting: VecDeque<Waiting<T>>,
    subscribed: Vec<Value>,
    max_hz: Option<Value>,
    pause: Duration,
}

#[derive(Debug)]
enum State {
    Up { relay: Box<Relay>, since: Instant, is_greeted: bool, is_told: bool },
    Down { retry_at: Instant, is_told: bool, why: String },
}

/// A request that was sent and not answered. Replies come in their order.
#[derive(Debug)]
struct Waiting<T> {
    id: Value,
    asks: Asks,
    /// None where the bridge itself asks.
    whose: Option<T>,
}

#[derive(Debug)]
enum Asks {
    Subscribe { max_hz: Option<Value> },
    Unsubscribe,
    Else,
}

impl<T> Link<T> {
    pub(super) fn new(address: Address) -> Link<T> {
        Link {
            address,
            state: State::Down { retry_at: Instant::now(), is_told: false, why: String::new() },
            waiting: VecDeque::new(),
            subscribed: Vec::new(),
            max_hz: None,
            pause: SHORTEST_PAUSE,
        }
    }

    /// Whether it takes another request.
    pub(super) fn has_room(&self) -> bool {
        let is_sent = match &self.state {
            State::Up { relay, .. } => relay.unsent_bytes() < MAX_UNSENT_BYTES,
            State::Down { .. } => true,
        };
        is_sent && self.waiting.len() < MAX_WAITING
    }

    /// Whether every request has its reply.
    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.iter().all(|waiting| waiting.whose.is_none())
    }

    /// The connection, while there is one, and whether something waits to be sent.
    pub(super) fn descriptor(&self) -> Option<(BorrowedFd<'_>, bool)> {
        match &self.state {
            State::Up { relay, .. } => Some((relay.as_fd(), relay.unsent_bytes() > 0)),
            State::Down { .. } => None,
        }
    }

    /// When `connect` is worth calling again, while there is no connection.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        match &self.state {
            State::Up { .. } => None,
            State::Down { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Connects if it is time.
    pub(super) fn connect(&mut self, said: &mut Vec<Said<T>>) {
        if self.next_attempt().is_none_or(|at| at > Instant::now()) {
            return;
        }
        match Relay::connect(&self.address, CONNECT_WITHIN) {
            Ok(relay) => {
                let is_told = matches!(self.state, State::Down { is_told: true, .. });
                self.state = State::Up {
                    relay: Box::new(relay),
                    since: Instant::now(),
                    is_greeted: false,
                    is_told,
                };
            }
            Err(why) => self.lose(&why.to_string(), said),
        }
    }

    /// Passes a request on, or answers it where it cannot be.
    pub(super) fn request(&mut self, request: &Value, whose: T, said: &mut Vec<Said<T>>) {
        let id = id_of(request);
        let State::Up { relay, .. } = &mut self.state else {
            let State::Down { why, .. } = &self.state else { return };
            said.push(Said::Reply(whose, refusal(id, Code::Unavailable, why)));
            return;
        };
        let asks = match request.field("op").and_then(Value::as_text) {
            Some("subscribe") => {
                let max_hz = request.field("args").and_then(|args| args.field("max_hz"));
                Asks::Subscribe { max_hz: max_hz.cloned() }
            }
            Some("unsubscribe") => Asks::Unsubscribe,
            _ => Asks::Else,
        };
        match relay.send(request) {
            Err(ClientError::TooLong(why)) => {
                let why = refusal(id, Code::InvalidMessage, &why.to_string());
                said.push(Said::Reply(whose, why));
            }
            sent => {
                self.waiting.push_back(Waiting { id, asks, whose: Some(whose) });
                if let Err(why) = sent {
                    self.lose(&why.to_string(), said);
                }
            }
        }
    }

    /// Sends and receives what there is room for.
    pub(super) fn step(&mut self, to_read: bool, said: &mut Vec<Said<T>>) {
        let State::Up { relay, .. } = &mut self.state else { return };
        let mut messages = Vec::new();
        let mut outcome = relay.flush();
        // What the daemon has said before it went is worth hearing.
        if to_read || outcome.is_err() {
            let received = relay.receive(|message| messages.push(message));
            outcome = outcome.and(received);
        }
        let why = messages.into_iter().find_map(|message| self.take(message, said).err());
        match (why, outcome) {
            (Some(why), _) => self.lose(&why, said),
            (None, Err(why)) => self.lose(&why.to_string(), said),
            (None, Ok(())) => {}
        }
    }

    /// What a message of the daemon means for the other end, or why there will be no more.
    fn take(&mut self, message: Value, said: &mut Vec<Said<T>>) -> Result<(), String> {
        let State::Up { is_greeted, .. } = &mut self.state else { return Ok(()) };
        if message.field("topic").is_some() {
            let is_hello = message.field("event").and_then(Value::as_text) == Some("hello");
            if is_hello && !*is_greeted {
                let protocol = message.field("data").and_then(|data| data.field("protocol"));
                if let Some(Value::Unsigned(daemon)) = protocol
                    && *daemon != u64::from(PROTOCOL)
                {
                    let daemon = u32::try_from(*daemon).unwrap_or(u32::MAX);
                    return Err(ClientError::OtherProtocol { daemon }.to_string());
                }
                *is_greeted = true;
                said.push(Said::Event(message));
                return self.subscribe_again();
            }
            said.push(Said::Event(message));
            return Ok(());
        }
        let Some(waiting) = self.waiting.front().filter(|_| *is_greeted) else {
            // About the connection as a whole; the daemon closes it.
            let error = message.field("error").and_then(|error| error.field("message"));
            return Err(error.and_then(Value::as_text).unwrap_or("headroomd ends it").to_owned());
        };
        if let Some(topics) = message.field("result").and_then(|result| result.field("topics")) {
            match &waiting.asks {
                Asks::Subscribe { max_hz } => {
                    let max_hz = max_hz.clone();
                    self.has_subscribed(topics, max_hz);
                }
                Asks::Unsubscribe => self.subscribed = listed(topics),
                Asks::Else => {}
            }
        }
        match self.waiting.pop_front().and_then(|waiting| waiting.whose) {
            Some(whose) => said.push(Said::Reply(whose, message)),
            // The bridge's own, after the daemon came back.
            None => {
                let result = message.field("result").cloned();
                if result.is_none() {
                    self.subscribed.clear();
                }
                let none = || map([("topics", Value::List(Vec::new()))]);
                said.push(Said::Event(event("resubscribed", result.unwrap_or_else(none))));
            }
        }
        Ok(())
    }

    fn has_subscribed(&mut self, topics: &Value, max_hz: Option<Value>) {
        for topic in listed(topics) {
            if topic.as_text() == Some("meters") {
                self.max_hz.clone_from(&max_hz);
            }
            if !self.subscribed.contains(&topic) {
                self.subscribed.push(topic);
            }
        }
    }

    fn subscribe_again(&mut self) -> Result<(), String> {
        if self.subscribed.is_empty() {
            return Ok(());
        }
        let mut args = vec![("topics".to_owned(), Value::List(self.subscribed.clone()))];
        args.extend(self.max_hz.clone().map(|max_hz| ("max_hz".to_owned(), max_hz)));
        let request = map([("op", "subscribe".into()), ("args", Value::Map(args))]);
        let State::Up { relay, .. } = &mut self.state else { return Ok(()) };
        relay.send(&request).map_err(|why| why.to_string())?;
        self.waiting.push_back(Waiting { id: Value::Nil, asks: Asks::Else, whose: None });
        Ok(())
    }

    /// There is no connection any more, or still none.
    fn lose(&mut self, why: &str, said: &mut Vec<Said<T>>) {
        let is_told = match &self.state {
            State::Up { since, is_greeted, is_told, .. } => {
                if since.elapsed() >= GOOD_AFTER {
                    self.pause = SHORTEST_PAUSE;
                }
                // One that does not greet is as good as none: told once, until one does.
                *is_told && !is_greeted
            }
            State::Down { is_told, .. } => *is_told,
        };
        for Waiting { id, whose, .. } in self.waiting.drain(..) {
            let Some(whose) = whose else { continue };
            let message = format!("{why}, before it answered: it may have done this or not");
            said.push(Said::Reply(whose, refusal(id, Code::Unavailable, &message)));
        }
        if !is_told {
            said.push(Said::Event(event("disconnected", map([("message", why.into())]))));
        }
        let retry_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.state = State::Down { retry_at, is_told: true, why: why.to_owned() };
    }
}

/// The topics in a list of topics or of maps with a topic.
fn listed(topics: &Value) -> Vec<Value> {
    let Value::List(topics) = topics else { return Vec::new() };
    topics.iter().map(|topic| topic.field("topic").unwrap_or(topic).clone()).collect()
}
