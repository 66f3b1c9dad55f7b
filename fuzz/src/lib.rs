//! Fuzzing: what must hold for any bytes, and where to begin. Of tokens and keys: [`checks`], held against a
//! plain [`reference`] reader, and [`seeds`]; of links, targets and ranges: [`link`], [`target`] and
//! [`range`]. [`changes`] is how
//! the crates' tests go through them on any compiler.

pub mod changes;
pub mod checks;
pub mod link;
pub mod range;
pub mod reference;
pub mod seeds;
pub mod target;
