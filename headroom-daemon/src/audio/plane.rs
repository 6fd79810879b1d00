//! What `undo` does to a plane, the samples of one channel in a block.

pub(super) fn scale(plane: &mut [f32], factor: f32) {
    for sample in plane {
        *sample *= factor;
    }
}

/// The largest sample by magnitude; one that is no number is passed over.
pub(super) fn peak_of(plane: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut lanes = [0.0_f32; LANES];
    let chunks = plane.chunks_exact(LANES);
    let mut peak = chunks.remainder().iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    for chunk in chunks {
        for (lane, sample) in lanes.iter_mut().zip(chunk) {
            *lane = lane.max(sample.abs());
        }
    }
    for lane in lanes {
        peak = peak.max(lane);
    }
    peak
}
