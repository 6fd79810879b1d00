//! Objects of the graph that hr-graph listens to: registry, metadata, the device sink.
//!
//! Each binding keeps its proxy together with the listener on it, and turns what the
//! listener hears into notices. A binding must go before the connection does.

use pipewire as pw;
use pw::core::CoreRc;
use pw::device::{Device, DeviceListener};
use pw::metadata::{Metadata, MetadataListener};
use pw::node::{Node, NodeListener};
use pw::permissions::PermissionFlags;
use pw::properties::PropertiesBox;
use pw::proxy::ProxyT;
use pw::registry::{GlobalObject, RegistryRc};
use pw::spa::param::ParamType;
use pw::spa::utils::dict::DictRef;
use pw::types::ObjectType;

use super::Port;
use super::model::{self, Global};
use super::notice::{Notice, Notices};
use super::pods::{self, RouteId};
use super::said::{capped, capped_channel, capped_client};
use crate::audio::Volume;

/// The subject of the metadata that holds for the whole graph.
pub(super) const GRAPH: u32 = 0;

/// Listens to the connection itself.
pub(super) fn listen_to_core(core: &CoreRc, notices: &Notices) -> pw::core::Listener {
    let (of_info, of_done, of_error) = (notices.clone(), notices.clone(), notices.clone());
    core.add_listener_local()
        .info(move |info| {
            let rate = info.props().and_then(|props| props.get("default.clock.rate"));
            of_info.push(Notice::Core {
                version: info.version().to_owned(),
                rate_hz: rate.and_then(|rate| rate.parse().ok()),
            });
        })
        .done(move |id, seq| {
            if id == pw::core::PW_ID_CORE {
                of_done.push(Notice::Done(seq.seq()));
            }
        })
        .error(move |id, _, result, message| {
            // Errors of single objects are of no consequence: something has gone while we
            // were talking to it. Only a broken pipe on the core is the end.
            if id == pw::core::PW_ID_CORE && result == -nix::libc::EPIPE {
                of_error.push(Notice::Lost);
            } else {
                log::debug!("PipeWire says of object {id}: {message} ({result})");
            }
        })
        .register()
}

/// Listens to whether the connection that the inserts are on still stands, and has been read.
pub(super) fn listen_for_the_end(core: &CoreRc, notices: &Notices) -> pw::core::Listener {
    let (of_done, of_error) = (notices.clone(), notices.clone());
    core.add_listener_local()
        .done(move |id, seq| {
            if id == pw::core::PW_ID_CORE {
                of_done.push(Notice::InsertsDone(seq.seq()));
            }
        })
        .error(move |id, _, result, message| {
            if id == pw::core::PW_ID_CORE && result == -nix::libc::EPIPE {
                of_error.push(Notice::Lost);
            } else {
                log::debug!("PipeWire says of object {id} of an insert: {message} ({result})");
            }
        })
        .register()
}

/// Listens to objects coming and going.
pub(super) fn listen_to_registry(
    registry: &RegistryRc,
    notices: &Notices,
) -> pw::registry::Listener {
    let (of_global, of_removal) = (notices.clone(), notices.clone());
    registry
        .add_listener_local()
        .global(move |object| {
            if let Some(global) = read_global(&object.type_, object.props) {
                of_global.push(Notice::Added(object.id, global));
            }
        })
        .global_remove(move |id| of_removal.push(Notice::Removed(id)))
        .register()
}

