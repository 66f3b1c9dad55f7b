//! The password hashes of Django (`django.contrib.auth.hashers`, 4.2 to 6.1), in its own text form:
//! PBKDF2, scrypt, Argon2 and bcrypt. Not the fast ones (MD5, SHA-1): nobody should run them faster.
//!
//! A stored hash is not trusted. Who can write one row of the users' table must not be able to stop
//! the server with it, so every number in it has an upper bound, looked at before any work: at most
//! some seconds and [`MOST_MEMORY_KIB`], about fifteen times what Django asks for by default. The
//! bounds are written at [`Pbkdf2::new`], [`Scrypt::new`], [`Argon2::new`] and [`Bcrypt::new`]; they
//! hold for new hashes too, so that nothing is stored that could not be checked again.
//!
//! Each function takes one thread for its whole duration, and scrypt and Argon2 their memory
//! (Django's Argon2: 100 MiB). How many may run at once is the caller's to bound; a server wants a
//! semaphore of about its cores, so that a hundred logins at once wait instead of taking 10 GiB.

mod argon2;
mod bcrypt;
mod check;
mod error;
mod fields;
mod pbkdf2;
mod scheme;
mod scrypt;
mod secret;
mod stored;
#[cfg(test)]
mod tests;

pub use argon2::{Argon2, Edition, Variety};
pub use bcrypt::{Bcrypt, Input};
pub use check::{Checked, LEAST_SALT_BITS, Preferred};
pub use error::{Bound, HashError};
pub use pbkdf2::{Pbkdf2, Prf};
pub use scheme::{MOST_MEMORY_KIB, Scheme};
pub use scrypt::Scrypt;
pub use secret::{LONGEST_PASSWORD, Password};
pub use stored::{LONGEST_STORED, Stored};
