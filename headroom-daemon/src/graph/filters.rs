//! Filters of the listener's that WirePlumber puts by itself in front of whatever the default sink is,
//! from 0.5 on (`filter.smart` without `filter.smart.target`).
//!
//! Who is sent somewhere by name, as our outputs are, goes past them. So while the default is not
//! ours our master is sent to such a filter by its name, and WirePlumber sends on from there what
//! comes out of it, to the next filter or to the default sink. While ours is the default that would be
//! back to us, or to a device that nobody has chosen: then it is passed over.

use super::is_ours;
use super::model::Model;
use super::said::Heard;

/// The filter that is for whatever the default sink is; of several the oldest, as WirePlumber has sound
/// that is sent to one of them go through all.
pub(super) fn for_the_default<'g>(heard: &Heard, model: &'g Model) -> Option<&'g str> {
    let is_it = |id: &u32| heard.nodes.get(id).is_some_and(|said| said.props.is_for_the_default);
    let filters = model.sinks().filter(|(id, node)| is_it(id) && !is_ours(&node.name));
    filters.min_by_key(|(_, node)| node.serial).map(|(_, node)| node.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::model::{Global, Node};
    use crate::graph::said::{NodeNews, NodeProps};

    const GROUP: (&str, &str) = ("node.link-group", "filter-1");
    const SMART: (&str, &str) = ("filter.smart", "true");

    fn found(all: &[(&str, &[(&str, &'static str)])]) -> Option<String> {
        let (mut model, mut heard) = (Model::default(), Heard::default());
        for (id, (name, said)) in (10..).zip(all) {
            let (name, media_class) = ((*name).to_owned(), "Audio/Sink".to_owned());
            let serial = u64::from(id);
            model.add(id, Global::Node(Node { name, media_class, serial, ..Node::default() }));
            let get = |key: &str| said.iter().find(|(known, _)| *known == key).map(|(_, v)| *v);
            let props = Some(NodeProps::read(get));
            heard.node_says(id, NodeNews { props, ..NodeNews::default() });
        }
        for_the_default(&heard, &model).map(str::to_owned)
    }

    #[test]
    fn the_filter_for_the_default_is_known_by_what_it_says() {
        let target = ("filter.smart.target", "{ node.name = speakers }");
        assert_eq!(found(&[("eq", &[GROUP, SMART])]).as_deref(), Some("eq"));
        for other in [
            &[GROUP][..],
            &[SMART],
            &[GROUP, ("filter.smart", "false")],
            &[GROUP, SMART, ("filter.smart.disabled", "true")],
            &[GROUP, SMART, target],
        ] {
            assert_eq!(found(&[("eq", other)]), None, "{other:?}");
        }
        let all: [(&str, &[_]); 3] =
            [("headroom.main", &[GROUP, SMART]), ("b", &[GROUP, SMART]), ("a", &[GROUP, SMART])];
        assert_eq!(found(&all).as_deref(), Some("b"), "the oldest that is not ours");
    }
}
