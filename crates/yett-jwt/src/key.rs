//! Keys. A key is bytes **and** one algorithm, bound when it is made; nothing takes the two apart
//! again. Never printed, and never kept here in the clear: secrets and private keys go straight
//! into the crypto library's own memory, which wipes it when it is freed.

mod error;
mod export;
mod material;
mod pair;
pub(crate) mod public;
mod secret;
mod shape;
mod signing;
mod verifying;

pub use error::{JwkFault, KeyError, LARGEST_RSA_BITS, PemFault, SMALLEST_RSA_BITS};
pub use material::KeyMaterial;
pub use secret::SHORTEST_HS256_SECRET;
pub use shape::{Curve, KeyShape};
pub use signing::{RsaSize, SigningKey};
pub use verifying::VerifyingKey;

#[cfg(test)]
mod forms;
#[cfg(test)]
pub(crate) mod pairs;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;
