//! `promote.set`: the main bus becomes the default sink, or the user's own is put back.

use headroom_ipc::about::{DEFAULT, JOURNAL, STORAGE};
use headroom_ipc::{Code, Device, Error, PromoteSet, PromoteTo};

use crate::graph::{GraphCommand, Promotion};
use crate::state::graph_news::{change_daemon, change_device};
use crate::state::{Effects, Model};

pub(crate) fn set(
    model: &mut Model,
    call: &PromoteSet,
    effects: &mut Effects,
) -> Result<Device, Error> {
    let now = model.sink_wish.promotion;
    let promotion = match (call.promote, now) {
        (PromoteTo::On, _) | (PromoteTo::Toggle, Promotion::Leave) => Promotion::Promote,
        (PromoteTo::Off, _) | (PromoteTo::Toggle, Promotion::Promote) => Promotion::Leave,
        // The protocol lets none through that it does not know.
        (PromoteTo::Unknown, now) => now,
    };
    if promotion == Promotion::Promote && now == Promotion::Leave {
        need_journal(model)?;
    }
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
    Ok(model.sinks().device.clone())
}

/// What is the default now is noted first, so that a crash leaves nothing behind.
fn need_journal(model: &Model) -> Result<(), Error> {
    let mut warnings = model.daemon().warnings.iter();
    match warnings.find(|warning| [STORAGE, JOURNAL].contains(&warning.about.as_str())) {
        None => Ok(()),
        Some(warning) => {
            let again = match warning.about.as_str() {
                JOURNAL => "ask again then",
                _ => "it is tried again once a minute",
            };
            let text = format!(
                "the default sink is left as it is, because what to put back after a crash cannot be \
                 noted: {} ({again})",
                warning.message
            );
            Err(Error::new(Code::Unavailable, text))
        }
    }
}
