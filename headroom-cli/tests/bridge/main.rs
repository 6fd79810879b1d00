//! The bridges: the protocol over pipes and over files, against a scripted daemon and against the
//! real headroomd (the one beside `headroom`, which `./test` has built).

#![allow(clippy::unwrap_used, reason = "what goes wrong fails its test")]
#![allow(clippy::print_stderr, reason = "what is skipped is said")]

mod examples;
mod files;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../profiles/home.rs"]
mod home;
#[allow(dead_code, reason = "the other test binary uses all of it")]
#[path = "../session/listener.rs"]
mod listener;
mod page;
mod rest;
mod running;
#[path = "../scripted/mod.rs"]
mod scripted;
mod slow;
mod stdio;
