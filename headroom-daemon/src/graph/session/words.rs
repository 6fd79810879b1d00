//! To be heard again. PipeWire reads nothing more from who has bound the metadata until WirePlumber has
//! answered, and forgets to go on reading when WirePlumber ends before it has (seen with 0.3.65 and
//! 1.4.2): what we say is lost then, and whatever comes after that never says to us what it is.
//!
//! `heard` says when that may be so, and what is listed; the inserts have their own connection and
//! play on.

use std::collections::BTreeSet;

use pipewire as pw;

use super::{Outcome, Session};
use crate::graph::bindings::{self, DeviceBinding};
use crate::graph::model::Global;
use crate::graph::notice::Notice;

/// Whether PipeWire hears us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hearkening {
    /// As far as we know.
    Well,
    /// Perhaps not any more.
    Not,
    /// Over another connection, which is listing what there is: so much so far.
    Again(BTreeSet<u32>),
}

impl Session<'_> {
    /// WirePlumber has gone and had not answered.
    pub(super) fn is_heard_no_more(&mut self) {
        // Who leaves has nothing more to say to it.
        if !self.leaving {
            self.hearkening = Hearkening::Not;
        }
    }

    /// Goes on over another connection where we may not be heard any more. To be called when all
    /// has been handled that came over the one before.
    pub(super) fn speak_again(&mut self) {
        if self.hearkening != Hearkening::Not || self.ended.is_some() {
            return;
        }
        log::debug!("WirePlumber ended before it had answered: listening over another connection");
        if let Err(error) = self.connect_again() {
            self.trouble("connecting to PipeWire again", Some(error));
            self.ended = Some(Outcome::Lost);
        }
    }

    fn connect_again(&mut self) -> Result<(), pw::Error> {
        let words = self.connections.words_anew()?;
        let registry = words.get_registry_rc()?;
        // What hangs on the connection before goes before it does.
        self.census.listens_anew();
        if let Some(before) = self.device.take() {
            let mut device = DeviceBinding::new(&registry, before.id, &self.notices)?;
            device.channels = before.channels;
            self.device = Some(device);
        }
        self.core_listeners[0] = bindings::listen_to_core(&words, &self.notices);
        self.registry_listener = bindings::listen_to_registry(&registry, &self.notices);
        self.registry = registry;
        self.connections.words = words;
        self.hearkening = Hearkening::Again(BTreeSet::new());
        // Its questions are counted from the beginning.
        self.syncs.last_done = None;
        (self.syncs.metadata, self.syncs.values) = (None, None);
        self.syncs.listing = self.sync();
        self.ask_for_port();
        Ok(())
    }

    /// An object is listed. Gives whether we know it from the connection before.
    pub(super) fn is_known(&mut self, id: u32, global: &Global) -> bool {
        let Hearkening::Again(listed) = &mut self.hearkening else { return false };
        listed.insert(id);
        let serial = self.model.node(id).map(|node| node.serial);
        let is_known = match global {
            Global::Node(node) => serial == Some(node.serial),
            _ => serial.is_none(),
        };
        if !is_known && serial.is_some() {
            // Its id has been given to another meanwhile.
            self.handle(Notice::Removed(id));
        }
        is_known
    }

    /// Whether what was there when we came has been listed.
    pub(super) fn is_listed_once(&self) -> bool {
        matches!(self.hearkening, Hearkening::Again(_)) || self.is_answered(self.syncs.listing)
    }

    /// Once all is listed that is there, what is not has gone while we were away.
    pub(super) fn is_listed_again(&mut self) {
        if !self.is_answered(self.syncs.listing) {
            return;
        }
        let Hearkening::Again(listed) = &mut self.hearkening else { return };
        let listed = std::mem::take(listed);
        self.hearkening = Hearkening::Well;
        let gone: Vec<u32> = self.model.ids().filter(|id| !listed.contains(id)).collect();
        for id in gone {
            self.handle(Notice::Removed(id));
        }
    }
}
