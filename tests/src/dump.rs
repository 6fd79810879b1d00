//! The state of the graph as `pw-dump` shows it to anyone, parsed into small views.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything that PipeWire had at one moment.
#[derive(Debug, Clone, Default)]
pub struct Dump {
    /// The id of every object, of whatever kind.
    pub ids: Vec<u32>,
    /// Sinks, sources and streams.
    pub nodes: Vec<Node>,
    /// Where sound enters and leaves a node.
    pub ports: Vec<Port>,
    /// What joins two ports.
    pub links: Vec<Link>,
    /// By the metadata's name (`default`, `settings`), its entries.
    pub metadata: BTreeMap<String, Vec<MetadataEntry>>,
    /// The `application.name` of every client.
    pub clients: Vec<String>,
}

/// A sink, a source or a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The id, which is given again when the node has gone.
    pub id: u32,
    /// The serial, which is never given again.
    pub serial: u64,
    /// `node.name`.
    pub name: String,
    /// `media.class`.
    pub media_class: String,
    /// `running`, `idle`, `suspended`, `creating` or `error`.
    pub state: String,
    /// Its properties, each as text.
    pub properties: BTreeMap<String, String>,
    /// The volume of each channel as a factor (0.125 is what a mixer calls 50 %).
    pub channel_volumes: Vec<f64>,
    /// Whether it is muted.
    pub muted: bool,
    /// The latency that it reports, one entry for each direction that has one.
    pub latency: Vec<Latency>,
}

/// One port of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The id.
    pub id: u32,
    /// The node that it belongs to.
    pub node: u32,
    /// `port.name`, such as `playback_FL`.
    pub name: String,
    /// `in` or `out`.
    pub direction: String,
    /// The latency that it reports.
    pub latency: Vec<Latency>,
}

/// A link between two ports.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The node that the sound comes from.
    pub from: u32,
    /// The node that it goes to.
    pub to: u32,
    /// The port that the sound comes from.
    pub from_port: u32,
    /// The port that it goes to.
    pub to_port: u32,
    /// `active`, `paused`, `init` and others.
    pub state: String,
}

/// A latency, in the three units that PipeWire adds up: quanta, frames and nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// `Input` (towards the device) or `Output` (towards the app).
    pub direction: String,
    /// The largest part in quanta.
    pub max_quantum: f64,
    /// The largest part in frames.
    pub max_rate: i64,
    /// The largest part in nanoseconds.
    pub max_ns: i64,
}

/// One entry of a metadata object.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataEntry {
    /// The id of what it speaks about, 0 for everything.
    pub subject: u32,
    /// The key.
    pub key: String,
    /// The value, JSON as text where it is not a string.
    pub value: String,
}

impl Dump {
    /// Parses what `pw-dump` printed. `None` when it is not a list of objects.
    pub fn parse(json: &str) -> Option<Self> {
        // A dump that was taken while the graph changed can be two lists after one another.
        let mut dump = Self::default();
        let mut any = false;
        for list in serde_json::Deserializer::from_str(json).into_iter::<Vec<Value>>() {
            any = true;
            list.ok()?.iter().for_each(|object| dump.add(object));
        }
        any.then_some(dump)
    }

    fn add(&mut self, object: &Value) {
        let id = number(&object["id"]) as u32;
        let info = &object["info"];
        let props = &info["props"];
        self.ids.push(id);
        match object["type"].as_str().unwrap_or_default() {
            "PipeWire:Interface:Node" => self.nodes.push(Node {
                id,
                serial: number(&props["object.serial"]) as u64,
                name: text(&props["node.name"]),
                media_class: text(&props["media.class"]),
                state: text(&info["state"]),
                properties: properties(props),
                channel_volumes: volumes(&info["params"]["Props"]),
                muted: list(&info["params"]["Props"]).any(|entry| entry["mute"] == true),
                latency: latency(&info["params"]["Latency"]),
            }),
            "PipeWire:Interface:Port" => self.ports.push(Port {
                id,
                node: number(&props["node.id"]) as u32,
                name: text(&props["port.name"]),
                direction: text(&props["port.direction"]),
                latency: latency(&info["params"]["Latency"]),
            }),
            "PipeWire:Interface:Link" => self.links.push(Link {
                from: number(&info["output-node-id"]) as u32,
                to: number(&info["input-node-id"]) as u32,
                from_port: number(&info["output-port-id"]) as u32,
                to_port: number(&info["input-port-id"]) as u32,
                state: text(&info["state"]),
            }),
            "PipeWire:Interface:Client" => self.clients.push(text(&props["application.name"])),
            "PipeWire:Interface:Metadata" => {
                let name = text(&object["props"]["metadata.name"]);
                let entries = list(&object["metadata"]).map(|entry| MetadataEntry {
                    subject: number(&entry["subject"]) as u32,
                    key: text(&entry["key"]),
                    value: text(&entry["value"]),
                });
                self.metadata.entry(name).or_default().extend(entries);
            }
            _ => {}
        }
    }

