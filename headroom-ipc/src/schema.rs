//! JSON Schemas of every message, from the very types (feature `schema`).
//!
//! They describe what JSON and MessagePack share. The files in `headroom-ipc/schema` are these,
//! and a test keeps them in step. Those of requests are strict, as the daemon is; those of what
//! the daemon sends are not, as clients must not be.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::request::*;
use crate::{Error, Hello, event};

/// The name of a file and the schema in it: one per request, reply and event, and one for
/// errors.
#[must_use]
pub fn all() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    macro_rules! ops {
        ($( $variant:ident = $op:literal, )+) => { $(
            files.push((
                concat!("request.", $op, ".json").to_owned(),
                request($op, |generator| generator.subschema_for::<$variant>()),
            ));
            files.push((
                concat!("reply.", $op, ".json").to_owned(),
                reply($op, |generator| generator.subschema_for::<<$variant as Call>::Reply>()),
            ));
        )+ };
    }
    for_each_op!(ops);
    for (topic, event, data) in event::schemas() {
        let parts = [
            ("topic", json!({ "const": topic })),
            ("event", json!({ "const": event })),
            ("seq", unsigned()),
        ];
        let file = sent(&format!("Event {topic} {event}"), &parts, ("data", data));
        files.push((format!("event.{topic}.{event}.json"), file));
    }
    files.push((
        "event.daemon.hello.json".to_owned(),
        sent(
            "Event daemon hello: the first message on every connection",
            &[("topic", json!({ "const": "daemon" })), ("event", json!({ "const": "hello" }))],
            ("data", |generator| generator.subschema_for::<Hello>()),
        ),
    ));
    files.push((
        "error.json".to_owned(),
        sent(
            "Reply to any request that was refused",
            &[("id", id())],
            ("error", |generator| generator.subschema_for::<Error>()),
        ),
    ));
    files
}

fn request(op: &str, args: event::SchemaOf) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let args_schema = args(&mut generator).to_value();
    let mut definitions = generator.take_definitions(true);
    for definition in definitions.values_mut().filter_map(Value::as_object_mut) {
        if definition.get("type") == Some(&json!("object")) {
            definition.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    let name = args_schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let must_have_args = name.is_some_and(|name| definitions[name].get("required").is_some());
    let fields = json!({ "id": id(), "op": { "const": op }, "args": args_schema });
    let required: &[&str] = if must_have_args { &["op", "args"] } else { &["op"] };
    let mut file = document(&format!("Request {op}"), fields, required, definitions);
    file["additionalProperties"] = json!(false);
    file
}

fn reply(op: &str, result: event::SchemaOf) -> Value {
    let title = format!("Reply to {op} when it was done");
    sent(&title, &[("id", id())], ("result", result))
}

/// The schema of something that the daemon sends: some plain fields, and one with a type.
fn sent(title: &str, plain: &[(&str, Value)], typed: (&str, event::SchemaOf)) -> Value {
    let mut generator: SchemaGenerator =
        SchemaSettings::draft2020_12().for_serialize().into_generator();
    let (name, schema) = typed;
    let mut fields: Map<String, Value> =
        plain.iter().map(|(field, schema)| ((*field).to_owned(), schema.clone())).collect();
    fields.insert(name.to_owned(), schema(&mut generator).to_value());
    let mut required: Vec<&str> = plain.iter().map(|(field, _)| *field).collect();
    required.push(name);
    document(title, Value::Object(fields), &required, generator.take_definitions(true))
}

fn document(title: &str, fields: Value, required: &[&str], parts: Map<String, Value>) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": fields,
        "required": required,
        "$defs": parts,
    })
}

fn id() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0 })
}

fn unsigned() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}
