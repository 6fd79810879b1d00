//! The user's volume, taken off on the way in and put back on the way out.
//!
//! PipeWire applies the volume of one of our sinks before our callback. Every stage shall see
//! the programme and not the volume, so each channel is divided by its volume on the way in
//! and multiplied by it behind the last stage.
//!
//! PipeWire changes the volume on another thread than the one that runs us, and tells us
//! after it has done so: for one block, seldom, what we divide by is not what PipeWire
//! multiplied by. Divided by too much, such a block is quiet, which is harmless. Divided by too
//! little it would be a burst of up to 100 dB, and the burst guard would hold the sound down
//! for seconds. [`VolumeUndo::enter`] therefore looks at blocks that fall into a change: one
//! that jumps over what was just heard is brought back to that.

use headroom_dsp::MAX_CHANNELS;

use super::plane::{peak_of, scale};
use super::volume::{SMALLEST, Slider, Volume};

/// A block in a change is too loud when its peak is this much over what was heard before it.
const JUMP: f32 = 4.0;
/// Peaks below this (-80 dBFS) are a pause: any onset may follow one.
const PAUSE: f32 = 1e-4;
/// How long a peak is remembered, in frames.
const RECENT_FRAMES: f32 = 20_000.0;
/// The longest that a block is taken for one of a change, in frames. A loud sound is let
/// through after that, whatever hr-graph is busy with.
const CHANGE_FRAMES: usize = 9_600;
/// So long after the volume of an app has changed, blocks may still come as they were before it,
/// in frames: the report takes another way than the sound.
const LATE_FRAMES: usize = 4_800;
/// A falling volume is put back within this many frames, a rising one over the whole block.
const FALL_FRAMES: usize = 256;

/// Divides by the volume on the way in and multiplies by what shall be heard on the way out.
#[derive(Debug)]
pub(super) struct VolumeUndo {
    volume: Volume,
    divisors: [f32; MAX_CHANNELS],
    slider: Slider,
    /// The volume that is taken off and put back.
    slid: [f32; MAX_CHANNELS],
    late_frames: usize,
    out: [f32; MAX_CHANNELS],
    recent_peak: f32,
    change_frames: usize,
}

impl VolumeUndo {
    pub(super) fn new(volume: Volume, out: [f32; MAX_CHANNELS]) -> VolumeUndo {
        let mut undo = VolumeUndo {
            volume,
            divisors: [1.0; MAX_CHANNELS],
            slider: Slider::FULL,
            slid: [1.0; MAX_CHANNELS],
            late_frames: 0,
            out,
            recent_peak: 0.0,
            change_frames: 0,
        };
        undo.take(volume);
        undo
    }

    fn take(&mut self, volume: Volume) {
        self.volume = volume;
        for (divisor, &v) in self.divisors.iter_mut().zip(&volume.channels) {
            // Frozen where the volume is silence: it cannot be undone.
            if v.is_finite() && v >= SMALLEST {
                *divisor = v;
            }
        }
    }

    fn take_slider(&mut self, slider: Slider) {
        let mut rise = 0.0_f32;
        for (slid, &v) in self.slid.iter_mut().zip(&slider.channels) {
            if v.is_finite() && v >= SMALLEST {
                rise = rise.max(*slid / v);
                *slid = v;
            }
        }
        if slider.of == self.slider.of {
            self.late_frames = LATE_FRAMES;
        } else if rise > 0.0 {
            // What is divided by less is seen that much higher: no onset, and no change.
            self.recent_peak *= rise;
        }
        self.slider = slider;
    }

