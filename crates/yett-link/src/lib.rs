//! The contract between the edge and its workers.
//!
//! **What it is.** One link per worker, which carries length-prefixed [frames](frame): requests, credit,
//! cancellations and messages to the worker, heads, chunks and messages back. They travel in two
//! [rings](ring) of shared memory, or where there is none over a Unix stream socket pair, which is there
//! in any case: for wake-ups, for files as descriptors, and to tell that a process is gone.
//!
//! **What it keeps out.** HTTP servers, Python, asynchronous runtimes: both ends of the link must be
//! able to use it, and they have nothing else in common. It keeps out trust as well: every length
//! and position that arrives is checked against what really arrived. `unsafe` stands in one file,
//! `ring/memory.rs`.
//!
//! **Way in.** [`frame::Inbox`] cuts bytes into frames; [`request`] and [`response`] give the two
//! payloads their fields; [`worker::WorkerEnd`] is the worker's end, for threads that wait and for an event
//! loop. The edge keeps its own, non-blocking end over [`ring`] and [`descriptor`].
//!
//! **How it is tested.** Round trips and arbitrary bytes as property tests; the rules of waking through
//! every interleaving (loom); the worker's end over both carriers.
//!
//! The protocol in prose, with what each side may assume: `docs/concepts/link.md`.
#![deny(unsafe_code)]

pub mod descriptor;
pub mod frame;
pub mod names;
pub mod request;
pub mod response;
pub mod ring;
pub mod tls;
pub mod wire;
pub mod worker;
