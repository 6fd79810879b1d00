//! `headroom route list|set|unset|stream`: where apps go, and who says so.

mod whom;

use headroom_client::ipc::{Match, Route, Streams};
use headroom_client::{Client, daemon_address};

use crate::args::{RouteArgs, RouteListArgs, RouteSetArgs, RouteStreamArgs, RouteUnsetArgs, Whose};
use crate::failure::Failure;
use crate::print::{self, Paint};

pub(crate) fn run(args: &RouteArgs) -> Result<(), Failure> {
    match args {
        RouteArgs::List(args) => list(args),
        RouteArgs::Set(args) => set(args),
        RouteArgs::Unset(args) => unset(args),
        RouteArgs::Stream(args) => stream(args),
    }
}

fn list(args: &RouteListArgs) -> Result<(), Failure> {
    let mut client = Client::connect(&daemon_address()?)?;
    let rules = client.route_list()?;
    if args.json {
        return print::json(&rules);
    }
    // Without PipeWire there are rules all the same.
    let streams = client.stream_list().map(|list| list.streams).unwrap_or_default();
    print::result(&print::routes(&rules, &streams, Paint::for_stdout()))
}

fn set(args: &RouteSetArgs) -> Result<(), Failure> {
    let typed = typed(&args.whose)?;
    let mut client = Client::connect(&daemon_address()?)?;
    // Without PipeWire nothing is known of who plays, and a rule can be made all the same.
    let before = client.stream_list().ok();
    let (matches, is_known) = match (typed, &before) {
        (Typed::Kinds(matches), _) => (matches, true),
        (Typed::Name(name), None) => (whom::to_come(name), true),
        (Typed::Name(name), Some(Streams { streams })) => {
            let found = whom::among_streams(name, streams);
            let is_known = found.is_some();
            (found.unwrap_or_else(|| whom::to_come(name)), is_known)
        }
    };
    let rule = client.route_set(matches, args.route.clone())?;
    if args.json {
        print::json(&rule)?;
    } else {
        print::result(&format!("{}: {}\n", print::meant(&rule.matches), rule.route))?;
    }
    if before.is_none() {
        return Ok(());
    }
    // As they go now.
    let now = client.stream_list()?.streams;
    let meant = whom::meant(&rule.matches, &now);
    if meant.is_empty() {
        print::note_line(&whom::nothing_meant(&rule.matches, &now));
        print::note_line(if is_known {
            "the rule is kept for when it comes"
        } else {
            "the rule is kept for a program of that name; --app is for what an app calls itself"
        });
    } else if !args.json {
        for stream in meant {
            print::result(&print::goes(stream))?;
        }
    }
    Ok(())
}

fn unset(args: &RouteUnsetArgs) -> Result<(), Failure> {
    const HINT: &str = "headroom route list shows your rules, each with all of it";
    let typed = typed(&args.whose)?;
    let mut client = Client::connect(&daemon_address()?)?;
    let matches = match typed {
        Typed::Kinds(matches) => matches,
        Typed::Name(name) => {
            let rules = client.route_list()?;
            let found = whom::among_rules(name, &rules);
            let none = || Failure::refused(whom::no_rule(name, &rules)).with_hint(HINT);
            found.ok_or_else(none)?
        }
    };
    let what = print::meant(&matches);
    let rules = client.route_unset(matches)?;
    if args.json {
        print::json(&rules)
    } else {
        print::result(&format!("{what}: no rule of yours any more\n"))
    }
}

fn stream(args: &RouteStreamArgs) -> Result<(), Failure> {
    let route = args.route.route().cloned();
    let stream = Client::connect(&daemon_address()?)?.route_stream(args.id, route)?;
    if args.json { print::json(&stream) } else { print::result(&print::goes(&stream)) }
}

/// Who was typed.
enum Typed<'a> {
    /// A name, and nothing of what kind.
    Name(&'a str),
    /// Patterns of the kinds that were named.
    Kinds(Match),
}

fn typed(whose: &Whose) -> Result<Typed<'_>, Failure> {
    let Whose { name, app, portal, role } = whose;
    let matches = Match {
        process_binary: name.iter().cloned().collect(),
        application_name: app.clone(),
        portal_app_id: portal.clone(),
        media_role: role.clone(),
    };
    let has_kinds = !(app.is_empty() && portal.is_empty() && role.is_empty());
    match name {
        Some(name) if !has_kinds => Ok(Typed::Name(name)),
        None if !has_kinds => {
            let failure = Failure::usage("nobody is named: give an APP, --app, --portal or --role");
            Err(failure.with_hint("headroom route list shows what plays, and its names"))
        }
        _ => Ok(Typed::Kinds(matches)),
    }
}

/// A route, or that nothing is chosen any more.
#[derive(Debug, Clone)]
pub(crate) enum RouteOrRules {
    Route(Route),
    Rules,
}

impl RouteOrRules {
    /// The word that means the rules.
    pub(crate) const RULES: &str = "auto";

    fn route(&self) -> Option<&Route> {
        match self {
            RouteOrRules::Route(route) => Some(route),
            RouteOrRules::Rules => None,
        }
    }
}