    /// Divides the block by the volume and by the slider. `may_have_changed`: hr-graph is at work,
    /// so PipeWire's volume may have moved without our knowing yet. Says whether either is new.
    ///
    /// Real-time safe: yes.
    pub(super) fn enter(
        &mut self,
        block: &mut [&mut [f32]],
        volume: &Volume,
        slider: &Slider,
        may_have_changed: bool,
    ) -> bool {
        let is_new = *volume != self.volume || *slider != self.slider;
        if *volume != self.volume {
            self.take(*volume);
        }
        if *slider != self.slider {
            self.take_slider(*slider);
        }
        let mut peak = 0.0_f32;
        let mut frames = 0;
        for ((plane, &divisor), &slid) in block.iter_mut().zip(&self.divisors).zip(&self.slid) {
            let divisor = divisor * slid;
            if divisor != 1.0 {
                scale(plane, 1.0 / divisor);
            }
            peak = peak.max(peak_of(plane));
            frames = plane.len();
        }
        let in_change = (may_have_changed || is_new || self.late_frames > 0)
            && self.change_frames < CHANGE_FRAMES;
        self.late_frames = self.late_frames.saturating_sub(frames);
        if in_change && self.recent_peak > PAUSE && peak > self.recent_peak * JUMP {
            let factor = self.recent_peak / peak;
            for plane in block.iter_mut() {
                scale(plane, factor);
            }
            self.change_frames += frames;
            return is_new;
        }
        self.change_frames = 0;
        let decay = (1.0 - frames as f32 / RECENT_FRAMES).max(0.0);
        // An infinite sample is replaced by the stage; it says nothing of the programme.
        let heard = if peak.is_finite() { peak } else { 0.0 };
        self.recent_peak = heard.max(self.recent_peak * decay);
        is_new
    }

