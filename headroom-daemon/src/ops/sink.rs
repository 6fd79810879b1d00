//! `sink.list` and `sink.use`.

use headroom_ipc::{Code, Device, Error, SinkKind, SinkUse, Sinks};

use super::need_pipewire;
use crate::graph::GraphCommand;
use crate::state::graph_news::change_device;
use crate::state::{Effects, Model};

pub(crate) fn list(model: &Model) -> Result<&Sinks, Error> {
    need_pipewire(model)?;
    Ok(model.sinks())
}

pub(crate) fn use_it(
    model: &mut Model,
    call: &SinkUse,
    effects: &mut Effects,
) -> Result<Device, Error> {
    let is_known = model.sink_wish.preferred == call.sink;
    if let Some(name) = call.sink.as_deref().filter(|_| !is_known) {
        need_pipewire(model)?;
        check(model.sinks(), name)?;
    }
    if !is_known {
        model.sink_wish.preferred.clone_from(&call.sink);
        change_device(model, effects, |device| device.preferred_sink.clone_from(&call.sink));
    }
    // Who asks for the same again may have seen the sound moved elsewhere.
    effects.commands.push(GraphCommand::Sinks(model.sink_wish.clone()));
    Ok(model.sinks().device.clone())
}

/// Whether sound can end up there.
fn check(sinks: &Sinks, name: &str) -> Result<(), Error> {
    let is_ours = |kind| matches!(kind, SinkKind::Bus | SinkKind::Master);
    match sinks.sinks.iter().find(|sink| sink.name == name) {
        Some(sink) if is_ours(sink.kind) => {
            let text = format!(
                "sink is {name:?}, which is Headroom's own, but must be one that sound can end up at"
            );
            Err(Error::new(Code::InvalidArgs, text).with_field("sink").with_value(name))
        }
        Some(_) => Ok(()),
        None => {
            let others = sinks.sinks.iter().filter(|sink| !is_ours(sink.kind));
            let names: Vec<&str> = others.map(|sink| sink.name.as_str()).collect();
            let list = match names[..] {
                [] => "there is none now".to_owned(),
                _ => format!("there are {}", names.join(", ")),
            };
            let text = format!("there is no sink {name:?}: {list}");
            Err(Error::new(Code::NotFound, text).with_field("sink").with_value(name))
        }
    }
}
