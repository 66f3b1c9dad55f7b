//! A server's entry in the control folder: `PID.sock` and `PID.json`.
//!
//! The socket appears before the description, and both appear whole (made beside, then renamed). So
//! a client that finds a description without a socket, or a socket that refuses, knows that the
//! server is gone.

use super::folder::ControlFolder;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// A description is some hundred bytes; a larger file is not ours.
const LARGEST_DESCRIPTION: u64 = 64 << 10;

/// So many entries are looked at; a user with more servers names one with `--pid`.
const MOST_ENTRIES: usize = 1_024;

/// What a server says about itself. No secrets: it is written into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerInfo {
    /// Its process id.
    pub(crate) pid: u32,
    /// The folder that it was started in, as the kernel names it.
    pub(crate) folder: PathBuf,
    /// The app's name.
    pub(crate) app: String,
    /// Where it listens.
    pub(crate) binds: Vec<String>,
    /// The version of `yett`.
    pub(crate) version: String,
}

/// An entry that was found; whether its server lives, only its socket tells.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What the server said about itself; `None` if it has not said it yet, or nothing that can be
    /// read.
    pub(super) info: Option<ServerInfo>,
    /// The files.
    pub(super) files: EntryFiles,
    /// Whose folder it is in.
    pub(super) owner: u32,
}

/// The two files of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryFiles {
    /// To talk to.
    pub(super) socket: PathBuf,
    description: PathBuf,
}

impl EntryFiles {
    pub(super) fn new(folder: &Path, pid: u32) -> Self {
        Self {
            socket: folder.join(format!("{pid}.sock")),
            description: folder.join(format!("{pid}.json")),
        }
    }

    /// Removes both. It is no error if they are gone.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.description);
        let _ = fs::remove_file(&self.socket);
    }

    /// Makes the entry: a listening socket, then the description. What an earlier process with the
    /// same id left is replaced.
    pub(super) fn make(&self, info: &ServerInfo) -> io::Result<UnixListener> {
        self.remove();
        let made = self
            .make_socket()
            .and_then(|listener| self.describe(info).map(|()| listener));
        if made.is_err() {
            self.remove();
        }
        made
    }

    fn make_socket(&self) -> io::Result<UnixListener> {
        let new = self.socket.with_extension("sock.new");
        let _ = fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        // The folder keeps others out already; the mode says so once more.
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&new, &self.socket))
            .inspect_err(|_| drop(fs::remove_file(&new)))?;
        Ok(listener)
    }

    fn describe(&self, info: &ServerInfo) -> io::Result<()> {
        let new = self.description.with_extension("json.new");
        let _ = fs::remove_file(&new);
        let text = serde_json::to_string(info).map_err(io::Error::other)?;
        let write = || {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&new, &self.description)
        };
        write().inspect_err(|_| drop(fs::remove_file(&new)))
    }

    fn read(&self) -> Option<ServerInfo> {
        let size = fs::symlink_metadata(&self.description)
            .ok()
            .filter(fs::Metadata::is_file)?
            .len();
        if size > LARGEST_DESCRIPTION {
            return None;
        }
        serde_json::from_slice(&fs::read(&self.description).ok()?).ok()
    }
}

/// The entries of a folder, by process id.
pub(super) fn entries(folder: &ControlFolder) -> Vec<Entry> {
    let Ok(names) = fs::read_dir(folder.path()) else {
        return Vec::new();
    };
    let mut pids: Vec<u32> = names
        .filter_map(|name| pid_of(&name.ok()?.file_name().into_string().ok()?))
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids.truncate(MOST_ENTRIES);
    let entry = |pid| {
        let files = EntryFiles::new(folder.path(), pid);
        // A description that names another process id is not this server's.
        let info = files.read().filter(|info| info.pid == pid);
        Entry {
            info,
            files,
            owner: folder.owner(),
        }
    };
    pids.into_iter().map(entry).collect()
}

/// The process id in `PID.sock` or `PID.json`.
fn pid_of(name: &str) -> Option<u32> {
    name.strip_suffix(".sock")
        .or_else(|| name.strip_suffix(".json"))?
        .parse()
        .ok()
}
