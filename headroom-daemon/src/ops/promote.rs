//! `promote.set`: the main bus becomes the default sink, or the user's own is put back.

use headroom_ipc::{Device, PromoteSet, PromoteTo};

use crate::graph::{GraphCommand, Promotion};
use crate::state::graph_news::{DEFAULT, change_daemon, change_device};
use crate::state::{Effects, Model};

pub(crate) fn set(model: &mut Model, call: &PromoteSet, effects: &mut Effects) -> Device {
    let now = model.sink_wish.promotion;
    let promotion = match (call.promote, now) {
        (PromoteTo::On, _) | (PromoteTo::Toggle, Promotion::Leave) => Promotion::Promote,
        (PromoteTo::Off, _) | (PromoteTo::Toggle, Promotion::Promote) => Promotion::Leave,
        // The protocol lets none through that it does not know.
        (PromoteTo::Unknown, now) => now,
    };
    model.promote_chosen = promotion == Promotion::Promote;
    model.sink_wish.promotion = promotion;
    // Also where it is wanted already: others may have kept it from being so.
    model.sink_wish.asked = model.sink_wish.asked.wrapping_add(1);
    effects.commands.push(GraphCommand::Sinks(model.sink_wish.clone()));
    let promotion = model.promotion();
    change_device(model, effects, |device| device.promotion = Some(promotion));
    change_daemon(model, effects, |_, daemon| {
        daemon.warnings.retain(|warning| warning.about != DEFAULT);
    });
    model.sinks().device.clone()
}
