//! See `checks::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::checks::token(data));
