//! What a stream needs to get to where it is to go.

use crate::graph::model::Model;
use crate::graph::said::Wanted;
use crate::graph::{Destination, InsertId, is_ours};

/// Value for no sink in particular.
const NOWHERE: &str = "-1";

/// What must be known of the graph to send a stream somewhere.
#[derive(Debug, Clone, Copy)]
pub(in crate::graph) struct Around<'g> {
    /// Every sink that there is.
    pub(in crate::graph) model: &'g Model,
    /// The default sink.
    pub(in crate::graph) default_sink: Option<&'g str>,
    /// The filter that WirePlumber has in front of the default sink, whichever that is.
    pub(in crate::graph) filter: Option<&'g str>,
    /// The device sink that is heard.
    pub(in crate::graph) device: Option<&'g str>,
}

impl<'g> Around<'g> {
    /// Where a stream goes that nobody wants anywhere.
    pub(super) fn usual_sink(&self) -> Option<&'g str> {
        self.default_sink.map(|default| self.filter.unwrap_or(default))
    }
}

/// What a stream needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) enum Course<'g> {
    /// Nothing of ours: it goes there by itself, or where others want it.
    ByItself,
    /// To be sent to the sink of this name.
    To(&'g str),
    /// There is nowhere to send it yet.
    Wait,
}

/// Whether others want a stream at another sink than the one that it would be heard from anyway.
pub(in crate::graph) fn is_chosen(wanted: Option<&str>, around: Around<'_>) -> bool {
    wanted.is_some() && wanted != around.device && wanted != around.default_sink
}

/// What a stream that others want at this sink needs, to go there.
pub(super) fn course<'g>(
    to: Destination,
    wanted: Option<&str>,
    channels: Option<u32>,
    around: Around<'g>,
) -> Course<'g> {
    // Where it goes while we say nothing.
    let Some(by_itself) = wanted.or(around.usual_sink()) else { return Course::Wait };
    let insert = match to {
        Destination::Bus => bus(channels, around.model),
        Destination::Master => InsertId::Master,
        Destination::Device if !is_ours(by_itself) => return Course::ByItself,
        Destination::Device => return around.device.map_or(Course::Wait, Course::To),
    };
    let name = insert.node_name();
    match around.model.sink_named(name) {
        Some(_) => Course::To(name),
        None if by_itself == name => Course::ByItself,
        None => Course::Wait,
    }
}

/// The bus for a stream of so many channels.
fn bus(channels: Option<u32>, model: &Model) -> InsertId {
    let is_wide = channels.is_none_or(|channels| channels > 2);
    match model.sink_named(InsertId::Stereo.node_name()) {
        Some(_) if !is_wide => InsertId::Stereo,
        _ => InsertId::Main,
    }
}

/// The sink that [`OBJECT`](super::OBJECT) says, if it is there.
pub(in crate::graph) fn sink_said<'g>(value: &str, model: &'g Model) -> Option<&'g str> {
    wanted_sink(&Wanted { object: Some(value.to_owned()), node: None }, model)
}

/// The sink that is meant, if it is there.
pub(super) fn wanted_sink<'g>(wanted: &Wanted, model: &'g Model) -> Option<&'g str> {
    let Wanted { object, node } = wanted;
    let (value, is_serial) = match (object, node) {
        (Some(object), _) => (object, true),
        (None, Some(node)) => (node, false),
        (None, None) => return None,
    };
    if value == NOWHERE {
        return None;
    }
    let number: Option<u64> = value.parse().ok();
    let mut sinks = model.sinks();
    let found = sinks.find(|(id, node)| match number {
        Some(number) if is_serial => node.serial == number,
        Some(number) => u64::from(*id) == number,
        None => node.name == *value,
    });
    found.map(|(_, node)| node.name.as_str())
}
