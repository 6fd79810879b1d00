//! `[[rules]]` and `[default_route]`: which route a stream takes.
//!
//! Read and checked here, and asked which streams they are about; what follows from it is the
//! daemon's business.

use std::ops::Range;

use serde::Serialize;
use toml::Spanned;
use toml::de::DeValue;

use crate::patterns::{self, one_matches};
use crate::place::Line;
use crate::spelling::nearest;
use crate::table::{self, Findings};

/// Where a stream goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Route {
    /// Through the main bus and the master.
    Processed,
    /// Through the master only: the ceiling, but no levelling.
    Protected,
    /// Straight to the device.
    Bypass,
    /// Through the bus of this name.
    Bus(String),
}

impl From<Route> for String {
    fn from(route: Route) -> String {
        match route {
            Route::Processed => "processed".to_owned(),
            Route::Protected => "protected".to_owned(),
            Route::Bypass => "bypass".to_owned(),
            Route::Bus(name) => name,
        }
    }
}

/// What a stream must say of itself for a rule to match: one of the patterns of every list
/// that is not empty. A pattern is exact, or a glob where it holds `*` or `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The program's file name.
    pub process_binary: Vec<String>,
    /// What the app calls itself.
    pub application_name: Vec<String>,
    /// The sandbox's name for the app.
    pub portal_app_id: Vec<String>,
    /// What the sound is for, such as `Music` or `Communication`.
    pub media_role: Vec<String>,
}

impl Match {
    /// Whether no list has a pattern, so that nothing can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.process_binary.is_empty()
            && self.application_name.is_empty()
            && self.portal_app_id.is_empty()
            && self.media_role.is_empty()
    }
}

/// What a stream says of itself, as far as rules ask for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity<'s> {
    /// The program's file name.
    pub process_binary: Option<&'s str>,
    /// What the app calls itself.
    pub application_name: Option<&'s str>,
    /// The sandbox's name for the app.
    pub portal_app_id: Option<&'s str>,
    /// What the sound is for.
    pub media_role: Option<&'s str>,
}

impl Match {
    /// Whether it is about a stream that says this of itself: one pattern of every list that is
    /// not empty matches, and there is such a list.
    #[must_use]
    pub fn is_about(&self, identity: &Identity<'_>) -> bool {
        let is_one_of =
            |patterns: &[String], said| patterns.is_empty() || one_matches(patterns, said);
        !self.is_empty()
            && is_one_of(&self.process_binary, identity.process_binary)
            && is_one_of(&self.application_name, identity.application_name)
            && is_one_of(&self.portal_app_id, identity.portal_app_id)
            && is_one_of(&self.media_role, identity.media_role)
    }
}

/// One of `[[rules]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Which streams.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Where they go.
    pub route: Route,
    /// Where it begins.
    #[serde(skip)]
    pub line: Line,
}

/// `[default_route]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefaultRoute {
    /// Where a stream goes that no rule matches.
    pub route: Route,
    /// Where the file says so, if it does.
    #[serde(skip)]
    pub line: Option<Line>,
}

impl Default for DefaultRoute {
    fn default() -> DefaultRoute {
        DefaultRoute { route: Route::Processed, line: None }
    }
}

const FIXED_ROUTES: &[&str] = &["processed", "protected", "bypass"];
/// Names of buses become names of nodes.
const LONGEST_BUS_NAME: usize = 64;

pub(crate) fn read_rules(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (table, at) in table::expect_tables(value, "rules", findings) {
        let mut matches = None;
        let mut route = None;
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "match" => matches = Some(read_match(value, "rules.match", findings)),
                "route" => route = Some(read_route(value, "rules.route", findings)),
                other => {
                    let key_path = format!("rules.{other}");
                    findings.unknown_key(&key.span(), key_path, &["match", "route"]);
                }
            }
        }
        if matches.is_none() {
            missing(findings, &at, "rules.match", "write match = { process_binary = [\"...\"] }");
        }
        if route.is_none() {
            missing(findings, &at, "rules.route", "write route = \"processed\" or another route");
        }
        if let (Some(matches), Some(Some(route))) = (matches, route) {
            rules.push(Rule { matches, route, line: findings.line(&at) });
        }
    }
    rules
}

