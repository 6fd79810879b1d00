//! Commands to hr-graph: a bounded queue, and a doorbell that ends its sleep.
//!
//! Settings of the chain are one whole value of which the newest counts, and so is where streams
//! are to go. Each waits in a place of its own: however fast they change, they never fill the queue.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use headroom_dsp::ChainParams;
use parking_lot::Mutex;

use super::{Aims, GraphCommand, SinkWish};

/// The most commands that wait, beside whole values; hr-graph takes them all whenever it wakes.
const QUEUE: usize = 8;

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Too many commands are waiting.
    #[error("{QUEUE} commands are waiting for the graph already")]
    Full,
    /// hr-graph has ended.
    #[error("the graph thread has ended")]
    Ended,
}

/// What of each whole value is the newest, until hr-graph takes it.
#[derive(Debug, Default)]
struct Newest {
    params: Mutex<Option<ChainParams>>,
    aims: Mutex<Option<Arc<Aims>>>,
    sinks: Mutex<Option<SinkWish>>,
}

/// Sends commands to hr-graph, from any thread.
#[derive(Debug, Clone)]
pub struct Commands {
    queue: Sender<GraphCommand>,
    newest: Arc<Newest>,
    bell: Arc<UnixStream>,
}

/// hr-graph's end.
#[derive(Debug)]
pub(super) struct Mailbox {
    queue: Receiver<GraphCommand>,
    newest: Arc<Newest>,
    bell: UnixStream,
}

pub(super) fn mailbox() -> std::io::Result<(Commands, Mailbox)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    let (sender, receiver) = bounded(QUEUE);
    let newest = Arc::default();
    Ok((
        Commands { queue: sender, newest: Arc::clone(&newest), bell: Arc::new(ours) },
        Mailbox { queue: receiver, newest, bell: theirs },
    ))
}

impl Commands {
    /// Queues a command and wakes hr-graph. Never blocks.
    ///
    /// # Errors
    /// [`CommandError`] when the queue is full or hr-graph has ended.
    pub fn send(&self, command: GraphCommand) -> Result<(), CommandError> {
        self.queue(command)?;
        self.ring();
        Ok(())
    }

    /// Queues a command, for which [`Commands::ring`] must follow. Makes no system call, so that
    /// it can be done under a lock.
    ///
    /// # Errors
    /// [`CommandError`] when the queue is full or hr-graph has ended.
    pub fn queue(&self, command: GraphCommand) -> Result<(), CommandError> {
        match command {
            GraphCommand::SetParams(params) => *self.newest.params.lock() = Some(params),
            GraphCommand::Route(aims) => *self.newest.aims.lock() = Some(aims),
            GraphCommand::Sinks(wish) => *self.newest.sinks.lock() = Some(wish),
            GraphCommand::Stop => {
                self.queue.try_send(command).map_err(|error| {
                    if error.is_full() { CommandError::Full } else { CommandError::Ended }
                })?;
            }
        }
        Ok(())
    }

    /// Wakes hr-graph. Never blocks.
    pub fn ring(&self) {
        // A bell that is full is ringing already.
        let _ = (&*self.bell).write(&[1]);
    }
}

impl Mailbox {
    /// What hr-graph sleeps on.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Takes one command, if there is one. The bell is silenced first, so that a command
    /// that comes later rings it anew.
    pub(super) fn take(&self) -> Option<GraphCommand> {
        let mut rung = [0; 64];
        while matches!((&self.bell).read(&mut rung), Ok(n) if n == rung.len()) {}
        let params = || self.newest.params.lock().take().map(GraphCommand::SetParams);
        let aims = || self.newest.aims.lock().take().map(GraphCommand::Route);
        let sinks = || self.newest.sinks.lock().take().map(GraphCommand::Sinks);
        self.queue.try_recv().ok().or_else(params).or_else(aims).or_else(sinks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_dsp::BusParams;

    #[test]
    fn commands_arrive_in_order_and_a_full_queue_says_so() {
        let (commands, mailbox) = mailbox().expect("a mailbox");
        for _ in 0..QUEUE {
            commands.send(GraphCommand::Stop).expect("room");
        }
        assert_eq!(commands.send(GraphCommand::Stop), Err(CommandError::Full));
        let mut taken = 0;
        while mailbox.take().is_some() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE);
        let newest = ChainParams {
            bus: BusParams { bypass: true, ..Default::default() },
            ..Default::default()
        };
        for params in [ChainParams::default(), newest] {
            commands.send(GraphCommand::SetParams(params)).expect("there is always room");
        }
        let Some(GraphCommand::SetParams(params)) = mailbox.take() else { panic!("not there") };
        assert_eq!(params, newest, "the newest counts");
        for session in [1, 2] {
            let aims = Aims { session, ..Aims::default() };
            commands.send(GraphCommand::Route(Arc::new(aims))).expect("there is always room");
        }
        let Some(GraphCommand::Route(aims)) = mailbox.take() else { panic!("not there") };
        assert_eq!(aims.session, 2, "the newest counts");
        assert!(mailbox.take().is_none());
        drop(mailbox);
        assert_eq!(commands.send(GraphCommand::Stop), Err(CommandError::Ended));
    }
}
