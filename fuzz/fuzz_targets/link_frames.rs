//! See `link::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::link::frames(data));
