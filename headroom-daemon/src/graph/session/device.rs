//! The device sink that is heard: follows it where WirePlumber links the master to, and sends the
//! master to the one that is wanted.

use std::time::Instant;

use super::Session;
use super::inserts::Live;
use crate::graph::bindings::DeviceBinding;
use crate::graph::default_sink::Devices;
use crate::graph::event::DeviceSink;
use crate::graph::filters;
use crate::graph::targets::{OBJECT, sink_said};
use crate::graph::{GraphEvent, Promotion, is_ours};

impl Session<'_> {
    /// The sink that the master plays to, as it is linked.
    fn heard_device(&self) -> Option<u32> {
        let output = self.master.as_ref()?.streams.output_id()?;
        self.model
            .linked_from(output)
            .find(|id| self.model.node(*id).is_some_and(|node| !is_ours(&node.name)))
    }

    pub(super) fn follow_device(&mut self, _now: Instant) {
        let Some(id) = self.heard_device() else {
            // While there is another it is about to be linked to that.
            let is_told_of = self.metadata.is_some() && self.master.is_some();
            if is_told_of && self.device.is_none() && Devices::of(&self.model).best().is_none() {
                self.tell_no_device();
            }
            return;
        };
        if self.device.as_ref().is_some_and(|device| device.id == id) {
            return;
        }
        let Some(node) = self.model.node(id) else { return };
        let device = DeviceSink { name: node.name.clone(), description: node.description.clone() };
        self.forget_device();
        match DeviceBinding::new(&self.registry, id, &self.notices) {
            Ok(binding) => {
                self.device = Some(binding);
                self.ask_for_port();
                self.told.no_device = false;
                self.events.send(GraphEvent::DeviceSink(device));
            }
            Err(error) => self.trouble("listening to the device sink", Some(error)),
        }
        self.set_volumes();
        self.census.changed();
    }

    /// The name of the device sink that is heard.
    pub(super) fn heard_device_name(&self) -> Option<&str> {
        let device = self.device.as_ref()?;
        Some(self.model.node(device.id)?.name.as_str())
    }

    pub(super) fn tell_no_device(&mut self) {
        if !self.told.no_device {
            self.told.no_device = true;
            // Of the next one all is told, be it the same.
            self.told.heard = None;
            self.events.send(GraphEvent::NoDeviceSink);
        }
    }

    /// The device sink that sound shall go to, if it is there.
    pub(super) fn wanted_device(&self) -> Option<&str> {
        let preferred = self.wishes.sinks.preferred.as_deref();
        self.wishes.default.wanted_device(preferred, &Devices::of(&self.model))
    }

    /// The sink that the master is to be sent to: the device that is wanted, or the filter that
    /// WirePlumber would have in front of it.
    pub(super) fn wanted_sink(&self) -> Option<&str> {
        let device = self.wanted_device()?;
        let is_asked_for = self.wishes.sinks.preferred.as_deref() == Some(device);
        let is_theirs = self.wishes.sinks.promotion == Promotion::Leave
            && self.wishes.default.actual.as_deref() == Some(device);
        let filter = self.filter_for_the_default().filter(|_| is_theirs && !is_asked_for);
        Some(filter.unwrap_or(device))
    }

    /// The filter that WirePlumber has in front of whatever the default sink is.
    pub(super) fn filter_for_the_default(&self) -> Option<&str> {
        let filter = filters::for_the_default(self.census.heard(), &self.model);
        filter.filter(|_| self.has_smart_filters)
    }

    /// Sends the master to the sink that is wanted, where that is another one now.
    pub(super) fn pin(&mut self, now: Instant) {
        let (Some(metadata), Some(master)) = (&self.metadata, &self.master) else { return };
        let Some(wanted) = self.wanted_sink() else { return };
        let is_void =
            self.sent_by_others.as_deref().is_some_and(|to| sink_said(to, &self.model).is_none());
        if self.pinned.as_deref() == Some(wanted) && !is_void {
            return;
        }
        let Some(output) = master.streams.output_id() else { return };
        metadata.set_target(output, wanted);
        self.pinned = Some(wanted.to_owned());
        self.sent_by_others = None;
        self.hearing.expects(now);
    }

    /// The metadata says where the master is to go. Who moves it by hand has it there until another
    /// device is wanted, or until that has gone.
    pub(super) fn take_master_target(&mut self, id: u32, key: Option<&str>, value: Option<&str>) {
        let output = self.master.as_ref().and_then(|master| master.streams.output_id());
        if output == Some(id) && key == Some(OBJECT) {
            let others = value.filter(|value| self.pinned.as_deref() != Some(value));
            self.sent_by_others = others.map(str::to_owned);
        }
    }

    pub(super) fn is_linked(&self) -> bool {
        let linked = |from: &Live, to: Option<u32>| {
            let (Some(from), Some(to)) = (from.streams.output_id(), to) else { return false };
            self.model.linked_from(from).filter(|id| *id == to).count() > 0
        };
        let (Some(main), Some(master)) = (&self.main, &self.master) else { return false };
        let mut buses = [main].into_iter().chain(&self.stereo);
        buses.all(|bus| linked(bus, master.streams.sink_id())) && self.heard_device().is_some()
    }
}
