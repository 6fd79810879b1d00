//! Parameters of PipeWire objects as plain values, and back.
//!
//! PipeWire passes parameters as PODs. Only what the inserts need is read, and whatever
//! cannot be read is nothing: another program's parameters are never an error of ours.

use std::io::Cursor;

use headroom_dsp::MAX_CHANNELS;
use pipewire::spa::param::ParamType;
use pipewire::spa::param::audio::{AudioFormat, AudioInfoRaw};
use pipewire::spa::pod::deserialize::PodDeserializer;
use pipewire::spa::pod::serialize::PodSerializer;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value, ValueArray};
use pipewire::spa::sys;
use pipewire::spa::utils::{Choice, ChoiceEnum, Id};

use super::Port;
use super::said::capped;
use crate::audio::Volume;

const PROPS: u32 = sys::SPA_TYPE_OBJECT_Props;
const ROUTE: u32 = sys::SPA_TYPE_OBJECT_ParamRoute;
/// Key of the kind of a jack, in the info of its route.
const PORT_TYPE: &str = "port.type";
const LATENCY: u32 = sys::SPA_TYPE_OBJECT_ParamLatency;

/// The bytes of a POD that was made here.
pub(super) struct PodBytes(Vec<u8>);

impl PodBytes {
    pub(super) fn pod(&self) -> Option<&Pod> {
        Pod::from_bytes(&self.0)
    }

    fn of(object: Object) -> PodBytes {
        let made = PodSerializer::serialize(Cursor::new(Vec::new()), &Value::Object(object));
        PodBytes(made.map(|(cursor, _)| cursor.into_inner()).unwrap_or_default())
    }
}

/// A volume as it is reported: only what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct VolumeReport {
    /// Linear gains, and how many of them there are.
    pub(super) channels: Option<([f32; MAX_CHANNELS], usize)>,
    pub(super) muted: Option<bool>,
}

impl VolumeReport {
    /// The volume after this report.
    pub(super) fn on(self, volume: Volume) -> Volume {
        let mut volume = volume;
        if let Some((channels, count)) = self.channels {
            volume.channels[..count].copy_from_slice(&channels[..count]);
        }
        if let Some(muted) = self.muted {
            volume.muted = muted;
        }
        volume
    }

    pub(super) fn is_empty(self) -> bool {
        self.channels.is_none() && self.muted.is_none()
    }
}

/// A latency as PipeWire passes it along: quanta, frames and nanoseconds, smallest and largest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Latency {
    pub(super) quanta: [f32; 2],
    pub(super) frames: [i32; 2],
    pub(super) nanoseconds: [i64; 2],
}

impl Latency {
    /// This latency with the frames of a processor on top.
    pub(super) fn plus_frames(mut self, frames: u32) -> Latency {
        for end in &mut self.frames {
            *end = end.saturating_add_unsigned(frames);
        }
        self
    }
}

/// Which way a latency is passed along: from the app or from the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LatencyOf {
    /// What lies before: it travels with the sound.
    Upstream,
    /// What lies behind: it travels against the sound.
    Downstream,
}

/// The object in a POD, if it is of this type.
fn object(pod: &Pod, type_: u32) -> Option<Object> {
    match PodDeserializer::deserialize_from::<Value>(pod.as_bytes()) {
        Ok((_, Value::Object(object))) if object.type_ == type_ => Some(object),
        _ => None,
    }
}

/// The rate in a Format parameter, in Hz.
pub(super) fn read_rate(pod: &Pod) -> Option<u32> {
    let format = object(pod, sys::SPA_TYPE_OBJECT_Format)?;
    let rate = format.properties.iter().find(|p| p.key == sys::SPA_FORMAT_AUDIO_rate)?;
    match rate.value {
        Value::Int(rate_hz) => u32::try_from(rate_hz).ok().filter(|rate_hz| *rate_hz > 0),
        _ => None,
    }
}

/// The volume in a Props parameter.
pub(super) fn read_volume(pod: &Pod) -> VolumeReport {
    object(pod, PROPS).map(|object| volume_of(&object.properties)).unwrap_or_default()
}

