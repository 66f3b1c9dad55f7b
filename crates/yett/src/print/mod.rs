//! What people see: plain functions from data to text, and the one place that writes to the
//! terminal.
//!
//! Everything that came from outside (the app's traceback, a server's answer) passes
//! [`without_controls`] or [`one_line`], so that it cannot move the cursor, change colours or forge
//! a line.

mod banner;
mod check;
mod failure;
mod json_text;
mod moment;
mod routes;
mod screen;
mod token;

#[expect(
    unused_imports,
    reason = "the whole vocabulary of printing, for the wiring to use as it needs"
)]
pub(crate) use self::{
    banner::{Banner, GuardedPaths, banner},
    check::{CheckLine, CheckReport, Mark},
    failure::{Exit, Failure},
    json_text::{JsonObjectText, elements, members, pretty, string},
    moment::{from_now, utc_or_seconds},
    routes::{RouteRow, routes_json, routes_table},
    screen::{Paint, Screen, Style, one_line, without_controls},
    token::{TokenView, times_json},
};
