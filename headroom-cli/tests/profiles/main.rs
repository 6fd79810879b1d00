//! `headroom profile` with no daemon: what it reads and writes in a home of its own, and what it
//! says.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]

#[path = "../harness/mod.rs"]
mod harness;
mod home;

mod edit;
mod look;
mod make;
mod settings;
mod terminal;
mod validate;
