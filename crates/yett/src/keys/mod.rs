//! `yett keys`, and the key files that `yett token` reads.
//!
//! A key file is a PEM text or a JWK; a secret is the bytes of a file or of a variable. Both are read
//! up to a bound, wiped from memory afterwards, and never printed: private keys leave this program
//! only through `yett keys generate`, which was asked for one.

mod generate;
mod new_file;
mod publish;
mod read;
mod secret;

pub(crate) use self::{
    generate::fill_random,
    read::{KeyFile, read_bounded, read_file},
    secret::{Secret, Shortness},
};

use crate::{
    cli::KeysCommand,
    print::{Exit, Failure, Screen},
};

/// Runs a command about keys.
pub(crate) fn run(command: KeysCommand, screen: Screen) -> Result<Exit, Failure> {
    match command {
        KeysCommand::Generate(words) => generate::generate(&words, screen)?,
        KeysCommand::Jwks(words) => screen.out(&publish::jwks(&words)?),
        KeysCommand::Thumbprint(words) => screen.out(&publish::thumbprint(&words)?),
    }
    Ok(Exit::Fine)
}
