//! Errors on the wire: a code to match on and a sentence to show.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Value;
use crate::framing::FrameError;
use crate::word::words;

words! {
    /// What kind of error it is, for programs to match on.
    Code {
        /// The bytes cannot be cut into messages. The daemon closes the connection after it.
        InvalidFrame = "INVALID_FRAME",
        /// A message is not a map of `id`, `op` and `args`.
        InvalidMessage = "INVALID_MESSAGE",
        /// There is no such op.
        UnknownOp = "UNKNOWN_OP",
        /// The arguments of an op are not what it takes.
        InvalidArgs = "INVALID_ARGS",
        /// What was named is not there.
        NotFound = "NOT_FOUND",
        /// It contradicts the state that the daemon is in.
        Conflict = "CONFLICT",
        /// A limit is reached; try again later.
        Busy = "BUSY",
        /// This peer may not.
        PermissionDenied = "PERMISSION_DENIED",
        /// What it takes is not there just now, such as PipeWire.
        Unavailable = "UNAVAILABLE",
        /// The daemon is at fault.
        Internal = "INTERNAL",
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Error {
    /// What to match on.
    pub code: Code,
    /// What to show: what is wrong, where, and the way out.
    pub message: String,
    /// The parts of the message, for programs.
    // Boxed: most errors have none, and a `Result` carries the size of its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Details>>,
}

/// The parts of an error's message that a program can use. Which ones there are depends on the
/// error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Details {
    /// The field at fault, such as `value`, or `match.media_role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was given there; long text is cut, and what is no scalar is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What is allowed there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The known word that is spelt most like the one given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The limit that was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl Error {
    /// An error without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), details: None }
    }

    /// A field has a value that it cannot have. `allowed` reads behind "must be":
    /// `value is 3, but must be a number between -24 and 0`.
    #[must_use]
    pub fn invalid_args(field: &str, value: impl Into<Value>, allowed: &str) -> Error {
        let value = value.into();
        let shown = match &value {
            // As a person writes it: 3 and not 3.0.
            Value::Float(number) => number.to_string(),
            other => other.to_string(),
        };
        Error::new(Code::InvalidArgs, format!("{field} is {shown}, but must be {allowed}"))
            .with_field(field)
            .with_value(value)
            .with_allowed(allowed)
    }

    /// Something of this kind and name is not there: `there is no profile "nihgt", did you mean
    /// "night"?`. `known` are the names that there are, for finding the nearest.
    #[must_use]
    pub fn not_found(field: &str, kind: &str, name: &str, known: &[&str]) -> Error {
        let nearest = crate::word::nearest(name, known);
        let shown = crate::cursor::cut(name);
        let hint = nearest.map(|word| format!(", did you mean {word:?}?")).unwrap_or_default();
        let error = Error::new(Code::NotFound, format!("there is no {kind} {shown:?}{hint}"))
            .with_field(field)
            .with_value(Value::Text(shown));
        match nearest {
            Some(word) => error.with_nearest(word),
            None => error,
        }
    }

    /// Adds the field at fault.
    #[must_use]
    pub fn with_field(mut self, field: &str) -> Error {
        self.details_mut().field = Some(field.to_owned());
        self
    }

    /// Adds what was given. Nil is left out, as it reads the same.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Value>) -> Error {
        self.details_mut().value = Some(value.into()).filter(|value| *value != Value::Nil);
        self
    }

    /// Adds what is allowed.
    #[must_use]
    pub fn with_allowed(mut self, allowed: &str) -> Error {
        self.details_mut().allowed = Some(allowed.to_owned());
        self
    }

    /// Adds the nearest known word.
    #[must_use]
    pub fn with_nearest(mut self, nearest: &str) -> Error {
        self.details_mut().nearest = Some(nearest.to_owned());
        self
    }

    /// Adds the limit that was reached.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Error {
        self.details_mut().limit = Some(limit);
        self
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Error {
        Error::new(Code::InvalidFrame, error.to_string()).with_limit(crate::MAX_BODY_BYTES as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_a_number_as_a_person_writes_it() {
        for (value, shown) in [(3.0, "3"), (-0.3, "-0.3"), (16.5, "16.5")] {
            let error = Error::invalid_args("value", value, "a number between -24 and 0");
            let wanted = format!("value is {shown}, but must be a number between -24 and 0");
            assert_eq!(error.message, wanted);
        }
    }
}
