//! Cuts the stream of K-weighted power in hops of 10 ms.
//!
//! Called by [`super::LoudnessMeter`] and by whatever else needs energy at that pace. Knows
//! nothing of windows and gates.

/// Hops a second: hop `k` ends before frame `k * rate / 100`, rounded down, so that a second
/// has a hundred of them at every rate.
pub const HOPS_A_SECOND: u32 = 100;

/// Running sums side by side. Which one a frame goes to depends on its place in the hop alone,
/// so that the sum is the same to the last bit however the host cuts its blocks.
const LANES: usize = 8;

/// What a hop held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hop {
    /// Sum of the power of its frames.
    pub energy: f64,
    /// How many frames it had: at rates that 100 does not divide, one more or less by turns.
    pub frames: u32,
}

/// Sums power over hops, through blocks of any length.
#[derive(Debug, Clone)]
pub struct HopSums {
    rate_hz: u32,
    /// Which hop of the second is being filled.
    hop: u32,
    frames: u32,
    filled: u32,
    sums: [f64; LANES],
}

impl HopSums {
    /// At the start of a hop. A rate under [`HOPS_A_SECOND`] counts as that.
    #[must_use]
    pub fn new(rate_hz: u32) -> HopSums {
        let rate_hz = rate_hz.max(HOPS_A_SECOND);
        HopSums { rate_hz, hop: 0, frames: rate_hz / HOPS_A_SECOND, filled: 0, sums: [0.0; LANES] }
    }

    /// Starts anew at another rate.
    ///
    /// Real-time safe.
    pub fn set_rate(&mut self, rate_hz: u32) {
        *self = HopSums::new(rate_hz);
    }

    /// Starts anew.
    ///
    /// Real-time safe.
    pub fn reset(&mut self) {
        self.set_rate(self.rate_hz);
    }

    /// Takes in power and gives each hop that it completes to `on_hop`, in order.
    ///
    /// Real-time safe if `on_hop` is.
    #[inline]
    pub fn add(&mut self, power: &[f32], mut on_hop: impl FnMut(Hop)) {
        let mut rest = power;
        while !rest.is_empty() {
            let missing = (self.frames - self.filled) as usize;
            let (part, after) = rest.split_at(missing.min(rest.len()));
            self.sum(part);
            rest = after;
            if self.filled == self.frames {
                on_hop(Hop { energy: self.sums.iter().sum(), frames: self.frames });
                self.start_next();
            }
        }
    }

    fn start_next(&mut self) {
        self.hop = (self.hop + 1) % HOPS_A_SECOND;
        let boundary =
            |hop: u32| u64::from(hop) * u64::from(self.rate_hz) / u64::from(HOPS_A_SECOND);
        self.frames = (boundary(self.hop + 1) - boundary(self.hop)) as u32;
        self.filled = 0;
        self.sums = [0.0; LANES];
    }

    #[inline]
    fn sum(&mut self, part: &[f32]) {
        let lane = self.filled as usize % LANES;
        self.filled += part.len() as u32;
        let to_boundary = (LANES - lane) % LANES;
        let (head, body) = part.split_at(to_boundary.min(part.len()));
        for (sum, power) in self.sums[lane..].iter_mut().zip(head) {
            *sum += f64::from(*power);
        }
        let mut sums = self.sums;
        let chunks = body.chunks_exact(LANES);
        let tail = chunks.remainder();
        for chunk in chunks {
            for (sum, power) in sums.iter_mut().zip(chunk) {
                *sum += f64::from(*power);
            }
        }
        for (sum, power) in sums.iter_mut().zip(tail) {
            *sum += f64::from(*power);
        }
        self.sums = sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(rate_hz: u32, power: &[f32], block: usize) -> Vec<Hop> {
        let mut sums = HopSums::new(rate_hz);
        let mut hops = Vec::new();
        for part in power.chunks(block) {
            sums.add(part, |hop| hops.push(hop));
        }
        hops
    }

    #[test]
    fn a_second_has_a_hundred_hops_at_every_rate() {
        for rate_hz in [8_000, 11_025, 22_050, 44_100, 48_000, 192_000] {
            let hops = hops(rate_hz, &vec![1.0; rate_hz as usize], 1_000);
            assert_eq!(hops.len(), 100);
            assert_eq!(hops.iter().map(|hop| hop.frames).sum::<u32>(), rate_hz);
            assert!(hops.iter().all(|hop| hop.energy == f64::from(hop.frames)));
        }
    }

    #[test]
    fn the_sums_are_bit_exact_however_the_blocks_are_cut() {
        let power: Vec<f32> = (0..9_000).map(|n| 1.0 / (1.0 + n as f32 * 0.37)).collect();
        let whole = hops(22_050, &power, power.len());
        for block in [1, 2, 3, 7, 64, 220, 221, 1_024] {
            assert_eq!(hops(22_050, &power, block), whole, "blocks of {block}");
        }
    }
}