fn read_global(kind: &ObjectType, props: Option<&DictRef>) -> Option<Global> {
    let props = props?;
    let text = |key| props.get(key).map(capped).unwrap_or_default();
    let number = |key| props.get(key).and_then(|value| value.parse().ok());
    Some(match kind {
        ObjectType::Node => Global::Node(model::Node {
            name: text("node.name"),
            description: text("node.description"),
            media_class: text("media.class"),
            serial: props.get("object.serial").and_then(|v| v.parse().ok()).unwrap_or_default(),
            client: number("client.id"),
            device: number("device.id"),
            priority: props
                .get("priority.session")
                .and_then(|value| value.parse().ok())
                .unwrap_or_default(),
        }),
        ObjectType::Port => Global::Port(model::Port {
            node: number("node.id")?,
            number: number("port.id")?,
            is_input: props.get("port.direction") == Some("in"),
            channel: props.get("audio.channel").map(capped_channel).unwrap_or_default(),
        }),
        ObjectType::Link => Global::Link(model::Link {
            from_node: number("link.output.node")?,
            to_node: number("link.input.node")?,
            client: number("client.id"),
        }),
        ObjectType::Client => Global::Client(model::Client {
            pid: number("pipewire.sec.pid"),
            name: props.get("application.name").map(capped_client).unwrap_or_default(),
        }),
        ObjectType::Metadata if props.get("metadata.name") == Some("default") => {
            Global::DefaultMetadata
        }
        _ => return None,
    })
}

pub(super) fn bind<T: ProxyT>(
    registry: &RegistryRc,
    id: u32,
    type_: ObjectType,
) -> Result<T, pw::Error> {
    registry.bind(&GlobalObject::<PropertiesBox> {
        id,
        permissions: PermissionFlags::empty(),
        type_,
        version: 0,
        props: None,
    })
}

/// The metadata object in which WirePlumber keeps the default sink and where streams go.
pub(super) struct MetadataBinding {
    // Before the proxy: a listener unhooks itself from it.
    _listener: MetadataListener,
    metadata: Metadata,
    pub(super) id: u32,
}

impl MetadataBinding {
    pub(super) fn new(
        registry: &RegistryRc,
        id: u32,
        notices: &Notices,
    ) -> Result<MetadataBinding, pw::Error> {
        let metadata: Metadata = bind(registry, id, ObjectType::Metadata)?;
        let notices = notices.clone();
        let listener = metadata
            .add_listener_local()
            .property(move |subject, key, _, value| {
                notices.push(Notice::Metadata {
                    subject,
                    key: key.map(str::to_owned),
                    value: value.map(str::to_owned),
                });
                0
            })
            .register();
        Ok(MetadataBinding { _listener: listener, metadata, id })
    }

    /// Sets or clears a value that holds for the whole graph.
    pub(super) fn set_graph_value(&self, key: &str, json: Option<&str>) {
        self.metadata.set_property(GRAPH, key, json.map(|_| "Spa:String:JSON"), json);
    }

    /// Sends the stream `node` to the sink of this name, wherever it was going.
    ///
    /// By name: WirePlumber remembers on disk where a stream was sent by serial.
    pub(super) fn set_target(&self, node: u32, sink_name: &str) {
        self.metadata.set_property(node, "target.object", Some("Spa:String"), Some(sink_name));
    }

    /// Sets or clears a value about the stream `node`.
    pub(super) fn set_value(&self, node: u32, key: &str, value: Option<&str>) {
        // As WirePlumber writes it: what is a number is an id of PipeWire's.
        let type_ = value.map(|value| match value.parse::<i64>() {
            Ok(_) => "Spa:Id",
            Err(_) => "Spa:String",
        });
        self.metadata.set_property(node, key, type_, value);
    }

    /// Takes back what was said about a stream. Both keys: WirePlumber 0.4 writes the other.
    pub(super) fn clear_target(&self, node: u32) {
        self.metadata.set_property(node, "target.object", None, None);
        self.metadata.set_property(node, "target.node", None, None);
    }
}

/// The device sink that is heard: its volume, and the way to set it.
///
/// A sound card keeps the volume in the route to its jack, and would overwrite what is set
/// on the node alone; a sink without a card has it on the node.
pub(super) struct DeviceBinding {
    _listener: NodeListener,
    node: Node,
    card: Option<CardBinding>,
    pub(super) id: u32,
    /// How many channels its volume has, once it has said so.
    pub(super) channels: Option<usize>,
    /// The question to PipeWire behind which it has said which jack is heard.
    pub(super) asked: Option<i32>,
}

