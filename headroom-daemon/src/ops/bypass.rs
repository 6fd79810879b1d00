//! `bypass.set`: the inserts pass the sound through, or no longer.

use headroom_ipc::{Bypass, BypassSet, BypassTo, SettingChange};

use crate::graph::GraphCommand;
use crate::state::{Effects, Model};

pub(crate) fn set(model: &mut Model, call: &BypassSet, effects: &mut Effects) -> Bypass {
    let now = model.settings().bypass;
    let bypass = match call.bypass {
        BypassTo::On => true,
        BypassTo::Off => false,
        BypassTo::Toggle => !now,
        // The protocol lets none through that it does not know.
        BypassTo::Unknown => now,
    };
    if bypass != now {
        effects.commands.push(GraphCommand::SetParams(model.levels.chain_params(bypass)));
        model.publish(SettingChange::BypassChanged(Bypass { bypass }), effects);
    }
    Bypass { bypass }
}
