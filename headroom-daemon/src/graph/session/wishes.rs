//! What outlives one connection to PipeWire: what is wanted of all of them, and what one leaves to
//! the next.

use std::sync::Arc;

use headroom_dsp::Db;

use crate::audio::Watch;
use crate::graph::default_sink::DefaultSink;
use crate::graph::{GraphSettings, SinkWish};
use crate::journal::Notes;

/// What is wanted of every session, and what one leaves to the next.
pub(in crate::graph) struct Wishes {
    pub(in crate::graph) params: headroom_dsp::ChainParams,
    pub(in crate::graph) sinks: SinkWish,
    pub(super) default: DefaultSink,
    /// What the AGC starts from before it has a gain of its own.
    pub(super) agc_gain: Db,
    pub(super) main_watch: Option<Arc<Watch>>,
    pub(super) stereo_watch: Option<Arc<Watch>>,
    /// The number of this connection.
    pub(super) session: u32,
    /// What is noted before it is changed.
    pub(super) notes: Notes,
}

impl Wishes {
    pub(in crate::graph) fn new(settings: GraphSettings) -> Wishes {
        Wishes {
            params: settings.params,
            sinks: settings.sink_wish,
            default: DefaultSink::after(settings.journal.former_default.as_ref()),
            agc_gain: Db(settings.agc_gain_db.unwrap_or(0.0)),
            main_watch: None,
            stereo_watch: None,
            session: 0,
            notes: Notes::new(settings.journal, settings.notes),
        }
    }
}
