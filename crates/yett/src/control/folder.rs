//! The folder of a user's servers: `$XDG_RUNTIME_DIR/yett`, or `${TMPDIR:-/tmp}/yett-UID`.
//!
//! A server takes the first that it can use. A client looks into all, because a server that systemd
//! started and a client in a terminal have different variables.
//!
//! `/tmp` belongs to everybody, so the folder is opened without following a link, and its owner and
//! mode are read from what was opened. Once it is a folder of ours that nobody else may enter,
//! `/tmp`'s sticky bit keeps it where it is.

use crate::config::Environment;
use rustix::{
    fs::{FileType, Mode, OFlags, fstat, mkdir, open, stat},
    io::Errno,
    process::geteuid,
};
use std::path::{Path, PathBuf};

/// A folder that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControlFolder {
    path: PathBuf,
    owner: u32,
}

/// Why there is no folder for the control socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It cannot be made or opened.
    #[error("the control folder {path:?} cannot be used")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the kernel said.
        source: Errno,
    },
    /// Something else stands in its place.
    #[error("the control folder {0:?} is not a folder, or a link to one")]
    NoFolder(PathBuf),
    /// Somebody else made it.
    #[error(
        "the control folder {path:?} belongs to the user with uid {owner}, not to uid {wanted}"
    )]
    OfAnother {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        wanted: u32,
    },
    /// Others may enter it.
    #[error("the control folder {path:?} has the mode {mode:03o}; expected 700")]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl ControlFolder {
    /// The folder for a server of this user; made if it is not there.
    pub(crate) fn make(environment: &Environment) -> Result<Self, FolderError> {
        let owner = geteuid().as_raw();
        if let Some(path) = runtime_folder(environment, owner) {
            // A runtime folder that cannot be written to (a container's read-only mount) is no
            // reason to fail.
            match Self::make_at(path, owner) {
                Err(FolderError::Unusable { .. }) => {}
                outcome => return outcome,
            }
        }
        Self::make_at(temporary_folder(environment, owner), owner)
    }

    fn make_at(path: PathBuf, owner: u32) -> Result<Self, FolderError> {
        match mkdir(&path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Self::check(path, owner),
            Err(source) => Err(FolderError::Unusable { path, source }),
        }
    }

    /// All folders that a server of this user may have taken, as far as they are there and in
    /// order.
    pub(crate) fn existing(environment: &Environment) -> Vec<Self> {
        let owner = geteuid().as_raw();
        let paths = runtime_folder(environment, owner)
            .into_iter()
            .chain([temporary_folder(environment, owner)]);
        Self::checked(paths.chain(usual_folders(owner)), owner)
    }

    /// The usual folders of another user; for root, who may control everybody's servers.
    pub(crate) fn existing_of(owner: u32) -> Vec<Self> {
        Self::checked(usual_folders(owner), owner)
    }

    fn checked(paths: impl IntoIterator<Item = PathBuf>, owner: u32) -> Vec<Self> {
        let mut folders: Vec<Self> = Vec::new();
        for folder in paths
            .into_iter()
            .filter_map(|path| Self::check(path, owner).ok())
        {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Proves that a folder is `owner`'s alone.
    fn check(path: PathBuf, owner: u32) -> Result<Self, FolderError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = match open(&path, flags, Mode::empty()) {
            Ok(opened) => opened,
            // With O_PATH and O_DIRECTORY, the kernel says ENOTDIR to a link as well; ELOOP is for
            // older ones.
            Err(Errno::NOTDIR | Errno::LOOP) => return Err(FolderError::NoFolder(path)),
            Err(source) => return Err(FolderError::Unusable { path, source }),
        };
        let facts = fstat(opened).map_err(|source| FolderError::Unusable {
            path: path.clone(),
            source,
        })?;
        let mode = Mode::from_raw_mode(facts.st_mode);
        if FileType::from_raw_mode(facts.st_mode) != FileType::Directory {
            return Err(FolderError::NoFolder(path));
        }
        if facts.st_uid != owner {
            return Err(FolderError::OfAnother {
                path,
                owner: facts.st_uid,
                wanted: owner,
            });
        }
        if mode.intersects(Mode::RWXG | Mode::RWXO) {
            return Err(FolderError::Open {
                path,
                mode: mode.as_raw_mode(),
            });
        }
        Ok(Self { path, owner })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> u32 {
        self.owner
    }
}

/// `$XDG_RUNTIME_DIR/yett`, if the variable keeps the promises of the XDG base directory
/// specification: absolute, and owned by the user (with `sudo -E` it names the folder of the user
/// before).
fn runtime_folder(environment: &Environment, owner: u32) -> Option<PathBuf> {
    let runtime = Path::new(environment.value("XDG_RUNTIME_DIR")?);
    let owned = stat(runtime).is_ok_and(|facts| facts.st_uid == owner);
    (runtime.is_absolute() && owned).then(|| runtime.join("yett"))
}

fn temporary_folder(environment: &Environment, owner: u32) -> PathBuf {
    let temporary = environment
        .value("TMPDIR")
        .map(Path::new)
        .filter(|path| path.is_absolute());
    temporary
        .unwrap_or(Path::new("/tmp"))
        .join(format!("yett-{owner}"))
}

/// Where a server of a user is if nobody set a variable.
fn usual_folders(owner: u32) -> [PathBuf; 2] {
    [
        format!("/run/user/{owner}/yett").into(),
        format!("/tmp/yett-{owner}").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    fn environment(pairs: &[(&str, &Path)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), value.as_os_str().to_owned()))
            .collect()
    }

    #[test]
    fn the_runtime_folder_comes_first_and_the_temporary_one_when_it_is_unusable() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let uid = geteuid().as_raw();
        let both = environment(&[("XDG_RUNTIME_DIR", here), ("TMPDIR", here)]);
        assert_eq!(
            ControlFolder::make(&both).unwrap().path(),
            here.join("yett")
        );
        let gone = environment(&[("XDG_RUNTIME_DIR", &here.join("gone")), ("TMPDIR", here)]);
        assert_eq!(
            ControlFolder::make(&gone).unwrap().path(),
            here.join(format!("yett-{uid}"))
        );
        let relative = environment(&[("XDG_RUNTIME_DIR", Path::new("relative")), ("TMPDIR", here)]);
        assert_eq!(
            ControlFolder::make(&relative).unwrap().path(),
            here.join(format!("yett-{uid}"))
        );
        let found = ControlFolder::existing(&both);
        assert_eq!(
            found
                .iter()
                .filter(|folder| folder.path().starts_with(here))
                .count(),
            2
        );
    }

    #[test]
    fn a_new_folder_is_of_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = ControlFolder::make(&environment(&[("TMPDIR", folder.path())])).unwrap();
        assert_eq!(
            fs::metadata(made.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (
            folder.path().join("real"),
            folder.path().join(format!("yett-{}", geteuid().as_raw())),
        );
        fs::create_dir(&real).unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o700)).unwrap();
        symlink(&real, &link).unwrap();
        let error = ControlFolder::make(&environment(&[("TMPDIR", folder.path())])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the control folder {link:?} is not a folder, or a link to one")
        );
    }

    #[test]
    fn a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("yett");
        fs::write(&path, "").unwrap();
        let error =
            ControlFolder::make(&environment(&[("XDG_RUNTIME_DIR", folder.path())])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the control folder {path:?} is not a folder, or a link to one")
        );
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused_and_not_repaired() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("yett");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        let error =
            ControlFolder::make(&environment(&[("XDG_RUNTIME_DIR", folder.path())])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the control folder {path:?} has the mode 750; expected 700")
        );
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o750
        );
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let (owner, wanted) = (geteuid().as_raw(), geteuid().as_raw() + 1);
        let error = ControlFolder::check(path.clone(), wanted).unwrap_err();
        let expected = format!(
            "the control folder {path:?} belongs to the user with uid {owner}, not to uid {wanted}"
        );
        assert_eq!(error.to_string(), expected);
    }
}
