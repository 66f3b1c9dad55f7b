//! See `yett_edge::fuzzing::proxy_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_edge::fuzzing::proxy_header(data));
