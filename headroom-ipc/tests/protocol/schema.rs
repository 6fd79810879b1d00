//! The schemas that are checked in are those of the types.
//!
//! `HEADROOM_WRITE_SCHEMA=1 cargo test -p headroom-ipc --test protocol` writes them anew.

use super::specimens;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

#[test]
fn the_files_are_the_schemas_of_the_types() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schema"));
    let wanted: BTreeMap<String, String> = headroom_ipc::schema::all()
        .into_iter()
        .map(|(name, schema)| {
            (name, serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n")
        })
        .collect();
    if std::env::var_os("HEADROOM_WRITE_SCHEMA").is_some() {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("the folder");
        for (name, text) in &wanted {
            fs::write(folder.join(name), text).expect("a schema");
        }
    }
    let found: BTreeMap<String, String> = fs::read_dir(folder)
        .expect("the folder of schemas")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, fs::read_to_string(&path).expect("a schema"))
        })
        .collect();
    let advice = "HEADROOM_WRITE_SCHEMA=1 cargo test -p headroom-ipc --test protocol";
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted), "write them anew: {advice}");
    for (name, text) in &wanted {
        assert_eq!(&found[name], text, "{name} is out of step; write it anew: {advice}");
    }
}

/// Every message validates against its own schema, by a validator for as much of JSON Schema as
/// ours use.
#[test]
fn every_message_is_what_its_schema_says() {
    let schemas: BTreeMap<String, Value> = headroom_ipc::schema::all().into_iter().collect();
    for specimen in specimens::all() {
        let file = match specimen.name.as_str() {
            error if error.starts_with("error.") => "error.json".to_owned(),
            name => {
                // Some ops have several specimens: the file is the longest name that fits.
                let fits = |file: &&String| name.starts_with(file.trim_end_matches(".json"));
                schemas.keys().filter(fits).max_by_key(|file| file.len()).expect(name).clone()
            }
        };
        let message: headroom_ipc::Value = rmp_serde::from_slice(&specimen.body).expect("a body");
        let message = serde_json::to_value(&message).expect("JSON");
        let schema = &schemas[&file];
        validate(schema, schema, &message).unwrap_or_else(|why| panic!("{file}: {why}"));

        let mut without = message.clone();
        let first = without.as_object_mut().expect("a map");
        let taken = if specimen.name.starts_with("request.") { "op" } else { "id" };
        if first.remove(taken).is_some() {
            assert!(
                validate(schema, schema, &without).is_err(),
                "{file} lets pass what lacks {taken}"
            );
        }
    }
}

#[test]
fn the_schema_of_a_request_is_as_strict_as_the_daemon() {
    let schemas: BTreeMap<String, Value> = headroom_ipc::schema::all().into_iter().collect();
    for (file, message) in [
        ("request.ping.json", r#"{"op":"ping","args":{"fast":true}}"#),
        ("request.ping.json", r#"{"op":"ping","method":"ping"}"#),
        ("request.bypass.set.json", r#"{"op":"bypass.set","args":{"bypass":"maybe"}}"#),
        ("request.setting.set.json", r#"{"op":"setting.set","args":{"key":"a"}}"#),
        ("request.setting.set.json", r#"{"op":"setting.set","args":{"key":"a","by":1,"value":1}}"#),
        ("request.subscribe.json", r#"{"op":"subscribe","args":{"topics":["metres"]}}"#),
        ("request.route.set.json", r#"{"op":"route.set","args":{"match":{"pid":[]},"route":"x"}}"#),
    ] {
        let message: Value = serde_json::from_str(message).expect("JSON");
        assert!(validate(&schemas[file], &schemas[file], &message).is_err(), "{message}");
    }
}

fn validate(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(rules) = schema.as_object() else { return Ok(()) };
    let wrong = |rule: &str| Err(format!("{value} breaks {rule} of {schema}"));
    for (rule, wanted) in rules {
        let each = || wanted.as_array().expect("a list of schemas").iter();
        let pass = || each().filter(|one| validate(root, one, value).is_ok()).count();
        match rule.as_str() {
            "$ref" => {
                let path = wanted.as_str().and_then(|path| path.strip_prefix('#')).expect("a path");
                let part = root.pointer(path).ok_or(format!("{path} leads nowhere"))?;
                validate(root, part, value)?;
            }
            "type" => {
                let is = |kind: &Value| match kind.as_str() {
                    Some("object") => value.is_object(),
                    Some("array") => value.is_array(),
                    Some("string") => value.is_string(),
                    Some("boolean") => value.is_boolean(),
                    Some("null") => value.is_null(),
                    Some("integer") => value.is_u64() || value.is_i64(),
                    Some("number") => value.is_number(),
                    other => panic!("{other:?} is no type"),
                };
                let fits = wanted.as_array().map_or_else(|| is(wanted), |all| all.iter().any(is));
                if !fits {
                    return wrong(rule);
                }
            }
            "const" if value != wanted => return wrong(rule),
            "enum" if !each().any(|one| one == value) => return wrong(rule),
            "anyOf" if pass() == 0 => return wrong(rule),
            "oneOf" if pass() != 1 => return wrong(rule),
            "allOf" if pass() != each().count() => return wrong(rule),
            "required" => {
                if each().any(|name| value.get(name.as_str().expect("a name")).is_none()) {
                    return wrong(rule);
                }
            }
            "properties" => {
                for (name, part) in wanted.as_object().expect("properties") {
                    if let Some(field) = value.get(name) {
                        validate(root, part, field).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
            }
            "additionalProperties" if *wanted == Value::Bool(false) => {
                let known = rules.get("properties");
                let more = value.as_object().is_some_and(|fields| {
                    fields.keys().any(|name| known.and_then(|all| all.get(name)).is_none())
                });
                if more {
                    return wrong(rule);
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    validate(root, wanted, item)?;
                }
            }
            "minimum" => {
                if value.as_f64().is_some_and(|number| number < wanted.as_f64().expect("a number"))
                {
                    return wrong(rule);
                }
            }
            // Said to people.
            "$schema"
            | "$defs"
            | "title"
            | "description"
            | "default"
            | "format"
            | "pattern"
            | "const"
            | "enum"
            | "anyOf"
            | "oneOf"
            | "allOf"
            | "additionalProperties" => {}
            other => panic!("this validator does not know {other}"),
        }
    }
    Ok(())
}
