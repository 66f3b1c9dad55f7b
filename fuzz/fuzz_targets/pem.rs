//! See `checks::pem`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::checks::pem(data));
