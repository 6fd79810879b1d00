//! Which jack of the device sink is heard: plugging in headphones may change nothing else.
//!
//! A sound card says it in its active route, some time after the sink is there. The device is told
//! only once it has said all of it, so that nobody takes headphones for the loudspeakers that they
//! are plugged in place of.

use super::Session;
use crate::graph::{DeviceSink, GraphEvent, Heard};

impl Session<'_> {
    /// Asks so that the answer comes behind all that the device says of itself now.
    pub(super) fn ask_for_port(&mut self) {
        let asked = self.sync();
        if let Some(device) = &mut self.device {
            device.asked = asked;
        }
    }

    /// Tells which device is heard, and by which jack, once it has said so.
    pub(super) fn tell_heard(&mut self) {
        let Some(device) = &self.device else { return };
        let Some(node) = self.model.node(device.id).filter(|_| self.is_answered(device.asked))
        else {
            return;
        };
        let sink = DeviceSink { name: node.name.clone(), description: node.description.clone() };
        let heard = Heard { sink, port: device.port().cloned() };
        if self.told.heard.as_ref() != Some(&heard) {
            self.told.heard = Some(heard.clone());
            self.events.send(GraphEvent::Heard(heard));
        }
    }
}
