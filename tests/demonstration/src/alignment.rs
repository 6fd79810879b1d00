//! Finds each part again in the recording, to the frame.
//!
//! Clients start when they start; nobody notes the moment to the sample. But what comes out is what
//! went in, louder or quieter and a little later, so it can be found by its shape.

use headroom_signals::Programme;

use crate::programme::Part;

/// Quieter than this is silence: far below anything that is played, far above a resampler's dust.
const SILENCE: f32 = 2e-5;
/// How far from the onset that was heard the true place may be.
const REACH_FRAMES: usize = 2_400;
/// How much of a part is compared.
const COMPARED_FRAMES: usize = 24_000;
/// Less alike than this is another sound. Compressor and limiter change a shape by little.
const LEAST_LIKENESS: f64 = 0.7;

/// A part and the frame of the recording that its first frame is heard at, the latency of Headroom
/// included.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// What was played.
    pub(crate) part: Part,
    /// Where it begins.
    pub(crate) start: usize,
}

impl Placed {
    /// What was heard between two times of the part.
    pub(crate) fn heard(&self, recording: &Programme, from_s: f64, to_s: f64) -> Programme {
        let start_s = self.start as f64 / f64::from(recording.rate_hz);
        recording.between(start_s + from_s, start_s + to_s)
    }
}

/// A part that is not in the recording.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("\"{title}\" was played, but is not in what the device received{}", like(*likeness))]
pub(crate) struct Missing {
    /// Which one.
    pub(crate) title: &'static str,
    /// How much the likeliest place is like it, if any sound was heard.
    pub(crate) likeness: Option<f64>,
}

fn like(likeness: Option<f64>) -> String {
    likeness.map_or(String::new(), |likeness| {
        format!(" (what was heard there is like it by {:.0} %)", 100.0 * likeness)
    })
}

/// Places parts that were played one after the other.
///
/// # Errors
/// [`Missing`] with the first part that cannot be found.
pub(crate) fn place(parts: Vec<Part>, recording: &Programme) -> Result<Vec<Placed>, Missing> {
    let heard = mono(recording);
    let mut placed = Vec::with_capacity(parts.len());
    let mut from = 0;
    for part in parts {
        let start = find(&part, &heard, from)?;
        from = start + part.sound.frames();
        placed.push(Placed { part, start });
    }
    Ok(placed)
}

fn find(part: &Part, heard: &[f32], from: usize) -> Result<usize, Missing> {
    let title = part.title;
    let played = mono(&part.sound);
    let missing = |likeness| Missing { title, likeness };
    let onset_played = onset(&played, 0).ok_or(missing(None))?;
    let compared = COMPARED_FRAMES.min(played.len() - onset_played);
    let shape = &played[onset_played..onset_played + compared];
    // The end of the part before rings on for as long as Headroom looks ahead: step over it.
    let mut search = from;
    let mut likeliest: Option<f64> = None;
    while let Some(onset_heard) = onset(heard, search) {
        let first = onset_heard.saturating_sub(REACH_FRAMES).max(onset_played);
        let last = (onset_heard + REACH_FRAMES).min(heard.len().saturating_sub(compared));
        let best = (first..=last.max(first))
            .filter(|at| at + compared <= heard.len())
            .map(|at| (at, likeness(shape, &heard[at..at + compared])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((at, alike)) if alike >= LEAST_LIKENESS => return Ok(at - onset_played),
            Some((_, alike)) => likeliest = Some(likeliest.map_or(alike, |best| best.max(alike))),
            None => {}
        }
        search = onset_heard + REACH_FRAMES;
        // Only dust before the part may be stepped over, and never the part itself.
        if search > from + 4 * COMPARED_FRAMES {
            break;
        }
    }
    Err(missing(likeliest))
}

fn onset(plane: &[f32], from: usize) -> Option<usize> {
    let from = from.min(plane.len());
    Some(from + plane[from..].iter().position(|y| y.abs() > SILENCE)?)
}

/// The normalised correlation: 1 for the same shape, however loud.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let (mut product, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    // In f32 sums of short stretches: fast, and exact enough to tell shapes apart.
    for (a, b) in a.chunks(64).zip(b.chunks(64)) {
        let dot =
            |x: &[f32], y: &[f32]| f64::from(x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>());
        product += dot(a, b);
        of_a += dot(a, a);
        of_b += dot(b, b);
    }
    if of_a * of_b > 0.0 { product / (of_a * of_b).sqrt() } else { 0.0 }
}

fn mono(programme: &Programme) -> Vec<f32> {
    let mut sum = vec![0.0; programme.frames()];
    for plane in &programme.channels {
        sum.iter_mut().zip(plane).for_each(|(sum, y)| *sum += y);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Kind, RATE_HZ};
    use headroom_signals::{noise, speech};

    fn parts() -> Vec<Part> {
        let part = |title, sound| Part { kind: Kind::QuietTalk, title, label: "", app: "", sound };
        let talk = speech::speech_like(RATE_HZ, 2, 2.0, speech::Pauses::Natural, 1);
        vec![part("talk", talk), part("noise", noise::pink(RATE_HZ, 2, 2.0, 2))]
    }

    #[test]
    fn parts_are_found_to_the_frame_whatever_their_level() {
        let [talk, pink] = &parts()[..] else { panic!("two parts") };
        let gap =
            |frames: usize| Programme::silence(RATE_HZ, 2, frames as f64 / f64::from(RATE_HZ));
        let recording = Programme::concat(&[
            gap(12_345),
            talk.sound.clone().gain_db(-12.0),
            gap(777),
            pink.sound.clone().gain_db(3.0),
            gap(5_000),
        ]);
        let starts: Vec<usize> =
            place(parts(), &recording).expect("both").iter().map(|placed| placed.start).collect();
        assert_eq!(starts, [12_345, 12_345 + 96_000 + 777]);
    }

    #[test]
    fn a_part_that_was_not_heard_is_named() {
        let other = noise::pink(RATE_HZ, 2, 9.0, 99);
        assert_eq!(place(parts(), &other).expect_err("not there").title, "talk");
        let silence = Programme::silence(RATE_HZ, 2, 5.0);
        let missing = place(parts(), &silence).expect_err("not there");
        assert_eq!(missing, Missing { title: "talk", likeness: None });
    }
}
