//! Loudspeaker positions: PipeWire's names and numbers, and those of the signal chain.

use headroom_dsp::{Layout, Position};
use pipewire::spa::sys;

/// PipeWire's name of a channel, its number, and what the chain takes it for.
const CHANNELS: [(&str, u32, Position); 16] = [
    ("MONO", sys::SPA_AUDIO_CHANNEL_MONO, Position::Mono),
    ("FL", sys::SPA_AUDIO_CHANNEL_FL, Position::FrontLeft),
    ("FR", sys::SPA_AUDIO_CHANNEL_FR, Position::FrontRight),
    ("FC", sys::SPA_AUDIO_CHANNEL_FC, Position::FrontCenter),
    ("LFE", sys::SPA_AUDIO_CHANNEL_LFE, Position::Lfe),
    ("SL", sys::SPA_AUDIO_CHANNEL_SL, Position::SideLeft),
    ("SR", sys::SPA_AUDIO_CHANNEL_SR, Position::SideRight),
    ("RL", sys::SPA_AUDIO_CHANNEL_RL, Position::RearLeft),
    ("RR", sys::SPA_AUDIO_CHANNEL_RR, Position::RearRight),
    ("RC", sys::SPA_AUDIO_CHANNEL_RC, Position::RearCenter),
    ("FLC", sys::SPA_AUDIO_CHANNEL_FLC, Position::Unknown),
    ("FRC", sys::SPA_AUDIO_CHANNEL_FRC, Position::Unknown),
    ("TFL", sys::SPA_AUDIO_CHANNEL_TFL, Position::Unknown),
    ("TFR", sys::SPA_AUDIO_CHANNEL_TFR, Position::Unknown),
    ("TRL", sys::SPA_AUDIO_CHANNEL_TRL, Position::Unknown),
    ("TRR", sys::SPA_AUDIO_CHANNEL_TRR, Position::Unknown),
];

/// The channels of an insert: PipeWire's numbers and the chain's layout, in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Channels {
    pub(super) numbers: Vec<u32>,
    pub(super) layout: Layout,
}

impl Channels {
    /// Left and right.
    pub(super) fn stereo() -> Channels {
        Channels {
            numbers: vec![sys::SPA_AUDIO_CHANNEL_FL, sys::SPA_AUDIO_CHANNEL_FR],
            layout: Layout::STEREO,
        }
    }

    /// The channels of a device sink, or stereo where its own would lose sound: for one that
    /// has fewer than two or more than the chain takes, and for one whose channels have no
    /// place (AUX of a professional card).
    pub(super) fn of_sink(names: &[&str]) -> Channels {
        let found: Option<Vec<_>> =
            names.iter().map(|name| CHANNELS.iter().find(|(known, ..)| known == name)).collect();
        let Some(found) = found.filter(|found| found.len() >= 2) else {
            return Channels::stereo();
        };
        let positions: Vec<Position> = found.iter().map(|(.., position)| *position).collect();
        match Layout::new(&positions) {
            Ok(layout) => {
                Channels { numbers: found.iter().map(|(_, number, _)| *number).collect(), layout }
            }
            Err(_) => Channels::stereo(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Where each channel of `self` is among those of `other`, if all of them are there.
    pub(super) fn places_in(&self, other: &Channels) -> Option<Vec<usize>> {
        let place = |number: &u32| other.numbers.iter().position(|found| found == number);
        self.numbers.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surround_sink_keeps_its_channels_and_their_order() {
        let channels = Channels::of_sink(&["FL", "FR", "FC", "LFE", "SL", "SR"]);
        assert_eq!(channels.layout, Layout::SURROUND_5_1);
        assert_eq!(channels.numbers, [3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn left_and_right_are_found_among_others_wherever_they_are() {
        let places = |names: &[&str]| Channels::stereo().places_in(&Channels::of_sink(names));
        assert_eq!(places(&["FL", "FR", "FC", "LFE", "SL", "SR"]), Some(vec![0, 1]));
        assert_eq!(places(&["FC", "FR", "FL"]), Some(vec![2, 1]));
        assert_eq!(places(&["FL", "FC", "RC"]), None);
    }

    #[test]
    fn what_cannot_be_placed_is_stereo() {
        for names in [&[][..], &["MONO"], &["AUX0", "AUX1"], &["FL"; 9]] {
            assert_eq!(Channels::of_sink(names), Channels::stereo(), "{names:?}");
        }
    }
}
