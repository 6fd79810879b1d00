//! Null devices: what stands for the sound card.
//!
//! A device is plugged into a running graph or written into PipeWire's configuration before it
//! starts; either way it is there again after PipeWire has been restarted, as hardware would be.

/// A sink without a sound card behind it, driven by a timer as a card would be by its clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    pub(crate) name: String,
    priority: u32,
    positions: Vec<&'static str>,
    rate_hz: Option<u32>,
    is_of_alsa: bool,
}

impl Device {
    /// A stereo sink of that `node.name`.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            priority: 1000,
            positions: vec!["FL", "FR"],
            rate_hz: None,
            is_of_alsa: false,
        }
    }

    /// Its `priority.session`: WirePlumber takes the highest for the default sink.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Its channels, by PipeWire's names: `["FL", "FR", "FC", "LFE", "SL", "SR"]`.
    pub fn positions(mut self, positions: &[&'static str]) -> Self {
        self.positions = positions.to_vec();
        self
    }

    /// The one rate that it can run at. Without one it follows the graph.
    pub fn rate_hz(mut self, rate_hz: u32) -> Self {
        self.rate_hz = Some(rate_hz);
        self
    }

    /// Played by PipeWire's own driver of sound cards, to the card of ALSA that is none: such a node
    /// tells its latency and takes an offset to it, as a null sink does not.
    pub fn of_alsa(mut self) -> Self {
        self.is_of_alsa = true;
        // It takes any rate: without one PipeWire 1.4.2 asks for 2^31 Hz, and falls over.
        self.rate_hz = Some(48_000);
        self
    }

    /// Its `node.name`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `factory = adapter` makes it from.
    ///
    /// The monitor carries the device's own volume, so that a recording of it is what a listener
    /// would hear.
    pub(crate) fn properties(&self) -> String {
        let factory = if self.is_of_alsa {
            // Within quotes, for without them it would be no value at all.
            "api.alsa.pcm.sink, api.alsa.path = \"null\", audio.format = S16LE"
        } else {
            "support.null-audio-sink"
        };
        let mut properties = format!(
            "{{ factory.name = {factory}, node.name = \"{name}\", \
             node.description = \"{name}\", media.class = Audio/Sink, object.linger = true, \
             audio.position = [ {positions} ], priority.session = {priority}, \
             priority.driver = {priority}, monitor.channel-volumes = true",
            name = self.name,
            positions = self.positions.join(" "),
            priority = self.priority,
        );
        if let Some(rate_hz) = self.rate_hz {
            properties += &format!(", audio.rate = {rate_hz}");
        }
        properties + " }"
    }
}
