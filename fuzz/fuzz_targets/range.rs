//! `Range`: any header, any length of a file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| yett_fuzz::range::range(data));
