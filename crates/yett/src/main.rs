//! The `yett` program.
#![forbid(unsafe_code)]
fn main() {}
