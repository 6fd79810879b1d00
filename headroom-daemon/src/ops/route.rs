//! `route.*`: where streams go. The user's rules are kept in the model, and `state::routing` decides
//! by them; what is chosen for one stream lasts as long as that stream.

use headroom_ipc::{
    Code, Error, Route, RouteSet, RouteStream, RouteUnset, Rule, RuleOrigin, Rules, Stream,
};

use super::need_pipewire;
use crate::graph::Tie;
use crate::state::{Effects, MAIN_BUS, Model, census, routing};
use crate::store::{MOST_ROUTE_BYTES, MOST_ROUTES, Remembered, UserRoute};

pub(crate) fn set(
    model: &mut Model,
    call: &RouteSet,
    effects: &mut Effects,
) -> Result<Rule, Error> {
    must_exist(&call.route)?;
    let RouteSet { matches, route } = call.clone();
    let rule = Rule { matches: matches.clone(), route: route.clone(), origin: RuleOrigin::User };
    let routes = &mut model.user_routes;
    if let Some(known) = routes.iter_mut().find(|known| known.matches == matches) {
        known.route = route;
    } else {
        let new = UserRoute { matches, route };
        if !Remembered::has_room_for(routes, &new) {
            return Err(no_room());
        }
        routes.insert(0, new);
    }
    // Also where others have kept a stream from going there.
    let streams = model.routing().streams.clone();
    model.router.ask_again(&streams, &call.matches);
    model.rules_have_changed(effects);
    census::reroute(model, effects);
    Ok(rule)
}

pub(crate) fn unset(
    model: &mut Model,
    call: &RouteUnset,
    effects: &mut Effects,
) -> Result<Rules, Error> {
    let before = model.user_routes.len();
    model.user_routes.retain(|known| known.matches != call.matches);
    if model.user_routes.len() == before {
        let text = "there is no rule of the user with this match: \"route.list\" lists the rules";
        return Err(Error::new(Code::NotFound, text).with_field("match"));
    }
    model.rules_have_changed(effects);
    Ok(model.routing().rules.clone())
}

pub(crate) fn stream(
    model: &mut Model,
    call: &RouteStream,
    effects: &mut Effects,
) -> Result<Stream, Error> {
    if let Some(route) = &call.route {
        must_exist(route)?;
    }
    need_pipewire(model)?;
    let is_it = |stream: &&Stream| stream.id == call.stream;
    if !model.routing().streams.iter().any(|stream| is_it(&stream)) {
        let text = format!("there is no stream {}: \"stream.list\" lists them", call.stream);
        let error = Error::new(Code::NotFound, text);
        return Err(error.with_field("stream").with_value(call.stream));
    }
    if call.route.is_some() && matches!(model.router.tie(call.stream), Tie::Fixed(_)) {
        let text = format!(
            "stream {} says that it is not to be moved, or is linked by its app alone: the app can \
             be told which sink to play to",
            call.stream
        );
        let error = Error::new(Code::Conflict, text);
        return Err(error.with_field("stream").with_value(call.stream));
    }
    model.router.choose(call.stream, call.route.clone());
    census::reroute(model, effects);
    let stream = model.routing().streams.iter().find(is_it);
    Ok(stream.expect("it has been there, and nothing took it out").clone())
}

fn must_exist(route: &Route) -> Result<(), Error> {
    if routing::is_known(route) {
        return Ok(());
    }
    let known: Vec<&str> = Route::WORDS.iter().copied().chain([MAIN_BUS]).collect();
    Err(Error::not_found("route", "bus", route.as_str(), &known))
}

/// What is kept is bounded: in the file that remembers it, and in each message that lists it.
fn no_room() -> Error {
    let text = format!(
        "no more than {MOST_ROUTES} rules of the user with {MOST_ROUTE_BYTES} bytes of patterns are \
         kept: remove some with \"route.unset\", or write patterns that match more"
    );
    Error::new(Code::Conflict, text).with_field("match")
}
