//! `yett token`: what a token says, whether it is good, and new ones.
//!
//! `inspect` proves nothing and says so; `verify` is `yett-jwt`'s verifier with the user's rules, and
//! nothing here softens its verdict; `issue` signs what it is given. A token read from stdin is not
//! in the shell's history, so that is the way that the documents show.

mod claims;
mod input;
mod inspect;
mod issue;
mod refused;
mod verify;

use crate::{
    cli::TokenCommand,
    config::Environment,
    print::{Exit, Failure, Screen},
};
use yett_edge::clock;
use yett_jwt::UnixSeconds;

/// Runs a command about tokens.
pub(crate) fn run(
    command: TokenCommand,
    environment: &Environment,
    screen: Screen,
) -> Result<Exit, Failure> {
    let moment = |at: Option<UnixSeconds>| at.unwrap_or_else(clock::unix_seconds);
    match command {
        TokenCommand::Inspect(words) => inspect::inspect(&words, moment(words.at), screen),
        TokenCommand::Verify(words) => {
            verify::verify(&words, moment(words.at), environment, screen)
        }
        TokenCommand::Issue(words) => issue::issue(&words, moment(words.at), environment, screen),
    }
}
