//! One connection: requests out, replies and events in.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};
use std::time::Duration;

use headroom_ipc::{
    Address, Answer, Call, Error, Event, Hello, PROTOCOL, ServerMessage, TooLong, Value,
    encode_raw_request, encode_request,
};
use serde::de::DeserializeOwned;

use crate::ClientError;
use crate::deadline::Deadline;
use crate::inbox::Inbox;
use crate::wire::{Ready, Wire};

/// How long a client waits for the daemon unless it is told otherwise. The daemon answers in
/// microseconds; this is for one that hangs.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// So many requests can be open at most: sent, and their tickets neither waited for nor dropped.
pub const MAX_OPEN_REQUESTS: usize = 1024;

/// So many bytes of replies are held at most for tickets that were not waited for yet.
pub const MAX_HELD_BYTES: usize = 8 << 20;

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    hello: Hello,
    timeout: Duration,
    open: Open,
    inbox: Inbox,
    next_id: u64,
    /// Nothing more can come of this connection.
    is_over: bool,
}

/// A request that was sent, to be handed to [`Client::wait`]. The reply to one that was dropped is
/// skipped.
#[derive(Debug)]
#[must_use = "dropping it throws the reply away"]
pub struct Ticket<R> {
    id: u64,
    _wanted: Arc<()>,
    reply: PhantomData<fn() -> R>,
}

/// The requests that are open, in the order in which they were sent and will be answered.
#[derive(Debug, Default)]
struct Open {
    requests: VecDeque<OpenRequest>,
    held_bytes: usize,
}

#[derive(Debug)]
struct OpenRequest {
    id: u64,
    wanted: Weak<()>,
    reply: Option<Reply>,
}

#[derive(Debug)]
enum Reply {
    Done(Box<[u8]>),
    Refused(Error),
}