    /// Multiplies the block by `gains`, ramped from those of the block before, and by the slider
    /// that it was divided by.
    ///
    /// Real-time safe: yes.
    pub(super) fn leave(&mut self, block: &mut [&mut [f32]], gains: &[f32; MAX_CHANNELS]) {
        let on_the_way_out = block.iter_mut().zip(&mut self.out).zip(gains).zip(&self.slid);
        for (((plane, from), &to), &slid) in on_the_way_out {
            if slid != 1.0 {
                scale(plane, slid);
            }
            if plane.is_empty() {
                continue;
            }
            if *from == to {
                if to != 1.0 {
                    scale(plane, to);
                }
                continue;
            }
            let frames = if to < *from { plane.len().min(FALL_FRAMES) } else { plane.len() };
            let step = (to - *from) / frames as f32;
            let (ramp, rest) = plane.split_at_mut(frames);
            for (index, sample) in ramp.iter_mut().enumerate() {
                *sample *= *from + step * (index + 1) as f32;
            }
            scale(rest, to);
            *from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(cubic: f32) -> Volume {
        Volume { channels: [cubic * cubic * cubic; MAX_CHANNELS], muted: false }
    }

    /// One block through the undo and the law behind it, with a chain that changes nothing.
    /// `applied` is what PipeWire multiplied by, `reported` what it has told us.
    fn through(undo: &mut VolumeUndo, applied: f32, reported: Volume, busy: bool) -> (f32, f32) {
        let mut plane = [0.5 * applied; 512];
        let mut block = [plane.as_mut_slice()];
        undo.enter(&mut block, &reported, &Slider::FULL, busy);
        let seen = block[0].iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        undo.leave(&mut block, &reported.gains());
        (seen, plane.iter().fold(0.0_f32, |peak, s| peak.max(s.abs())))
    }

    #[test]
    fn the_chain_sees_the_programme_and_the_ear_the_volume() {
        for cubic in [1.0_f32, 0.5, 0.1, 0.05] {
            let v = volume(cubic);
            let mut undo = VolumeUndo::new(v, v.gains());
            let (seen, heard) = through(&mut undo, v.channels[0], v, false);
            assert!((seen - 0.5).abs() < 1e-6, "at {cubic} the chain sees {seen}");
            let wanted = 0.5 * cubic.powi(3);
            assert!((heard / wanted - 1.0).abs() < 1e-5, "at {cubic}: {heard}, not {wanted}");
        }
    }

    #[test]
    fn full_volume_is_bit_exact() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        let mut plane: Vec<f32> = (0..333).map(|n| (n as f32 * 0.37).sin()).collect();
        let before = plane.clone();
        let mut block = [plane.as_mut_slice()];
        undo.enter(&mut block, &Volume::FULL, &Slider::FULL, false);
        undo.leave(&mut block, &Volume::FULL.gains());
        assert_eq!(plane, before);
    }

    #[test]
    fn each_channel_has_its_own_volume() {
        let mut v = Volume::FULL;
        v.channels[0] = 0.125;
        let mut undo = VolumeUndo::new(v, v.gains());
        let mut left = [0.5 * 0.125_f32; 64];
        let mut right = [0.5_f32; 64];
        let mut block = [left.as_mut_slice(), right.as_mut_slice()];
        undo.enter(&mut block, &v, &Slider::FULL, false);
        assert_eq!((block[0][5], block[1][5]), (0.5, 0.5));
        undo.leave(&mut block, &v.gains());
        assert_eq!((left[5], right[5]), (0.0625, 0.5));
    }

    #[test]
    fn mute_is_silence_and_the_division_stays_as_it_was() {
        let v = volume(0.5);
        let mut undo = VolumeUndo::new(v, v.gains());
        let muted = Volume { muted: true, ..v };
        // PipeWire may still let one block through that it had not muted yet.
        let _ = through(&mut undo, 0.125, muted, false);
        assert_eq!(through(&mut undo, 0.125, muted, false).1, 0.0);
        let zero = Volume { channels: [0.0; MAX_CHANNELS], muted: false };
        assert_eq!(through(&mut undo, 0.0, zero, false), (0.0, 0.0));
        let (seen, _) = through(&mut undo, 0.125, v, false);
        assert!((seen - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_jump_up_that_comes_before_its_report_is_no_burst() {
        let low = volume(0.1);
        let mut undo = VolumeUndo::new(low, low.gains());
        for _ in 0..4 {
            let _ = through(&mut undo, 0.001, low, false);
        }
        // Applied, not yet reported: hr-graph is at it.
        let (seen, heard) = through(&mut undo, 1.0, low, true);
        assert!((seen - 0.5).abs() < 1e-4, "the chain saw {seen}");
        assert!(heard <= 0.0005 + 1e-6, "and the ear {heard}");
        let (seen, heard) = through(&mut undo, 1.0, volume(1.0), false);
        assert!((seen - 0.5).abs() < 1e-6);
        assert!(heard <= 0.5 + 1e-6);
    }

    #[test]
    fn a_report_that_comes_before_its_block_is_no_burst() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        for _ in 0..4 {
            let _ = through(&mut undo, 1.0, Volume::FULL, false);
        }
        // The volume fell between PipeWire's part of the block and ours.
        let (seen, heard) = through(&mut undo, 1.0, volume(0.1), false);
        assert!((seen - 0.5).abs() < 1e-4, "the chain saw {seen}");
        assert!(heard <= 0.5);
        let (seen, heard) = through(&mut undo, 0.001, volume(0.1), false);
        assert!((seen - 0.5).abs() < 1e-4);
        assert!((heard - 0.0005).abs() < 1e-6);
    }

    #[test]
    fn a_change_is_never_louder_than_the_louder_of_its_two_ends() {
        for (from, to) in [(0.1, 1.0), (1.0, 0.1), (0.5, 0.6), (0.9, 0.2)] {
            // The block of the change may have been scaled by either end, and be reported
            // before or after.
            for applied in [from, to] {
                for reported in [from, to] {
                    let start = volume(from);
                    let mut undo = VolumeUndo::new(start, start.gains());
                    for _ in 0..4 {
                        let _ = through(&mut undo, start.channels[0], start, false);
                    }
                    let end = volume(reported);
                    let (_, heard) = through(&mut undo, volume(applied).channels[0], end, true);
                    let most = 0.5 * f32::max(from, to).powi(3);
                    assert!(heard <= most * 1.0001, "{from} to {to}: {heard} over {most}");
                }
            }
        }
    }

    #[test]
    fn an_onset_outside_a_change_is_left_alone() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        for _ in 0..4 {
            let _ = through(&mut undo, 0.001, Volume::FULL, false);
        }
        let (seen, heard) = through(&mut undo, 1.0, Volume::FULL, false);
        assert_eq!((seen, heard), (0.5, 0.5));
    }

    #[test]
    fn a_loud_sound_gets_through_when_the_graph_stays_busy() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        for _ in 0..4 {
            let _ = through(&mut undo, 0.001, Volume::FULL, false);
        }
        let mut blocks = 0;
        while through(&mut undo, 1.0, Volume::FULL, true).0 < 0.4 {
            blocks += 1;
            assert!(blocks * 512 <= CHANGE_FRAMES + 512, "held down for good");
        }
        assert!(blocks > 0);
    }

    #[test]
    fn a_rise_ramps_over_the_block_and_a_fall_is_done_at_once() {
        let mut undo = VolumeUndo::new(Volume::FULL, [0.0; MAX_CHANNELS]);
        let mut plane = [1.0_f32; 1_024];
        undo.leave(&mut [plane.as_mut_slice()], &[1.0; MAX_CHANNELS]);
        assert!(plane[0] < 0.01 && (plane[511] - 0.5).abs() < 0.01 && plane[1_023] == 1.0);
        let mut plane = [1.0_f32; 1_024];
        undo.leave(&mut [plane.as_mut_slice()], &[0.0; MAX_CHANNELS]);
        assert!(plane[128] < 0.51 && plane[FALL_FRAMES..].iter().all(|s| *s == 0.0));
    }

    fn slider(cubic: f32, of: u64) -> Slider {
        Slider { channels: [cubic.powi(3); MAX_CHANNELS], of }
    }

    /// One block of an app whose own volume is `applied`, through a chain that changes nothing.
    fn of_app(undo: &mut VolumeUndo, applied: f32, slider: Slider) -> (f32, f32) {
        let mut plane = [0.5 * applied.powi(3); 512];
        let mut block = [plane.as_mut_slice()];
        undo.enter(&mut block, &Volume::FULL, &slider, false);
        let seen = peak_of(block[0]);
        undo.leave(&mut block, &Volume::FULL.gains());
        (seen, peak_of(&plane))
    }

    #[test]
    fn the_chain_sees_a_lone_app_at_full_and_the_ear_its_slider() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        for cubic in [1.0_f32, 0.5, 0.1, 1.0] {
            for _ in 0..(2 * LATE_FRAMES / 512) {
                let _ = of_app(&mut undo, cubic, slider(cubic, 7));
            }
            let (seen, heard) = of_app(&mut undo, cubic, slider(cubic, 7));
            assert!((seen - 0.5).abs() < 1e-5, "at {cubic} the chain sees {seen}");
            let wanted = 0.5 * cubic.powi(3);
            assert!((heard / wanted - 1.0).abs() < 1e-5, "at {cubic}: {heard}, not {wanted}");
        }
        // What is silence cannot be undone; it stays as it was, and comes back as it was.
        let _ = of_app(&mut undo, 0.0, slider(0.0, 7));
        assert_eq!(of_app(&mut undo, 1.0, slider(1.0, 7)).1, 0.5);
    }

