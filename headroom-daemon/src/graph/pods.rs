//! Parameters of PipeWire objects as plain values, and back.
//!
//! PipeWire passes parameters as PODs. Only what the inserts need is read, and whatever
//! cannot be read is nothing: another program's parameters are never an error of ours.

mod latency;
mod route;

use std::io::Cursor;

use headroom_dsp::MAX_CHANNELS;
use pipewire::spa::param::ParamType;
use pipewire::spa::param::audio::{AudioFormat, AudioInfoRaw};
use pipewire::spa::pod::deserialize::PodDeserializer;
use pipewire::spa::pod::serialize::PodSerializer;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value, ValueArray};
use pipewire::spa::sys;
use pipewire::spa::utils::{Choice, ChoiceEnum};

use crate::audio::Volume;
pub(super) use latency::{Latency, LatencyOf, latency, read_latency};
pub(super) use route::{RouteId, read_port, read_route, route_volume};

const PROPS: u32 = sys::SPA_TYPE_OBJECT_Props;

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
