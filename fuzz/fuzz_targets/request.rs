//! Any body is a request, or refused with a reply.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| headroom_ipc::fuzzing::request(data));