fn volume_of(properties: &[Property]) -> VolumeReport {
    let mut report = VolumeReport::default();
    for property in properties {
        match (property.key, &property.value) {
            (sys::SPA_PROP_channelVolumes, Value::ValueArray(ValueArray::Float(list))) => {
                let mut channels = [1.0; MAX_CHANNELS];
                let count = list.len().min(MAX_CHANNELS);
                channels[..count].copy_from_slice(&list[..count]);
                if count > 0 {
                    report.channels = Some((channels, count));
                }
            }
            (sys::SPA_PROP_mute, Value::Bool(muted)) => report.muted = Some(*muted),
            _ => {}
        }
    }
    report
}

/// The volume of any sink as it is reported: only what has changed, of as many channels as it has.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct NodeVolume {
    /// Linear gains.
    pub(super) channels: Option<Vec<f32>>,
    pub(super) muted: Option<bool>,
}

/// The volume in a Props parameter, of at most so many channels.
pub(super) fn read_node_volume(pod: &Pod, most_channels: usize) -> NodeVolume {
    let mut volume = NodeVolume::default();
    for property in object(pod, PROPS).into_iter().flat_map(|object| object.properties) {
        match (property.key, property.value) {
            (sys::SPA_PROP_channelVolumes, Value::ValueArray(ValueArray::Float(list))) => {
                volume.channels = Some(list.into_iter().take(most_channels).collect());
            }
            (sys::SPA_PROP_mute, Value::Bool(muted)) => volume.muted = Some(muted),
            _ => {}
        }
    }
    volume
}

/// How many channels a Format or EnumFormat parameter is about: the app's own, whatever ports
/// PipeWire makes for them.
pub(super) fn read_channels(pod: &Pod) -> Option<u32> {
    let object = object(pod, sys::SPA_TYPE_OBJECT_Format)?;
    let channels =
        object.properties.into_iter().find(|p| p.key == sys::SPA_FORMAT_AUDIO_channels)?;
    let count = match channels.value {
        Value::Int(count) => count,
        Value::Choice(ChoiceValue::Int(Choice(_, choice))) => match choice {
            ChoiceEnum::None(count)
            | ChoiceEnum::Range { default: count, .. }
            | ChoiceEnum::Step { default: count, .. }
            | ChoiceEnum::Enum { default: count, .. }
            | ChoiceEnum::Flags { default: count, .. } => count,
        },
        _ => return None,
    };
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// A Props parameter that sets a volume on `channels` channels.
pub(super) fn volume(volume: &Volume, channels: usize) -> PodBytes {
    PodBytes::of(Object {
        type_: PROPS,
        id: ParamType::Props.as_raw(),
        properties: volume_properties(volume, channels),
    })
}

fn volume_properties(volume: &Volume, channels: usize) -> Vec<Property> {
    let gains = volume.channels[..channels.min(MAX_CHANNELS)].to_vec();
    vec![
        Property::new(sys::SPA_PROP_mute, Value::Bool(volume.muted)),
        Property::new(sys::SPA_PROP_channelVolumes, Value::ValueArray(ValueArray::Float(gains))),
    ]
}

/// A route of a sound card: the way from one of its devices to a jack, and its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RouteId {
    pub(super) index: i32,
    /// Which of the card's devices it serves (`card.profile.device` of the node).
    pub(super) device: i32,
}

/// What a Route parameter says of the jack that its route ends at.
pub(super) fn read_port(pod: &Pod) -> Option<Port> {
    let object = object(pod, ROUTE)?;
    let value = |key| {
        object.properties.iter().find(|property| property.key == key).map(|found| &found.value)
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) if !text.is_empty() => Some(capped(text)),
        _ => None,
    };
    // A number of pairs of a key and a value, and then the pairs.
    let kind = match value(sys::SPA_PARAM_ROUTE_info) {
        Some(Value::Struct(info)) => info
            .get(1..)
            .unwrap_or_default()
            .chunks_exact(2)
            .find(|pair| matches!(&pair[0], Value::String(key) if key == PORT_TYPE))
            .and_then(|pair| text(pair.get(1))),
        _ => None,
    };
    Some(Port {
        name: text(value(sys::SPA_PARAM_ROUTE_name))?,
        description: text(value(sys::SPA_PARAM_ROUTE_description)),
        kind,
    })
}

