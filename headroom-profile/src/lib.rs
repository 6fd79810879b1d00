//! The profile format of Headroom: a TOML file that a person edits, read, checked and
//! explained.
//!
//! The flow: [`Folders`] says where profiles are looked for, and [`Library`] what is there;
//! [`load_in`] takes one of them by name or file. [`Profile::parse`] reads its text into
//! sections whose every value is in range, and [`Profile::chain_params`] turns them into what
//! the signal chain is told. The daemon and the offline commands call it; it knows nothing of
//! audio, PipeWire or sockets.
//!
//! A key that is not known is an error with its place and the nearest key; a number outside
//! its range is clamped, with a warning. Any text whatsoever gives a result and never a panic.

#![forbid(unsafe_code)]

mod conflict;
mod devices;
mod dsp;
mod embedded;
mod folders;
mod glob;
mod levels;
mod library;
mod load;
mod name;
mod patterns;
mod per_app;
mod place;
mod profile;
mod read;
pub mod remembered;
mod rules;
mod setting;
mod spelling;
mod table;
mod value;
pub mod wire;

pub use conflict::Conflict;
pub use devices::{DefaultDevice, DeviceIdentity, DeviceMatch, DeviceProfile};
pub use embedded::embedded;
pub use folders::Folders;
pub use glob::glob_matches;
pub use levels::{Levels, NotSet};
pub use library::{Entry, FolderWarning, Library, MAX_FILES_IN_FOLDER, Version};
pub use load::{
    LoadError, Loaded, MAX_PROFILE_BYTES, Origin, is_path, load, load_file, load_in, read_file,
};
pub use name::{BadName, LONGEST_NAME, check_name, name_in, renamed};
pub use per_app::{PerApp, PerAppRule};
pub use place::{Line, Place, Problem, ProfileError, Warning};
pub use profile::{
    Agc, Compressor, Detector, Limiter, Link, Makeup, Meters, Oversample, Profile, Soft,
};
pub use read::Checked;
pub use rules::{DefaultRoute, Identity, Match, Route, Rule};
pub use setting::{Kind, SETTINGS, Setting};
pub use value::{NotAllowed, Value};
