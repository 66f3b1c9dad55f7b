//! New files for keys. A private one is never readable by others, not even for a moment, and nothing
//! that exists is overwritten unless the user says so: an old private key would be gone.

use crate::print::Failure;
use anyhow::{Context as _, anyhow};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner: mode 0600.
    Owner,
    /// Whom the process's umask lets: mode 0666 and less.
    Anyone,
}

/// What happens to a file that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and the writing fails.
    Kept,
    /// It is replaced, at once and whole.
    Replaced,
}

/// Fails if a file is in the way: to be asked before the work that it would waste.
pub(super) fn check_way(path: &Path, existing: Existing) -> Result<(), Failure> {
    // Of a link, the link itself counts, wherever it points.
    if existing == Existing::Kept && fs::symlink_metadata(path).is_ok() {
        return Err(in_the_way(path));
    }
    Ok(())
}

/// Writes a file, and returns when it is on the disk.
pub(super) fn write(
    path: &Path,
    content: &[u8],
    readers: Readers,
    existing: Existing,
) -> Result<(), Failure> {
    let written = match existing {
        Existing::Kept => create(path, content, readers),
        Existing::Replaced => beside(path).and_then(|draft| {
            create(&draft, content, readers)?;
            fs::rename(&draft, path).inspect_err(|_| drop(fs::remove_file(&draft)))
        }),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(in_the_way(path)),
        other => other
            .with_context(|| format!("{}: cannot be written", path.display()))
            .map_err(Failure::failed),
    }
}

/// Makes a file that did not exist. What is half written is removed again.
fn create(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Anyone => 0o666,
    };
    let mut file: File = OpenOptions::new()
        .write(true)
        // Neither an existing file nor a link that somebody put there is followed.
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .inspect_err(|_| drop(fs::remove_file(path)))
}

/// A name in the same folder, for a file that then takes the place of another.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("not the name of a file"))?;
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(draft))
}

fn in_the_way(path: &Path) -> Failure {
    let error = anyhow!("{}: exists already, and is not overwritten", path.display());
    Failure::failed(error)
        .hint("choose another name; --force overwrites, and the old key is then gone")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_private_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write(&path, b"k", Readers::Owner, Existing::Kept).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn nothing_is_overwritten_unless_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        assert!(check_way(&path, Existing::Kept).is_err());
        assert!(write(&path, b"new", Readers::Owner, Existing::Kept).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");

        check_way(&path, Existing::Replaced).unwrap();
        write(&path, b"new", Readers::Owner, Existing::Replaced).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // The old file's mode was wider.
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        symlink(&target, &link).unwrap();
        assert!(check_way(&link, Existing::Kept).is_err());
        assert!(write(&link, b"k", Readers::Owner, Existing::Kept).is_err());
        write(&link, b"k", Readers::Owner, Existing::Replaced).unwrap();
        assert!(!target.exists());
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
