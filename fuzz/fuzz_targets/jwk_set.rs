//! See `checks::jwk_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::checks::jwk_set(data));
