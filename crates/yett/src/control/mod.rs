//! The control socket: how `yett reload`, `stop` and `status` reach a running server of the same
//! user.
//!
//! Each server has an entry in a folder that only its user can open ([`ControlFolder`]): `PID.sock`
//! to talk to, and `PID.json` that says what it serves. One connection carries one request and one
//! answer, each a JSON line ([`wire`]). Every wait has an end and every line a bound.
//!
//! | who | is kept out by |
//! | --- | --- |
//! | other users | folder 0700 and its owner checked; socket 0600; the peer's uid asked of the kernel |
//! | a folder or a link that somebody else put there | refused, not repaired |
//! | a server that died | its socket refuses; whoever notices removes the entry |
//!
//! It never decides anything: what a reload or a stop does is the [`ControlTarget`]'s affair.

mod client;
mod command;
mod entry;
mod folder;
mod server;
mod wire;

#[cfg(test)]
mod tests;

#[expect(
    unused_imports,
    reason = "the whole border of the control socket, for the wiring to use as it needs"
)]
pub(crate) use self::{
    command::{Command, run},
    entry::ServerInfo,
    folder::{ControlFolder, FolderError},
    server::{ControlError, ControlServer, ControlTarget},
    wire::ReloadAnswer,
};
