//! The file that holds the process id while the server runs.
//!
//! Its holder has a lock on it, which ends with the process however that ends. So a file that was left
//! behind is taken over, and one of a server that runs is not.

use crate::print::Failure;
use anyhow::{Context as _, anyhow};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// How often a file that vanishes between opening and locking is opened anew.
const TRIES: usize = 10;

/// Longer is no process id.
const LONGEST_ID: u64 = 32;

/// The file; dropped, it is removed.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes this process' id. A file that a running server holds is left alone.
    pub(super) fn write(path: &Path) -> Result<Self, Failure> {
        let cannot = || format!("cannot write the pid file {}", path.display());
        for _ in 0..TRIES {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .with_context(cannot)
                .map_err(Failure::usage)?;
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
            // Any other error: some file systems know no locks.
            if locked == Err(Errno::WOULDBLOCK) {
                return Err(held(path, &mut file));
            }
            // Its last holder may have removed it just before its lock ended.
            if !is_at(&file, path) {
                continue;
            }
            let written = file
                .set_len(0)
                .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
            written.with_context(cannot).map_err(Failure::usage)?;
            let path = path.to_owned();
            return Ok(Self { path, file });
        }
        Err(Failure::usage(anyhow!(
            "{}: it is made and removed by others all the time",
            cannot()
        )))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let ours = fs::read_to_string(&self.path)
            .is_ok_and(|text| text.trim() == std::process::id().to_string());
        if ours && is_at(&self.file, &self.path) {
            // Left behind it says a wrong number; there is nobody to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn held(path: &Path, file: &mut File) -> Failure {
    let mut text = String::new();
    let holder: Option<u32> = io::Read::by_ref(file)
        .take(LONGEST_ID)
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| text.trim().parse().ok());
    let who = holder.map_or_else(String::new, |pid| format!(", process {pid}"));
    Failure::usage(anyhow!(
        "the pid file {} is held by a server that runs{who}",
        path.display()
    ))
    .hint("stop that one, or name another file with --pid-file")
}

/// Whether this is the file of that name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_of_one_who_runs_is_left_and_one_that_was_left_behind_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        fs::write(&path, "123456789\n").unwrap();
        let first = PidFile::write(&path).unwrap();
        let mine = format!("{}\n", std::process::id());
        assert_eq!(fs::read_to_string(&path).unwrap(), mine);
        assert!(PidFile::write(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), mine);
        drop(first);
        assert!(!path.exists());
        let _second = PidFile::write(&path).unwrap();
    }

    #[test]
    fn file_that_somebody_put_in_its_place_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let ours = PidFile::write(&path).unwrap();
        fs::rename(&path, folder.path().join("old")).unwrap();
        fs::write(&path, format!("{}\n", std::process::id())).unwrap();
        drop(ours);
        assert!(path.exists());
    }
}
