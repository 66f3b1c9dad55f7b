//! The fast carrier: two byte rings in memory that edge and worker share.
//!
//! One sealed memory file per worker, mapped by the edge and by that worker alone, so a worker that
//! writes nonsense harms only itself. It holds two rings of bytes, one in each direction, in
//! which the same [frames](crate::frame) travel as over the socket, and a table of [claims](claim).
//!
//! A ring has one writer and one reader. Nobody makes a system call for a frame while the
//! other side is awake: a reader that finds nothing says that it [sleeps](bell), looks once more,
//! and sleeps; a writer wakes a sleeper only. The socket stays: the edge wakes the worker with
//! it, descriptors travel on it, and its end tells that a process is gone. The worker wakes the edge
//! by an event descriptor.
//!
//! What a reader finds was copied out of the shared memory before it is looked at, and the other
//! side's positions are checked against the ring's size: whoever breaks them loses the link.
//!
//! | file | holds |
//! | --- | --- |
//! | `memory.rs` | the mapping; the only `unsafe` of this crate |
//! | `bell.rs` | who wakes whom, and why no wake-up is lost |
//! | `stream.rs` | writer and reader of one ring |
//! | `claim.rs` | which requests the worker has begun, and which the edge took back |
//! | `pace.rs` | how long the worker works on a request |

pub mod bell;
pub mod claim;
mod memory;
mod pace;
mod stream;

pub use claim::{Claim, ClaimId};
pub use memory::{Memory, MemoryError};
pub use stream::{Broken, Direction, Reader, Writer};

/// Bytes of the ring from edge to worker. A longer frame goes through it in pieces.
pub const REQUEST_RING: u32 = 128 * 1024;

/// Bytes of the ring from worker to edge.
pub const RESPONSE_RING: u32 = 512 * 1024;
