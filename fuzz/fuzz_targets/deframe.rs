//! A stream of bytes gives the same bodies however it is cut.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headroom_ipc::fuzzing::deframe(data));
