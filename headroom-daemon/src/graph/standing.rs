//! How our sinks stand with WirePlumber when it looks for a default sink.
//!
//! It keeps every sink that was ever asked for as the default, for good and on disk, and takes the
//! newest of them that is there, ahead of all that nobody has asked for. So a sink of ours that was
//! the default once would be it again whenever the listener's own is away, whether or not it is
//! still to be. What it prefers, it weighs against `priority.session`, by up to 30,000 in 0.5 and
//! 340,000 in 0.4; so nobody but who is asked for now has a priority that this can outweigh.

use pipewire as pw;
use pw::properties::properties;
use pw::stream::Stream;

/// Whether WirePlumber may come to a sink of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Never as long as there is any other sink.
    Unasked,
    /// It is asked for as the default, by us or by the listener.
    AskedFor,
}

impl Standing {
    /// The `priority.session` of such a sink. Without being asked for neither comes before a sink of
    /// somebody else's.
    pub(super) fn priority(self) -> &'static str {
        match self {
            Standing::Unasked => "-1000000",
            Standing::AskedFor => "-1000",
        }
    }

    /// Has a sink that is in the graph stand so from now on. Says whether it does.
    pub(super) fn give_to(self, stream: &Stream) -> bool {
        let properties = properties! { *pw::keys::PRIORITY_SESSION => self.priority() };
        let dict = properties.dict();
        // SAFETY: the stream is alive, and the properties live until they are copied.
        let result =
            unsafe { pw::sys::pw_stream_update_properties(stream.as_raw_ptr(), dict.as_raw_ptr()) };
        if result < 0 {
            log::warn!("telling the graph the priority of {}: error {result}", stream.name());
        }
        result >= 0
    }
}
