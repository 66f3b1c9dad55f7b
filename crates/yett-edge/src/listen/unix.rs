//! Unix sockets: a file that says by its mode and its owner who may connect.
//!
//! To connect, one must be allowed to write to it. What the process's umask leaves is luck: 022 lets
//! nobody in but the owner, 0 lets in everybody. So the mode is set whatever the umask is; and it is
//! set before the socket listens, so nobody connects in between.
//!
//! Owner and mode are set on the file that was bound, by a descriptor of it: who can write to the
//! folder could put another file in its place, and must not have that one's mode changed.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid, chmod, chownat, fstat, openat};
use socket2::{Domain, SockAddr, Socket, Type};

use super::{Address, BACKLOG, ListenError, named};

/// Who may connect to a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// The file's mode, such as `0o660`. Who may write may connect.
    pub mode: u16,
    /// Its user, if that is not the process's.
    pub user: Option<u32>,
    /// Its group, if that is not the process's.
    pub group: Option<u32>,
}

/// The process's user and group, and nobody else: a proxy is let in by its group.
impl Default for Permissions {
    fn default() -> Self {
        Self {
            mode: 0o660,
            user: None,
            group: None,
        }
    }
}

/// A left-over socket is replaced; one in use is an error.
pub(super) fn bind(path: &Path, permissions: Permissions) -> Result<Socket, ListenError> {
    let address = || Address::Unix(path.to_owned());
    let socket = match bound(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_if_stale(path)?;
            bound(path)
        }
        other => other,
    };
    let socket = socket.map_err(|source| named(&address(), source))?;
    let listening = permit(path, permissions)
        .map_err(|source| ListenError::Permissions {
            address: address(),
            source,
        })
        .and_then(|()| {
            let listening = socket.listen(BACKLOG);
            listening.map_err(|source| named(&address(), source))
        });
    if let Err(error) = listening {
        // It would be in nobody's way: the next start replaces it.
        let _left_over = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(socket)
}

fn bound(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// Sets owner and mode of a socket that was bound, and does not listen yet.
fn permit(path: &Path, permissions: Permissions) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    let is_ours = stat.st_uid == rustix::process::geteuid().as_raw();
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket || !is_ours {
        return Err(io::Error::other("another file was put in its place"));
    }
    // The owner first: a mode is for the group that the file then has.
    if permissions.user.is_some() || permissions.group.is_some() {
        let user = permissions.user.map(Uid::from_raw);
        let group = permissions.group.map(Gid::from_raw);
        chownat(file.as_fd(), "", user, group, AtFlags::EMPTY_PATH)?;
    }
    // Linux changes no mode by a descriptor that only names its file, but by the descriptor's own name.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    chmod(name, Mode::from_raw_mode(permissions.mode.into()))?;
    Ok(())
}

fn remove_if_stale(path: &Path) -> Result<(), ListenError> {
    let address = || Address::Unix(path.to_owned());
    let other = |source| ListenError::Other {
        address: address(),
        source,
    };
    let kind = std::fs::symlink_metadata(path).map_err(other)?.file_type();
    if !kind.is_socket() {
        return Err(ListenError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(other)
        }
        _ => Err(ListenError::InUse(address())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::Listener;
    use std::os::unix::fs::MetadataExt;

    fn stat(path: &Path) -> (u32, u32, u32) {
        let stat = std::fs::symlink_metadata(path).unwrap();
        (stat.mode() & 0o7777, stat.uid(), stat.gid())
    }

    #[test]
    fn left_over_unix_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Unix(folder.path().join("s"));
        let first = Listener::bind(&address).unwrap();
        assert!(matches!(
            Listener::bind(&address),
            Err(ListenError::InUse(_))
        ));
        drop(first);
        Listener::bind(&address).unwrap();
    }

    #[test]
    fn file_in_the_place_of_a_unix_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "precious").unwrap();
        let bound = Listener::bind(&Address::Unix(path.clone()));
        assert!(matches!(bound, Err(ListenError::NotASocket(_))));
        assert_eq!(std::fs::read(path).unwrap(), b"precious");
    }

    #[test]
    fn socket_has_its_mode_whatever_the_umask_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let (user, group) = {
            let _default = bind(&path, Permissions::default()).unwrap();
            let (mode, user, group) = stat(&path);
            assert_eq!(mode, 0o660);
            (user, group)
        };
        for mode in [0o600, 0o666, 0o777] {
            // Who it is already may be said.
            let permissions = Permissions {
                mode,
                user: Some(user),
                group: Some(group),
            };
            let _bound = bind(&path, permissions).unwrap();
            assert_eq!(stat(&path), (mode.into(), user, group));
        }
    }

    #[test]
    fn socket_belongs_to_its_owner_or_the_start_fails_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let permissions = Permissions {
            user: Some(65_533),
            group: Some(65_532),
            ..Permissions::default()
        };
        match bind(&path, permissions) {
            Ok(_bound) => assert_eq!(stat(&path), (0o660, 65_533, 65_532)),
            // Not everybody who runs this may do that.
            Err(error) => {
                assert!(matches!(error, ListenError::Permissions { .. }));
                assert!(!path.exists());
            }
        }
    }

    #[test]
    fn file_that_was_put_in_the_sockets_place_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("s"), folder.path().join("f"));
        std::fs::write(&precious, "precious").unwrap();
        let before = stat(&precious);
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        permit(&path, Permissions::default()).unwrap_err();
        permit(&precious, Permissions::default()).unwrap_err();
        assert_eq!(stat(&precious), before);
    }
}
