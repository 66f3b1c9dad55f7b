//! Fuzzing of the token library: what must hold for any bytes ([`checks`], held against a plain
//! [`reference`] reader), and where to begin ([`seeds`]).

pub mod checks;
pub mod reference;
pub mod seeds;