struct CardBinding {
    _listener: DeviceListener,
    card: Device,
    device: i32,
    route: Option<RouteId>,
    port: Option<Port>,
}

impl DeviceBinding {
    pub(super) fn new(
        registry: &RegistryRc,
        id: u32,
        notices: &Notices,
    ) -> Result<DeviceBinding, pw::Error> {
        let node: Node = bind(registry, id, ObjectType::Node)?;
        let (of_info, of_param) = (notices.clone(), notices.clone());
        let listener = node
            .add_listener_local()
            .info(move |info| {
                let number = |key| info.props()?.get(key)?.parse().ok();
                if let (Some(card), Some(device)) =
                    (number("device.id"), number("card.profile.device"))
                {
                    let card = card as u32;
                    of_info.push(Notice::DeviceIsOfCard { card, device });
                }
            })
            .param(move |_, id, _, _, pod| {
                if id == ParamType::Props
                    && let Some(pod) = pod
                {
                    of_param.push(Notice::DeviceVolume(pods::read_volume(pod)));
                }
            })
            .register();
        node.subscribe_params(&[ParamType::Props]);
        Ok(DeviceBinding { _listener: listener, node, card: None, id, channels: None, asked: None })
    }

    /// The sink belongs to a sound card: its routes are listened to from now on.
    pub(super) fn is_of_card(
        &mut self,
        registry: &RegistryRc,
        card: u32,
        device: i32,
        notices: &Notices,
    ) -> Result<(), pw::Error> {
        if self.card.as_ref().is_some_and(|known| known.device == device) {
            return Ok(());
        }
        let card: Device = bind(registry, card, ObjectType::Device)?;
        let (of_info, notices) = (notices.clone(), notices.clone());
        let listener = card
            .add_listener_local()
            .info(move |_| of_info.push(Notice::CardChanged))
            .param(move |_, id, _, _, pod| {
                if id == ParamType::Route
                    && let Some((pod, route)) =
                        pod.and_then(|pod| Some((pod, pods::read_route(pod)?)))
                {
                    notices.push(Notice::Route(route, pods::read_port(pod)));
                }
            })
            .register();
        self.card =
            Some(CardBinding { _listener: listener, card, device, route: None, port: None });
        self.ask_for_routes();
        Ok(())
    }

    /// Asks for the active routes of the card. To subscribe to them is not enough: of a device that
    /// lives in another process, as WirePlumber's cards do, PipeWire tells that one has changed, and
    /// not what it is now.
    pub(super) fn ask_for_routes(&self) {
        if let Some(CardBinding { card, .. }) = &self.card {
            card.enum_params(0, Some(ParamType::Route), 0, u32::MAX);
        }
    }

    /// The card has an active route; it counts if it is this sink's.
    pub(super) fn has_route(&mut self, route: RouteId, port: Option<Port>) {
        if let Some(card) = &mut self.card
            && card.device == route.device
        {
            card.route = Some(route);
            card.port = port;
        }
    }

    /// The jack that the sound goes to, as far as it has said so.
    pub(super) fn port(&self) -> Option<&Port> {
        self.card.as_ref()?.port.as_ref()
    }

    /// Sets the device's volume as the user would.
    pub(super) fn set_volume(&self, volume: &Volume, channels: usize) {
        let by_route = self.card.as_ref().and_then(|card| Some((card, card.route?)));
        let Some((card, route)) = by_route else {
            let bytes = pods::volume(volume, channels);
            if let Some(pod) = bytes.pod() {
                self.node.set_param(ParamType::Props, 0, pod);
            }
            return;
        };
        let bytes = pods::route_volume(route, volume, channels);
        if let Some(pod) = bytes.pod() {
            card.card.set_param(ParamType::Route, 0, pod);
        }
    }
}
