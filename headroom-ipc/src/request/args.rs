//! The arguments of a request, read strictly: every field known, once, and of the right kind.
//!
//! `envelope` has found where they are; the ops take them from here. Whatever is wrong becomes
//! an `INVALID_ARGS` that names the field, what was given, and what is allowed.

use serde::Serialize;

use crate::cursor::{Cursor, Item, cut};
use crate::{Code, Error, Value};

/// An argument of an op, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether the op cannot do without. Nil is the same as absent.
    pub required: bool,
    /// What it must be; reads behind "must be".
    pub allowed: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl Field {
    pub(crate) const fn required(
        name: &'static str,
        allowed: &'static str,
        about: &'static str,
    ) -> Field {
        Field { name, required: true, allowed, about }
    }

    pub(crate) const fn optional(
        name: &'static str,
        allowed: &'static str,
        about: &'static str,
    ) -> Field {
        Field { name, required: false, allowed, about }
    }
}

/// No op takes more.
const MOST_FIELDS: usize = 4;

/// The longest name, key or pattern.
pub(crate) const MAX_TEXT_BYTES: usize = 256;

/// The fields that were given, in the order in which the op lists them.
#[derive(Debug)]
pub(crate) struct Args<'b> {
    fields: &'static [Field],
    given: [Option<&'b [u8]>; MOST_FIELDS],
}

/// One argument: given or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arg<'b> {
    pub(crate) field: &'static Field,
    given: Option<&'b [u8]>,
}

impl<'b> Args<'b> {
    /// Sorts what was given to the fields of an op. Nothing at all, nil, and an empty map or
    /// list (as some languages write an empty map) are the same.
    pub(crate) fn of(
        op: &str,
        fields: &'static [Field],
        given: Option<&'b [u8]>,
    ) -> Result<Args<'b>, Error> {
        let mut args = Args { fields, given: [None; MOST_FIELDS] };
        let Some(bytes) = given else { return Ok(args) };
        let mut cursor = Cursor::new(bytes);
        let count = match cursor.item()? {
            Item::Nil | Item::List(0) => 0,
            Item::Map(count) => count,
            other => {
                return Err(Error::new(
                    Code::InvalidArgs,
                    format!("args is {other}, but must be a map"),
                )
                .with_field("args")
                .with_allowed("a map"));
            }
        };
        for _ in 0..count {
            let key = Cursor::new(cursor.skip()?).item()?;
            let value = cursor.skip()?;
            let Item::Text(name) = key else {
                return Err(Error::new(
                    Code::InvalidArgs,
                    format!("a field of args is named {key}, but names must be text"),
                ));
            };
            let Some(place) = fields.iter().position(|field| field.name == name) else {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                return Err(unknown_in(op, &known, name));
            };
            if args.given[place].replace(value).is_some() {
                return Err(twice(name));
            }
        }
        Ok(args)
    }

    /// The first `N` arguments, in the order of the op's list.
    pub(crate) fn take<const N: usize>(&self) -> [Arg<'b>; N] {
        const NONE: Field = Field::optional("", "", "");
        std::array::from_fn(|place| Arg {
            field: self.fields.get(place).unwrap_or(&NONE),
            given: self.given.get(place).copied().flatten(),
        })
    }
}

/// The error for a field that an op, or a map in its arguments, does not have.
pub(crate) fn unknown_in(whose: &str, known: &[&str], name: &str) -> Error {
    let shown = cut(name);
    let nearest = crate::word::nearest(name, known);
    let way_out = match (nearest, known) {
        (Some(near), _) => format!(", did you mean {near:?}?"),
        (None, []) => ": it takes none".to_owned(),
        (None, known) => format!(": it takes {}", known.join(", ")),
    };
    let error = Error::new(Code::InvalidArgs, format!("{whose} has no field {shown:?}{way_out}"))
        .with_field(&shown);
    match nearest {
        Some(near) => error.with_nearest(near),
        None => error,
    }
}

/// The error for a field that is there twice.
pub(crate) fn twice(field: &str) -> Error {
    Error::new(Code::InvalidArgs, format!("{field} is given twice, but must be given once"))
        .with_field(field)
}

impl<'b> Arg<'b> {
    /// Whether it was given, as something else than nil.
    pub(crate) fn is_given(&self) -> bool {
        self.given.is_some_and(|bytes| bytes != [rmp::Marker::Null.to_u8()])
    }

    /// What was given, if anything, as `read` takes it; `None` from `read` refuses it.
    pub(crate) fn optional<T>(
        &self,
        read: impl FnOnce(Item<'b>, &mut Cursor<'b>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(bytes) = self.given.filter(|_| self.is_given()) else { return Ok(None) };
        let mut cursor = Cursor::new(bytes);
        let item = cursor.item()?;
        match read(item, &mut cursor) {
            Some(value) => Ok(Some(value)),
            None => Err(self.refuse(item)),
        }
    }

    /// The same, and it must have been given.
    pub(crate) fn required<T>(
        &self,
        read: impl FnOnce(Item<'b>, &mut Cursor<'b>) -> Option<T>,
    ) -> Result<T, Error> {
        self.optional(read)?.ok_or_else(|| self.missing())
    }

    /// The error for one that was not given.
    pub(crate) fn missing(&self) -> Error {
        let Field { name, allowed, .. } = *self.field;
        Error::new(Code::InvalidArgs, format!("{name} is missing, and must be {allowed}"))
            .with_field(name)
            .with_allowed(allowed)
    }

    /// The error for a value that it cannot be.
    pub(crate) fn refuse(&self, item: Item<'_>) -> Error {
        refuse(self.field.name, item, self.field.allowed)
    }
}

/// The error for a value that a field cannot have.
pub(crate) fn refuse(field: &str, item: Item<'_>, allowed: &str) -> Error {
    Error::new(Code::InvalidArgs, format!("{field} is {item}, but must be {allowed}"))
        .with_field(field)
        .with_value(shown(item))
        .with_allowed(allowed)
}

fn shown(item: Item<'_>) -> Value {
    match item {
        Item::Nil => Value::Nil,
        Item::Bool(value) => Value::Bool(value),
        Item::Unsigned(number) => Value::Unsigned(number),
        Item::Negative(number) => Value::Negative(number),
        Item::Float32(number) if number.is_finite() => number.into(),
        Item::Float64(number) if number.is_finite() => Value::Float(number),
        Item::Text(text) => Value::Text(cut(text)),
        other => Value::Text(other.to_string()),
    }
}

/// Text of 1 to [`MAX_TEXT_BYTES`] bytes.
pub(crate) fn text(item: Item<'_>) -> Option<String> {
    match item {
        Item::Text(text) if (1..=MAX_TEXT_BYTES).contains(&text.len()) => Some(text.to_owned()),
        _ => None,
    }
}

/// Any finite number, however it was written.
pub(crate) fn number(item: Item<'_>) -> Option<f32> {
    let number = match item {
        Item::Unsigned(number) => number as f32,
        Item::Negative(number) => number as f32,
        Item::Float32(number) => number,
        Item::Float64(number) => number as f32,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

impl From<crate::cursor::Broken> for Error {
    fn from(broken: crate::cursor::Broken) -> Error {
        Error::new(Code::InvalidMessage, broken.to_string())
    }
}
