//! The progress bar: on a terminal only, and on stderr, so that results stay clean.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far a run is. Shows nothing where stderr is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    rate_hz: u32,
}

impl Progress {
    /// Begins at 0 of `expected_frames`, or of nobody knows how many.
    pub(crate) fn begin(verb: &str, expected_frames: Option<u64>, rate_hz: u32) -> Progress {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(expected_frames.map(|f| f / rate(rate_hz)), target);
        let template = match expected_frames {
            Some(_) => "{prefix} {bar:30} {percent:>3} %  {msg}",
            None => "{prefix} {spinner}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        bar.set_prefix(verb.to_owned());
        Progress { bar, rate_hz }
    }

    pub(crate) fn at(&self, frames: u64) {
        let seconds = frames / rate(self.rate_hz);
        if seconds != self.bar.position() {
            self.bar.set_position(seconds);
            self.bar.set_message(super::duration_text(seconds as f64));
        }
    }
}

fn rate(rate_hz: u32) -> u64 {
    u64::from(rate_hz.max(1))
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
