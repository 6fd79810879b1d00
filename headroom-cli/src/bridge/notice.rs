//! What a bridge says itself: events of its own topic, and refusals in the daemon's form.

use headroom_client::ipc::{Code, Value};

/// A map of these fields.
pub(super) fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

/// An event of the topic `bridge`. Like `hello` it has no `seq`, because it changes no state.
pub(super) fn event(event: &str, data: Value) -> Value {
    map([("topic", "bridge".into()), ("event", event.into()), ("data", data)])
}

/// The reply to a request that was refused here.
pub(super) fn refusal(id: Value, code: Code, message: &str) -> Value {
    let error = map([("code", code.as_str().into()), ("message", message.into())]);
    map([("id", id), ("error", error)])
}

/// The id that a reply to this carries: the daemon answers any other with nil.
pub(super) fn id_of(request: &Value) -> Value {
    match request.field("id") {
        Some(id @ Value::Unsigned(_)) => id.clone(),
        _ => Value::Nil,
    }
}
