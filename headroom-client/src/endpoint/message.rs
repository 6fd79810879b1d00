//! Commands and answers as bytes.

use headroom_ipc::{Error, PREFIX_BYTES};
use serde::{Deserialize, Serialize};

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reply<R> {
    Result(R),
    Error(Error),
}

/// Why something is no message.
#[derive(Debug)]
pub(super) enum Unsendable {
    /// Its body takes so many bytes.
    TooLong(usize),
    /// serde cannot write it.
    Unwritable(rmp_serde::encode::Error),
}

/// A message with its length in front.
pub(super) fn framed(value: &impl Serialize, max_bytes: usize) -> Result<Vec<u8>, Unsendable> {
    let mut message = vec![0; PREFIX_BYTES];
    rmp_serde::encode::write_named(&mut message, value).map_err(Unsendable::Unwritable)?;
    let length_bytes = message.len() - PREFIX_BYTES;
    match u32::try_from(length_bytes) {
        Ok(length) if length_bytes <= max_bytes => {
            message[..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
            Ok(message)
        }
        _ => Err(Unsendable::TooLong(length_bytes)),
    }
}
