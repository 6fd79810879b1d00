//! Which loudspeaker each channel feeds, and what it weighs in a loudness (BS.1770-5).
//!
//! A layout and not a count: LFE counts nothing and surrounds weigh more, and PipeWire,
//! Vorbis and AAC order their channels differently.

/// The most channels that a processor takes.
pub const MAX_CHANNELS: usize = 8;

/// The loudspeaker that a channel feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// The one channel of a mono signal.
    Mono,
    /// Front left.
    FrontLeft,
    /// Front right.
    FrontRight,
    /// Front centre.
    FrontCenter,
    /// Low-frequency effects: counts nothing in a loudness.
    Lfe,
    /// Side left, 60 to 120 degrees.
    SideLeft,
    /// Side right, 60 to 120 degrees.
    SideRight,
    /// Rear left: a surround of 5.x, a back channel of 7.x.
    RearLeft,
    /// Rear right: a surround of 5.x, a back channel of 7.x.
    RearRight,
    /// Rear centre.
    RearCenter,
    /// A channel whose place is not known; weighs as a front channel.
    Unknown,
}

/// The channels of a block, in the order in which the planes stand. 1 to [`MAX_CHANNELS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    positions: [Position; MAX_CHANNELS],
    len: usize,
}

/// Why a list of positions is no layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Too few or too many channels.
    #[error("the signal has {0} channels, but must have between 1 and {MAX_CHANNELS}")]
    Channels(usize),
}

impl Layout {
    /// One channel.
    pub const MONO: Layout = Layout::of([Position::Mono]);
    /// Left, right.
    pub const STEREO: Layout = Layout::of([Position::FrontLeft, Position::FrontRight]);
    /// 5.1 as PipeWire orders it: FL FR FC LFE SL SR.
    pub const SURROUND_5_1: Layout = Layout::of([
        Position::FrontLeft,
        Position::FrontRight,
        Position::FrontCenter,
        Position::Lfe,
        Position::SideLeft,
        Position::SideRight,
    ]);
    /// 7.1 as PipeWire orders it: FL FR FC LFE RL RR SL SR.
    pub const SURROUND_7_1: Layout = Layout::of([
        Position::FrontLeft,
        Position::FrontRight,
        Position::FrontCenter,
        Position::Lfe,
        Position::RearLeft,
        Position::RearRight,
        Position::SideLeft,
        Position::SideRight,
    ]);

    const fn of<const N: usize>(list: [Position; N]) -> Layout {
        let mut positions = [Position::Unknown; MAX_CHANNELS];
        let mut i = 0;
        while i < N {
            positions[i] = list[i];
            i += 1;
        }
        Layout { positions, len: N }
    }

    /// A layout from its positions, in the order of the planes.
    ///
    /// # Errors
    /// [`LayoutError::Channels`] when there is none, or more than [`MAX_CHANNELS`].
    pub fn new(list: &[Position]) -> Result<Layout, LayoutError> {
        if list.is_empty() || list.len() > MAX_CHANNELS {
            return Err(LayoutError::Channels(list.len()));
        }
        let mut positions = [Position::Unknown; MAX_CHANNELS];
        positions[..list.len()].copy_from_slice(list);
        Ok(Layout { positions, len: list.len() })
    }

    /// The usual layout of this many channels, in PipeWire's order, for a source that does
    /// not say.
    ///
    /// # Errors
    /// [`LayoutError::Channels`] when there is none, or more than [`MAX_CHANNELS`].
    pub fn usual(channels: usize) -> Result<Layout, LayoutError> {
        use Position::{FrontCenter, FrontLeft, FrontRight, RearCenter, RearLeft, RearRight};
        match channels {
            1 => Ok(Layout::MONO),
            2 => Ok(Layout::STEREO),
            3 => Ok(Layout::of([FrontLeft, FrontRight, FrontCenter])),
            4 => Ok(Layout::of([FrontLeft, FrontRight, RearLeft, RearRight])),
            5 => Ok(Layout::of([FrontLeft, FrontRight, FrontCenter, RearLeft, RearRight])),
            6 => Ok(Layout::SURROUND_5_1),
            7 => Ok(Layout::of([
                FrontLeft,
                FrontRight,
                FrontCenter,
                Position::Lfe,
                RearCenter,
                Position::SideLeft,
                Position::SideRight,
            ])),
            8 => Ok(Layout::SURROUND_7_1),
            n => Err(LayoutError::Channels(n)),
        }
    }

    /// How many channels.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a layout is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The positions, in the order of the planes.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions[..self.len]
    }

    /// What each plane weighs in a loudness: the first [`Layout::len`] entries count.
    /// (BS.1770-5, Annex 1, table 3, and Annex 3: sides 1.41, LFE 0, rears 1.41 where they
    /// are the surrounds of a 5.x and 1.0 behind sides.)
    #[must_use]
    pub fn weights(&self) -> [f32; MAX_CHANNELS] {
        const SURROUND: f32 = 1.41;
        let has_sides =
            self.positions().iter().any(|p| matches!(p, Position::SideLeft | Position::SideRight));
        let mut weights = [0.0; MAX_CHANNELS];
        for (weight, position) in weights.iter_mut().zip(self.positions()) {
            *weight = match position {
                Position::Lfe => 0.0,
                Position::SideLeft | Position::SideRight => SURROUND,
                Position::RearLeft | Position::RearRight if !has_sides => SURROUND,
                _ => 1.0,
            };
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_weigh_more_and_lfe_counts_nothing() {
        let w = Layout::SURROUND_5_1.weights();
        assert_eq!(&w[..6], &[1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
    }

    #[test]
    fn the_rears_of_7_1_weigh_as_front_channels() {
        let w = Layout::SURROUND_7_1.weights();
        assert_eq!(w, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41]);
    }

    #[test]
    fn the_rears_of_5_0_are_surrounds() {
        let w = Layout::usual(5).expect("five channels").weights();
        assert_eq!(&w[..5], &[1.0, 1.0, 1.0, 1.41, 1.41]);
    }

    #[test]
    fn no_channel_and_nine_channels_are_refused() {
        assert_eq!(Layout::usual(0), Err(LayoutError::Channels(0)));
        assert_eq!(Layout::new(&[Position::Unknown; 9]), Err(LayoutError::Channels(9)));
    }
}
