//! The outer map of a request: `id`, `op`, `args`, in any order.

use super::{Op, Request};
use crate::cursor::{Broken, Cursor, Item, cut};
use crate::{Code, Error};

/// Why a body is no request that can be done, and what to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// The request's id, where it could be read.
    pub id: Option<u64>,
    /// What to answer.
    pub error: Error,
}

/// Reads a request strictly. The whole body is looked at before anything is said about it, so
/// that an id behind the fault is found too.
///
/// # Errors
/// [`Rejection`]: what to answer, with the code `INVALID_MESSAGE`, `UNKNOWN_OP` or
/// `INVALID_ARGS`. The connection stays good.
pub fn decode_request(body: &[u8]) -> Result<Request, Rejection> {
    let mut found = Found::default();
    let scanned = found.scan(body);
    let id = found.id;
    let verdict = scanned
        .map_err(Error::from)
        .and_then(|()| found.fault.map_or(Ok(()), Err))
        .and_then(|()| found.op.ok_or_else(no_op))
        .and_then(|op| Op::read(op, found.args));
    match verdict {
        Ok(op) => Ok(Request { id, op }),
        Err(error) => Err(Rejection { id, error }),
    }
}

/// What a look over the whole map has found.
#[derive(Default)]
struct Found<'b> {
    id: Option<u64>,
    op: Option<&'b str>,
    args: Option<&'b [u8]>,
    seen: [bool; 3],
    /// The first thing that is wrong.
    fault: Option<Error>,
}

const FIELDS: [&str; 3] = ["id", "op", "args"];

impl<'b> Found<'b> {
    fn scan(&mut self, body: &'b [u8]) -> Result<(), Broken> {
        let mut cursor = Cursor::new(body);
        if body.is_empty() {
            self.fault(invalid("the body is empty, but must be a map of id, op and args"));
            return Ok(());
        }
        let count = match cursor.item()? {
            Item::Map(count) => count,
            other => {
                self.fault(invalid(format!("the body is {other}, but must be a map")));
                return Ok(());
            }
        };
        for _ in 0..count {
            self.entry(&mut cursor)?;
        }
        let rest = cursor.rest().len();
        if rest > 0 {
            self.fault(invalid(format!("{rest} bytes follow the map, but nothing may")));
        }
        Ok(())
    }

    fn entry(&mut self, cursor: &mut Cursor<'b>) -> Result<(), Broken> {
        // A name that holds others (a map as a name) is stepped over whole.
        let key = Cursor::new(cursor.skip()?).item()?;
        let value = cursor.skip()?;
        let Item::Text(name) = key else {
            self.fault(invalid(format!("a field is named {key}, but names must be text")));
            return Ok(());
        };
        let Some(place) = FIELDS.iter().position(|field| *field == name) else {
            let error =
                invalid(format!("a request has no field {:?}: it has id, op and args", cut(name)));
            self.fault(error.with_field(&cut(name)));
            return Ok(());
        };
        if std::mem::replace(&mut self.seen[place], true) {
            let error = invalid(format!("{name} is given twice, but must be given once"));
            self.fault(error.with_field(name));
            return Ok(());
        }
        match place {
            0 => match Cursor::new(value).item()? {
                Item::Nil => {}
                Item::Unsigned(id) => self.id = Some(id),
                other => self.fault(wrong("id", other, "an unsigned integer, nil or absent")),
            },
            1 => match Cursor::new(value).item()? {
                Item::Text(op) => self.op = Some(op),
                other => self.fault(wrong("op", other, "the name of an op")),
            },
            _ => self.args = Some(value),
        }
        Ok(())
    }

    fn fault(&mut self, error: Error) {
        self.fault.get_or_insert(error);
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidMessage, message)
}

fn wrong(field: &str, item: Item<'_>, allowed: &str) -> Error {
    Error { code: Code::InvalidMessage, ..super::args::refuse(field, item, allowed) }
}

