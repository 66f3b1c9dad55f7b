//! What the user wrote, made into settings, in two steps.
//!
//! 1. **Raw words** ([`RawServe`]): every word with its [`Place`] (flag, variable, or
//!    file:line:column). Three sources are read apart and laid over each other: flag, then
//!    environment, then `yett.toml`, then the default in [`key::TABLE`].
//! 2. **Settings** ([`ServeSettings`]): typed and checked. All errors come at once, each with its
//!    place, what was expected and a hint.
//!
//! To add a key: one line in `key.rs`, one flag in `cli/serve.rs`, one field in `settings.rs`.
//!
//! What it never does: bind a socket, start a process, or read the environment behind the caller's
//! back. Only `source.rs` touches the file system; a test gives the rest a made-up
//! [`Surroundings`].

mod bind;
mod choice;
mod cpus;
mod environment;
mod error;
mod file;
pub(crate) mod key;
mod mount;
mod nearest;
mod raw;
mod settings;
mod settle;
mod socket;
mod source;
mod units;

#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod golden_tests;

pub(crate) use self::{
    bind::Bind,
    choice::{AppName, EventLoop, Interface, Lifespan, Preload, PythonWish, Reload, Threads},
    environment::Environment,
    error::{ConfigError, ConfigErrors},
    key::Key,
    mount::StaticMount,
    nearest::nearest,
    raw::{Place, RawListener, RawMount, RawRule, RawServe, Said},
    settings::{Limits, Listen, LogSettings, Role, ServeSettings, Settled, StaticFiles},
    settle::Surroundings,
    source::load,
    units::read_duration,
};
