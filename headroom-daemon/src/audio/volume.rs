//! Volumes as hr-graph reports them to an insert: that of its sink, and that of a lone app.
//!
//! What is done with them in the sample loop is in `undo`.

use headroom_dsp::MAX_CHANNELS;

/// Volumes below this (-100 dB) are silence: nothing is divided by them.
pub(super) const SMALLEST: f32 = 1e-5;

/// The volume of a sink as PipeWire reports it: linear, one value for each channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volume {
    /// Linear gain of each channel; those past the sink's channels count nothing.
    pub channels: [f32; MAX_CHANNELS],
    /// All channels silent, whatever their gains.
    pub muted: bool,
}

impl Volume {
    /// Changes nothing.
    pub const FULL: Volume = Volume { channels: [1.0; MAX_CHANNELS], muted: false };

    /// What to multiply by behind the last stage so that this volume is heard.
    #[must_use]
    pub fn gains(&self) -> [f32; MAX_CHANNELS] {
        self.channels.map(|v| if self.muted || v.is_nan() || v < SMALLEST { 0.0 } else { v })
    }
}

/// The volume of the app that plays alone on a bus, which PipeWire applies in the app.
///
/// It is taken off and put back in the same block, so that nothing but what the stage makes of it
/// is ever heard: a report that comes late, or for the wrong stream, changes no level by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slider {
    /// Linear gain of each channel. One that is silence leaves what was there before.
    pub channels: [f32; MAX_CHANNELS],
    /// Whose it is: with another number the stage sees another sound, at another level, and with
    /// the same one the same sound as before.
    pub of: u64,
}

impl Slider {
    /// Of nobody: changes nothing.
    pub const FULL: Slider = Slider { channels: [1.0; MAX_CHANNELS], of: 0 };
}
