//! How late a plane is heard, and whether all of it is: by the noise that it carries.
//!
//! Where a chain delays a plane by a whole number of frames, every stretch of what is heard is a
//! stretch of what was sent, that many frames ago, times a gain. While it fades from one delay
//! to another, it is a mix of two such stretches. What is neither has lost frames, or has frames
//! that are not its own. Tones are no good for this: one period looks like the next.

/// By how many frames `heard` is later than `sent`, looked for up to `most` in the stretch of
/// `heard` that is given. `None` where it is no delayed stretch of it.
#[must_use]
pub fn delay_frames(
    sent: &[f64],
    heard: &[f64],
    stretch: std::ops::Range<usize>,
    most: usize,
) -> Option<usize> {
    let part = |delay: &usize| explained_part(sent, heard, stretch.clone(), &[*delay]);
    let best = (0..=most).max_by(|a, b| part(a).total_cmp(&part(b)))?;
    (part(&best) > 0.5).then_some(best)
}

/// How much of the energy of a stretch of `heard` is a mix of `sent` at these delays, from 0 to 1.
/// Of a stretch without any energy it is 0.
#[must_use]
pub fn explained_part(
    sent: &[f64],
    heard: &[f64],
    stretch: std::ops::Range<usize>,
    delays: &[usize],
) -> f64 {
    let mut rest = heard[stretch.clone()].to_vec();
    let energy = dot(&rest, &rest);
    let mut axes: Vec<Vec<f64>> = Vec::new();
    for delay in delays {
        let Some(start) = stretch.start.checked_sub(*delay) else { continue };
        let mut axis = sent[start..start + rest.len()].to_vec();
        let whole = dot(&axis, &axis);
        for other in &axes {
            project_out(&mut axis, other);
        }
        let length = dot(&axis, &axis).sqrt();
        // What is next to nothing but rounding is no direction.
        if length * length <= 1e-6 * whole {
            continue;
        }
        axis.iter_mut().for_each(|sample| *sample /= length);
        project_out(&mut rest, &axis);
        axes.push(axis);
    }
    if energy > 0.0 { 1.0 - dot(&rest, &rest) / energy } else { 0.0 }
}

/// Takes what lies along a vector of length 1 out of another.
fn project_out(of: &mut [f64], along: &[f64]) {
    let amount = dot(of, along);
    of.iter_mut().zip(along).for_each(|(sample, along)| *sample -= amount * along);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    crate::filter::dot(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn noise(frames: usize) -> Vec<f64> {
        let mut random = Random::new(7);
        (0..frames).map(|_| random.sample()).collect()
    }

    fn delayed(sent: &[f64], delay: usize, gain: f64) -> Vec<f64> {
        (0..sent.len()).map(|n| if n < delay { 0.0 } else { gain * sent[n - delay] }).collect()
    }

    #[test]
    fn a_delay_is_found_at_any_gain() {
        let sent = noise(10_000);
        for (delay, gain) in [(0, 1.0), (96, 0.01), (1_537, -4.0)] {
            let heard = delayed(&sent, delay, gain);
            assert_eq!(delay_frames(&sent, &heard, 5_000..5_480, 2_000), Some(delay));
        }
        let other: Vec<f64> = noise(20_000).split_off(10_000);
        assert_eq!(delay_frames(&sent, &other, 5_000..5_480, 2_000), None);
    }

    #[test]
    fn a_fade_between_two_delays_is_explained_by_both_and_a_lost_frame_by_neither() {
        let sent = noise(4_000);
        let (a, b) = (delayed(&sent, 112, 1.0), delayed(&sent, 256, 0.7));
        let fade = |n: usize| (n as f64 - 2_000.0) / 240.0;
        let heard: Vec<f64> = (0..4_000).map(|n| (1.0 - fade(n)) * a[n] + fade(n) * b[n]).collect();
        assert!(explained_part(&sent, &heard, 2_000..2_240, &[112, 256]) > 0.7);
        assert!(explained_part(&sent, &heard, 2_000..2_240, &[112]) < 0.6);
        let mut lost = a.clone();
        lost.remove(2_000);
        assert!(explained_part(&sent, &lost, 2_000..2_240, &[112, 256]) < 0.1);
        assert!(explained_part(&sent, &lost, 2_000..2_240, &[111]) > 0.99);
        // The same delay twice explains no more than once.
        assert!(explained_part(&sent, &heard, 2_000..2_240, &[112, 112]) < 0.6);
    }

    #[test]
    fn silence_is_explained_by_nothing() {
        let sent = noise(1_000);
        assert_eq!(explained_part(&sent, &vec![0.0; 1_000], 200..440, &[100]), 0.0);
    }
}
