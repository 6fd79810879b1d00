//! Any body is a message of a daemon, or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headroom_ipc::fuzzing::event(data));
