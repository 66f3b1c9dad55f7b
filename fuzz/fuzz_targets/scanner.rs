//! See `yett_edge::fuzzing::scanner`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_edge::fuzzing::scanner(data));
