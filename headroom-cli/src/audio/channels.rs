//! Which channel of a file feeds which loudspeaker.
//!
//! The decoders give the planes of a positioned layout in the order of the WAV channel mask,
//! whatever order the codec has; this turns the mask into a layout, and keeps it for the file
//! that is written.

use headroom_dsp::{Layout, LayoutError, Position};
use symphonia::core::audio::Channels;

/// The channels of a file, in the order of its planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChannelMap {
    layout: Layout,
    mask: Option<u32>,
}

/// The mask of a left and a right channel.
const STEREO_MASK: u32 = 0b11;
/// The mask of one channel.
const MONO_MASK: u32 = 0b100;

impl ChannelMap {
    /// The map of what a decoder says.
    pub(crate) fn of(channels: &Channels) -> Result<ChannelMap, LayoutError> {
        match channels {
            Channels::Positioned(positions) => match u32::try_from(positions.bits()) {
                Ok(mask) => ChannelMap::of_mask(mask),
                Err(_) => ChannelMap::of_count(channels.count()),
            },
            other => ChannelMap::of_count(other.count()),
        }
    }

    fn of_count(count: usize) -> Result<ChannelMap, LayoutError> {
        Ok(ChannelMap { layout: Layout::usual(count)?, mask: None })
    }

    /// The map of a WAV channel mask.
    pub(crate) fn of_mask(mask: u32) -> Result<ChannelMap, LayoutError> {
        if mask.count_ones() == 1 {
            return Ok(ChannelMap { layout: Layout::MONO, mask: None });
        }
        let bits = (0..u32::BITS).filter(|bit| mask & (1 << bit) != 0);
        let positions: Vec<Position> = bits.map(position_of_bit).collect();
        Ok(ChannelMap { layout: Layout::new(&positions)?, mask: Some(mask) })
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) fn count(&self) -> usize {
        self.layout.len()
    }

    /// The mask for the head of a WAV file; 0 where the places are not known.
    pub(crate) fn mask(&self) -> u32 {
        match self.count() {
            1 => MONO_MASK,
            2 => self.mask.unwrap_or(STEREO_MASK),
            _ => self.mask.unwrap_or(0),
        }
    }

    /// The mask where it must be written down. One and two channels need none, unless they
    /// are no usual pair; from three on readers differ in what a count alone means to them.
    pub(crate) fn mask_to_write(&self) -> Option<u32> {
        let needed = |mask: &u32| self.count() > 2 || *mask != STEREO_MASK;
        self.mask.filter(needed)
    }
}

/// The position of a bit of the WAV channel mask. Heights and wides have no weight of their
/// own in the layouts of the chain: they are metered as front channels.
fn position_of_bit(bit: u32) -> Position {
    match bit {
        0 => Position::FrontLeft,
        1 => Position::FrontRight,
        2 => Position::FrontCenter,
        3 | 18 => Position::Lfe,
        4 => Position::RearLeft,
        5 => Position::RearRight,
        8 => Position::RearCenter,
        9 => Position::SideLeft,
        10 => Position::SideRight,
        _ => Position::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_5_1_mask_is_a_5_1_layout() {
        let map = ChannelMap::of_mask(0b110_0000_1111).expect("six channels");
        assert_eq!(map.layout(), Layout::SURROUND_5_1);
        assert_eq!(map.mask_to_write(), Some(0b110_0000_1111));
    }

    #[test]
    fn one_channel_is_mono_wherever_it_stands() {
        let map = ChannelMap::of_mask(0b1).expect("one channel");
        assert_eq!((map.layout(), map.mask()), (Layout::MONO, 0b100));
    }

    #[test]
    fn a_usual_pair_needs_no_mask_and_another_does() {
        assert_eq!(ChannelMap::of_mask(STEREO_MASK).expect("a pair").mask_to_write(), None);
        let sides = ChannelMap::of_mask(0b110_0000_0000).expect("a pair");
        assert_eq!(sides.mask_to_write(), Some(0b110_0000_0000));
    }
}
