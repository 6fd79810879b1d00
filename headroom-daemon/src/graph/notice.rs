//! What PipeWire's callbacks have to say, put in a queue.
//!
//! A callback never acts: PipeWire may be in the middle of the very object that the action
//! would destroy. It leaves a notice, and hr-graph handles the notices in order when the
//! loop's iteration is over.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::model::Global;
use super::pods::{Latency, LatencyOf, NodeVolume, RouteId, VolumeReport};
use super::said::{Facts, NodeNews};
use super::{InsertId, Port};

/// One thing that has happened.
#[derive(Debug)]
pub(super) enum Notice {
    /// The connection stands; what PipeWire is and the rate its clock starts with.
    Core { version: String, rate_hz: Option<u32> },
    /// Everything asked for before the sync of this number has been answered.
    Done(i32),
    /// PipeWire has done everything that was asked before this question on the connection of the
    /// inserts.
    InsertsDone(i32),
    /// The connection is broken.
    Lost,
    /// An object is there.
    Added(u32, Global),
    /// An object has gone.
    Removed(u32),
    /// A value in the `default` metadata.
    Metadata { subject: u32, key: Option<String>, value: Option<String> },
    /// A stream or a sink says what it is and whether it runs.
    NodeSays(u32, NodeNews),
    /// A sink reports its volume.
    NodeVolume(u32, NodeVolume),
    /// A stream says how many channels its app has.
    NodeChannels(u32, u32),
    /// The client of a stream says what app it is.
    ClientSays(u32, Facts),
    /// The device sink reports its volume.
    DeviceVolume(VolumeReport),
    /// The device sink says which device of its sound card it is.
    DeviceIsOfCard { card: u32, device: i32 },
    /// Something about the sound card has changed, perhaps its active routes.
    CardChanged,
    /// The sound card reports an active route.
    Route(RouteId, Option<Port>),
    /// Something about one of our streams.
    Stream(InsertId, Side, StreamNotice),
}

/// Which of an insert's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Capture,
    Playback,
}

#[derive(Debug)]
pub(super) enum StreamNotice {
    Paused,
    Streaming,
    Failed(String),
    Format,
    Volume(VolumeReport),
    Latency(LatencyOf, Latency),
}

/// The queue of notices of hr-graph.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices(Rc<RefCell<VecDeque<Notice>>>);

impl Notices {
    pub(super) fn push(&self, notice: Notice) {
        self.0.borrow_mut().push_back(notice);
    }

    pub(super) fn pop(&self) -> Option<Notice> {
        self.0.borrow_mut().pop_front()
    }
}
