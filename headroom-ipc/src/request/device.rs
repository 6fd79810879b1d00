//! The ops about which profile is in force on which device.

use serde::Serialize;

use super::args::{Arg, Args, refuse, text, twice, unknown_in};
use super::routing::patterns;
use super::{Call, Field, Read};
use crate::cursor::Item;
use crate::{DeviceMatch, Devices, Error};

/// `device.list`: asks which profile is in force on which device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceList {}

impl Call for DeviceList {
    const OP: &'static str = "device.list";
    const FIELDS: &'static [Field] = &[];
    type Reply = Devices;
}

impl Read for DeviceList {
    fn read(_: &Args<'_>) -> Result<DeviceList, Error> {
        Ok(DeviceList {})
    }
}

/// `device.set`: gives devices a profile, or changes that of those with the same match. Kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceSet {
    /// Which devices; every other one where it is absent.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<DeviceMatch>,
    /// The name of the profile.
    pub name: String,
}

impl Call for DeviceSet {
    const OP: &'static str = "device.set";
    const FIELDS: &'static [Field] = &[
        Field::optional("match", MATCH, "which devices it is about; every other one if absent"),
        Field::required(
            "name",
            "the name of a profile (1 to 256 bytes)",
            "the profile that is to be in force on them",
        ),
    ];
    type Reply = Devices;
}

impl Read for DeviceSet {
    fn read(args: &Args<'_>) -> Result<DeviceSet, Error> {
        let [matches, name] = args.take();
        Ok(DeviceSet { matches: read_match(&matches)?, name: name.required(|item, _| text(item))? })
    }
}

/// `device.unset`: takes back what the user has said with `device.set`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceUnset {
    /// Which devices; every other one where it is absent.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<DeviceMatch>,
}

impl Call for DeviceUnset {
    const OP: &'static str = "device.unset";
    const FIELDS: &'static [Field] = &[Field::optional(
        "match",
        MATCH,
        "the match that was set; that of every other device if absent",
    )];
    type Reply = Devices;
}

impl Read for DeviceUnset {
    fn read(args: &Args<'_>) -> Result<DeviceUnset, Error> {
        let [matches] = args.take();
        Ok(DeviceUnset { matches: read_match(&matches)? })
    }
}

const MATCH: &str = "a map with a pattern in at least one of node_name, description, port";
const MATCH_FIELDS: [&str; 3] = ["node_name", "description", "port"];

fn read_match(arg: &Arg<'_>) -> Result<Option<DeviceMatch>, Error> {
    let Some((head, mut cursor)) = arg.optional(|item, cursor| match item {
        Item::Map(_) => Some((item, *cursor)),
        _ => None,
    })?
    else {
        return Ok(None);
    };
    let Item::Map(count) = head else { return Err(arg.refuse(head)) };
    let mut matches = DeviceMatch::default();
    let mut seen = Vec::new();
    for _ in 0..count {
        let key = cursor.item()?;
        let Item::Text(name) = key else { return Err(refuse("a field of match", key, "text")) };
        let list = match name {
            "node_name" => &mut matches.node_name,
            "description" => &mut matches.description,
            "port" => &mut matches.port,
            _ => return Err(unknown_in("match", &MATCH_FIELDS, name)),
        };
        let field = format!("match.{name}");
        if seen.contains(&name) {
            return Err(twice(&field));
        }
        seen.push(name);
        *list = patterns(&field, &mut cursor)?;
    }
    if matches.is_empty() {
        return Err(arg.refuse(head));
    }
    Ok(Some(matches))
}
