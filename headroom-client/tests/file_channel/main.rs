//! File channels between programs: what is promised of them, on a real directory, with processes
//! that are killed where it matters.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]

mod crash;
mod kept;
mod place;
mod private;
mod readers;
mod scripts;
mod waiting;
mod writers;
