//! `stream.list`.

use headroom_ipc::{Error, Streams};

use super::need_pipewire;
use crate::state::Model;

pub(crate) fn list(model: &Model) -> Result<Streams, Error> {
    need_pipewire(model)?;
    Ok(Streams { streams: model.routing().streams.clone() })
}
