//! Every table of IPC.md says what the types do: ops and arguments, topics and events, objects
//! and their fields, words, codes and limits.

use std::collections::BTreeMap;

use headroom_ipc::*;
use serde_json::Value as Json;

use super::examples::{TEXT, unpack};

/// The cells of the table that comes next after a heading, without its head.
fn table_behind(heading: &str) -> Vec<Vec<String>> {
    let start = TEXT.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let section = &TEXT[start + heading.len() + 2..];
    let end = section.find("\n#").unwrap_or(section.len());
    let rows = section[..end].lines().skip_while(|line| !line.starts_with('|'));
    rows.take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            let cells = row.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().trim_end_matches('|').trim().to_owned()).collect()
        })
        .collect()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn every_op_stands_there_with_its_arguments_and_its_result() {
    let headings = TEXT.lines().filter_map(|line| line.strip_prefix("#### `"));
    let documented: Vec<&str> = headings
        .filter_map(|line| line.strip_suffix('`'))
        .filter(|name| !name.starts_with(char::is_uppercase))
        .collect();
    assert_eq!(documented, Op::NAMES, "the ops of IPC.md and their order");
    let schemas: BTreeMap<String, Json> = schema::all().into_iter().collect();
    for op in Description::of_protocol().ops {
        let heading = format!("#### `{}`", op.op);
        let rows = table_behind(&heading);
        let wanted: Vec<Vec<String>> = op
            .args
            .iter()
            .map(|arg| {
                let required = if arg.required { "required" } else { "optional" };
                vec![
                    code(&arg.name),
                    required.into(),
                    arg.allowed.to_string(),
                    arg.about.to_string(),
                ]
            })
            .collect();
        assert_eq!(rows, wanted, "the arguments of {}", op.op);
        let start = TEXT.find(&format!("\n{heading}\n")).expect("a heading");
        let section = &TEXT[start + 5..];
        let section = &section[..section.find("\n#").unwrap_or(section.len())];
        let result = type_of(&schemas[&format!("reply.{}.json", op.op)]["properties"]["result"]);
        assert!(section.contains(&format!("\nResult: {result}")), "{} gives {result}", op.op);
    }
}

/// How IPC.md writes a type.
fn type_of(schema: &Json) -> String {
    fn inner(schema: &Json) -> String {
        let text = type_of(schema);
        if text.contains(" or ") { format!("({text})") } else { text }
    }
    if let Some(path) = schema["$ref"].as_str() {
        return code(path.rsplit('/').next().unwrap_or_default());
    }
    if let Some(parts) = schema["anyOf"].as_array() {
        return parts.iter().map(inner).collect::<Vec<_>>().join(" or ");
    }
    let word = |kind: &Json| match kind.as_str() {
        Some("string") => "text".to_owned(),
        Some("boolean") => "bool".to_owned(),
        Some("null") => "nil".to_owned(),
        Some("array") => format!("list of {}", inner(&schema["items"])),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    };
    match schema["type"].as_array() {
        Some(kinds) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        None => word(&schema["type"]),
    }
}

#[test]
fn every_object_stands_there_with_every_field_and_its_type() {
    let mut objects = BTreeMap::new();
    for (file, schema) in schema::all() {
        if file.starts_with("request.") {
            continue;
        }
        for (name, definition) in schema["$defs"].as_object().expect("definitions") {
            // A mirror is a map by topic, and described as such.
            let is_mirror = name == "Mirror" || name.starts_with("Tracked");
            if definition.get("properties").is_some() && !is_mirror {
                objects.insert(name.clone(), definition.clone());
            }
        }
    }
    assert!(objects.len() > 30, "{:?}", objects.keys());
    for (name, definition) in &objects {
        let rows = table_behind(&format!("#### `{name}`"));
        let mut documented: Vec<(String, String)> =
            rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        documented.sort();
        let fields = definition["properties"].as_object().expect("fields");
        let mut wanted: Vec<(String, String)> =
            fields.iter().map(|(field, schema)| (code(field), type_of(schema))).collect();
        wanted.sort();
        assert_eq!(documented, wanted, "the fields of {name}");
    }
}

