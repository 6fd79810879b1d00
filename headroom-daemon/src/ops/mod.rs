//! What each op does: one file per family, named as the op is on the wire.
//!
//! The engine calls [`answer`] under the lock of the state. An op checks what only the state can
//! tell (the form of the arguments has been checked already), changes the model, adds what has
//! changed and what the graph is to do to the effects, and gives its result. Nothing here does
//! I/O or knows a socket.

pub(crate) mod ask;
pub(crate) mod bypass;
pub(crate) mod device;
pub(crate) mod profile;
pub(crate) mod promote;
pub(crate) mod route;
pub(crate) mod setting;
pub(crate) mod sink;
pub(crate) mod stream;
pub(crate) mod topic;
pub(crate) mod why;

use std::time::Instant;

use headroom_ipc::{Code, Description, Error, Op, Pong, ServerFrame};
use serde::Serialize;

use crate::state::{DaemonState, Effects, Model, SeatId};

/// What an op may need to know beside the state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// Who asks.
    pub(crate) seat: SeatId,
    /// When.
    pub(crate) now: Instant,
}

/// The reply to a request that needs no state, so that nobody waits for the lock on its account.
pub(crate) fn answer_without_state(id: Option<u64>, op: &Op) -> Option<ServerFrame> {
    match op {
        Op::Ping(_) => Some(ServerFrame::reply(id, &Pong {})),
        Op::Describe(_) => Some(ServerFrame::reply(id, &Description::of_protocol())),
        _ => None,
    }
}

/// Does a request. Gives its reply, or nothing if there is no room yet for what has to be said
/// before it; then nothing has been done.
pub(crate) fn answer(
    state: &mut DaemonState,
    context: &Context,
    id: Option<u64>,
    op: &Op,
    effects: &mut Effects,
) -> Option<ServerFrame> {
    let model = &mut state.model;
    Some(match op {
        Op::HelloCall(call) => reply(id, Ok(ask::hello(model, call))),
        Op::StatusCall(_) => reply(id, Ok(ask::status(model, context.now))),
        Op::StreamList(_) => reply(id, stream::list(model)),
        Op::SinkList(_) => reply(id, sink::list(model)),
        Op::SinkUse(call) => reply(id, sink::use_it(model, call, effects)),
        Op::ProfileList(_) => reply(id, Ok(model.profile_state())),
        Op::ProfileUse(call) => reply(id, profile::use_it(model, call, effects)),
        Op::ProfileShow(call) => reply(id, profile::show(model, call)),
        Op::DeviceList(_) => reply(id, Ok(device::list(model))),
        Op::DeviceSet(call) => reply(id, device::set(model, call, effects)),
        Op::DeviceUnset(call) => reply(id, device::unset(model, call, effects)),
        Op::RouteList(_) => reply(id, Ok(&model.routing().rules)),
        Op::RouteSet(call) => reply(id, route::set(model, call, effects)),
        Op::RouteUnset(call) => reply(id, route::unset(model, call, effects)),
        Op::RouteStream(call) => reply(id, route::stream(model, call, effects)),
        Op::WhyCall(call) => reply(id, why::why(model, call)),
        Op::SettingGet(call) => reply(id, setting::get(model, call)),
        Op::SettingList(call) => reply(id, setting::list(model, call)),
        Op::SettingSet(call) => reply(id, setting::set(model, call, effects)),
        Op::SettingClear(call) => reply(id, setting::clear(model, call, effects)),
        Op::SettingReset(call) => reply(id, setting::reset(model, call, effects)),
        Op::BypassSet(call) => reply(id, Ok(bypass::set(model, call, effects))),
        Op::PromoteSet(call) => reply(id, promote::set(model, call, effects)),
        Op::Subscribe(call) => reply(id, Ok(topic::subscribe(state, context, call))),
        Op::Unsubscribe(call) => reply(id, Ok(topic::unsubscribe(state, context, call)?)),
        Op::Snapshot(call) => reply(id, Ok(topic::snapshot(model, call))),
        // Answered before the lock was taken; here for completeness.
        Op::Ping(_) | Op::Describe(_) => return answer_without_state(id, op),
        // The engine reads the files first and comes with what it found.
        Op::ProfileReload(_) => reply(id, Ok(model.profile_state())),
    })
}

/// The error for a request that comes after the end.
pub(crate) fn stopping() -> Error {
    Error::new(Code::Unavailable, "headroomd is stopping: connect again when it runs")
}

/// Without PipeWire there are no streams and no sinks that one could know of.
fn need_pipewire(model: &Model) -> Result<(), Error> {
    if model.daemon().graph.pipewire_connected {
        return Ok(());
    }
    let text = "PipeWire is not connected: headroomd waits for it (is it running for this user?)";
    Err(Error::new(Code::Unavailable, text))
}

fn reply<R: Serialize>(id: Option<u64>, result: Result<R, Error>) -> ServerFrame {
    match result {
        Ok(result) => ServerFrame::reply(id, &result),
        Err(error) => ServerFrame::error(id, &error),
    }
}
