//! `sink.list`.

use headroom_ipc::{Code, Error, Sinks};

use crate::state::Model;

pub(crate) fn list(_model: &Model) -> Result<Sinks, Error> {
    let text = "this headroomd does not follow sinks that are not its own: \"pw-cli ls Node\" \
                lists them, and \"status\" says which one the sound goes to";
    Err(Error::new(Code::Unavailable, text))
}
