//! What profiles call things, as the protocol calls them.

use headroom_ipc as ipc;
use headroom_profile as profile;

/// Fields that both sides have; the compiler says when one side gets another.
pub(super) fn rule(rule: &profile::Rule) -> ipc::Rule {
    let profile::Match { process_binary, application_name, portal_app_id, media_role } =
        rule.matches.clone();
    ipc::Rule {
        matches: ipc::Match { process_binary, application_name, portal_app_id, media_role },
        route: route(&rule.route),
        origin: ipc::RuleOrigin::Profile,
    }
}

pub(super) fn route(route: &profile::Route) -> ipc::Route {
    match route {
        profile::Route::Processed => ipc::Route::Processed,
        profile::Route::Protected => ipc::Route::Protected,
        profile::Route::Bypass => ipc::Route::Bypass,
        profile::Route::Bus(name) => ipc::Route::Bus(name.clone()),
    }
}

pub(super) fn value(value: profile::Value<'_>) -> ipc::SettingValue {
    match value {
        profile::Value::Switch(value) => value.into(),
        profile::Value::Number(number) => number.into(),
        profile::Value::Word(word) => word.into(),
    }
}

pub(super) fn value_back(value: &ipc::SettingValue) -> profile::Value<'_> {
    match value {
        ipc::SettingValue::Switch(value) => profile::Value::Switch(*value),
        ipc::SettingValue::Number(number) => profile::Value::Number(*number),
        ipc::SettingValue::Word(word) => profile::Value::Word(word),
    }
}

pub(super) fn accepts(kind: profile::Kind) -> ipc::Accepts {
    match kind {
        profile::Kind::Switch => ipc::Accepts::switch(),
        profile::Kind::Number(min, max) => ipc::Accepts::number(min, max),
        profile::Kind::NumberOrAuto(min, max) => ipc::Accepts::number_or_word(min, max, &["auto"]),
        profile::Kind::OneOf(numbers) => {
            let numbers: Vec<f32> = numbers.iter().map(|number| f32::from(*number)).collect();
            ipc::Accepts::one_of(&numbers)
        }
        profile::Kind::Word(words) => ipc::Accepts::word(words),
    }
}
