//! `sink.list`.

use headroom_ipc::{Error, Sinks};

use super::need_pipewire;
use crate::state::Model;

pub(crate) fn list(model: &Model) -> Result<&Sinks, Error> {
    need_pipewire(model)?;
    Ok(model.sinks())
}
