//! Rows: a figure, its reference, and the bar.

/// What a noisy machine may add before `--check` fails.
const SLACK: f64 = 1.25;

/// Prints rows as they come, and remembers whether all bars are kept.
#[derive(Default)]
pub(crate) struct Table {
    headed: bool,
    broken: bool,
}

impl Table {
    /// A figure that is at most `bar` times its reference.
    pub(crate) fn ratio(&mut self, what: &str, ours: f64, reference: f64, unit: &str, bar: f64) {
        self.row(what, ours, Some(reference), unit, ours / reference, bar, "x");
    }

    /// A figure that is at most `bar`.
    pub(crate) fn figure(&mut self, what: &str, ours: f64, unit: &str, bar: f64) {
        self.row(what, ours, None, unit, ours, bar, unit);
    }

    /// Something that could not be measured, which is no success.
    pub(crate) fn missing(&mut self, what: &str, why: &str) {
        println!("{what:<52} not measured: {why}");
        self.broken = true;
    }

    pub(crate) fn is_kept(&self) -> bool {
        !self.broken
    }

    #[allow(clippy::too_many_arguments, reason = "the columns")]
    fn row(
        &mut self,
        what: &str,
        ours: f64,
        reference: Option<f64>,
        unit: &str,
        judged: f64,
        bar: f64,
        bar_unit: &str,
    ) {
        if !self.headed {
            self.headed = true;
            println!(
                "{:<52} {:>14} {:>14} {:>9} {:>12}",
                "", "ours", "reference", "ratio", "at most"
            );
        }
        let number = |number: f64| format!("{number:.2} {unit}");
        let (reference, ratio) = match reference {
            Some(reference) => (number(reference), format!("{judged:.2} x")),
            None => (String::new(), String::new()),
        };
        let verdict = if judged <= bar { "" } else { "  OVER" };
        println!(
            "{what:<52} {:>14} {reference:>14} {ratio:>9} {:>12}{verdict}",
            number(ours),
            format!("{bar} {bar_unit}"),
        );
        self.broken |= judged > bar * SLACK;
    }
}

/// A value that so much of the values are not over.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * part) as usize;
    values[place.min(values.len() - 1)]
}
