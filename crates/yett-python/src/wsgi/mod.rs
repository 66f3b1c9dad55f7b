//! WSGI calls (PEP 3333) on a worker's link.
//!
//! [`link`] is the loop that a worker's threads run; [`environ`] makes a request's environ;
//! [`response`] takes what the application gives back and sends it.

mod environ;
mod link;
mod response;

pub(crate) use link::{WorkerLink, link_error, owned, send_bare};
pub(crate) use response::StartResponse;
