//! See `link::ring`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::link::ring(data));
