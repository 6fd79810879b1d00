//! Panels of lines over time as a picture, SVG or PNG, with letters of its own, so that it looks
//! the same on a machine without fonts.
//!
//! Draws what it is given; knows nothing of sound.

mod canvas;
mod panel;

pub use panel::{Line, Panel, Stroke};
pub use plotters::style::RGBColor as Rgb;

/// Okabe and Ito's colours, which people with any colour vision can tell apart.
pub mod color {
    use super::Rgb;

    /// Of what came out.
    pub const BLUE: Rgb = Rgb(0, 114, 178);
    /// Of what went in.
    pub const ORANGE: Rgb = Rgb(230, 159, 0);
    /// Of what is taken off.
    pub const VERMILLION: Rgb = Rgb(213, 94, 0);
    /// Of what is added.
    pub const GREEN: Rgb = Rgb(0, 158, 115);
    /// Of lines to compare with.
    pub const GREY: Rgb = Rgb(90, 90, 90);
}

/// A stretch of time with a name, marked across all panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where it begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Its name; lines are apart by `\n`.
    pub label: String,
}

/// A picture: a title, panels below each other over one axis of time, and named parts of it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What stands on top.
    pub title: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// Marked on all panels and named above the first; often none.
    pub parts: Vec<Part>,
}

impl Picture {
    /// The text of an SVG file.
    ///
    /// # Errors
    /// The drawing library's own words.
    pub fn svg(&self) -> Result<Vec<u8>, String> {
        canvas::svg(self)
    }

    /// The bytes of a PNG file.
    ///
    /// # Errors
    /// The drawing library's own words.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        canvas::png(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let swing = |tick: i32| (f64::from(tick) / 40.0).sin();
        let points = |value: fn(f64) -> f64| {
            (1..600).map(|tick| (f64::from(tick) * 0.1, value(swing(tick)))).collect()
        };
        let mut input: Vec<(f64, f64)> = points(|swing| -30.0 + 6.0 * swing);
        input[..5].iter_mut().for_each(|(_, value)| *value = f64::NEG_INFINITY);
        let line = |label: &str, color, stroke, points| Line {
            label: label.into(),
            color,
            stroke,
            points,
        };
        Picture {
            title: "A title & more".into(),
            panels: vec![
                Panel::loudness("up", vec![line("in", color::BLUE, Stroke::Thick, input)], 1),
                Panel::gain(
                    "down",
                    vec![line("g", color::GREEN, Stroke::Thin, points(|s| 3.0 * s))],
                    1,
                ),
            ],
            parts: vec![Part { from_s: 10.0, to_s: 30.0, label: "one\npart".into() }],
        }
    }

    #[test]
    fn an_svg_has_its_words() {
        let text = String::from_utf8(picture().svg().expect("drawn")).expect("text");
        for word in ["<svg", "A title &amp; more", "up", "down", "Time", "one", "part", "</svg>"] {
            assert!(text.contains(word), "no {word} in it");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn a_png_has_more_than_one_colour() {
        let bytes = picture().png().expect("drawn");
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("pixels");
        let blue = pixels.chunks_exact(3).filter(|rgb| rgb[0] < 60 && rgb[2] > 140).count();
        assert!(blue > 500, "{blue} pixels of the line");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_picture_and_no_panic() {
        let empty = Picture {
            title: "nothing".into(),
            panels: vec![Panel::loudness("loudness", vec![], 1), Panel::gain("gain", vec![], 1)],
            parts: vec![],
        };
        assert!(empty.svg().is_ok());
        assert!(empty.png().is_ok());
    }
}
