//! Unix sockets: a file that says by its mode and its owner who may connect.
//!
//! To connect, one must be allowed to write to it. What the process's umask leaves is luck: 022 lets
//! nobody in but the owner, 0 lets in everybody. So the mode is set whatever the umask is; and it is
//! set before the socket listens, so nobody connects in between.
//!
//! Owner and mode are set on the file that was bound, by a descriptor of it: who can write to the
//! folder could put another file in its place, and must not have that one's mode changed. For the same
//! reason a start that fails removes its own file alone, which it knows by its inode. The kernel has no
//! removal by descriptor: a file that takes the place between that look and the removal goes too. And
//! the descriptor comes by the name as well, right behind the binding: of another socket of the same
//! user that was put there in between nobody could tell that it is not ours.
//!
//! A socket that is bound and does not listen yet looks as one that is left over. So whoever starts
//! locks the folder from the first look to the end: of two starts at a time one finds that the other
//! listens. A folder that cannot be locked, as it may not be read or is another machine's, is done
//! without; and everybody who may read a folder can lock it, so that a start waits for the lock, but
//! goes on in the end. A name of its own, taken away when the socket listens, would need no lock; but
//! the kernel's lists would show every server under a name that is not there.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags, Uid, chmod, chownat, flock, fstat,
    openat, statat,
};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::{Address, BACKLOG, ListenError, named};

/// How often a folder is tried to lock, and what is waited between: a start holds it for no more than
/// moments.
const TRIES: u32 = 200;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

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

impl Permissions {
    /// For the process's user alone.
    pub const OWN: Self = Self {
        mode: 0o600,
        user: None,
        group: None,
    };
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
    let forbidden = |source| ListenError::Permissions {
        address: address(),
        source,
    };
    let _locked = locked(path, TRIES);
    let socket = match bound(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_if_stale(path)?;
            bound(path)
        }
        other => other,
    };
    let socket = socket.map_err(|source| named(&address(), source))?;
    let file = made(path).map_err(forbidden)?;
    let listening = permit(&file, permissions)
        .map_err(forbidden)
        .and_then(|()| {
            let listening = socket.listen(BACKLOG);
            listening.map_err(|source| named(&address(), source))
        });
    if let Err(error) = listening {
        if is_there(path, &file) {
            // It would be in nobody's way: the next start replaces it.
            let _left_over = std::fs::remove_file(path);
        }
        return Err(error);
    }
    Ok(socket)
}

/// Keeps other starts from this path's folder while it lives; `None` where that cannot be had.
fn locked(path: &Path, tries: u32) -> Option<OwnedFd> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, folder.unwrap_or(Path::new(".")), flags, Mode::empty()).ok()?;
    for _ in 0..tries {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(folder),
            Err(Errno::WOULDBLOCK | Errno::INTR) => sleep(BETWEEN_TRIES),
            Err(_) => return None,
        }
    }
    None
}

fn bound(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// The file of a socket that was just bound.
fn made(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    let is_ours = stat.st_uid == rustix::process::geteuid().as_raw();
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket || !is_ours {
        return Err(io::Error::other("another file was put in its place"));
    }
    Ok(file)
}

/// Sets owner and mode of a socket that does not listen yet.
fn permit(file: &OwnedFd, permissions: Permissions) -> io::Result<()> {
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

/// Whether this is still the file under that name. While it is open, no other one has its inode.
fn is_there(path: &Path, file: &OwnedFd) -> bool {
    let now = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
    let same = |now: rustix::fs::Stat| {
        fstat(file).is_ok_and(|made| (made.st_dev, made.st_ino) == (now.st_dev, now.st_ino))
    };
    now.is_ok_and(same)
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
    let asked = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
        // Not to wait where a server takes nobody at the moment.
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    });
    match asked {
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
    use std::os::unix::net::UnixStream;
    use std::sync::Barrier;

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
    fn mode_of_a_socket_is_what_was_said() {
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
        made(&path).unwrap_err();
        made(&precious).unwrap_err();
        assert_eq!(stat(&precious), before);
    }

    #[test]
    fn what_stands_in_the_sockets_place_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _bound = bound(&path).unwrap();
        let file = made(&path).unwrap();
        assert!(is_there(&path, &file));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_there(&path, &file));
        // As another server does; while the file is open, its inode is given to none.
        let _other = bound(&path).unwrap();
        assert!(!is_there(&path, &file));
    }

    #[test]
    fn of_several_starts_at_once_one_listens_and_the_others_say_that_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for _ in 0..200 {
            // What an earlier one has left.
            drop(bind(&path, Permissions::default()).unwrap());
            let at_once = Barrier::new(3);
            let start = || {
                at_once.wait();
                bind(&path, Permissions::default())
            };
            let starts = std::thread::scope(|scope| {
                let starts = [(); 3].map(|()| scope.spawn(start));
                starts.map(|start| start.join().unwrap())
            });
            let (listening, others): (Vec<_>, Vec<_>) = starts.into_iter().partition(Result::is_ok);
            assert_eq!(listening.len(), 1);
            let in_use = |other: &Result<_, _>| matches!(other, Err(ListenError::InUse(_)));
            assert!(others.iter().all(in_use), "{others:?}");
            UnixStream::connect(&path).unwrap();
        }
    }

    #[test]
    fn folder_that_another_keeps_locked_is_done_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let kept = locked(&path, 1);
        assert!(kept.is_some());
        assert!(locked(&path, 1).is_none());
        drop(kept);
        assert!(locked(&path, 1).is_some());
        assert!(locked(Path::new("a-name-alone"), 1).is_some());
        assert!(locked(&folder.path().join("nowhere/s"), 1).is_none());
    }
}
