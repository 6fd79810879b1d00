//! `stream.list`.

use headroom_ipc::{Code, Error, Streams};

use crate::state::Model;

pub(crate) fn list(_model: &Model) -> Result<Streams, Error> {
    let text = "this headroomd does not follow the streams of apps: \"pw-cli ls Node\" lists them";
    Err(Error::new(Code::Unavailable, text))
}