pub(crate) fn missing(findings: &mut Findings<'_>, at: &Range<usize>, key: &str, allowed: &str) {
    let (key, allowed) = (key.to_owned(), allowed.to_owned());
    findings.error(at, crate::Problem::Missing { key, allowed });
}

pub(crate) fn read_default_route(
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) -> DefaultRoute {
    let mut default_route = DefaultRoute::default();
    let Some(table) = table::expect_table(value, "default_route", findings) else {
        return default_route;
    };
    for (key, value) in table.iter() {
        if key.get_ref() == "route" {
            if let Some(route) = read_route(value, "default_route.route", findings) {
                let line = Some(findings.line(&value.span()));
                default_route = DefaultRoute { route, line };
            }
        } else {
            let key_path = format!("default_route.{}", key.get_ref());
            findings.unknown_key(&key.span(), key_path, &["route"]);
        }
    }
    default_route
}

fn read_route(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    let allowed = || "\"processed\", \"protected\", \"bypass\" or the name of a bus".to_owned();
    let at = value.span();
    let Some(word) = value.get_ref().as_str() else {
        findings.not_allowed(&at, key, allowed());
        return None;
    };
    match word {
        "processed" => Some(Route::Processed),
        "protected" => Some(Route::Protected),
        "bypass" => Some(Route::Bypass),
        name => {
            let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.len() > LONGEST_BUS_NAME || !name.chars().all(fits) {
                let detail = "(letters, digits, - _ . and at most 64 of them)";
                findings.not_allowed(&at, key, format!("{} {detail}", allowed()));
                return None;
            }
            if let Some(meant) = nearest(name, FIXED_ROUTES) {
                let message =
                    format!("is {name:?}, read as the name of a bus (did you mean {meant:?}?)");
                findings.warning(&at, key, message);
            }
            Some(Route::Bus(name.to_owned()))
        }
    }
}

pub(crate) fn read_match(
    value: &Spanned<DeValue<'_>>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Match {
    let mut matches = Match::default();
    let Some(table) = table::expect_table(value, key, findings) else { return matches };
    let lists = [
        ("process_binary", &mut matches.process_binary),
        ("application_name", &mut matches.application_name),
        ("portal_app_id", &mut matches.portal_app_id),
        ("media_role", &mut matches.media_role),
    ];
    let are_lists = patterns::read_lists(table, key, lists, "mpv\", \"steam*", findings);
    if matches.is_empty() && are_lists {
        let message = "names nothing, so this rule is never used".to_owned();
        findings.warning(&value.span(), key, message);
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
    }

    #[test]
    fn one_pattern_of_every_list_must_match() {
        let call = Match {
            application_name: list(&["WEBRTC VoiceEngine", "Mumble*"]),
            media_role: list(&["Communication"]),
            ..Match::default()
        };
        let said = |application_name, media_role| Identity {
            application_name,
            media_role,
            ..Identity::default()
        };
        assert!(call.is_about(&said(Some("Mumble 1.5"), Some("Communication"))));
        assert!(!call.is_about(&said(Some("Mumble 1.5"), Some("Music"))));
        assert!(
            !call.is_about(&said(Some("Mumble 1.5"), None)),
            "what is not said matches nothing"
        );
        assert!(!call.is_about(&said(Some("Firefox"), Some("Communication"))));
    }

    #[test]
    fn a_match_that_names_nothing_is_about_nobody() {
        assert!(!Match::default().is_about(&Identity::default()));
        let all = Match { process_binary: list(&["*"]), ..Match::default() };
        assert!(all.is_about(&Identity { process_binary: Some(""), ..Identity::default() }));
        assert!(!all.is_about(&Identity::default()));
    }
}