    /// The node of that `node.name`.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Every node that node `name` has an outgoing link to, by name, each once.
    pub fn targets_of(&self, name: &str) -> Vec<&str> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let mut targets: Vec<u32> =
            self.links.iter().filter(|link| link.from == node.id).map(|link| link.to).collect();
        targets.sort_unstable();
        targets.dedup();
        self.nodes.iter().filter(|node| targets.contains(&node.id)).map(|n| &*n.name).collect()
    }

    /// Whether the node `from` is linked to the node `to`, whether or not sound flows.
    pub fn is_linked(&self, from: &str, to: &str) -> bool {
        let broken = |link: &Link| link.state == "error" || link.state == "unlinked";
        self.has_links(from, to, |link| !broken(link))
    }

    /// Whether the node `from` is linked to the node `to` and every link carries sound.
    pub fn is_flowing(&self, from: &str, to: &str) -> bool {
        self.has_links(from, to, |link| link.state == "active")
    }

    fn has_links(&self, from: &str, to: &str, are_all: impl Fn(&Link) -> bool) -> bool {
        let (Some(from), Some(to)) = (self.node(from), self.node(to)) else { return false };
        let mut links =
            self.links.iter().filter(|link| link.from == from.id && link.to == to.id).peekable();
        links.peek().is_some() && links.all(are_all)
    }

    /// The ports of node `name` in that direction (`in`, `out`).
    pub fn ports_of<'a>(
        &'a self,
        name: &str,
        direction: &'a str,
    ) -> impl Iterator<Item = &'a Port> {
        let id = self.node(name).map(|node| node.id);
        self.ports.iter().filter(move |p| Some(p.node) == id && p.direction == direction)
    }

    /// The value of `key` about `subject` in the metadata `name`.
    pub fn metadata(&self, name: &str, subject: u32, key: &str) -> Option<&str> {
        let mut entries = self.metadata.get(name)?.iter();
        Some(&entries.find(|entry| entry.subject == subject && entry.key == key)?.value)
    }

    /// The `node.name` of the sink that new streams go to, as WirePlumber has worked it out.
    pub fn default_sink(&self) -> Option<String> {
        named(self.metadata("default", 0, "default.audio.sink")?)
    }

    /// The `node.name` of the sink that somebody has asked for as the default.
    pub fn configured_default_sink(&self) -> Option<String> {
        named(self.metadata("default", 0, "default.configured.audio.sink")?)
    }
}

fn named(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    Some(value["name"].as_str()?.to_owned())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Numbers are numbers in some versions and text in others.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0.0)
}

fn properties(props: &Value) -> BTreeMap<String, String> {
    let entries = props.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), text(value))).collect()
}

fn volumes(params: &Value) -> Vec<f64> {
    list(params)
        .find_map(|entry| entry["channelVolumes"].as_array())
        .into_iter()
        .flatten()
        .map(number)
        .collect()
}

fn latency(params: &Value) -> Vec<Latency> {
    list(params)
        .map(|entry| Latency {
            direction: text(&entry["direction"]),
            max_quantum: number(&entry["maxQuantum"]),
            max_rate: number(&entry["maxRate"]) as i64,
            max_ns: number(&entry["maxNs"]) as i64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_becomes_nodes_links_and_metadata() {
        let dump = Dump::parse(
            r#"[
            { "id": 30, "type": "PipeWire:Interface:Node", "info": { "state": "running",
              "props": { "node.name": "speakers", "object.serial": 41, "media.class": "Audio/Sink" },
              "params": { "Props": [ { "mute": true, "channelVolumes": [ 0.125, 1 ] } ],
                "Latency": [ { "direction": "Input", "maxRate": 96 } ] } } },
            { "id": 31, "type": "PipeWire:Interface:Node", "info": { "state": "idle",
              "props": { "node.name": "app", "object.serial": "42" } } },
            { "id": 50, "type": "PipeWire:Interface:Link", "info": { "output-node-id": 31,
              "input-node-id": 30, "state": "active" } },
            { "id": 60, "type": "PipeWire:Interface:Metadata", "props": { "metadata.name": "default" },
              "metadata": [ { "subject": 0, "key": "default.audio.sink", "type": "Spa:String:JSON",
                "value": { "name": "speakers" } } ] } ]"#,
        )
        .unwrap();
        let speakers = dump.node("speakers").unwrap();
        assert_eq!((speakers.id, speakers.serial, speakers.muted), (30, 41, true));
        assert_eq!(speakers.channel_volumes, [0.125, 1.0]);
        assert_eq!(speakers.latency[0].max_rate, 96);
        assert_eq!(dump.node("app").unwrap().serial, 42);
        assert_eq!(dump.targets_of("app"), ["speakers"]);
        assert_eq!(dump.ids, [30, 31, 50, 60]);
        assert!(dump.is_flowing("app", "speakers") && !dump.is_linked("speakers", "app"));
        assert_eq!(dump.default_sink().as_deref(), Some("speakers"));
        assert_eq!(dump.configured_default_sink(), None);
    }

    #[test]
    fn what_is_not_a_list_of_objects_is_no_dump() {
        assert!(Dump::parse("").is_none());
        assert!(Dump::parse("[ { ").is_none());
    }
}
