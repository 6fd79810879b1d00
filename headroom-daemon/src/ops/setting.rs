//! `setting.*`: what the user changes at run time, on top of the profile.

use headroom_ipc as ipc;
use headroom_ipc::{
    Error, SettingAmount, SettingChange, SettingClear, SettingGet, SettingList, SettingReset,
    SettingSet, SettingValue, SettingValues,
};
use headroom_profile::{Kind, NotSet, SETTINGS, Setting};

use crate::graph::GraphCommand;
use crate::state::{Effects, Model};

pub(crate) fn get<'m>(model: &'m Model, call: &SettingGet) -> Result<&'m ipc::Setting, Error> {
    let known = model.settings().settings.iter().find(|setting| setting.key == call.key);
    known.ok_or_else(|| unknown(&call.key))
}

pub(crate) fn list(model: &Model, call: &SettingList) -> Result<SettingValues, Error> {
    let section = call.section.as_deref();
    check_section(section)?;
    let settings = model.settings().settings.iter();
    let meant = settings.filter(|setting| is_in(&setting.key, section));
    Ok(SettingValues { settings: meant.cloned().collect() })
}

pub(crate) fn set(
    model: &mut Model,
    call: &SettingSet,
    effects: &mut Effects,
) -> Result<ipc::Setting, Error> {
    let setting = find(&call.key)?;
    match &call.amount {
        SettingAmount::Value(value) => put(model, setting, value)?,
        SettingAmount::By(by) => step(model, setting, *by)?,
    }
    Ok(changed(model, setting, effects))
}

fn put(model: &mut Model, setting: &'static Setting, value: &SettingValue) -> Result<(), Error> {
    model.levels.set(setting, value.clone()).map_err(|error| match error {
        NotSet::NotAllowed => not_allowed(setting, value.clone()),
        NotSet::Conflict(conflict) => Error::new(ipc::Code::Conflict, conflict.to_string())
            .with_field("value")
            .with_value(value.clone()),
    })
}

/// Goes a step, at most to the end of what the setting takes, and to where it would contradict
/// another.
fn step(model: &mut Model, setting: &'static Setting, by: f32) -> Result<(), Error> {
    let now = model.levels.setting(setting).value;
    let mut wanted = stepped(setting, &now, by)?;
    let is_on_the_way = |value: f32, wanted: f32| match now {
        SettingValue::Number(now) if by > 0.0 => (now..wanted).contains(&value),
        SettingValue::Number(now) => value <= now && value > wanted,
        _ => false,
    };
    // Nearer with each round, until it fits or there is no way at all.
    loop {
        let conflict = match model.levels.set(setting, wanted.into()) {
            Ok(()) => return Ok(()),
            Err(NotSet::NotAllowed) => return Err(not_allowed(setting, wanted.into())),
            Err(NotSet::Conflict(conflict)) => conflict,
        };
        match conflict.nearest(setting.key) {
            Some(nearest) if is_on_the_way(nearest, wanted) => wanted = nearest,
            // It is as near already as a step would bring it.
            _ => return Ok(()),
        }
    }
}

pub(crate) fn clear(
    model: &mut Model,
    call: &SettingClear,
    effects: &mut Effects,
) -> Result<ipc::Setting, Error> {
    let setting = find(&call.key)?;
    model.levels.clear(|key| key == setting.key);
    Ok(changed(model, setting, effects))
}

pub(crate) fn reset(
    model: &mut Model,
    call: &SettingReset,
    effects: &mut Effects,
) -> Result<SettingValues, Error> {
    let section = call.section.as_deref();
    check_section(section)?;
    if !model.levels.clear(|key| is_in(key, section)) {
        return Ok(SettingValues::default());
    }
    let before = model.settings().settings.clone();
    let now = model.settings_now();
    let differs = |setting: &&ipc::Setting| !before.contains(setting);
    let settings = now.settings.iter().filter(differs).cloned().collect();
    model.publish(SettingChange::Replaced(now), effects);
    tell_graph(model, effects);
    model.review_warnings(effects);
    Ok(SettingValues { settings })
}

