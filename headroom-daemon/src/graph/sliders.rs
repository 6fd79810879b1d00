//! The volumes that apps have of their own, and who plays alone.
//!
//! PipeWire applies the volume of an app in the app, before anything reaches us. While one stream
//! plays alone on a bus, its volume is taken off in front of the bus and put back behind, so that
//! the bus does not make up for it. `session` asks whenever streams, links or volumes have changed.
//! Pure.

use headroom_dsp::MAX_CHANNELS;

use super::model::Model;
use super::said::Heard;
use crate::audio::Slider;

/// Who plays on a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Players {
    /// No stream is linked to it: whoever was last comes back, as far as anyone knows.
    Nobody,
    /// One stream, by the id of its node: the only one that plays or, while none does, the only
    /// one that can begin to.
    One(u32),
    /// So many at once; or none does, and several can begin to.
    Several(usize),
}

impl Players {
    /// Who plays on the bus whose sink this is.
    pub(super) fn on(bus: u32, model: &Model, heard: &Heard) -> Players {
        let linked = || {
            let to_bus = model.links().filter(move |link| link.to_node == bus);
            let mut ids: Vec<u32> = to_bus.map(|link| link.from_node).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let linked = linked();
        let plays = |id: &u32| heard.nodes.get(id).is_some_and(|said| said.running);
        let playing: Vec<u32> = linked.iter().copied().filter(plays).collect();
        match (&playing[..], &linked[..]) {
            ([], []) => Players::Nobody,
            ([one], _) | ([], [one]) => Players::One(*one),
            ([], several) | (several, _) => Players::Several(several.len()),
        }
    }

    /// What is to be taken off and put back on a bus of so many channels; nothing new while
    /// nobody plays, or while the volume is not known.
    pub(super) fn slider(self, model: &Model, heard: &Heard, channels: usize) -> Option<Slider> {
        let id = match self {
            Players::Nobody => return None,
            Players::Several(_) => return Some(Slider::FULL),
            Players::One(id) => id,
        };
        let volumes = &heard.nodes.get(&id)?.volumes;
        // Where the app has other channels than the bus, only what is common to all can be undone;
        // the loudest of them is what errs to the quiet side.
        let common = volumes.iter().fold(0.0_f32, |loudest, volume| loudest.max(*volume));
        let mut slider = Slider { channels: [common; MAX_CHANNELS], of: model.node(id)?.serial };
        if volumes.len() == channels {
            for (channel, volume) in slider.channels.iter_mut().zip(volumes) {
                *channel = *volume;
            }
        }
        (!volumes.is_empty()).then_some(slider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::model::{Global, Link, Node};
    use crate::graph::pods::NodeVolume;
    use crate::graph::said::NodeNews;

    const BUS: u32 = 30;

    /// Streams by their id: whether they run, and their volumes.
    fn graph(streams: &[(u32, bool, &[f32])]) -> (Model, Heard) {
        let (mut model, mut heard) = (Model::default(), Heard::default());
        let node = |name: &str, class: &str, serial| {
            let (name, media_class) = (name.to_owned(), class.to_owned());
            Global::Node(Node { name, media_class, serial, ..Node::default() })
        };
        model.add(BUS, node("headroom.main", "Audio/Sink", 3));
        for (id, running, volumes) in streams {
            model.add(*id, node("app", "Stream/Output/Audio", u64::from(*id) + 1_000));
            for channel in 0..2 {
                let link = Link { from_node: *id, to_node: BUS, client: None };
                model.add(1_000 * (channel + 1) + id, Global::Link(link));
            }
            heard.node_says(*id, NodeNews { running: *running, ..NodeNews::default() });
            let channels = Some(volumes.to_vec());
            heard.volume(*id, NodeVolume { channels, muted: None });
        }
        (model, heard)
    }

    fn players(streams: &[(u32, bool, &[f32])]) -> (Players, Option<Slider>) {
        let (model, heard) = graph(streams);
        let players = Players::on(BUS, &model, &heard);
        (players, players.slider(&model, &heard, 2))
    }

    #[test]
    fn who_plays_alone_is_undone_and_several_are_not() {
        let (low, full): (&[f32], &[f32]) = (&[0.1, 0.2], &[1.0, 1.0]);
        let (who, slider) = players(&[(40, true, low)]);
        assert_eq!(who, Players::One(40));
        let slider = slider.expect("a slider");
        assert_eq!((slider.channels[0], slider.channels[1], slider.of), (0.1, 0.2, 1_040));
        // One that is paused does not count, until it plays.
        assert_eq!(players(&[(40, true, low), (41, false, full)]).0, Players::One(40));
        let both = players(&[(40, true, low), (41, true, full)]);
        assert_eq!(both, (Players::Several(2), Some(Slider::FULL)));
    }

    #[test]
    fn while_nobody_plays_the_one_that_may_begin_is_awaited() {
        assert_eq!(players(&[]), (Players::Nobody, None));
        assert_eq!(players(&[(40, false, &[0.1, 0.1])]).0, Players::One(40));
        let several = players(&[(40, false, &[0.1, 0.1]), (41, false, &[0.2, 0.2])]);
        assert_eq!(several.1, Some(Slider::FULL));
    }

    #[test]
    fn of_other_channels_than_the_bus_has_the_loudest_counts() {
        for volumes in [&[0.2][..], &[0.1, 0.2, 0.05, 0.0, 0.1, 0.1]] {
            let slider = players(&[(40, true, volumes)]).1.expect("a slider");
            assert_eq!(slider.channels, [0.2; MAX_CHANNELS]);
        }
        assert_eq!(players(&[(40, true, &[])]).1, None, "not known yet");
    }
}
