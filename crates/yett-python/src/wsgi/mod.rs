//! WSGI calls (PEP 3333) on a worker's link.
//!
//! [`link`] is the loop that a worker's threads run; [`environ`] makes a request's environ;
//! [`response`] takes what the application gives back and sends it: [`head`] is the frame of
//! `start_response`, [`mod@file`] what `wsgi.file_wrapper` wrapped. [`text`] is PEP 3333's strings.

mod environ;
mod file;
mod head;
mod link;
mod response;
mod text;
mod tls;

pub(crate) use link::{WorkerLink, link_error, owned, send_bare};
pub(crate) use response::StartResponse;
