//! The largest peak of the last frames: how the gain knows of a peak before it comes.
//!
//! Called by [`super::path`]. The old end of the window is coarse, a group of frames wide: a
//! peak is remembered a few frames longer than asked, never shorter.

/// Frames of a group.
const GROUP_FRAMES: usize = 8;

/// Sliding maximum over at least a set number of frames.
#[derive(Debug, Clone)]
pub(crate) struct PeakWindow {
    /// In a circle of `used`, and zeros up to a whole vector.
    groups: Vec<f32>,
    used: usize,
    next: usize,
    /// Largest of the groups that are complete.
    older: f32,
    /// Largest of the group that is not.
    current: f32,
    frames_in_group: usize,
}

impl PeakWindow {
    /// Room for windows up to `most_frames`. Allocates.
    pub(crate) fn prepare(most_frames: usize) -> PeakWindow {
        PeakWindow {
            groups: vec![0.0; groups_for(most_frames).next_multiple_of(GROUP_FRAMES)],
            used: 0,
            next: 0,
            older: 0.0,
            current: 0.0,
            frames_in_group: 0,
        }
    }

    /// Empties the window and makes it at least `frames` wide.
    pub(crate) fn restart(&mut self, frames: usize) {
        self.used = groups_for(frames).min(self.groups.len());
        self.frames_in_group = 0;
        self.forget();
    }

    /// Empties the window.
    pub(crate) fn forget(&mut self) {
        self.groups.fill(0.0);
        self.next = 0;
        self.older = 0.0;
        self.current = 0.0;
    }

    /// Lets time pass while the window is as good as empty.
    pub(crate) fn skip(&mut self, frames: usize) {
        self.frames_in_group = (self.frames_in_group + frames) % GROUP_FRAMES;
    }

    /// Replaces every peak by the largest of the window that ends with it.
    pub(crate) fn slide(&mut self, peaks: &mut [f32]) {
        let to_group = (GROUP_FRAMES - self.frames_in_group) % GROUP_FRAMES;
        let (head, whole) = peaks.split_at_mut(to_group.min(peaks.len()));
        self.slide_each(head);
        let (groups, tail) = whole.as_chunks_mut::<GROUP_FRAMES>();
        for group in groups {
            let highest = highest(group);
            if highest <= self.older {
                // What came before outweighs the whole group.
                *group = [self.older; GROUP_FRAMES];
            } else {
                let mut current = self.older;
                for peak in group {
                    current = larger(*peak, current);
                    *peak = current;
                }
            }
            self.current = highest;
            self.close_group();
        }
        self.slide_each(tail);
    }

    fn slide_each(&mut self, peaks: &mut [f32]) {
        for peak in peaks {
            self.current = larger(*peak, self.current);
            *peak = larger(self.older, self.current);
            self.frames_in_group += 1;
            if self.frames_in_group == GROUP_FRAMES {
                self.close_group();
            }
        }
    }

    fn close_group(&mut self) {
        self.groups[self.next] = self.current;
        self.next = if self.next + 1 == self.used { 0 } else { self.next + 1 };
        self.older = largest(&self.groups[..self.used.next_multiple_of(GROUP_FRAMES)]);
        self.current = 0.0;
        self.frames_in_group = 0;
    }
}

/// Complete groups that cover `frames - 1` frames.
fn groups_for(frames: usize) -> usize {
    frames.saturating_sub(1).div_ceil(GROUP_FRAMES).max(1)
}

/// The largest of the values, 0 if there is none; in lanes, so that it vectorises.
pub(crate) fn largest(values: &[f32]) -> f32 {
    let (groups, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for group in groups {
        for (lane, value) in lanes.iter_mut().zip(group) {
            *lane = larger(*value, *lane);
        }
    }
    rest.iter().fold(highest(&lanes), |most, value| larger(*value, most))
}

fn highest(lanes: &[f32; 8]) -> f32 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    larger(larger(larger(a, e), larger(b, f)), larger(larger(c, g), larger(d, h)))
}

/// `value` if it is larger, else `than`: also if `value` is no number.
fn larger(value: f32, than: f32) -> f32 {
    if value > than { value } else { than }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_seen_from_its_frame_for_at_least_the_window_and_no_group_longer() {
        for frames in [1, 2, 7, 8, 9, 20, 97] {
            for at in 0..GROUP_FRAMES {
                let mut window = PeakWindow::prepare(frames);
                window.restart(frames);
                let mut peaks = vec![0.25; 256];
                peaks[at] = 1.0;
                for cut in peaks.chunks_mut(13) {
                    window.slide(cut);
                }
                let last = peaks.iter().rposition(|peak| *peak == 1.0).unwrap();
                assert!(peaks[..at].iter().all(|peak| *peak == 0.25));
                assert!(peaks[at..=last].iter().all(|peak| *peak == 1.0));
                let seen = last - at + 1;
                assert!(seen >= frames && seen < frames + 2 * GROUP_FRAMES, "{frames}: {seen}");
            }
        }
    }
}
