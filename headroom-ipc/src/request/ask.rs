//! The ops that ask, and those about profiles.

use serde::{Deserialize, Serialize};

use super::args::{Arg, Args, text};
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::describe::Description;
use crate::{
    Error, Hello, PROTOCOL, Profile, ProfileDetail, Profiles, Reloaded, Sinks, Status, Stream,
};

/// `hello`: says who the client is, and asks who the daemon is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HelloCall {
    /// What to call the client in the daemon's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The version of the protocol that the client speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
}

impl Call for HelloCall {
    const OP: &'static str = "hello";
    const FIELDS: &'static [Field] = &[
        Field::optional(
            "client",
            "text of 1 to 256 bytes",
            "what to call the client in the daemon's log",
        ),
        Field::optional("protocol", "1", "the version of the protocol that the client speaks"),
    ];
    type Reply = Hello;
}

impl Read for HelloCall {
    fn read(args: &Args<'_>) -> Result<HelloCall, Error> {
        let [client, protocol] = args.take();
        Ok(HelloCall {
            client: client.optional(|item, _| text(item))?,
            protocol: protocol.optional(|item, _| {
                (item == Item::Unsigned(PROTOCOL.into())).then_some(PROTOCOL)
            })?,
        })
    }
}

/// The ops that take no arguments.
macro_rules! plain {
    ($( $(#[$doc:meta])* $name:ident = $op:literal -> $reply:ty; )+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {}

        impl Call for $name {
            const OP: &'static str = $op;
            const FIELDS: &'static [Field] = &[];
            type Reply = $reply;
        }

        impl Read for $name {
            fn read(_: &Args<'_>) -> Result<$name, Error> {
                Ok($name {})
            }
        }
    )+ };
}

plain! {
    /// `ping`: asks for an answer and nothing else.
    Ping = "ping" -> Pong;
    /// `describe`: asks for the ops, topics and error codes that there are.
    Describe = "describe" -> Description;
    /// `status`: asks for everything that a person asks first.
    StatusCall = "status" -> Status;
    /// `stream.list`: asks for every stream.
    StreamList = "stream.list" -> Streams;
    /// `sink.list`: asks for every sink.
    SinkList = "sink.list" -> Sinks;
    /// `profile.list`: asks for every profile, and which one is in force.
    ProfileList = "profile.list" -> Profiles;
    /// `profile.reload`: reads the files of all profiles again, now.
    ProfileReload = "profile.reload" -> Reloaded;
}

/// The result of `ping`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pong {}

/// The result of `stream.list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Streams {
    /// Every stream, the oldest first.
    pub streams: Vec<Stream>,
}

/// `profile.use`: puts a profile in force. Overrides stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileUse {
    /// The profile's name.
    pub name: String,
}

impl Call for ProfileUse {
    const OP: &'static str = "profile.use";
    const FIELDS: &'static [Field] =
        &[Field::required("name", PROFILE_NAME, "the profile to put in force")];
    type Reply = Profile;
}

impl Read for ProfileUse {
    fn read(args: &Args<'_>) -> Result<ProfileUse, Error> {
        let [name] = args.take();
        Ok(ProfileUse { name: name.required(|item, _| text(item))? })
    }
}

/// `profile.show`: asks for a profile with all that it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileShow {
    /// The profile's name; the one in force where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Call for ProfileShow {
    const OP: &'static str = "profile.show";
    const FIELDS: &'static [Field] =
        &[Field::optional("name", PROFILE_NAME, "the profile; the one in force if absent")];
    type Reply = ProfileDetail;
}

impl Read for ProfileShow {
    fn read(args: &Args<'_>) -> Result<ProfileShow, Error> {
        let [name]: [Arg<'_>; 1] = args.take();
        Ok(ProfileShow { name: name.optional(|item, _| text(item))? })
    }
}

const PROFILE_NAME: &str = "the name of a profile (1 to 256 bytes)";
