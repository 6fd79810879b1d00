//! `headroom adjust KEY STEP`: changes a number by a step, and says where it has come to.

use headroom_client::ipc::{Code, Setting, SettingAmount, SettingGet, SettingSet, SettingValue};
use headroom_client::{Client, daemon_address};
use headroom_profile::{Profile, embedded, wire};

use crate::args::AdjustArgs;
use crate::failure::Failure;
use crate::on_disk::DEFAULT;
use crate::print::{self, End, Paint, Reach};

pub(crate) fn run(args: &AdjustArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
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
    let end = match reach {
        Reach::Whole => End::Limit,
        Reach::Short | Reach::Nowhere => end(&mut client, &now, args.step)?,
    };
    print::result(&print::adjusted(&before, &now, reach, &end, Paint::for_stdout()))
}

/// What a step ended at that did not come as far as was asked for.
fn end(client: &mut Client, now: &Setting, step: f32) -> Result<End, Failure> {
    let limit = if step > 0.0 { now.accepts.max } else { now.accepts.min };
    if limit.is_none_or(|limit| now.value == SettingValue::Number(limit)) {
        return Ok(End::Limit);
    }
    // What would be said of a value that is further on.
    let mut settings = client.setting_list(None)?.settings;
    for setting in &mut settings {
        if setting.key == now.key {
            setting.value = limit.unwrap_or_default().into();
        }
    }
    let conflict = together(&settings).and_then(|profile| profile.conflict());
    let Some(conflict) = conflict else { return Ok(End::Limit) };
    let value_of = |key: &str| Some(&settings.iter().find(|setting| setting.key == key)?.value);
    let other = conflict.against(&now.key).and_then(|key| Some((key, value_of(key)?)));
    let is = other.map(|(key, value)| format!(" ({})", print::key_and_value(key, value)));
    Ok(End::Other(format!("{}{}", conflict.rule(), is.unwrap_or_default())))
}

/// A profile with these values in it.
fn together(settings: &[Setting]) -> Option<Profile> {
    let (name, text) = embedded().find(|(name, _)| *name == DEFAULT)?;
    let mut profile = Profile::parse_as(name, name, text).ok()?.profile;
    for setting in settings {
        if let Some(known) = headroom_profile::Setting::find(&setting.key) {
            // What a newer daemon lets it be may be nothing that is known here.
            let _ = known.put(&mut profile, wire::value_back(&setting.value));
        }
    }
    Some(profile)
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
