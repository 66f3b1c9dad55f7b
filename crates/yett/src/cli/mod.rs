//! The command line: words into an [`Order`]. What the words of a setting mean is for `config`.
//!
//! It never reads the environment (clap's own `env` would take a variable's value without telling
//! the error from where it came) and never prints: help, version and mistakes come back as
//! [`NoOrder`].

mod keys;
mod serve;
mod token;
mod words;

#[cfg(test)]
mod tests;

use crate::{
    config::{RawServe, nearest},
    print::Exit,
};
use clap::{
    Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::ffi::OsString;

pub(crate) use self::{
    keys::{GenerateArgs, JwksArgs, KeyFormat, KeyName, KeysCommand, ThumbprintArgs},
    token::{InspectArgs, IssueArgs, IssuedType, TokenCommand, TokenType, TokenWord, VerifyArgs},
};

use self::serve::ServeArgs;

/// Runs Python web applications in production and guards their API with JSON Web Tokens.
#[derive(Debug, Parser)]
#[command(
    name = "yett",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve an app.
    Serve(ServeArgs),
    /// Check the configuration and import the app, without serving it.
    Check(ServeArgs),
    /// Show every route: who answers it, and what it needs.
    Routes(RoutesArgs),
    /// Let a running server load the app's new code, without a failed request.
    Reload(WhichArgs),
    /// Stop a running server after its requests in flight.
    Stop(StopArgs),
    /// Show what a running server does.
    Status(StatusArgs),
    /// Look into tokens, prove them, and make them.
    #[command(subcommand)]
    Token(Box<TokenCommand>),
    /// Make keys, and publish their public halves.
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Debug, Args)]
struct RoutesArgs {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Args)]
struct WhichArgs {
    /// The server with this process id; without it, the one that was started in this folder.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct StopArgs {
    /// Do not wait for requests in flight.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    which: WhichArgs,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: WhichArgs,
}

/// What the user wants done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Serve an app.
    Serve(RawServe),
    /// Check the configuration and import the app.
    Check(RawServe),
    /// Print the routes.
    Routes(RawServe, Form),
    /// Load new code.
    Reload(Which),
    /// Stop.
    Stop(Which, Manner),
    /// Print what the server does.
    Status(Which, Form),
    /// Inspect, verify or issue a token.
    Token(Box<TokenCommand>),
    /// Make or publish keys.
    Keys(KeysCommand),
}

/// Which running server is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that was started in the current folder.
    StartedHere,
    /// The one with this process id.
    Pid(u32),
}

/// How a stop goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Requests in flight are answered first, within the grace period.
    Graceful,
    /// At once.
    Quick,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// There is nothing to do but to print this and leave: help, the version, or a mistake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoOrder {
    /// What to print, without colour.
    pub(crate) plain: String,
    /// The same with colour.
    pub(crate) coloured: String,
    /// [`Exit::Fine`] for help and version, which go to stdout; [`Exit::Usage`] for a mistake,
    /// which goes to stderr.
    pub(crate) exit: Exit,
}

/// Reads a command line, program name first.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Order, NoOrder> {
    let matches = command().try_get_matches_from(words)?;
    let CommandLine { command } = CommandLine::from_arg_matches(&matches)?;
    Ok(match command {
        Command::Serve(serve) => Order::Serve(serve.words()),
        Command::Check(serve) => Order::Check(serve.words()),
        Command::Routes(RoutesArgs { json, serve }) => Order::Routes(serve.words(), form(json)),
        Command::Reload(which) => Order::Reload(which.which()),
        Command::Stop(StopArgs { quick, which }) => Order::Stop(
            which.which(),
            if quick {
                Manner::Quick
            } else {
                Manner::Graceful
            },
        ),
        Command::Status(StatusArgs { json, which }) => Order::Status(which.which(), form(json)),
        Command::Token(command) => Order::Token(command),
        Command::Keys(command) => Order::Keys(command),
    })
}

/// The command line with the variables and defaults of the settings in its help.
fn command() -> clap::Command {
    CommandLine::command().mut_subcommands(serve::explain_settings)
}

fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

/// Clap's idea of "similar" is generous (`--threads` for `--reload`), and nobody's app is called
/// `--admin`.
fn drop_poor_tips(error: &mut clap::Error) {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    match (
        word(ContextKind::InvalidArg),
        word(ContextKind::SuggestedArg),
    ) {
        (Some(invalid), Some(similar)) if nearest(invalid, [similar]).is_some() => {}
        _ => {
            error.remove(ContextKind::Suggested);
            error.remove(ContextKind::SuggestedArg);
            // It would be about the similar flag.
            error.remove(ContextKind::Usage);
        }
    }
}

impl WhichArgs {
    fn which(&self) -> Which {
        self.pid.map_or(Which::StartedHere, Which::Pid)
    }
}

impl From<clap::Error> for NoOrder {
    fn from(mut error: clap::Error) -> Self {
        if error.kind() == ErrorKind::UnknownArgument {
            drop_poor_tips(&mut error);
        }
        let text = error.render();
        let exit = if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Fine
        };
        Self {
            plain: text.to_string(),
            coloured: text.ansi().to_string(),
            exit,
        }
    }
}
