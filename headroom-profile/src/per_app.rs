//! `[per_app]`: levelling by turning apps' own volumes, as files already in use have it.
//!
//! Read, checked and kept, so that such a file loads unchanged; nothing uses it yet.

use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

use crate::rules::{self, Match};
use crate::table::{self, Findings};

/// `[per_app]`
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PerApp {
    /// Whether apps are levelled by their own volume.
    pub enabled: bool,
    /// Whether that holds for an app that no rule matches.
    pub default_enabled: bool,
    /// The first rule that matches counts.
    pub rules: Vec<PerAppRule>,
}

/// One of `[[per_app.rules]]`. What it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PerAppRule {
    /// Which apps.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Whether they are levelled.
    pub enabled: Option<bool>,
    /// The peak over which the volume is turned down.
    pub peak_threshold_db: Option<f32>,
    /// The RMS level that is steered to.
    pub rms_target_db: Option<f32>,
    /// The most that is taken off.
    pub max_cut_db: Option<f32>,
    /// Time constant of a rising peak.
    pub peak_attack_ms: Option<f32>,
    /// Time constant of a falling peak.
    pub peak_release_ms: Option<f32>,
    /// Window of the RMS level.
    pub rms_window_ms: Option<f32>,
    /// Time constant of the written volume.
    pub smoother_ms: Option<f32>,
    /// The smallest change that is written.
    pub write_db_threshold: Option<f32>,
    /// The shortest time between two writes.
    pub min_write_interval_ms: Option<f32>,
    /// What a volume means that the user has set.
    pub defer_to_user: Option<String>,
}

type NumberSlot = fn(&mut PerAppRule) -> &mut Option<f32>;

/// Key, range and place of every number of a rule.
const NUMBERS: &[(&str, f32, f32, NumberSlot)] = &[
    ("peak_threshold_db", -60.0, 0.0, |r| &mut r.peak_threshold_db),
    ("rms_target_db", -60.0, 0.0, |r| &mut r.rms_target_db),
    ("max_cut_db", 0.0, 60.0, |r| &mut r.max_cut_db),
    ("peak_attack_ms", 0.0, 10_000.0, |r| &mut r.peak_attack_ms),
    ("peak_release_ms", 0.0, 60_000.0, |r| &mut r.peak_release_ms),
    ("rms_window_ms", 1.0, 60_000.0, |r| &mut r.rms_window_ms),
    ("smoother_ms", 0.0, 10_000.0, |r| &mut r.smoother_ms),
    ("write_db_threshold", 0.0, 24.0, |r| &mut r.write_db_threshold),
    ("min_write_interval_ms", 0.0, 60_000.0, |r| &mut r.min_write_interval_ms),
];

pub(crate) fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<PerApp> {
    let table = table::expect_table(value, "per_app", findings)?;
    let mut per_app = PerApp::default();
    for (key, value) in table.iter() {
        match key.get_ref().as_ref() {
            "enabled" => {
                per_app.enabled =
                    table::expect_switch(value, "per_app.enabled", findings).unwrap_or_default();
            }
            "default_enabled" => {
                per_app.default_enabled =
                    table::expect_switch(value, "per_app.default_enabled", findings)
                        .unwrap_or_default();
            }
            "rules" => per_app.rules = read_rules(value, findings),
            other => findings.unknown_key(
                &key.span(),
                format!("per_app.{other}"),
                &["enabled", "default_enabled", "rules"],
            ),
        }
    }
    Some(per_app)
}

fn read_rules(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Vec<PerAppRule> {
    let mut rules = Vec::new();
    for (table, at) in table::expect_tables(value, "per_app.rules", findings) {
        let mut rule = PerAppRule::default();
        let mut has_match = false;
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            let path = format!("per_app.rules.{name}");
            match name {
                "match" => {
                    has_match = true;
                    rule.matches = rules::read_match(value, &path, findings);
                }
                "enabled" => rule.enabled = table::expect_switch(value, &path, findings),
                "defer_to_user" => {
                    rule.defer_to_user =
                        table::expect_text(value, &path, findings).map(str::to_owned);
                }
                _ => read_number(&mut rule, name, key, value, findings),
            }
        }
        if !has_match {
            let example = "write match = { process_binary = [\"...\"] }";
            rules::missing(findings, &at, "per_app.rules.match", example);
        }
        rules.push(rule);
    }
    rules
}

fn read_number(
    rule: &mut PerAppRule,
    name: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) {
    let path = format!("per_app.rules.{name}");
    let Some((_, min, max, slot)) = NUMBERS.iter().find(|(number, ..)| *number == name) else {
        let mut allowed = vec!["match", "enabled"];
        allowed.extend(NUMBERS.iter().map(|(number, ..)| *number));
        allowed.push("defer_to_user");
        findings.unknown_key(&key.span(), path, &allowed);
        return;
    };
    let at = value.span();
    let allowed = format!("a number between {min} and {max}");
    let Some(number) = table::number(value.get_ref()).filter(|number| !number.is_nan()) else {
        findings.not_allowed(&at, &path, allowed);
        return;
    };
    let clamped = (number as f32).clamp(*min, *max);
    if clamped != number as f32 {
        let message = format!("is {}, read as {clamped}: must be {allowed}", findings.quote(&at));
        findings.warning(&at, &path, message);
    }
    *slot(rule) = Some(clamped);
}
