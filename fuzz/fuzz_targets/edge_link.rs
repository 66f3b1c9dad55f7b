//! See `yett_edge::fuzzing::worker`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_edge::fuzzing::worker(data));
