//! What profiles call things, as the protocol calls them. The daemon answers with it, and the
//! command line where it reads the files itself.

use headroom_ipc as ipc;

use crate as profile;

/// A rule of a profile.
// Fields that both sides have; the compiler says when one side gets another.
#[must_use]
pub fn rule(rule: &profile::Rule) -> ipc::Rule {
    let profile::Match { process_binary, application_name, portal_app_id, media_role } =
        rule.matches.clone();
    ipc::Rule {
        matches: ipc::Match { process_binary, application_name, portal_app_id, media_role },
        route: route(&rule.route),
        origin: ipc::RuleOrigin::Profile,
    }
}

/// Which streams a rule is about, as profiles say it.
#[must_use]
pub fn match_back(matches: &ipc::Match) -> profile::Match {
    let ipc::Match { process_binary, application_name, portal_app_id, media_role } =
        matches.clone();
    profile::Match { process_binary, application_name, portal_app_id, media_role }
}

/// What is said of devices, as it is put into force: an entry of a profile.
#[must_use]
pub fn device(entry: &profile::DeviceProfile) -> ipc::DeviceProfile {
    let profile::DeviceMatch { node_name, description, port } = entry.matches.clone();
    ipc::DeviceProfile {
        matches: ipc::DeviceMatch { node_name, description, port },
        profile: entry.profile.clone(),
        origin: ipc::RuleOrigin::Profile,
    }
}

/// Which devices are meant, as profiles say it.
#[must_use]
pub fn device_match_back(matches: &ipc::DeviceMatch) -> profile::DeviceMatch {
    let ipc::DeviceMatch { node_name, description, port } = matches.clone();
    profile::DeviceMatch { node_name, description, port }
}

/// Where a stream goes.
#[must_use]
pub fn route(route: &profile::Route) -> ipc::Route {
    match route {
        profile::Route::Processed => ipc::Route::Processed,
        profile::Route::Protected => ipc::Route::Protected,
        profile::Route::Bypass => ipc::Route::Bypass,
        profile::Route::Bus(name) => ipc::Route::Bus(name.clone()),
    }
}

/// The value of a setting.
#[must_use]
pub fn value(value: profile::Value<'_>) -> ipc::SettingValue {
    match value {
        profile::Value::Switch(value) => value.into(),
        profile::Value::Number(number) => number.into(),
        profile::Value::Word(word) => word.into(),
    }
}

/// The value of a setting that came over the wire.
#[must_use]
pub fn value_back(value: &ipc::SettingValue) -> profile::Value<'_> {
    match value {
        ipc::SettingValue::Switch(value) => profile::Value::Switch(*value),
        ipc::SettingValue::Number(number) => profile::Value::Number(*number),
        ipc::SettingValue::Word(word) => profile::Value::Word(word),
    }
}

/// What a setting can be.
#[must_use]
pub fn accepts(kind: profile::Kind) -> ipc::Accepts {
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
