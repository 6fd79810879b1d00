//! The ops about rules, and about where one stream goes.

use serde::Serialize;

use super::args::{Arg, Args, refuse, text, unknown_in};
use super::{Call, Field, Read};
use crate::cursor::{Cursor, Item};
use crate::{Error, Match, Route, Rule, Rules, Stream};

/// `route.list`: asks for the rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteList {}

impl Call for RouteList {
    const OP: &'static str = "route.list";
    const FIELDS: &'static [Field] = &[];
    type Reply = Rules;
}

impl Read for RouteList {
    fn read(_: &Args<'_>) -> Result<RouteList, Error> {
        Ok(RouteList {})
    }
}

/// `route.set`: makes a rule of the user, or changes the one with the same match. It comes
/// before all others, holds for streams that there are already, and is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteSet {
    /// Which streams it is about.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Where they go.
    pub route: Route,
}

impl Call for RouteSet {
    const OP: &'static str = "route.set";
    const FIELDS: &'static [Field] = &[
        Field::required("match", MATCH, "which streams the rule is about"),
        Field::required("route", ROUTE, "where they go"),
    ];
    type Reply = Rule;
}

impl Read for RouteSet {
    fn read(args: &Args<'_>) -> Result<RouteSet, Error> {
        let [matches, to] = args.take();
        Ok(RouteSet { matches: read_match(&matches)?, route: to.required(|item, _| route(item))? })
    }
}

/// `route.unset`: removes the rule of the user with this match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteUnset {
    /// The match of the rule.
    #[serde(rename = "match")]
    pub matches: Match,
}

impl Call for RouteUnset {
    const OP: &'static str = "route.unset";
    const FIELDS: &'static [Field] =
        &[Field::required("match", MATCH, "the match of the rule to remove")];
    type Reply = Rules;
}

impl Read for RouteUnset {
    fn read(args: &Args<'_>) -> Result<RouteUnset, Error> {
        let [matches] = args.take();
        Ok(RouteUnset { matches: read_match(&matches)? })
    }
}

/// `route.stream`: pins one stream to a route for as long as it lives, or lets the rules decide
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteStream {
    /// The stream's number.
    pub stream: u64,
    /// Where it is to go; absent, the rules decide again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
}

impl Call for RouteStream {
    const OP: &'static str = "route.stream";
    const FIELDS: &'static [Field] = &[
        Field::required("stream", "the id of a stream, an unsigned integer", "the stream"),
        Field::optional("route", ROUTE, "where it is to go; absent, the rules decide again"),
    ];
    type Reply = Stream;
}

impl Read for RouteStream {
    fn read(args: &Args<'_>) -> Result<RouteStream, Error> {
        let [stream, to] = args.take();
        Ok(RouteStream {
            stream: stream.required(|item, _| match item {
                Item::Unsigned(id) => Some(id),
                _ => None,
            })?,
            route: to.optional(|item, _| route(item))?,
        })
    }
}

const ROUTE: &str =
    "\"processed\", \"protected\", \"bypass\" or the name of a bus (1 to 64 of a-z, 0-9, - and _)";
const MATCH: &str = "a map with a pattern in at least one of process_binary, application_name, portal_app_id, media_role";
const PATTERNS: &str = "a list of 1 to 64 patterns of 1 to 256 bytes";
const MOST_PATTERNS: u32 = 64;

fn route(item: Item<'_>) -> Option<Route> {
    match item {
        Item::Text(word) => Route::from_word(word).ok(),
        _ => None,
    }
}

fn read_match(arg: &Arg<'_>) -> Result<Match, Error> {
    let (head, mut cursor) = arg.required(|item, cursor| match item {
        Item::Map(_) => Some((item, *cursor)),
        _ => None,
    })?;
    let Item::Map(count) = head else { return Err(arg.refuse(head)) };
    let mut matches = Match::default();
    let mut seen = Vec::new();
    for _ in 0..count {
        let key = cursor.item()?;
        let Item::Text(name) = key else { return Err(refuse("a field of match", key, "text")) };
        let list = match name {
            "process_binary" => &mut matches.process_binary,
            "application_name" => &mut matches.application_name,
            "portal_app_id" => &mut matches.portal_app_id,
            "media_role" => &mut matches.media_role,
            _ => return Err(unknown_in("match", &MATCH_FIELDS, name)),
        };
        let field = format!("match.{name}");
        if seen.contains(&name) {
            return Err(super::args::twice(&field));
        }
        seen.push(name);
        *list = patterns(&field, &mut cursor)?;
    }
    if matches.is_empty() {
        return Err(arg.refuse(head));
    }
    Ok(matches)
}

const MATCH_FIELDS: [&str; 4] =
    ["process_binary", "application_name", "portal_app_id", "media_role"];

pub(super) fn patterns(field: &str, cursor: &mut Cursor<'_>) -> Result<Vec<String>, Error> {
    let head = cursor.item()?;
    let count = match head {
        Item::Nil => 0,
        Item::List(count @ 1..=MOST_PATTERNS) => count,
        _ => return Err(refuse(field, head, PATTERNS)),
    };
    let mut patterns = Vec::new();
    for _ in 0..count {
        let item = cursor.item()?;
        patterns.push(text(item).ok_or_else(|| refuse(field, item, PATTERNS))?);
    }
    Ok(patterns)
}
