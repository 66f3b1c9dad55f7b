//! The `yett` program: reads its orders, runs them, and leaves with the exit code of the contract.
//!
//! `cli` and `config` turn words into settings, `discover` finds the app and its interpreter,
//! `serve` wires edge and supervisor together, `control` speaks with a running server, `token` and
//! `keys` need no server at all, `print` is the one place that writes to the terminal.
#![forbid(unsafe_code)]

mod cli;
mod config;
mod control;
mod discover;
mod keys;
mod print;
mod serve;
mod token;

use crate::{
    cli::Order,
    config::Environment,
    control::Command,
    print::{Exit, Failure, Screen},
    serve::Plan,
};
use std::process::ExitCode;

/// What a burst of connections took goes back to the system (`docs/decisions/0036`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let screen = Screen::of_process(&environment);
    let order = match cli::parse(std::env::args_os()) {
        Ok(order) => order,
        Err(no_order) => return screen.no_order(&no_order).into(),
    };
    match run(order, &environment, screen) {
        Ok(exit) => exit.into(),
        Err(failure) => screen.failure(&failure).into(),
    }
}

fn run(order: Order, environment: &Environment, screen: Screen) -> Result<Exit, Failure> {
    let ask = |command, which| {
        let here = std::env::current_dir().map_err(Failure::failed)?;
        let text = control::run(command, which, &here, environment)?;
        screen.out(&text);
        Ok(Exit::Fine)
    };
    match order {
        Order::Serve(words) => serve::serve(Plan::make(words, environment)?, environment, screen),
        Order::Check(words) => serve::check(&Plan::make(words, environment)?, screen),
        Order::Routes(words, form) => serve::routes(&Plan::make(words, environment)?, form, screen),
        Order::Reload(which) => ask(Command::Reload, which),
        Order::Stop(which, manner) => ask(Command::Stop(manner), which),
        Order::Status(which, form) => ask(Command::Status(form), which),
        Order::Token(command) => token::run(*command, environment, screen),
        Order::Keys(command) => keys::run(command, screen),
    }
}
