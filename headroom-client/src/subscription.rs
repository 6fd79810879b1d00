//! Events without end: connects again by itself, and makes up for what was lost.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use headroom_ipc::{Address, Applied, Event, Hello, Mirror, Snapshot, Subscribe, Topic};

use crate::backoff::Backoff;
use crate::deadline::Deadline;
use crate::{Client, ClientError, DEFAULT_TIMEOUT};

/// An iterator of [`Update`]s that never ends by itself, and a [`Mirror`] of the daemon's state
/// that is at least as new as the last of them.
///
/// ```no_run
/// use headroom_client::ipc::Topic;
/// use headroom_client::{Subscription, Update, daemon_address};
///
/// let mut subscription = Subscription::to(&daemon_address()?, &[Topic::Setting]);
/// while let Some(update) = subscription.next() {
///     match update {
///         Update::Disconnected(why) => println!("{why}"),
///         _ => println!("{:?}", subscription.mirror().setting.as_ref().map(|s| s.state.bypass)),
///     }
/// }
/// # Ok::<(), headroom_client::ClientError>(())
/// ```
///
/// It does not connect before the first [`next`](Iterator::next), and the daemon need not run
/// then. When the daemon goes, it says so once and tries again with growing pauses, of 3 s at
/// most. When events of a topic of state were lost, it takes a snapshot before it goes on.
#[derive(Debug)]
pub struct Subscription {
    address: Address,
    request: Subscribe,
    timeout: Duration,
    link: Link,
    mirror: Mirror,
    run_id: Option<String>,
    backoff: Backoff,
}

/// What a [`Subscription`] has to say.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, and nearly all are events")]
pub enum Update {
    /// It is connected, and the mirror is the state of now.
    Connected {
        /// The daemon.
        hello: Hello,
        /// Whether the daemon was connected before and is another run now, so that all that was
        /// known is stale.
        is_restarted: bool,
    },
    /// This has changed, and the mirror has it. An `overflow` is here too.
    Event(Event),
    /// Events of these topics were lost; the mirror has their state of now.
    Resynchronised(Vec<Topic>),
    /// There is no daemon to listen to just now, and why. Until the next `Connected` the mirror
    /// is the state as it was.
    Disconnected(ClientError),
}

#[derive(Debug)]
enum Link {
    Up {
        client: Box<Client>,
        since: Instant,
        stale: Vec<Topic>,
    },
    /// Not connected; the next attempt is then.
    Down {
        retry_at: Instant,
        is_told: bool,
    },
}

impl Subscription {
    /// Listens to these topics.
    #[must_use]
    pub fn to(address: &Address, topics: &[Topic]) -> Subscription {
        Subscription {
            address: address.clone(),
            request: Subscribe { topics: topics.to_vec(), snapshot: true, max_hz: None },
            timeout: DEFAULT_TIMEOUT,
            link: Link::Down { retry_at: Instant::now(), is_told: false },
            mirror: Mirror::default(),
            run_id: None,
            backoff: Backoff::new(),
        }
    }

    /// Takes meters so often at most.
    #[must_use]
    pub fn with_max_hz(mut self, max_hz: f32) -> Subscription {
        self.request.max_hz = Some(max_hz);
        self
    }

    /// Gives the daemon so long to answer, instead of [`DEFAULT_TIMEOUT`].
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Subscription {
        self.timeout = timeout;
        self
    }

    /// The state of the topics, as far as it is known.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Whether there is a connection just now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    /// The next update, or none within the time. An attempt to connect that has begun, or a
    /// snapshot, may take longer than that by the time limit of a call.
    pub fn next_within(&mut self, time: Duration) -> Option<Update> {
        self.advance(Deadline::within(time))
    }

    /// For an event loop: readable when there may be an update; nothing while there is no
    /// connection, as then it is time that matters ([`retry_after`](Subscription::retry_after)).
    ///
    /// Take updates with [`next_within`](Subscription::next_within) and no time at all until there
    /// are none, and only then wait for the descriptor: what was read already waits in memory.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.link {
            Link::Up { client, .. } => Some(client.descriptor()),
            Link::Down { .. } => None,
        }
    }

    /// For an event loop: how long until it tries to connect, at the next
    /// [`next_within`](Subscription::next_within); nothing while it is connected.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.link {
            Link::Up { .. } => None,
            Link::Down { retry_at, .. } => Some(retry_at.saturating_duration_since(Instant::now())),
        }
    }

    fn advance(&mut self, deadline: Deadline) -> Option<Update> {
        loop {
            let step = match &mut self.link {
                Link::Down { retry_at, is_told } => {
                    let (pause, is_told) =
                        (retry_at.saturating_duration_since(Instant::now()), *is_told);
                    if deadline.left().is_some_and(|left| left < pause) {
                        thread::sleep(deadline.left().unwrap_or_default());
                        return None;
                    }
                    thread::sleep(pause);
                    match self.connect() {
                        Ok(update) => Ok(Some(update)),
                        // Told once, until it has been connected again.
                        Err(_) if is_told => {
                            self.lose(None);
                            continue;
                        }
                        Err(why) => Err(why),
                    }
                }
                Link::Up { client, stale, .. } if !stale.is_empty() => {
                    let topics = std::mem::take(stale);
                    client.call(&Snapshot { topics: Some(topics.clone()) }).map(|snapshot| {
                        self.mirror.merge(snapshot);
                        Some(Update::Resynchronised(topics))
                    })
                }
                Link::Up { client, .. } => client.event(deadline).map(|event| {
                    event.map(|event| {
                        self.take(&event);
                        Update::Event(event)
                    })
                }),
            };
            match step {
                Ok(update) => return update,
                Err(why) => {
                    let lasted = match &self.link {
                        Link::Up { since, .. } => Some(since.elapsed()),
                        Link::Down { .. } => None,
                    };
                    self.lose(lasted);
                    return Some(Update::Disconnected(why));
                }
            }
        }
    }

    fn connect(&mut self) -> Result<Update, ClientError> {
        let mut client = Client::connect_within(&self.address, self.timeout)?;
        let subscribed = client.call(&self.request)?;
        self.mirror = subscribed.snapshot.unwrap_or_default();
        let hello = client.daemon().clone();
        let known = self.run_id.replace(hello.run_id.clone());
        let is_restarted = known.is_some_and(|run_id| run_id != hello.run_id);
        self.link = Link::Up { client: Box::new(client), since: Instant::now(), stale: Vec::new() };
        Ok(Update::Connected { hello, is_restarted })
    }

    fn lose(&mut self, lasted: Option<Duration>) {
        let retry_at = Instant::now() + self.backoff.wait_after(lasted);
        self.link = Link::Down { retry_at, is_told: true };
    }

    /// Applies an event, and notes what is stale after it.
    fn take(&mut self, event: &Event) {
        let lost = match self.mirror.apply(event) {
            Applied::Lost(overflow) => Some(overflow.topic)
                .filter(|topic| topic.is_state() && self.request.topics.contains(topic)),
            Applied::Gap { topic, .. } => Some(topic),
            Applied::Changed | Applied::Stale | Applied::Untracked | Applied::Skipped => None,
        };
        if let (Some(topic), Link::Up { stale, .. }) = (lost, &mut self.link)
            && !stale.contains(&topic)
        {
            stale.push(topic);
        }
    }
}

impl Iterator for Subscription {
    type Item = Update;

    /// The next update, however long that takes.
    fn next(&mut self) -> Option<Update> {
        self.advance(Deadline::NEVER)
    }
}
