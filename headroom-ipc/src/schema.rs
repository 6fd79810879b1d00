//! JSON Schemas of every message, from the very types (feature `schema`).
//!
//! They describe what JSON and MessagePack share. The files in `headroom-ipc/schema` are these,
//! and a test keeps them in step.

use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use crate::request::*;
use crate::{Error, Hello, Topic, event};

/// The name of a file and the schema in it: one per op, with its request and its reply, one per
/// event, and one for errors.
#[must_use]
pub fn all() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    macro_rules! ops {
        ($( $variant:ident = $op:literal, )+) => { $(
            files.push((
                concat!("op.", $op, ".json").to_owned(),
                op($op, schema_for!($variant), schema_for!(<$variant as Call>::Reply)),
            ));
        )+ };
    }
    for_each_op!(ops);
    files.push(("event.daemon.hello.json".to_owned(), hello()));
    for (topic, event, schema) in event::schemas() {
        files.push((format!("event.{topic}.{event}.json"), of_event(topic, event, schema)));
    }
    files.push(("error.json".to_owned(), message(
        "The reply to a request that was refused",
        &["id", "error"],
        json!({
            "id": { "description": "nil where it could not be read", "type": ["integer", "null"], "minimum": 0 },
            "error": inner(schema_for!(Error)),
        }),
    )));
    files
}

fn op(name: &str, args: Schema, result: Schema) -> Value {
    let fields = inner(args);
    let needs_args = fields.get("required").is_some();
    let required: &[&str] = if needs_args { &["op", "args"] } else { &["op"] };
    json!({
        "$schema": DIALECT,
        "title": name,
        "type": "object",
        "properties": {
            "request": message(&format!("{name}: the request"), required, json!({
                "id": { "type": ["integer", "null"], "minimum": 0 },
                "op": { "const": name },
                "args": fields,
            })),
            "reply": message(&format!("{name}: the reply when it was done"), &["id", "result"], json!({
                "id": { "type": ["integer", "null"], "minimum": 0 },
                "result": inner(result),
            })),
        },
    })
}

fn of_event(topic: Topic, event: &str, data: Schema) -> Value {
    message(
        &format!("{topic} {event}"),
        &["topic", "event", "seq", "data"],
        json!({
            "topic": { "const": topic },
            "event": { "const": event },
            "seq": { "type": "integer", "minimum": 0 },
            "data": inner(data),
        }),
    )
}

fn hello() -> Value {
    message(
        "The first message on every connection",
        &["topic", "event", "data"],
        json!({
            "topic": { "const": "daemon" },
            "event": { "const": "hello" },
            "data": inner(schema_for!(Hello)),
        }),
    )
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn message(title: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

/// The schema of a part, which is a document of its own for its references.
fn inner(schema: Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
    }
    schema
}
