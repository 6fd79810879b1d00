//! `headroom adjust KEY STEP`: changes a number by a step, and says where it has come to.

use headroom_client::ipc::{Code, SettingAmount, SettingGet, SettingSet, SettingValue};
use headroom_client::{Client, endpoint};

use crate::args::AdjustArgs;
use crate::failure::Failure;
use crate::print::{self, Paint, Reach};

pub(crate) fn run(args: &AdjustArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&endpoint()?)?;
    // Both at once, so that hardly anybody can come in between.
    let before = client.send(&SettingGet { key: args.key.clone() })?;
    let amount = SettingAmount::By(args.step);
    let now = client.send(&SettingSet { key: args.key.clone(), amount })?;
    let before = client.wait(before)?;
    let now = client.wait(now).map_err(|error| {
        let is_no_number = error.code() == Some(Code::InvalidArgs);
        let failure = Failure::from(error);
        match &args.key {
            key if is_no_number => {
                failure.with_hint(format!("headroom set {key} gives it a value"))
            }
            _ => failure,
        }
    })?;
    if args.json {
        return print::json(&now);
    }
    let reach = match (&before.value, &now.value) {
        (SettingValue::Number(before), SettingValue::Number(now)) => {
            reach(*before, *now, args.step)
        }
        _ => Reach::Whole,
    };
    print::result(&print::adjusted(&before, &now, reach, Paint::for_stdout()))
}

/// Whether a step came as far as was asked for.
fn reach(before: f32, now: f32, step: f32) -> Reach {
    // The daemon counts in thousandths.
    let asked = (f64::from(before) + f64::from(step)) * 1_000.0;
    let short_by = (asked.round() / 1_000.0 - f64::from(now)) * f64::from(step.signum());
    if now == before && step != 0.0 {
        Reach::Nowhere
    } else if short_by > 1e-4 * f64::from(now.abs()).max(1.0) {
        Reach::Short
    } else {
        Reach::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_ends_at_the_limit_is_told_from_one_that_comes_to_it() {
        assert_eq!(reach(-10.0, -8.0, 2.0), Reach::Whole);
        assert_eq!(reach(-10.0, -8.0, 5.0), Reach::Short);
        assert_eq!(reach(-38.0, -40.0, -2.0), Reach::Whole);
        assert_eq!(reach(-38.0, -40.0, -2.5), Reach::Short);
        assert_eq!(reach(-40.0, -40.0, -1.0), Reach::Nowhere);
        assert_eq!(reach(-40.0, -40.0, 0.0), Reach::Whole);
        // Numbers that have no exact form, and a step to the next of a few choices.
        assert_eq!(reach(-0.1, -0.3, -0.2), Reach::Whole);
        assert_eq!(reach(59_999.9, 60_000.0, 0.1), Reach::Whole);
        assert_eq!(reach(4.0, 8.0, 1.0), Reach::Whole);
    }
}
