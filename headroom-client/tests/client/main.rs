//! The client against a scripted daemon, which speaks frames over a socket and nothing else.

#![allow(clippy::unwrap_used, reason = "a script that goes wrong fails its test")]

mod calls;
mod examples;
mod limits;
mod peer;
mod splits;
mod subscription;
mod tolerance;
