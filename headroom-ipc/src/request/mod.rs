//! What a client asks: `{id, op, args?}`.
//!
//! [`decode_request`] is how a daemon reads it, strictly: it finds every fault, names the field,
//! the value and what would be right, and gives the request's id whenever that can be read.
//! [`encode_request`] is how a client writes it.

mod args;
mod ask;
mod device;
mod envelope;
mod list;
mod routing;
mod setting;
mod sinks;
mod topics;
mod why;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use args::Field;
pub use ask::{
    Describe, HelloCall, Ping, Pong, ProfileList, ProfileReload, ProfileShow, ProfileUse, SinkList,
    StatusCall, StreamList, Streams,
};
pub use device::{DeviceList, DeviceSet, DeviceUnset};
pub use envelope::{Rejection, decode_request};
pub use list::Op;
pub(crate) use list::for_each_op;
pub use routing::{RouteList, RouteSet, RouteStream, RouteUnset};
pub use setting::{
    BypassSet, BypassTo, SettingAmount, SettingClear, SettingGet, SettingList, SettingReset,
    SettingSet, SettingValues,
};
pub use sinks::{PromoteSet, PromoteTo, SinkUse};
pub use topics::{Snapshot, Subscribe, Subscribed, TopicSeq, Unsubscribe, Unsubscribed};
pub use why::WhyCall;

use crate::framing::{TooLong, framed};
use crate::{Error, Value};
use args::Args;

/// A request as a daemon has read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the reply is to carry; nil where the client gave none.
    pub id: Option<u64>,
    /// What is asked.
    pub op: Op,
}

/// The arguments of one op, and what a client gets for them.
pub trait Call: Serialize {
    /// The op's name on the wire.
    const OP: &'static str;
    /// Its arguments, in words.
    const FIELDS: &'static [Field];
    /// What it gives back when it is done.
    type Reply: Serialize + DeserializeOwned;
}

/// How the daemon reads the arguments of an op.
pub(crate) trait Read: Call + Sized {
    fn read(args: &Args<'_>) -> Result<Self, Error>;
}

#[derive(Serialize)]
struct Envelope<'a, A: Serialize> {
    id: u64,
    op: &'a str,
    args: &'a A,
}

/// A request as bytes, with its length in front.
///
/// # Errors
/// [`TooLong`] when it is over [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
pub fn encode_request<C: Call>(id: u64, call: &C) -> Result<Vec<u8>, TooLong> {
    encode(&Envelope { id, op: C::OP, args: call })
}

/// A request of any op, known here or not, for programs that pass on what a person typed.
///
/// # Errors
/// [`TooLong`] when it is over [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
pub fn encode_raw_request(id: u64, op: &str, args: &Value) -> Result<Vec<u8>, TooLong> {
    encode(&Envelope { id, op, args })
}

fn encode<A: Serialize>(envelope: &Envelope<'_, A>) -> Result<Vec<u8>, TooLong> {
    framed(|out| {
        if rmp_serde::encode::write_named(out, envelope).is_err() {
            // Only a setting that is not finite does that; a daemon answers what is left of it
            // with what is wrong.
            out.truncate(crate::PREFIX_BYTES);
        }
    })
}

impl Op {
    /// Reads the arguments of the op with this name.
    pub(crate) fn read(name: &str, args: Option<&[u8]>) -> Result<Op, Error> {
        macro_rules! dispatch {
            ($( $variant:ident = $op:literal, )+) => {
                match name {
                    $( $op => {
                        let args = Args::of($op, <$variant as Call>::FIELDS, args)?;
                        <$variant as Read>::read(&args).map(Op::$variant)
                    } )+
                    _ => Err(unknown_op(name)),
                }
            };
        }
        for_each_op!(dispatch)
    }

    /// The request as bytes, with its length in front.
    ///
    /// # Errors
    /// [`TooLong`] when it is over [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
    pub fn encode(&self, id: u64) -> Result<Vec<u8>, TooLong> {
        macro_rules! dispatch {
            ($( $variant:ident = $op:literal, )+) => {
                match self { $( Op::$variant(call) => encode_request(id, call), )+ }
            };
        }
        for_each_op!(dispatch)
    }
}

fn unknown_op(name: &str) -> Error {
    let shown = crate::cursor::cut(name);
    let nearest = crate::word::nearest(name, Op::NAMES);
    let hint = match nearest {
        Some(op) => format!(", did you mean {op:?}?"),
        None => ", \"describe\" lists them".to_owned(),
    };
    let error = Error::new(crate::Code::UnknownOp, format!("there is no op {shown:?}{hint}"))
        .with_field("op")
        .with_value(Value::Text(shown));
    match nearest {
        Some(op) => error.with_nearest(op),
        None => error,
    }
}