fn no_op() -> Error {
    invalid("op is missing, and must be the name of an op: \"describe\" lists them")
        .with_field("op")
        .with_allowed("the name of an op")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SettingAmount, SettingValue, Value};

    fn body(json: &str) -> Vec<u8> {
        let value: Value = serde_json::from_str(json).expect("JSON");
        rmp_serde::to_vec_named(&value).expect("MessagePack")
    }

    fn rejected(json: &str) -> (Option<u64>, Code, String) {
        let Rejection { id, error } = decode_request(&body(json)).expect_err(json);
        (id, error.code, error.message)
    }

    #[test]
    fn the_fields_may_come_in_any_order_and_arguments_may_be_left_out() {
        for json in [
            r#"{"id":7,"op":"ping"}"#,
            r#"{"op":"ping","id":7,"args":null}"#,
            r#"{"args":{},"op":"ping","id":7}"#,
            r#"{"args":[],"id":7,"op":"ping"}"#,
        ] {
            let request = decode_request(&body(json)).expect(json);
            assert_eq!((request.id, request.op.name()), (Some(7), "ping"));
        }
        for json in [r#"{"op":"ping"}"#, r#"{"id":null,"op":"ping"}"#] {
            assert_eq!(decode_request(&body(json)).expect(json).id, None);
        }
    }

    #[test]
    fn every_fault_has_its_code_its_words_and_the_id_even_behind_it() {
        use Code::{InvalidArgs, InvalidMessage, UnknownOp};
        for (json, id, code, message) in [
            ("[1]", None, InvalidMessage, "the body is a list of 1, but must be a map"),
            (
                r#"{"id":4}"#,
                Some(4),
                InvalidMessage,
                r#"op is missing, and must be the name of an op: "describe" lists them"#,
            ),
            (
                r#"{"op":"ping","id":-4}"#,
                None,
                InvalidMessage,
                "id is -4, but must be an unsigned integer, nil or absent",
            ),
            (
                r#"{"op":7,"id":4}"#,
                Some(4),
                InvalidMessage,
                "op is 7, but must be the name of an op",
            ),
            (
                r#"{"method":"ping","op":"ping","id":4}"#,
                Some(4),
                InvalidMessage,
                r#"a request has no field "method": it has id, op and args"#,
            ),
            (
                r#"{"op":"ping","op":"ping","id":4}"#,
                Some(4),
                InvalidMessage,
                "op is given twice, but must be given once",
            ),
            (
                r#"{"op":"setting.gte","id":4}"#,
                Some(4),
                UnknownOp,
                r#"there is no op "setting.gte", did you mean "setting.get"?"#,
            ),
            (
                r#"{"op":"frobnicate","id":4}"#,
                Some(4),
                UnknownOp,
                r#"there is no op "frobnicate", "describe" lists them"#,
            ),
            (
                r#"{"args":{"fast":true},"op":"ping","id":4}"#,
                Some(4),
                InvalidArgs,
                r#"ping has no field "fast": it takes none"#,
            ),
            (
                r#"{"id":4,"op":"setting.get","args":{"kye":"a"}}"#,
                Some(4),
                InvalidArgs,
                r#"setting.get has no field "kye", did you mean "key"?"#,
            ),
            (
                r#"{"id":4,"op":"setting.get","args":{"key":3}}"#,
                Some(4),
                InvalidArgs,
                "key is 3, but must be the dotted key of a setting, such as agc.target_lufs (1 to 256 bytes)",
            ),
            (
                r#"{"id":4,"op":"bypass.set"}"#,
                Some(4),
                InvalidArgs,
                r#"bypass is missing, and must be "on", "off" or "toggle""#,
            ),
            (
                r#"{"id":4,"op":"bypass.set","args":"on"}"#,
                Some(4),
                InvalidArgs,
                r#"args is "on", but must be a map"#,
            ),
            (
                r#"{"id":4,"op":"subscribe","args":{"topics":["metres"]}}"#,
                Some(4),
                InvalidArgs,
                r#"topics is "metres", but must be of daemon, profile, setting, routing, sinks, meters"#,
            ),
            (
                r#"{"id":4,"op":"subscribe","args":{"topics":["meters"],"max_hz":1000}}"#,
                Some(4),
                InvalidArgs,
                "max_hz is 1000, but must be a number between 0.1 and 100",
            ),
            (
                r#"{"id":4,"op":"route.set","args":{"match":{"media_role":[3]},"route":"bypass"}}"#,
                Some(4),
                InvalidArgs,
                "match.media_role is 3, but must be a list of 1 to 64 patterns of 1 to 256 bytes",
            ),
            (
                r#"{"id":4,"op":"setting.set","args":{"key":"a","value":1,"by":2}}"#,
                Some(4),
                InvalidArgs,
                "value and by are both given, but only one of them can be",
            ),
        ] {
            assert_eq!(rejected(json), (id, code, message.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_body_that_breaks_off_behind_the_id_still_gives_the_id() {
        let whole = body(r#"{"id":300,"op":"setting.get","args":{"key":"agc.enabled"}}"#);
        for end in 0..whole.len() {
            let rejection = decode_request(&whole[..end]).expect_err("broken off");
            assert_eq!(rejection.error.code, Code::InvalidMessage);
            assert_eq!(rejection.id, (end >= 7).then_some(300), "{end}");
        }
    }

    #[test]
    fn bytes_behind_the_map_are_refused() {
        let mut two = body(r#"{"id":1,"op":"ping"}"#);
        two.push(0xc0);
        let rejection = decode_request(&two).expect_err("two values");
        assert_eq!(rejection.error.message, "1 bytes follow the map, but nothing may");
        assert_eq!(rejection.id, Some(1));
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        for (number, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e300, "1e300")] {
            let mut bytes = body(r#"{"id":1,"op":"setting.set","args":{"key":"a","value":0}}"#);
            bytes.pop();
            bytes.push(0xcb);
            bytes.extend(number.to_be_bytes());
            let error = decode_request(&bytes).expect_err(shown).error;
            assert_eq!(error.details.and_then(|d| d.field).as_deref(), Some("value"));
        }
    }

    #[test]
    fn a_setting_is_set_to_a_value_or_by_a_step() {
        let set = |args: &str| {
            let json = format!(r#"{{"id":1,"op":"setting.set","args":{args}}}"#);
            match decode_request(&body(&json)).expect(args).op {
                Op::SettingSet(set) => set.amount,
                other => panic!("{other:?}"),
            }
        };
        let value = |value| SettingAmount::Value(value);
        assert_eq!(set(r#"{"key":"a","value":-18}"#), value(SettingValue::Number(-18.0)));
        assert_eq!(set(r#"{"key":"a","value":-18.5}"#), value(SettingValue::Number(-18.5)));
        assert_eq!(set(r#"{"key":"a","value":false}"#), value(SettingValue::Switch(false)));
        assert_eq!(set(r#"{"value":"rms","key":"a"}"#), value(SettingValue::Word("rms".into())));
        assert_eq!(set(r#"{"key":"a","by":-0.5,"value":null}"#), SettingAmount::By(-0.5));
    }
}
