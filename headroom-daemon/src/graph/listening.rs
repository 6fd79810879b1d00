//! Listens to the streams of apps, to all sinks, and to the clients behind the streams.
//!
//! Each keeps its proxy together with the listener on it, and turns what the listener hears into
//! notices. It must go before the connection does, and when its object goes, whose id may be
//! given to another.

use pipewire as pw;
use pw::client::{Client, ClientChangeMask, ClientListener};
use pw::node::{Node, NodeChangeMask, NodeListener};
use pw::registry::RegistryRc;
use pw::spa::param::ParamType;
use pw::types::ObjectType;

use super::bindings::bind;
use super::notice::{Notice, Notices};
use super::pods;
use super::said::{Facts, MOST_CHANNELS, NodeNews, NodeProps};

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Stream,
    Sink,
}

/// A stream or a sink that is listened to: what it is, whether it runs, and its volume.
pub(super) struct NodeListening {
    // Before the proxy: a listener unhooks itself from it.
    _listener: NodeListener,
    _node: Node,
}

impl NodeListening {
    pub(super) fn new(
        registry: &RegistryRc,
        id: u32,
        kind: Kind,
        notices: &Notices,
    ) -> Result<NodeListening, pw::Error> {
        let node: Node = bind(registry, id, ObjectType::Node)?;
        let (of_info, of_param) = (notices.clone(), notices.clone());
        let listener = node
            .add_listener_local()
            .info(move |info| {
                let changed = info.change_mask();
                let counts =
                    NodeChangeMask::PROPS | NodeChangeMask::STATE | NodeChangeMask::OUTPUT_PORTS;
                if !changed.intersects(counts) {
                    return;
                }
                // Where they have not changed, there is an empty list in their place.
                let props = info.props().filter(|_| changed.contains(NodeChangeMask::PROPS));
                let news = NodeNews {
                    // `state()` panics where the text of an error is no UTF-8.
                    running: info.as_raw().state == pw::sys::pw_node_state_PW_NODE_STATE_RUNNING,
                    output_ports: info.n_output_ports(),
                    props: props.map(|props| NodeProps::read(|key| props.get(key))),
                };
                of_info.push(Notice::NodeSays(id, news));
            })
            .param(move |_, param, index, _, pod| {
                let Some(pod) = pod else { return };
                let notice = match param {
                    ParamType::Props => {
                        let volume = pods::read_node_volume(pod, MOST_CHANNELS);
                        Some(Notice::NodeVolume(id, volume))
                    }
                    // What it plays in, or else what it would like most.
                    ParamType::Format | ParamType::EnumFormat if index == 0 => {
                        pods::read_channels(pod).map(|count| Notice::NodeChannels(id, count))
                    }
                    _ => None,
                };
                if let Some(notice) = notice {
                    of_param.push(notice);
                }
            })
            .register();
        match kind {
            Kind::Sink => node.subscribe_params(&[ParamType::Props]),
            Kind::Stream => {
                node.subscribe_params(&[ParamType::Props, ParamType::EnumFormat, ParamType::Format])
            }
        }
        Ok(NodeListening { _listener: listener, _node: node })
    }
}

/// The client of a stream: what app it is.
pub(super) struct ClientListening {
    // Before the proxy: a listener unhooks itself from it.
    _listener: ClientListener,
    _client: Client,
}

impl ClientListening {
    pub(super) fn new(
        registry: &RegistryRc,
        id: u32,
        notices: &Notices,
    ) -> Result<ClientListening, pw::Error> {
        let client: Client = bind(registry, id, ObjectType::Client)?;
        let notices = notices.clone();
        let listener = client
            .add_listener_local()
            .info(move |info| {
                if info.change_mask().contains(ClientChangeMask::PROPS)
                    && let Some(props) = info.props()
                {
                    notices.push(Notice::ClientSays(id, Facts::read(|key| props.get(key))));
                }
            })
            .register();
        Ok(ClientListening { _listener: listener, _client: client })
    }
}
