//! A strict reader of MessagePack over borrowed bytes, for what a peer sent.
//!
//! `request` finds the fields of a message with it, `server::message` their places. It
//! allocates nothing and recurses nowhere: a value is skipped by counting what is still to
//! come, so nesting costs no stack.

use std::fmt;

use rmp::Marker;

/// The bytes are not MessagePack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the body ends in the middle of a value, after {at} bytes")]
    Ends { at: usize },
    #[error("byte {at} is 0xc1, which MessagePack never uses")]
    NeverUsed { at: usize },
}

/// A value, or the head of one that holds others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item<'b> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    /// Below zero; others are `Unsigned`, however they were written.
    Negative(i64),
    Float32(f32),
    Float64(f64),
    Text(&'b str),
    NotUtf8,
    Binary(usize),
    List(u32),
    Map(u32),
    Extension,
}

/// A place in a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'b> {
    body: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    pub(crate) fn new(body: &'b [u8]) -> Cursor<'b> {
        Cursor { body, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'b [u8] {
        &self.body[self.at..]
    }

    /// Reads a value, or the head of a list or a map, whose items then follow.
    pub(crate) fn item(&mut self) -> Result<Item<'b>, Broken> {
        Ok(match self.head()? {
            Head::Item(item) => item,
            Head::Text(length) => match std::str::from_utf8(self.take(length)?) {
                Ok(text) => Item::Text(text),
                Err(_) => Item::NotUtf8,
            },
            Head::Binary(length) => {
                self.take(length)?;
                Item::Binary(length)
            }
            Head::Extension(length) => {
                self.take(length)?;
                Item::Extension
            }
        })
    }

    /// Steps over one whole value, whatever it holds, and gives its bytes.
    pub(crate) fn skip(&mut self) -> Result<&'b [u8], Broken> {
        let begin = self.at;
        let mut to_come = 1_u64;
        while to_come > 0 {
            to_come -= 1;
            match self.head()? {
                Head::Item(Item::List(count)) => to_come += u64::from(count),
                Head::Item(Item::Map(count)) => to_come += 2 * u64::from(count),
                Head::Item(_) => {}
                Head::Text(length) | Head::Binary(length) | Head::Extension(length) => {
                    self.take(length)?;
                }
            }
        }
        Ok(&self.body[begin..self.at])
    }

    fn head(&mut self) -> Result<Head<'b>, Broken> {
        let at = self.at;
        let item = match Marker::from_u8(u8::from_be_bytes(self.array()?)) {
            Marker::Null => Item::Nil,
            Marker::False => Item::Bool(false),
            Marker::True => Item::Bool(true),
            Marker::FixPos(number) => Item::Unsigned(number.into()),
            Marker::U8 => Item::Unsigned(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Item::Unsigned(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Item::Unsigned(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Item::Unsigned(u64::from_be_bytes(self.array()?)),
            Marker::FixNeg(number) => signed(number.into()),
            Marker::I8 => signed(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => signed(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => signed(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => signed(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Item::Float32(f32::from_be_bytes(self.array()?)),
            Marker::F64 => Item::Float64(f64::from_be_bytes(self.array()?)),
            Marker::FixArray(count) => Item::List(count.into()),
            Marker::Array16 => Item::List(u16::from_be_bytes(self.array()?).into()),
            Marker::Array32 => Item::List(u32::from_be_bytes(self.array()?)),
            Marker::FixMap(count) => Item::Map(count.into()),
            Marker::Map16 => Item::Map(u16::from_be_bytes(self.array()?).into()),
            Marker::Map32 => Item::Map(u32::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => return Ok(Head::Text(length.into())),
            Marker::Str8 => return Ok(Head::Text(self.length8()?)),
            Marker::Str16 => return Ok(Head::Text(self.length16()?)),
            Marker::Str32 => return Ok(Head::Text(self.length32()?)),
            Marker::Bin8 => return Ok(Head::Binary(self.length8()?)),
            Marker::Bin16 => return Ok(Head::Binary(self.length16()?)),
            Marker::Bin32 => return Ok(Head::Binary(self.length32()?)),
            // One byte more than the length: the kind of extension.
            Marker::FixExt1 => return Ok(Head::Extension(2)),
            Marker::FixExt2 => return Ok(Head::Extension(3)),
            Marker::FixExt4 => return Ok(Head::Extension(5)),
            Marker::FixExt8 => return Ok(Head::Extension(9)),
            Marker::FixExt16 => return Ok(Head::Extension(17)),
            Marker::Ext8 => return Ok(Head::Extension(self.length8()?.saturating_add(1))),
            Marker::Ext16 => return Ok(Head::Extension(self.length16()?.saturating_add(1))),
            Marker::Ext32 => return Ok(Head::Extension(self.length32()?.saturating_add(1))),
            Marker::Reserved => return Err(Broken::NeverUsed { at }),
        };
        Ok(Head::Item(item))
    }

    fn length8(&mut self) -> Result<usize, Broken> {
        Ok(u8::from_be_bytes(self.array()?).into())
    }

    fn length16(&mut self) -> Result<usize, Broken> {
        Ok(u16::from_be_bytes(self.array()?).into())
    }

    fn length32(&mut self) -> Result<usize, Broken> {
        let length = u32::from_be_bytes(self.array()?);
        // Where it does not fit, neither does the body.
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        match self.rest().first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(Broken::Ends { at: self.body.len() }),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Broken> {
        match self.rest().get(..length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => Err(Broken::Ends { at: self.body.len() }),
        }
    }
}

enum Head<'b> {
    Item(Item<'b>),
    Text(usize),
    Binary(usize),
    Extension(usize),
}

fn signed<'b>(number: i64) -> Item<'b> {
    u64::try_from(number).map_or(Item::Negative(number), Item::Unsigned)
}

/// The longest text that is quoted in an error, in characters.
const LONGEST_QUOTE: usize = 48;

/// The beginning of a text that came from a peer, short enough to quote.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The value as a person would name it in an error.
impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Item::Nil => f.write_str("nil"),
            Item::Bool(value) => write!(f, "{value}"),
            Item::Unsigned(number) => write!(f, "{number}"),
            Item::Negative(number) => write!(f, "{number}"),
            Item::Float32(number) => write!(f, "{number}"),
            Item::Float64(number) => write!(f, "{number}"),
            Item::Text(text) => write!(f, "{:?}", cut(text)),
            Item::NotUtf8 => f.write_str("text that is not UTF-8"),
            Item::Binary(length) => write!(f, "binary data of {length} bytes"),
            Item::List(count) => write!(f, "a list of {count}"),
            Item::Map(count) => write!(f, "a map of {count}"),
            Item::Extension => f.write_str("an extension value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for bytes in [&[7][..], &[0xcc, 7], &[0xcd, 0, 7], &[0xd0, 7], &[0xd1, 0, 7]] {
            assert_eq!(Cursor::new(bytes).item(), Ok(Item::Unsigned(7)), "{bytes:?}");
        }
        assert_eq!(Cursor::new(&[0xff]).item(), Ok(Item::Negative(-1)));
    }

    #[test]
    fn a_skip_ends_behind_the_value_at_any_depth() {
        let mut deep = vec![0x91; 500_000];
        deep.extend([0xc0, 0x05]);
        let mut cursor = Cursor::new(&deep);
        assert_eq!(cursor.skip().unwrap().len(), 500_001);
        assert_eq!(cursor.item(), Ok(Item::Unsigned(5)));
    }

    #[test]
    fn a_value_that_ends_early_is_said_to() {
        let whole = [0x82, 0xa1, b'a', 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0xa1, b'b', 0xc7, 1, 0, 9];
        assert_eq!(Cursor::new(&whole).skip(), Ok(&whole[..]));
        for end in 0..whole.len() {
            assert_eq!(Cursor::new(&whole[..end]).skip(), Err(Broken::Ends { at: end }));
        }
        assert_eq!(Cursor::new(&[0xdf, 255, 255, 255, 255]).skip(), Err(Broken::Ends { at: 5 }));
        assert_eq!(Cursor::new(&[0x91, 0xc1]).skip(), Err(Broken::NeverUsed { at: 1 }));
    }
}
