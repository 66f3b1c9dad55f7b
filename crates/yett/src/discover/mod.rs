//! Finding what to run: which app, and with which Python.
//!
//! It never runs or imports anything: a `manage.py` becomes settings and a callable in the zygote.

mod app;
mod python;

#[expect(
    unused_imports,
    reason = "the whole border of discovery, for the wiring to use as it needs"
)]
pub(crate) use self::{
    app::{AppSpec, NoApp, app},
    python::{NoPython, Python, Whereabouts, python},
};
