//! Fuzzing of the token library: what must hold for any bytes ([`checks`]), and where to begin
//! ([`seeds`]).

pub mod checks;
pub mod seeds;
