//! Whether the files that the server is to write can be written, asked without making any of them:
//! `yett check` may run as another user, who must not own the log.

use super::Plan;
use crate::config::ServeSettings;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what} {}", path.display())]
pub(super) struct Hindrance {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Hindrance {
    /// Whether it may be none for another user.
    pub(super) fn is_of_this_user(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// All files that cannot be written.
pub(super) fn hindrances(plan: &Plan) -> Vec<Hindrance> {
    let settings = &plan.settings;
    let log = ("log's file", settings.log.file.as_ref());
    let pid = ("pid file", settings.pid_file.as_ref());
    let wrong = |(what, path): (&'static str, Option<&PathBuf>)| {
        let path = path?.clone();
        let source = is_writable(&path).err()?;
        Some(Hindrance { what, path, source })
    };
    [log, pid].into_iter().filter_map(wrong).collect()
}

/// A warning when nothing can be kept in the folder for long bodies: short ones are served all the same.
pub(super) fn spool_warning(settings: &ServeSettings) -> Option<String> {
    let folder = &settings.limits.spool_dir;
    let why = takes_files(folder).err()?;
    Some(format!(
        "no file can be made in {} ({why}): long uploads will be answered with 507, and slow readers of long \
         answers hold their worker; name another folder with --spool-dir",
        folder.display()
    ))
}

fn takes_files(folder: &Path) -> io::Result<()> {
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let access = Access::WRITE_OK | Access::EXEC_OK;
    Ok(accessat(CWD, folder, access, AtFlags::EACCESS)?)
}

fn is_writable(path: &Path) -> io::Result<()> {
    let (asked, access) = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            (folder, Access::WRITE_OK | Access::EXEC_OK)
        }
        _ => (path, Access::WRITE_OK),
    };
    Ok(accessat(CWD, asked, access, AtFlags::EACCESS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_written_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        is_writable(&path).unwrap();
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        is_writable(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn folder_in_the_place_of_a_file_and_a_folder_that_is_none_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let kind = |path: &Path| is_writable(path).unwrap_err().kind();
        assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
        let missing = folder.path().join("none").join("log");
        assert_eq!(kind(&missing), io::ErrorKind::NotFound);
        fs::write(folder.path().join("file"), "").unwrap();
        let below = folder.path().join("file").join("log");
        assert_eq!(kind(&below), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn only_what_is_forbidden_may_be_allowed_to_another_user() {
        let is_of_this_user = |kind: io::ErrorKind| {
            let (what, path, source) = ("log's file", PathBuf::from("/log"), kind.into());
            Hindrance { what, path, source }.is_of_this_user()
        };
        assert!(is_of_this_user(io::ErrorKind::PermissionDenied));
        assert!(!is_of_this_user(io::ErrorKind::IsADirectory));
        assert!(!is_of_this_user(io::ErrorKind::NotFound));
    }
}
