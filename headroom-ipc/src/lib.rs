//! The protocol of Headroom, version 1: messages, framing, codec and mirror, without any I/O.
//!
//! This page is the protocol in short; IPC.md is the whole of it, for any language.
//!
//! 1. Connect to the Unix socket `$HEADROOM_SOCKET`, else
//!    `$XDG_RUNTIME_DIR/headroom/control.sock`; [`Address::find`] is the whole rule.
//! 2. Every message, both ways, is a 4-byte big-endian length and a *body* of so many bytes, at
//!    most [`MAX_BODY_BYTES`]: one MessagePack map with text keys. [`Deframer`] finds the bodies.
//! 3. The daemon speaks first: a [`Hello`] with its version, the protocol's, a run id that
//!    changes with each start, and its limits.
//! 4. Send requests, `{id, op, args?}`, as many as you like without waiting:
//!    [`encode_request`] writes one from the type of its arguments, such as [`SettingGet`].
//! 5. Every request gets exactly one reply with its id, in the order of the requests:
//!    `{id, result}` or `{id, error: {code, message, details?}}`. [`Call::Reply`] is the type of
//!    the result, [`Error`] that of the error: match on its [`Code`], show its message.
//! 6. [`Subscribe`] to [`Topic`]s. The reply holds the state of each as a [`Mirror`], and from
//!    then on every change comes as an [`Event`], `{topic, event, seq, data}`, with the whole
//!    object that has changed. Give each to [`Mirror::apply`] and the mirror stays equal to the
//!    daemon's own.
//! 7. The first event after the snapshot is `seq + 1`, and so on. A client that does not read
//!    loses events, and is told how many by a `daemon` `overflow` event: what was delivered and
//!    what was reported lost are together what was published. After a loss, ask for a
//!    [`Snapshot`] and go on.
//! 8. Skip what you do not know: topics, events, fields, words and error codes may be added to
//!    version 1. The daemon refuses what it does not know, by name.
//!
//! ```
//! use headroom_ipc::{Call, Deframer, ServerMessage, SettingGet, encode_request};
//! # use headroom_ipc::{Accepts, ServerFrame, Setting, SettingValue, decode_request};
//! # fn daemon(bytes: &[u8]) -> Vec<u8> {
//! #     let request = decode_request(&bytes[4..]).unwrap();
//! #     let setting = Setting { key: "agc.target_lufs".into(), value: SettingValue::Number(-18.0),
//! #         profile_value: SettingValue::Number(-18.0), overridden: false, set_aside: None,
//! #         accepts: Accepts::number(-40.0, -8.0) };
//! #     ServerFrame::reply(request.id, &setting).bytes().to_vec()
//! # }
//!
//! let request = encode_request(1, &SettingGet { key: "agc.target_lufs".into() })?;
//! let answered = daemon(&request); // over the socket
//!
//! let mut deframer = Deframer::new();
//! assert_eq!(deframer.push(&answered), answered.len());
//! let body = deframer.next_body()?.expect("a whole message");
//! let ServerMessage::Reply { id: Some(1), answer } = ServerMessage::decode(body)? else {
//!     panic!("not the reply")
//! };
//! let setting = answer.result::<<SettingGet as Call>::Reply>()??;
//! println!("{} is {}", setting.key, setting.value);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The daemon's side is [`decode_request`], [`Mirror::publish`] and [`ServerFrame`].
//!
//! This crate does no I/O, starts no thread and has no unsafe code. Whatever bytes it is given,
//! it neither panics nor takes memory for what was only announced; [`fuzzing`] holds it to that.

#![forbid(unsafe_code)]

pub mod about;
mod address;
mod cursor;
mod describe;
mod error;
mod event;
mod finite;
mod framing;
pub mod fuzzing;
mod mirror;
mod object;
mod request;
#[cfg(feature = "schema")]
pub mod schema;
mod server;
mod topic;
mod value;
mod word;

pub use address::{Address, AddressError, MAX_ADDRESS_BYTES, Surroundings};
pub use describe::{ArgDescription, Description, OpDescription, TopicDescription};
pub use error::{Code, Details, Error};
pub use event::{
    Change, DaemonChange, Event, MetersChange, ProfileChange, RoutingChange, SettingChange,
    SinksChange,
};
pub use framing::{Deframer, FrameError, MAX_BODY_BYTES, PREFIX_BYTES, TooLong};
pub use mirror::{Applied, Mirror, Tracked};
pub use object::*;
pub use request::*;
pub use server::{Answer, DecodeError, ServerFrame, ServerMessage};
pub use topic::{TOPICS, Topic};
pub use value::Value;

/// The version of the protocol. It changes only when an old client would no longer be
/// understood; what is added does not change it.
pub const PROTOCOL: u32 = 1;
