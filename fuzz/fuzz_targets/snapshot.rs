//! Any body is a snapshot, or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headroom_ipc::fuzzing::snapshot(data));
