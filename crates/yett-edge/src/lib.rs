//! Sockets and HTTP: everything between a client's bytes and the application.
//!
//! **What it is.** The left and right ends of a request's way: [`listen`] takes connections,
//! [`tls`] decrypts them, [`conn`] speaks HTTP/1.1 and HTTP/2 on them, `yett-gate` judges each request,
//! [`service`] answers what was admitted (application or files), [`respond`] turns answers and failures
//! into HTTP and compresses them, and [`log`] writes exactly one access record for each request. The
//! queue and the links to the workers are the [`floor`]. What happens is counted in [`meters`] and told,
//! with the server's health, at an address of its own: [`admin`].
//!
//! **What it keeps out.** Python, processes and signals (`yett-supervisor`), configuration text
//! (`yett`), and any decision whether a request may go on (`yett-gate`).
//!
//! **Way in.** [`Edge::start`].
//!
//! **How it is tested.** In memory over duplex streams with a fake worker at the other end of a
//! real link; no test sleeps. The real program with real Python is tested in `tests/`.
#![forbid(unsafe_code)]

mod addresses;
pub mod admin;
pub mod clock;
pub mod conn;
mod crowd;
pub mod develop;
mod edge;
pub mod floor;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod header_list;
mod ip_text;
pub mod listen;
pub mod log;
pub mod meters;
pub mod mount;
mod random;
mod rate;
mod reread;
pub mod respond;
mod room;
pub mod rules;
pub mod ruling;
pub mod service;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod tls;
mod websocket;

pub use conn::h2::Http2Settings;
pub use develop::{Broken, Develop};
pub use edge::{Edge, EdgeError, Remaining};
pub use mount::Mount;
pub use respond::compress::CompressionSettings;
pub use ruling::{Interface, Ruling};
pub use service::Types;
pub use settings::{EdgeSettings, FilesSettings, Sendfile};
pub use websocket::{Deflate, WebSocketSettings};
