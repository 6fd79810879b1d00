//! `route.*`: which rules there are. Nothing moves streams yet, so what would have to move one
//! is refused with the way to do it by hand.

use headroom_ipc::{Code, Error, Route, RouteSet, RouteStream, RouteUnset, Rule, Rules, Stream};

use super::need_pipewire;
use crate::state::Model;

pub(crate) fn set(_model: &Model, call: &RouteSet) -> Result<Rule, Error> {
    check_bus(&call.route)?;
    Err(cannot_move(&call.route))
}

pub(crate) fn unset(model: &Model, call: &RouteUnset) -> Result<Rules, Error> {
    let _ = (model, call);
    let text = "there is no rule of the user with this match: \"route.list\" lists the rules";
    Err(Error::new(Code::NotFound, text).with_field("match"))
}

pub(crate) fn stream(model: &Model, call: &RouteStream) -> Result<Stream, Error> {
    if let Some(route) = &call.route {
        check_bus(route)?;
    }
    need_pipewire(model)?;
    Err(cannot_move(call.route.as_ref().unwrap_or(&Route::Processed)))
}

fn check_bus(route: &Route) -> Result<(), Error> {
    match route {
        Route::Bus(name) => Err(Error::not_found("route", "bus", name, Route::WORDS)),
        _ => Ok(()),
    }
}

fn cannot_move(route: &Route) -> Error {
    let sink = match route {
        Route::Protected => "\"Headroom master\"",
        Route::Bypass => "the device",
        Route::Processed | Route::Bus(_) => "\"Headroom\"",
    };
    let text = format!(
        "this headroomd moves no streams: choose {sink} as the output of the app in the sound \
         settings of the desktop"
    );
    Error::new(Code::Unavailable, text)
}
