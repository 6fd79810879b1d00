//! `headroom route list|set|unset|stream`: where apps go, and who says so.

use headroom_client::ipc::{Match, Route};
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
    let matches = matches(&args.whose)?;
    let rule = Client::connect(&daemon_address()?)?.route_set(matches, args.route.clone())?;
    if args.json {
        print::json(&rule)
    } else {
        print::result(&format!("{}: {}\n", print::meant(&rule.matches), rule.route))
    }
}

fn unset(args: &RouteUnsetArgs) -> Result<(), Failure> {
    let matches = matches(&args.whose)?;
    let what = print::meant(&matches);
    let rules = Client::connect(&daemon_address()?)?.route_unset(matches).map_err(|error| {
        Failure::from(error).with_hint("headroom route list shows your rules, each with all of it")
    })?;
    if args.json {
        print::json(&rules)
    } else {
        print::result(&format!("{what}: no rule of yours any more\n"))
    }
}

fn stream(args: &RouteStreamArgs) -> Result<(), Failure> {
    let route = args.route.route().cloned();
    let stream = Client::connect(&daemon_address()?)?.route_stream(args.id, route)?;
    if args.json {
        print::json(&stream)
    } else {
        let why = print::routed_by(&stream);
        print::result(&format!("{} ({}): {}, {why}\n", stream.app, stream.id, stream.route))
    }
}

fn matches(whose: &Whose) -> Result<Match, Failure> {
    let Whose { program, app, portal, role } = whose;
    let matches = Match {
        process_binary: program.iter().cloned().collect(),
        application_name: app.clone(),
        portal_app_id: portal.clone(),
        media_role: role.clone(),
    };
    if matches.is_empty() {
        let failure = Failure::usage("nobody is named: give a PROGRAM, --app, --portal or --role");
        return Err(failure.with_hint("headroom route list shows what plays, and its names"));
    }
    Ok(matches)
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