/// The graph is told all of it, as one value: the newest counts.
pub(super) fn tell_graph(model: &Model, effects: &mut Effects) {
    let params = model.levels.chain_params(model.settings().bypass);
    effects.commands.push(GraphCommand::SetParams(params));
}

/// Publishes what has become of a setting, and of others on its account.
fn changed(model: &mut Model, setting: &'static Setting, effects: &mut Effects) -> ipc::Setting {
    if tell_changes(model, effects) {
        tell_graph(model, effects);
    }
    model.review_warnings(effects);
    model.levels.setting(setting)
}

/// Publishes the settings that are others than clients know, if any are.
pub(super) fn tell_changes(model: &mut Model, effects: &mut Effects) -> bool {
    let now = model.settings_now();
    let known = &model.settings().settings;
    let mut others = now.settings.iter().filter(|setting| !known.contains(setting));
    let change = match (others.next(), others.next()) {
        (None, _) => return false,
        (Some(one), None) => SettingChange::Changed(one.clone()),
        (Some(_), Some(_)) => SettingChange::Replaced(now),
    };
    model.publish(change, effects);
    true
}

/// The refusal of a value, which names the key: a program may set many.
fn not_allowed(setting: &Setting, value: SettingValue) -> Error {
    Error::invalid_args(setting.key, value, &setting.allowed()).with_field("value")
}

/// A step from where the setting is, at most to the end of what it takes.
fn stepped(setting: &Setting, now: &SettingValue, by: f32) -> Result<f32, Error> {
    let not_a_number = |way_out: &str| {
        let text = format!(
            "{} is {now}, which cannot be stepped by {by}: give value, which must be {way_out}",
            setting.key
        );
        Error::new(ipc::Code::InvalidArgs, text).with_field("by").with_allowed(way_out)
    };
    let SettingValue::Number(now) = now else { return Err(not_a_number(&setting.allowed())) };
    // In f64 and to the thousandth, so that ten steps of 0.1 are one step of 1.
    let wanted = ((f64::from(*now) + f64::from(by)) * 1_000.0).round() / 1_000.0;
    match setting.kind {
        Kind::Number(min, max) | Kind::NumberOrAuto(min, max) => {
            Ok((wanted as f32).clamp(min, max))
        }
        Kind::OneOf(numbers) => {
            let mut choices = numbers.iter().map(|number| f32::from(*number));
            let (first, last) = (choices.clone().next(), choices.clone().next_back());
            // At least as far as asked for, in the direction asked for.
            let reached = if by > 0.0 {
                choices.find(|choice| f64::from(*choice) >= wanted).or(last)
            } else {
                choices.rfind(|choice| f64::from(*choice) <= wanted).or(first)
            };
            Ok(reached.unwrap_or(*now))
        }
        Kind::Switch | Kind::Word(_) => Err(not_a_number(&setting.allowed())),
    }
}

fn find(key: &str) -> Result<&'static Setting, Error> {
    Setting::find(key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> Error {
    let instead = match key.split('.').next().unwrap_or_default() {
        "name" | "description" => "what a profile is called stands in its file",
        "rules" | "default_route" => {
            "\"route.set\" makes rules that come before those of a profile"
        }
        "per_app" => "what a profile says of single apps stands in its file",
        _ => {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
            return Error::not_found("key", "setting", key, &known);
        }
    };
    let text = format!("{key} is no setting: {instead}");
    Error::new(ipc::Code::NotFound, text).with_field("key").with_value(key)
}

fn is_in(key: &str, section: Option<&str>) -> bool {
    section
        .is_none_or(|section| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.')))
}

fn check_section(section: Option<&str>) -> Result<(), Error> {
    let Some(given) = section else { return Ok(()) };
    if SETTINGS.iter().any(|setting| is_in(setting.key, section)) {
        return Ok(());
    }
    let mut known: Vec<&str> =
        SETTINGS.iter().filter_map(|setting| Some(setting.key.rsplit_once('.')?.0)).collect();
    known.dedup();
    Err(Error::not_found("section", "section of settings", given, &known))
}
