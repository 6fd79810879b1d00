//! Rules and where apps go, for people.

use std::fmt::Write;

use headroom_client::ipc::{Contest, ContestedBy, Match, RoutedBy, RuleOrigin, Rules, Stream};

use super::Paint;
use super::text::{COLUMNS, column, cut, plain, wrapped};

const ROUTE: usize = 10;
const ID: usize = 6;
const APP: usize = 22;
const PROGRAM: usize = 15;
const GAPS: usize = 2 * 4;
const WHY: usize = COLUMNS - ID - APP - PROGRAM - ROUTE - GAPS;

/// The rules, and then the streams with where each goes.
pub(crate) fn routes(rules: &Rules, streams: &[Stream], paint: Paint) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", paint.dim("The first rule that matches counts:"));
    for rule in &rules.rules {
        let origin = match rule.origin {
            RuleOrigin::User => "yours",
            _ => "of the profile",
        };
        let line = format!("{} ({origin})", meant(&rule.matches));
        let line = wrapped(&line, COLUMNS - ROUTE - 2, ROUTE + 2);
        let _ = writeln!(text, "{}  {line}", column(rule.route.as_str(), ROUTE));
    }
    let default_route = column(rules.default_route.as_str(), ROUTE);
    let _ = writeln!(text, "{default_route}  everything else\n");
    if streams.is_empty() {
        let _ = writeln!(text, "{}", paint.dim("No app has opened a stream."));
        return text;
    }
    let head = format!(
        "{:>ID$}  {:APP$}  {:PROGRAM$}  {:ROUTE$}  Because",
        "ID", "App", "Program", "Route"
    );
    let _ = writeln!(text, "{}", paint.dim(head));
    for stream in streams {
        let program = stream.process_binary.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "{:>ID$}  {}  {}  {}  {}",
            stream.id,
            column(&stream.app, APP),
            column(program, PROGRAM),
            column(stream.route.as_str(), ROUTE),
            cut(routed_by(stream), WHY),
        );
    }
    text
}

/// Who is meant, as it is typed.
pub(crate) fn meant(matches: &Match) -> String {
    let lists = [
        ("program", &matches.process_binary),
        ("app", &matches.application_name),
        ("portal", &matches.portal_app_id),
        ("role", &matches.media_role),
    ];
    let named = lists.into_iter().filter(|(_, patterns)| !patterns.is_empty());
    let named = named.map(|(name, patterns)| format!("{name} {}", patterns.join(" or ")));
    named.collect::<Vec<_>>().join(", ")
}

/// Who moves a stream away from its route, and how.
pub(crate) fn contest(contest: Option<&Contest>) -> String {
    let Some(Contest { by, who, to }) = contest else {
        return "something else moves it away from its route".to_owned();
    };
    let who = who.as_deref().unwrap_or("another program");
    let to = to.as_deref().unwrap_or("another sink");
    match by {
        ContestedBy::App => format!("the app itself wants to go to {to}"),
        ContestedBy::Metadata => format!("{who} sends it to {to}, in PipeWire's metadata"),
        ContestedBy::Links => format!("{who} links it to {to}"),
        _ => format!("{who} moves it to {to}"),
    }
}

/// Where a stream goes and why, in one line.
pub(crate) fn goes(stream: &Stream) -> String {
    let app = plain(&stream.app);
    format!("{app} ({}): {}, {}\n", stream.id, stream.route, routed_by(stream))
}

/// Why a stream goes where it goes.
fn routed_by(stream: &Stream) -> &'static str {
    match stream.routed_by {
        _ if stream.contested => "contested",
        RoutedBy::Rule => "a rule",
        RoutedBy::DefaultRoute => "no rule matches",
        RoutedBy::Pin => "you chose",
        _ => "left alone",
    }
}
