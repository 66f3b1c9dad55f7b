//! See `yett_edge::fuzzing::http2`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_edge::fuzzing::http2(data));