impl Client {
    /// Connects and hears the daemon's `hello`, within [`DEFAULT_TIMEOUT`].
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] where nobody listens; [`ClientError::Refused`] where the daemon
    /// has too many connections or is another user's; and the others.
    pub fn connect(address: &Address) -> Result<Client, ClientError> {
        Client::connect_within(address, DEFAULT_TIMEOUT)
    }

    /// The same with another time limit, which holds for its calls too.
    ///
    /// # Errors
    /// As for [`connect`](Client::connect).
    pub fn connect_within(address: &Address, timeout: Duration) -> Result<Client, ClientError> {
        let deadline = Deadline::within(timeout);
        Client::begin(Wire::connect(address, timeout)?, timeout, deadline)
    }

    /// Speaks over a socket that is connected already.
    ///
    /// # Errors
    /// As for [`connect`](Client::connect).
    pub fn over(stream: UnixStream, timeout: Duration) -> Result<Client, ClientError> {
        Client::begin(Wire::over(stream)?, timeout, Deadline::within(timeout))
    }

    fn begin(mut wire: Wire, timeout: Duration, deadline: Deadline) -> Result<Client, ClientError> {
        let mut greeting = None;
        // What comes in the same read as the greeting belongs to nobody: nothing was asked yet.
        while greeting.is_none() {
            if wire.ready(false, deadline)? == Ready::No {
                return Err(ClientError::TimedOut { what: "a new connection", after: timeout });
            }
            wire.read(|body| {
                match ServerMessage::decode(body)? {
                    ServerMessage::Hello(hello) => greeting = Some(hello),
                    ServerMessage::Reply { id: None, answer: Answer::Refused(error) } => {
                        return Err(ClientError::Refused(error));
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        match greeting {
            Some(hello) if hello.protocol == PROTOCOL => Ok(Client {
                wire,
                hello,
                timeout,
                open: Open::default(),
                inbox: Inbox::default(),
                next_id: 1,
                is_over: false,
            }),
            Some(hello) => Err(ClientError::OtherProtocol { daemon: hello.protocol }),
            None => Err(ClientError::Closed),
        }
    }

    /// What the daemon said of itself.
    #[must_use]
    pub fn daemon(&self) -> &Hello {
        &self.hello
    }

    /// How long each call waits from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the daemon's own error, and the others.
    pub fn call<C: Call>(&mut self, call: &C) -> Result<C::Reply, ClientError> {
        let ticket = self.send(call)?;
        self.wait(ticket)
    }

    /// Asks, and waits for nothing but room to write. Replies come in the order of the requests,
    /// but may be waited for in any.
    ///
    /// # Errors
    /// [`ClientError::TooManyOpen`] with nothing sent, and those of the connection.
    pub fn send<C: Call>(&mut self, call: &C) -> Result<Ticket<C::Reply>, ClientError> {
        self.send_encoded(|id| encode_request(id, call))
    }

    /// Asks for an op by name, known to this version or not, with its arguments as they are.
    ///
    /// # Errors
    /// As for [`send`](Client::send).
    pub fn send_raw(&mut self, op: &str, args: &Value) -> Result<Ticket<Value>, ClientError> {
        self.send_encoded(|id| encode_raw_request(id, op, args))
    }

    fn send_encoded<R>(
        &mut self,
        encode: impl FnOnce(u64) -> Result<Vec<u8>, TooLong>,
    ) -> Result<Ticket<R>, ClientError> {
        if self.is_over {
            return Err(ClientError::Closed);
        }
        if self.open.holds_too_much() || self.open.has_too_many() {
            return Err(ClientError::TooManyOpen { requests: self.open.requests.len() });
        }
        let id = self.next_id;
        let message = encode(id)?;
        self.next_id += 1;
        let wanted = Arc::new(());
        self.open.requests.push_back(OpenRequest {
            id,
            wanted: Arc::downgrade(&wanted),
            reply: None,
        });
        let sent = self.write(&message);
        if sent.is_err() {
            self.open.requests.retain(|request| request.id != id);
        }
        sent.map(|()| Ticket { id, _wanted: wanted, reply: PhantomData })
    }

    /// Waits for the reply to a request.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the daemon's own error; [`ClientError::TimedOut`], after which
    /// the connection is still good; [`ClientError::TooManyOpen`] when replies to earlier requests
    /// are in the way that nobody has taken; and the others.
    pub fn wait<R: DeserializeOwned>(&mut self, ticket: Ticket<R>) -> Result<R, ClientError> {
        let deadline = Deadline::within(self.timeout);
        loop {
            if let Some(reply) = self.open.take(ticket.id) {
                return match reply {
                    Reply::Done(bytes) => {
                        let result = Answer::Done(&bytes).result::<R>()?;
                        result.map_err(ClientError::Refused)
                    }
                    Reply::Refused(error) => Err(ClientError::Refused(error)),
                };
            }
            if self.open.holds_too_much() {
                let requests = self.open.requests.len();
                return Err(ClientError::TooManyOpen { requests });
            }
            if !self.receive(deadline)? {
                return Err(ClientError::TimedOut { what: "a request", after: self.timeout });
            }
        }
    }

    /// The next event of the topics that were subscribed to, or none within the time. Events that
    /// came while a reply was waited for are given first.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn next_event(&mut self, within: Duration) -> Result<Option<Event>, ClientError> {
        self.event(Deadline::within(within))
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wire.descriptor()
    }

    pub(crate) fn event(&mut self, deadline: Deadline) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.inbox.pop() {
                return Ok(Some(event));
            }
            if !self.receive(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Waits for something to arrive and sorts it. Says whether anything has.
    fn receive(&mut self, deadline: Deadline) -> Result<bool, ClientError> {
        if self.is_over {
            return Err(ClientError::Closed);
        }
        match self.wire.ready(false, deadline)? {
            Ready::No => Ok(false),
            Ready::ToRead | Ready::ToWrite => self.read().map(|()| true),
        }
    }

    fn read(&mut self) -> Result<(), ClientError> {
        let Client { wire, open, inbox, .. } = self;
        let outcome = wire.read(|body| match ServerMessage::decode(body)? {
            ServerMessage::Reply { id: Some(id), answer } => {
                open.answer(id, answer);
                Ok(())
            }
            // About the connection as a whole; the daemon closes it.
            ServerMessage::Reply { id: None, answer: Answer::Refused(error) } => {
                Err(ClientError::Refused(error))
            }
            ServerMessage::Event(event) => {
                inbox.push(event, body.len());
                Ok(())
            }
            ServerMessage::Reply { .. } | ServerMessage::Hello(_) | ServerMessage::Unknown => {
                Ok(())
            }
        });
        // Whatever it was, the bytes behind it cannot be trusted.
        self.is_over |= outcome.is_err();
        outcome.map(|_| ())
    }

    /// Writes a whole message, and takes what arrives meanwhile.
    fn write(&mut self, message: &[u8]) -> Result<(), ClientError> {
        let deadline = Deadline::within(self.timeout);
        let mut rest = message;
        loop {
            let written = match self.wire.write(rest) {
                Err(error) => return Err(self.farewell(error)),
                Ok(written) => written,
            };
            rest = &rest[written..];
            if rest.is_empty() {
                return Ok(());
            }
            // Half a message may be out already; without its other half nothing can follow it.
            let give_up = |client: &mut Client, why: ClientError| {
                client.is_over |= rest.len() < message.len();
                Err(why)
            };
            match self.wire.ready(true, deadline)? {
                Ready::ToWrite => {}
                // What could not be held is left in the socket.
                Ready::ToRead if self.open.holds_too_much() => {
                    let requests = self.open.requests.len();
                    return give_up(self, ClientError::TooManyOpen { requests });
                }
                Ready::ToRead => self.read()?,
                Ready::No => {
                    let what = "a request";
                    return give_up(self, ClientError::TimedOut { what, after: self.timeout });
                }
            }
        }
    }

    /// The daemon may have said why before it closed.
    fn farewell(&mut self, error: ClientError) -> ClientError {
        while !self.is_over {
            match self.wire.ready(false, Deadline::within(Duration::ZERO)) {
                Ok(Ready::ToRead) => {
                    if let Err(said @ ClientError::Refused(_)) = self.read() {
                        return said;
                    }
                }
                _ => self.is_over = true,
            }
        }
        error
    }
}

impl Open {
    fn holds_too_much(&mut self) -> bool {
        let is_full = |open: &Open| open.held_bytes >= MAX_HELD_BYTES;
        is_full(self) && {
            self.forget_the_unwanted();
            is_full(self)
        }
    }

    fn has_too_many(&mut self) -> bool {
        let is_full = |open: &Open| open.requests.len() >= MAX_OPEN_REQUESTS;
        is_full(self) && {
            self.forget_the_unwanted();
            is_full(self)
        }
    }

    /// Keeps an answer for its ticket, if anybody has that.
    fn answer(&mut self, id: u64, answer: Answer<'_>) {
        let Some(place) = self.requests.iter().position(|request| request.id == id) else { return };
        let request = &mut self.requests[place];
        if request.wanted.strong_count() == 0 || request.reply.is_some() {
            self.requests.remove(place);
            return;
        }
        request.reply = Some(match answer {
            Answer::Done(bytes) => {
                self.held_bytes += bytes.len();
                Reply::Done(bytes.into())
            }
            Answer::Refused(error) => Reply::Refused(error),
        });
    }

    fn take(&mut self, id: u64) -> Option<Reply> {
        let place = self.requests.iter().position(|request| request.id == id)?;
        self.requests[place].reply.as_ref()?;
        let reply = self.requests.remove(place)?.reply?;
        self.held_bytes -= reply.held_bytes();
        Some(reply)
    }

    /// Lets go of replies whose tickets were dropped after they had come.
    fn forget_the_unwanted(&mut self) {
        self.requests.retain(|request| {
            let is_kept = request.reply.is_none() || request.wanted.strong_count() > 0;
            if !is_kept {
                self.held_bytes -= request.reply.as_ref().map_or(0, Reply::held_bytes);
            }
            is_kept
        });
    }
}

impl Reply {
    fn held_bytes(&self) -> usize {
        match self {
            Reply::Done(bytes) => bytes.len(),
            Reply::Refused(_) => 0,
        }
    }
}
