//! What the program and the edge implement for the supervisor.
//!
//! All calls come from the supervisor's loop, one at a time and in order, and must not block: while
//! one runs, no worker is replaced.

use std::os::fd::OwnedFd;

use crate::ids::{GenerationId, WorkerId};

/// The edge's side: where workers stand and requests are handed to them.
pub trait Floor: Send + Sync {
    /// A worker is about to be forked. `link` is the edge's end of its link: a connected
    /// `SOCK_STREAM` Unix socket, close-on-exec, in blocking mode. The worker's READY frame follows
    /// on it; the edge passes it on by [`Supervisor::worker_ready`](crate::Supervisor::worker_ready).
    fn attach(&self, worker: WorkerId, generation: GenerationId, link: OwnedFd);

    /// From now on requests go to this generation's workers, and to those that it gets later.
    fn activate(&self, generation: GenerationId);

    /// No new request for this worker; a DRAIN frame when its last one is done, upon which the
    /// worker leaves. Also called for workers of a generation that was never active.
    fn drain(&self, worker: WorkerId);

    /// End what is still open at this worker: WebSockets are closed with 1012 (service restart),
    /// answers that are still streamed are cut. Called at most once, for a worker that was drained,
    /// shortly before its grace period ends; what is merely not answered yet may go on till then.
    fn cut(&self, worker: WorkerId);

    /// The worker is gone or useless; close the link. Called exactly once for each attached worker.
    fn detach(&self, worker: WorkerId);
}

/// The program's side of a release: makes the app's manifest into routes and guards.
pub trait Releases: Send + Sync {
    /// Reads the manifest (JSON, at most 16 MiB) before any worker is forked, and keeps what it
    /// built under the generation's number. `Err` is a sentence for people: the release is bad and
    /// fails, and the serving generation stays.
    fn prepare(&self, generation: GenerationId, manifest: &[u8]) -> Result<(), String>;

    /// Every worker is ready: what was prepared becomes what is used. Called just before
    /// [`Floor::activate`].
    fn commit(&self, generation: GenerationId);

    /// The release failed after `prepare`, or its generation is gone: nothing will ask for it again.
    /// Called at most once for a generation, and only if it was prepared.
    fn forget(&self, _generation: GenerationId) {}
}
