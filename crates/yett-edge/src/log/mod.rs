//! Exactly one access record for each request, also for those that fail.
//!
//! [`record`] collects what is known of a request and writes itself when it is dropped, so no path
//! through the code can forget it or do it twice. [`access`] formats and writes.

pub mod access;
pub mod record;

pub use access::{AccessLog, Format};
pub(crate) use record::Record;
