//! The active route of a sound card: the way from one of its devices to a jack. What its jack is
//! called is read, and its volume is set.

use pipewire::spa::param::ParamType;
use pipewire::spa::pod::{Object, Pod, Property, Value};
use pipewire::spa::sys;

use super::{PROPS, PodBytes, object, volume_properties};
use crate::audio::Volume;
use crate::graph::Port;
use crate::graph::said::capped;

const ROUTE: u32 = sys::SPA_TYPE_OBJECT_ParamRoute;
/// Key of the kind of a jack, in the info of its route.
const PORT_TYPE: &str = "port.type";

/// A route of a sound card: the way from one of its devices to a jack, and its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graph) struct RouteId {
    pub(in crate::graph) index: i32,
    /// Which of the card's devices it serves (`card.profile.device` of the node).
    pub(in crate::graph) device: i32,
}

/// What a Route parameter says of the jack that its route ends at.
pub(in crate::graph) fn read_port(pod: &Pod) -> Option<Port> {
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
pub(in crate::graph) fn read_route(pod: &Pod) -> Option<RouteId> {
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
pub(in crate::graph) fn route_volume(route: RouteId, volume: &Volume, channels: usize) -> PodBytes {
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

#[cfg(test)]
mod tests {
    use pipewire::spa::utils::Id;

    use super::*;

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
}