#[test]
fn every_topic_event_code_and_word_stands_there() {
    let section = |heading: &str| {
        let rows = table_behind(heading);
        assert!(!rows.is_empty(), "{heading}");
        rows
    };
    let column = |rows: &[Vec<String>], n: usize| -> Vec<String> {
        rows.iter().map(|row| row[n].clone()).collect()
    };
    let quoted = |words: &[&str]| -> Vec<String> { words.iter().map(|word| code(word)).collect() };

    assert_eq!(column(&section("## Topics and events"), 0), quoted(Topic::WORDS));
    let codes: Vec<String> = TEXT
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .filter(|word| Code::WORDS.contains(word))
        .map(code)
        .collect();
    assert_eq!(codes, quoted(Code::WORDS));

    let schemas: BTreeMap<String, Json> = schema::all().into_iter().collect();
    let wanted: Vec<Vec<String>> = Topic::ALL
        .iter()
        .flat_map(|topic| Change::events_of(*topic).iter().map(move |event| (topic, event)))
        .map(|(topic, event)| {
            let schema = &schemas[&format!("event.{topic}.{event}.json")];
            let data = type_of(&schema["properties"]["data"]);
            vec![code(topic.as_str()), code(event), data]
        })
        .collect();
    let events: Vec<Vec<String>> = TEXT
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 3)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()))
        .map(|cells| cells.take(3).collect::<Vec<String>>())
        .filter(|cells| Topic::WORDS.iter().any(|topic| code(topic) == cells[0]))
        .collect();
    assert_eq!(events, wanted);

    let words: BTreeMap<String, String> =
        section("### Words").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let all = [
        ("Code", Code::WORDS),
        ("Decider", Decider::WORDS),
        ("Kind", Kind::WORDS),
        ("ProfileOrigin", ProfileOrigin::WORDS),
        ("Promotion", Promotion::WORDS),
        ("RoutedBy", RoutedBy::WORDS),
        ("ContestedBy", ContestedBy::WORDS),
        ("OwnVolume", OwnVolume::WORDS),
        ("RuleOrigin", RuleOrigin::WORDS),
        ("SinkKind", SinkKind::WORDS),
        ("Topic", Topic::WORDS),
        ("UsedBy", UsedBy::WORDS),
    ];
    for (name, known) in all {
        assert_eq!(words[&code(name)], quoted(known).join(", "), "{name}");
    }
    assert_eq!(words.len(), all.len());
}

#[test]
fn the_limits_that_it_names_are_those_of_the_code() {
    assert!(TEXT.contains("| body | 1,048,576 bytes |"));
    assert_eq!(MAX_BODY_BYTES, 1_048_576);
    assert!(TEXT.contains("address takes 107 bytes at most"));
    assert_eq!(MAX_ADDRESS_BYTES, 107);
    assert!(TEXT.starts_with(&format!("# The control protocol of Headroom, version {PROTOCOL}\n")));
}

#[test]
fn the_table_of_events_is_what_a_mirror_does() {
    // Every event of the table, applied as it says to a copy that knows only the names of fields.
    let mut mirror = super::objects::mirror();
    for event in super::specimens::events() {
        let topic = event.topic;
        let event = Event { seq: mirror.seq(topic).expect("a topic") + 1, ..event };
        let state = |mirror: &Mirror| {
            let body = rmp_serde::to_vec_named(mirror).expect("MessagePack");
            let json = serde_json::to_value(unpack(&body)).expect("JSON");
            json[topic.as_str()]["state"].clone()
        };
        let before = state(&mirror);
        let _ = mirror.apply(&event);
        let frame = ServerFrame::event(&event).expect("an event");
        let json = serde_json::to_value(unpack(frame.body())).expect("JSON");
        let wanted = by_the_table(before, topic, event.change.event(), &json["data"]);
        assert_eq!(state(&mirror), wanted, "{topic} {}", event.change.event());
    }
}

fn by_the_table(mut state: Json, topic: Topic, event: &str, data: &Json) -> Json {
    let row = TEXT
        .lines()
        .find(|line| line.starts_with(&format!("| `{topic}` | `{event}` | ")))
        .expect("a row");
    let does = row.trim_end_matches(" |").rsplit(" | ").next().expect("a cell");
    let replace_in = |list: &mut Json, key: &str| {
        let list = list.as_array_mut().expect("a list");
        match list.iter_mut().find(|item| item[key] == data[key]) {
            Some(item) => *item = data.clone(),
            None => list.push(data.clone()),
        }
    };
    if does.starts_with("replaces it") {
        return data.clone();
    }
    if does.contains("the profile of that name") {
        if does.starts_with("`used` is its name") {
            state["used"] = data["name"].clone();
        }
        replace_in(&mut state["profiles"], "name");
    } else if does.starts_with("replaces the setting of that key") {
        replace_in(&mut state["settings"], "key");
    } else if does.starts_with("replaces the stream of that `id`") {
        replace_in(&mut state["streams"], "id");
    } else if does.starts_with("replaces the sink of that `id`") {
        replace_in(&mut state["sinks"], "id");
    } else if let Some(what) = does.strip_prefix("takes out the ") {
        let list = if what.starts_with("stream") { "streams" } else { "sinks" };
        let list = state[list].as_array_mut().expect("a list");
        list.retain(|item| item["id"] != data["id"]);
    } else if let Some(field) = does.strip_prefix("replaces `") {
        let field = field.trim_end_matches('`');
        let bare = field == "bypass";
        state[field] = if bare { data[field].clone() } else { data.clone() };
    } else {
        assert!(does.starts_with("nothing"), "{does}");
    }
    state
}
