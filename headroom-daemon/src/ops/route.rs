//! `route.*`: where streams go. One stream can be sent anywhere; rules of the user are not kept
//! yet, and are refused with what there is instead.

use headroom_ipc::{Code, Error, Route, RouteSet, RouteStream, RouteUnset, Rule, Rules, Stream};

use super::{Context, need_pipewire};
use crate::graph::{Destination, GraphCommand};
use crate::state::{Effects, MAIN_BUS, Model, census};

pub(crate) fn set(_model: &Model, call: &RouteSet) -> Result<Rule, Error> {
    destination(&call.route)?;
    Err(no_rules())
}

pub(crate) fn unset(model: &Model, call: &RouteUnset) -> Result<Rules, Error> {
    let _ = (model, call);
    let text = "there is no rule of the user with this match: \"route.list\" lists the rules";
    Err(Error::new(Code::NotFound, text).with_field("match"))
}

pub(crate) fn stream(
    model: &mut Model,
    context: &Context,
    call: &RouteStream,
    effects: &mut Effects,
) -> Result<Stream, Error> {
    let to = call.route.as_ref().map(destination).transpose()?;
    need_pipewire(model)?;
    let known = model.routing().streams.iter().find(|stream| stream.id == call.stream);
    let stream = known.cloned().ok_or_else(|| {
        let text = format!("there is no stream {}: \"stream.list\" lists them", call.stream);
        Error::new(Code::NotFound, text).with_field("stream").with_value(call.stream)
    })?;
    if !context.graph_has_room {
        let text = "the audio graph has not done what it was told before: try again later, and \
                    look at the log of headroomd if it lasts";
        return Err(Error::new(Code::Busy, text));
    }
    effects.commands.push(GraphCommand::SendStream { serial: call.stream, to });
    Ok(census::pin(model, stream, call.route.clone(), effects))
}

fn destination(route: &Route) -> Result<Destination, Error> {
    match route {
        Route::Processed => Ok(Destination::Bus),
        Route::Protected => Ok(Destination::Master),
        Route::Bypass => Ok(Destination::Device),
        Route::Bus(name) if name == MAIN_BUS => Ok(Destination::Bus),
        Route::Bus(name) => {
            let known: Vec<&str> = Route::WORDS.iter().copied().chain([MAIN_BUS]).collect();
            Err(Error::not_found("route", "bus", name, &known))
        }
    }
}

/// Why there can be no rules yet, and what to do instead.
fn no_rules() -> Error {
    let text = "this headroomd applies no rules: \"route.stream\" sends one stream, for as long as \
                it lives, and the sound settings of the desktop send an app for good";
    Error::new(Code::Unavailable, text)
}