/// The active route in a Route parameter.
pub(super) fn read_route(pod: &Pod) -> Option<RouteId> {
    let object = object(pod, ROUTE)?;
    let int = |key| {
        object.properties.iter().find(|property| property.key == key).and_then(|property| {
            match property.value {
                Value::Int(value) => Some(value),
                _ => None,
            }
        })
    };
    Some(RouteId {
        index: int(sys::SPA_PARAM_ROUTE_index)?,
        device: int(sys::SPA_PARAM_ROUTE_device)?,
    })
}

/// A Route parameter that sets the volume of a sound card's route, to be kept.
pub(super) fn route_volume(route: RouteId, volume: &Volume, channels: usize) -> PodBytes {
    let props = Object {
        type_: PROPS,
        id: ParamType::Route.as_raw(),
        properties: volume_properties(volume, channels),
    };
    PodBytes::of(Object {
        type_: ROUTE,
        id: ParamType::Route.as_raw(),
        properties: vec![
            Property::new(sys::SPA_PARAM_ROUTE_index, Value::Int(route.index)),
            Property::new(sys::SPA_PARAM_ROUTE_device, Value::Int(route.device)),
            Property::new(sys::SPA_PARAM_ROUTE_props, Value::Object(props)),
            Property::new(sys::SPA_PARAM_ROUTE_save, Value::Bool(true)),
        ],
    })
}

/// The format of an insert's streams: planar f32 with these channels, at the graph's rate.
pub(super) fn format(positions: &[u32]) -> PodBytes {
    let mut info = AudioInfoRaw::new();
    info.set_format(AudioFormat::F32P);
    let mut padded = [0; sys::SPA_AUDIO_MAX_CHANNELS as usize];
    let count = positions.len().min(padded.len());
    padded[..count].copy_from_slice(&positions[..count]);
    info.set_channels(count as u32);
    info.set_position(padded);
    // No rate: frames are then always the quantum, and nothing is resampled.
    PodBytes::of(Object {
        type_: sys::SPA_TYPE_OBJECT_Format,
        id: ParamType::EnumFormat.as_raw(),
        properties: info.into(),
    })
}

