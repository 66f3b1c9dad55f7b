//! What one release says about its requests: the gate, and the folders that its routes name.
//!
//! Immutable and swapped as a whole, so a request never sees the gate of one release and the
//! folders of another.

use std::path::PathBuf;

use yett_gate::Gate;

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The folder.
    pub folder: PathBuf,
}

/// Gate and mounts of one release.
#[derive(Debug)]
pub struct Ruling {
    /// Judges requests.
    pub gate: Gate,
    /// Folders by [`yett_gate::MountId`] place.
    pub mounts: Vec<Mount>,
}
