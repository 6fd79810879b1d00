//! `headroom set KEY VALUE`: overrides a setting.
//!
//! What was typed becomes the kind of value that the setting takes; whether it can be taken is
//! the daemon's to say.

use headroom_client::ipc::SettingValue;
use headroom_client::{Client, daemon_address};
use headroom_profile::{Kind, Setting};

use crate::args::SetArgs;
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &SetArgs) -> Result<(), Failure> {
    let value = value_of(&args.key, &args.value);
    let now = Client::connect(&daemon_address()?)?.setting_set(&args.key, value)?;
    if args.json {
        print::json(&now)
    } else {
        print::result(&print::setting_line(&now, Paint::for_stdout()))
    }
}

/// What was typed, as the kind of the setting has it. Of a key that this version does not know,
/// the form of the text decides: a newer daemon may know it.
fn value_of(key: &str, typed: &str) -> SettingValue {
    let word = || SettingValue::Word(typed.to_owned());
    let kind = Setting::find(key).map(|setting| setting.kind);
    match (kind, typed) {
        (Some(Kind::Word(_)), _) => word(),
        (Some(Kind::Switch), "on") => true.into(),
        (Some(Kind::Switch), "off") => false.into(),
        (_, "true") => true.into(),
        (_, "false") => false.into(),
        // "nan" and "inf" are numbers to the computer, and words to people.
        _ => match typed.parse::<f32>() {
            Ok(number) if number.is_finite() => number.into(),
            _ => word(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_taken_as_the_kind_of_the_setting() {
        for (key, typed, value) in [
            ("agc.target_lufs", "-16", SettingValue::Number(-16.0)),
            ("agc.target_lufs", "+.5e1", SettingValue::Number(5.0)),
            ("agc.target_lufs", "on", "on".into()),
            ("agc.target_lufs", "nan", "nan".into()),
            ("agc.target_lufs", "-16,5", "-16,5".into()),
            ("agc.enabled", "on", true.into()),
            ("agc.enabled", "off", false.into()),
            ("agc.enabled", "true", true.into()),
            ("agc.enabled", "1", SettingValue::Number(1.0)),
            ("compressor.makeup_db", "auto", "auto".into()),
            ("compressor.makeup_db", "-3", SettingValue::Number(-3.0)),
            ("limiter.link", "dual-mono", "dual-mono".into()),
            ("limiter.link", "false", "false".into()),
            ("added.later", "on", "on".into()),
            ("added.later", "false", false.into()),
            ("added.later", "-3", SettingValue::Number(-3.0)),
        ] {
            assert_eq!(value_of(key, typed), value, "{key} {typed}");
        }
    }
}