    #[test]
    fn whoever_comes_or_goes_and_whatever_comes_late_nothing_is_louder_than_the_app_itself() {
        let apps = [1.0_f32, 0.7, 0.3, 0.1];
        let told: Vec<Slider> =
            [0, 7, 8].into_iter().flat_map(|of| apps.map(|cubic| slider(cubic, of))).collect();
        for before in &told {
            for after in &told {
                for applied in apps {
                    let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
                    let most = 0.5 * applied.powi(3) * 1.000_1;
                    for told in [before, before, before, after, after, after] {
                        let (_, heard) = of_app(&mut undo, applied, *told);
                        assert!(heard <= most, "{before:?} to {after:?}: {heard} over {most}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_app_that_is_alone_from_now_on_goes_on_without_a_dip() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        let low = 0.5 * 0.1_f32.powi(3);
        for told in [Slider::FULL, Slider::FULL, slider(0.1, 7), slider(0.1, 7), Slider::FULL] {
            let (_, heard) = of_app(&mut undo, 0.1, told);
            assert!((heard / low - 1.0).abs() < 1e-4, "{heard}, not {low}");
        }
    }

    #[test]
    fn blocks_that_are_older_than_the_report_of_a_slider_are_no_burst() {
        let mut undo = VolumeUndo::new(Volume::FULL, Volume::FULL.gains());
        for _ in 0..4 {
            let _ = of_app(&mut undo, 1.0, slider(1.0, 7));
        }
        for _ in 0..3 {
            let (seen, heard) = of_app(&mut undo, 1.0, slider(0.1, 7));
            assert!(seen < 0.51 && heard <= 0.5, "the chain saw {seen}, and the ear {heard}");
        }
        let (seen, heard) = of_app(&mut undo, 0.1, slider(0.1, 7));
        assert!((seen - 0.5).abs() < 1e-4 && (heard - 0.000_5).abs() < 1e-6);
    }
}
