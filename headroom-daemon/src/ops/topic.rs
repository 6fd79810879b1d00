//! `subscribe`, `unsubscribe` and `snapshot`: the state of topics, and who is told of changes.

use headroom_ipc::{
    Mirror, Snapshot, Subscribe, Subscribed, Topic, TopicSeq, Unsubscribe, Unsubscribed,
};

use super::Context;
use crate::state::{DaemonState, Model};

/// The state, its number and the subscription are one step: what comes after is `seq + 1`.
pub(crate) fn subscribe(
    state: &mut DaemonState,
    context: &Context,
    call: &Subscribe,
) -> Subscribed {
    state.subscribe(context.seat, &call.topics, call.max_hz);
    let mirror = state.model.mirror();
    let seq = |topic: &Topic| TopicSeq { topic: *topic, seq: mirror.seq(*topic).unwrap_or(0) };
    Subscribed {
        topics: call.topics.iter().map(seq).collect(),
        snapshot: call.snapshot.then(|| mirror.replicate(&call.topics)),
    }
}

/// Gives nothing while there is no room to say first what was lost.
pub(crate) fn unsubscribe(
    state: &mut DaemonState,
    context: &Context,
    call: &Unsubscribe,
) -> Option<Unsubscribed> {
    let topics = call.topics.as_deref().unwrap_or(Topic::ALL);
    state.unsubscribe(context.seat, topics).map(|topics| Unsubscribed { topics })
}

pub(crate) fn snapshot(model: &Model, call: &Snapshot) -> Mirror {
    model.mirror().replicate(call.topics.as_deref().unwrap_or(Topic::ALL))
}
