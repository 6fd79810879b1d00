//! A latency as PipeWire passes it along, from a POD and into one.

use pipewire::spa::param::ParamType;
use pipewire::spa::pod::{Object, Pod, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::Id;

use super::{PodBytes, object};

const LATENCY: u32 = sys::SPA_TYPE_OBJECT_ParamLatency;

/// A latency as PipeWire passes it along: quanta, frames and nanoseconds, smallest and largest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::graph) struct Latency {
    pub(in crate::graph) quanta: [f32; 2],
    pub(in crate::graph) frames: [i32; 2],
    pub(in crate::graph) nanoseconds: [i64; 2],
}

impl Latency {
    /// This latency with the frames of a processor on top.
    pub(in crate::graph) fn plus_frames(mut self, frames: u32) -> Latency {
        for end in &mut self.frames {
            *end = end.saturating_add_unsigned(frames);
        }
        self
    }
}

/// Which way a latency is passed along: from the app or from the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) enum LatencyOf {
    /// What lies before: it travels with the sound.
    Upstream,
    /// What lies behind: it travels against the sound.
    Downstream,
}

/// A Latency parameter.
pub(in crate::graph) fn latency(of: LatencyOf, latency: Latency) -> PodBytes {
    let direction = match of {
        LatencyOf::Downstream => sys::SPA_DIRECTION_INPUT,
        LatencyOf::Upstream => sys::SPA_DIRECTION_OUTPUT,
    };
    let property = Property::new;
    PodBytes::of(Object {
        type_: LATENCY,
        id: ParamType::Latency.as_raw(),
        properties: vec![
            property(sys::SPA_PARAM_LATENCY_direction, Value::Id(Id(direction))),
            property(sys::SPA_PARAM_LATENCY_minQuantum, Value::Float(latency.quanta[0])),
            property(sys::SPA_PARAM_LATENCY_maxQuantum, Value::Float(latency.quanta[1])),
            property(sys::SPA_PARAM_LATENCY_minRate, Value::Int(latency.frames[0])),
            property(sys::SPA_PARAM_LATENCY_maxRate, Value::Int(latency.frames[1])),
            property(sys::SPA_PARAM_LATENCY_minNs, Value::Long(latency.nanoseconds[0])),
            property(sys::SPA_PARAM_LATENCY_maxNs, Value::Long(latency.nanoseconds[1])),
        ],
    })
}

/// The latency in a Latency parameter, and what it is a latency of.
pub(in crate::graph) fn read_latency(pod: &Pod) -> Option<(LatencyOf, Latency)> {
    let object = object(pod, LATENCY)?;
    let mut of = None;
    let mut latency = Latency::default();
    for property in &object.properties {
        match (property.key, &property.value) {
            (sys::SPA_PARAM_LATENCY_direction, Value::Id(Id(direction))) => {
                of = Some(if *direction == sys::SPA_DIRECTION_INPUT {
                    LatencyOf::Downstream
                } else {
                    LatencyOf::Upstream
                });
            }
            (sys::SPA_PARAM_LATENCY_minQuantum, Value::Float(v)) => latency.quanta[0] = *v,
            (sys::SPA_PARAM_LATENCY_maxQuantum, Value::Float(v)) => latency.quanta[1] = *v,
            (sys::SPA_PARAM_LATENCY_minRate, Value::Int(v)) => latency.frames[0] = *v,
            (sys::SPA_PARAM_LATENCY_maxRate, Value::Int(v)) => latency.frames[1] = *v,
            (sys::SPA_PARAM_LATENCY_minNs, Value::Long(v)) => latency.nanoseconds[0] = *v,
            (sys::SPA_PARAM_LATENCY_maxNs, Value::Long(v)) => latency.nanoseconds[1] = *v,
            _ => {}
        }
    }
    Some((of?, latency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_that_is_sent_is_the_latency_that_is_read() {
        let sent = Latency { quanta: [0.5, 1.0], frames: [96, 112], nanoseconds: [1, 2] };
        let bytes = latency(LatencyOf::Downstream, sent);
        let read = read_latency(bytes.pod().expect("a pod"));
        assert_eq!(read, Some((LatencyOf::Downstream, sent)));
        assert_eq!(sent.plus_frames(16).frames, [112, 128]);
    }
}
