//! The contract between the edge and its workers.
//!
//! **What it is.** One link per worker: a Unix stream socket pair that carries length-prefixed
//! [frames](frame). The edge sends requests, credit and cancellations; the worker sends response
//! heads and chunks. A large request body travels as a file descriptor beside its request.
//!
//! **What it keeps out.** HTTP servers, Python, asynchronous runtimes: both ends of the link must be
//! able to use it, and they have nothing else in common. It keeps out trust as well: every length
//! and offset that arrives is checked against what really arrived.
//!
//! **Way in.** [`frame::Inbox`] cuts bytes into frames; [`request`] and [`response`] give the two
//! payloads their fields; [`worker::WorkerEnd`] is the worker's blocking end, shared by its threads.
//! The edge keeps its own, non-blocking end and uses [`descriptor`] to send.
//!
//! **How it is tested.** Round trips and arbitrary bytes as property tests; the worker's end against
//! a real socket pair.
//!
//! The protocol in prose, with what each side may assume: `docs/concepts/link.md`.
#![deny(unsafe_code)]

pub mod descriptor;
pub mod frame;
pub mod names;
pub mod request;
pub mod response;
pub mod ring;
pub mod wire;
pub mod worker;
