//! A stretch of sound on its way through the offline pipeline: one plane per channel.

use headroom_dsp::MAX_CHANNELS;

/// How many frames a block has at least, but for the last one. Large enough that handing it
/// from thread to thread costs nothing beside what is done with it.
pub(crate) const BLOCK_FRAMES: usize = 8_192;

/// Planar samples, every plane of one length.
#[derive(Debug)]
pub(crate) struct Block {
    planes: Vec<Vec<f32>>,
}

impl Block {
    /// An empty block for this many channels.
    pub(crate) fn for_channels(channels: usize) -> Block {
        // Some room above the usual: a packet is appended whole.
        const USUAL_PACKET_FRAMES: usize = 4_608;
        let plane = || Vec::with_capacity(BLOCK_FRAMES + USUAL_PACKET_FRAMES);
        Block { planes: (0..channels).map(|_| plane()).collect() }
    }

    pub(crate) fn frames(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    pub(crate) fn clear(&mut self) {
        self.planes.iter_mut().for_each(Vec::clear);
    }

    pub(crate) fn planes(&self) -> &[Vec<f32>] {
        &self.planes
    }

    pub(crate) fn planes_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.planes
    }

    pub(crate) fn append_silence(&mut self, frames: usize) {
        for plane in &mut self.planes {
            plane.resize(plane.len() + frames, 0.0);
        }
    }

    /// Drops this many frames at the start.
    pub(crate) fn drop_front(&mut self, frames: usize) {
        for plane in &mut self.planes {
            plane.drain(..frames.min(plane.len()));
        }
    }

    /// Keeps at most this many frames.
    pub(crate) fn truncate(&mut self, frames: usize) {
        self.planes.iter_mut().for_each(|plane| plane.truncate(frames));
    }

    /// The planes as the processors take them, from this frame on, at most so many frames.
    pub(crate) fn slices_mut(
        &mut self,
        from: usize,
        frames: usize,
    ) -> ([&mut [f32]; MAX_CHANNELS], usize) {
        let mut slices: [&mut [f32]; MAX_CHANNELS] = Default::default();
        let mut taken = 0;
        for (slice, plane) in slices.iter_mut().zip(&mut self.planes) {
            let to = (from + frames).min(plane.len());
            taken = to.saturating_sub(from);
            *slice = plane.get_mut(from..to).unwrap_or_default();
        }
        (slices, taken)
    }
}
