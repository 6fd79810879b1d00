//! What a session is over: one connection for what is heard and said, another for the inserts.
//!
//! `thread` opens them whenever PipeWire is there. Nothing here knows what is said over them.

use pipewire as pw;
use pw::context::ContextRc;
use pw::core::CoreRc;

/// The connections to PipeWire. We listen and speak over one of them, and have our inserts on the
/// other.
///
/// PipeWire reads nothing more from who listens to WirePlumber's metadata until WirePlumber has
/// answered, and nothing more from WirePlumber, which sets up our nodes, until their owner has
/// answered. Over one connection the two would wait for each other for ever, and with them all who
/// look at the graph.
#[derive(Debug)]
pub(in crate::graph) struct Connections {
    pub(super) words: CoreRc,
    pub(super) sound: CoreRc,
    context: ContextRc,
}

impl Connections {
    /// Both of them.
    ///
    /// # Errors
    /// PipeWire is not there.
    pub(in crate::graph) fn open(context: &ContextRc) -> Result<Connections, pw::Error> {
        Ok(Connections {
            words: context.connect_rc(None)?,
            sound: context.connect_rc(None)?,
            context: context.clone(),
        })
    }

    /// Another one to listen and speak over.
    pub(super) fn words_anew(&self) -> Result<CoreRc, pw::Error> {
        self.context.connect_rc(None)
    }
}
