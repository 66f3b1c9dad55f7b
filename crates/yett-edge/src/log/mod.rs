//! Exactly one access record for each request, also for those that fail.
//!
//! [`record`] collects what is known of a request and writes itself when it is dropped, so no path
//! through the code can forget it or do it twice. `journal` is where it is closed: the meters
//! count it, [`access`] writes it as its [`format`](mod@format) says, and [`troubles`] tells of those that
//! failed or were slow.

pub mod access;
pub mod format;
pub(crate) mod journal;
pub mod record;
pub mod troubles;
mod words;
pub mod writer;

pub use access::AccessLog;
pub use format::{Field, Format, FormatError, Template};
pub(crate) use journal::Journal;
pub(crate) use record::{Record, ServiceKind};
pub use troubles::Troubles;
pub(crate) use troubles::Warning;
pub use words::{Word, Words};
pub use writer::{LogFile, LogFileError, Out, Writer};
