//! The part of the command line that other programs of this workspace share: its pictures.
//!
//! The binary `headroom` draws what its offline commands measured, and the demonstration of
//! `./try` what a device received. Everything else of the command line is the binary's own.

#![forbid(unsafe_code)]

pub mod picture;