/// A Latency parameter.
pub(super) fn latency(of: LatencyOf, latency: Latency) -> PodBytes {
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
pub(super) fn read_latency(pod: &Pod) -> Option<(LatencyOf, Latency)> {
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
    fn a_volume_that_is_set_is_the_volume_that_is_read() {
        let mut set = Volume { muted: true, ..Volume::FULL };
        set.channels[0] = 0.125;
        let bytes = volume(&set, 2);
        let read = read_volume(bytes.pod().expect("a pod"));
        assert_eq!(read.on(Volume::FULL), set);
        assert_eq!(read.channels.expect("channels").1, 2);
        let of_sink = |most| read_node_volume(bytes.pod().expect("a pod"), most);
        assert_eq!(of_sink(64), NodeVolume { channels: Some(vec![0.125, 1.0]), muted: Some(true) });
        assert_eq!(of_sink(1).channels, Some(vec![0.125]));
    }

    #[test]
    fn a_latency_that_is_sent_is_the_latency_that_is_read() {
        let sent = Latency { quanta: [0.5, 1.0], frames: [96, 112], nanoseconds: [1, 2] };
        let bytes = latency(LatencyOf::Downstream, sent);
        let read = read_latency(bytes.pod().expect("a pod"));
        assert_eq!(read, Some((LatencyOf::Downstream, sent)));
        assert_eq!(sent.plus_frames(16).frames, [112, 128]);
    }

    #[test]
    fn a_route_that_is_set_is_the_route_that_is_read() {
        let route = RouteId { index: 3, device: 7 };
        let bytes = route_volume(route, &Volume::FULL, 2);
        assert_eq!(read_route(bytes.pod().expect("a pod")), Some(route));
    }

    /// The active route of a sound card as PipeWire 1.4.2 gives it, with what is of no matter here
    /// left out.
    fn headphones(info: Value) -> PodBytes {
        let text = |text: &str| Value::String(text.to_owned());
        PodBytes::of(Object {
            type_: ROUTE,
            id: ParamType::Route.as_raw(),
            properties: vec![
                Property::new(sys::SPA_PARAM_ROUTE_index, Value::Int(4)),
                Property::new(
                    sys::SPA_PARAM_ROUTE_direction,
                    Value::Id(Id(sys::SPA_DIRECTION_OUTPUT)),
                ),
                Property::new(sys::SPA_PARAM_ROUTE_name, text("analog-output-headphones")),
                Property::new(sys::SPA_PARAM_ROUTE_description, text("Headphones")),
                Property::new(sys::SPA_PARAM_ROUTE_priority, Value::Int(9900)),
                Property::new(sys::SPA_PARAM_ROUTE_info, info),
                Property::new(sys::SPA_PARAM_ROUTE_device, Value::Int(6)),
            ],
        })
    }

    #[test]
    fn the_jack_is_read_with_its_name_its_description_and_its_kind() {
        let text = |text: &str| Value::String(text.to_owned());
        let info = |pairs: &[&str]| {
            let pairs = pairs.iter().map(|word| text(word));
            let count = Value::Int(i32::try_from(pairs.len() / 2).expect("few"));
            headphones(Value::Struct([count].into_iter().chain(pairs).collect()))
        };
        let port = |bytes: &PodBytes| read_port(bytes.pod().expect("a pod")).expect("a jack");
        let full =
            info(&["route.hw-mute", "true", "port.type", "headphones", "card.profile.port", "4"]);
        let named = Port {
            name: "analog-output-headphones".into(),
            description: Some("Headphones".into()),
            kind: Some("headphones".into()),
        };
        assert_eq!(port(&full), named);
        assert_eq!(read_route(full.pod().expect("a pod")), Some(RouteId { index: 4, device: 6 }));
        // Whatever else stands there is no kind, and nothing breaks.
        for odd in [
            info(&[]),
            info(&["x", "port.type", "y", "headphones"]),
            info(&["port.type"]),
            info(&["port.type", ""]),
            headphones(Value::Struct(vec![text("port.type"), Value::Int(3)])),
            headphones(Value::Struct(Vec::new())),
            headphones(Value::Int(3)),
        ] {
            assert_eq!(port(&odd), Port { kind: None, ..named.clone() });
        }
        let volume_only = route_volume(RouteId { index: 3, device: 7 }, &Volume::FULL, 2);
        assert_eq!(read_port(volume_only.pod().expect("a pod")), None);
    }

    #[test]
    fn a_format_says_how_many_channels_the_app_has() {
        assert_eq!(read_channels(format(&[3, 4, 5]).pod().expect("a pod")), Some(3));
        let either = Value::Choice(ChoiceValue::Int(Choice(
            pipewire::spa::utils::ChoiceFlags::empty(),
            ChoiceEnum::Range { default: 2, min: 1, max: 64 },
        )));
        let of = |value| {
            let properties = vec![Property::new(sys::SPA_FORMAT_AUDIO_channels, value)];
            let (type_, id) = (sys::SPA_TYPE_OBJECT_Format, ParamType::EnumFormat.as_raw());
            read_channels(PodBytes::of(Object { type_, id, properties }).pod().expect("a pod"))
        };
        assert_eq!(of(either), Some(2));
        assert_eq!(of(Value::Int(0)), None);
        assert_eq!(of(Value::Bool(true)), None);
        assert_eq!(read_channels(volume(&Volume::FULL, 2).pod().expect("a pod")), None);
    }

    #[test]
    fn what_is_no_volume_is_no_report() {
        let bytes = format(&[3, 4]);
        let pod = bytes.pod().expect("a pod");
        assert!(read_volume(pod).is_empty());
        assert_eq!(read_latency(pod), None);
    }
}
