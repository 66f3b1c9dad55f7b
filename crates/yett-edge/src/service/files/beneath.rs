//! Opening a path below a folder, and only there.
//!
//! Neither `..`, an absolute path nor a symbolic link leads out of the folder, whatever is renamed
//! meanwhile. The kernel sees to it (`openat2` with `RESOLVE_BENEATH`, Linux 5.6); where a container's
//! seccomp filter or an old kernel refuses that call, [`walk`] does the same name by name.
//!
//! [`Patience::None`] asks the kernel for what it has in memory alone (`RESOLVE_CACHED`, Linux 5.12), so
//! a thread that runs connections may look without waiting for a disk or a network.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;

/// Whether opening may wait for a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It may not: [`Errno::AGAIN`] where it would have to.
    None,
    /// It may.
    Enough,
}

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// A regular file, open for reading.
    File(OwnedFd, Stamp),
    /// A folder.
    Folder,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    /// Bytes.
    pub(crate) len: u64,
    /// Seconds and nanoseconds since the epoch, of the content.
    pub(crate) modified: (i64, u64),
    /// The same, of anything about the file.
    changed: (i64, u64),
}

impl Stamp {
    /// Looks at an open file; `None` if it is no regular file.
    pub(crate) fn of(file: &OwnedFd) -> Result<Option<Self>, Errno> {
        let stat = fstat(file)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        #[allow(
            clippy::useless_conversion,
            reason = "the types differ between architectures"
        )]
        let stamp = || Self {
            device: stat.st_dev.into(),
            inode: stat.st_ino.into(),
            len: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: (stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        };
        Ok(regular.then(stamp))
    }
}

/// Set when the kernel does not know `RESOLVE_CACHED`, so that it is asked once.
static NOT_CACHED: AtomicBool = AtomicBool::new(false);
/// Set when `openat2` cannot be called here.
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// Opens what stands at a relative path below a folder. `None`: nothing that may be read; to a
/// client a link that leads out, a FIFO, a device and a missing file are one.
///
/// # Errors
/// What the system says otherwise; [`Errno::AGAIN`] where more patience is needed.
pub(crate) fn open(
    folder: &Path,
    below: &Path,
    patience: Patience,
) -> Result<Option<Found>, Errno> {
    let opened = if NO_OPENAT2.load(Ordering::Relaxed) {
        if patience == Patience::None {
            return Err(Errno::AGAIN);
        }
        by_walking(folder, below)
    } else {
        by_the_kernel(folder, below, patience)
    };
    let file = match opened {
        Ok(file) => file,
        Err(Errno::NOSYS | Errno::PERM) if !NO_OPENAT2.load(Ordering::Relaxed) => {
            // A filter that does not know the call says one or the other; a file system says
            // neither of opening for reading.
            NO_OPENAT2.store(true, Ordering::Relaxed);
            return open(folder, below, patience);
        }
        // XDEV: the path leads out of the folder.
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::XDEV
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::ACCESS
            | Errno::ISDIR
            | Errno::NXIO
            | Errno::INVAL,
        ) => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(stamp) = Stamp::of(&file)? {
        return Ok(Some(Found::File(file, stamp)));
    }
    let stat = fstat(&file)?;
    let folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    Ok(folder.then_some(Found::Folder))
}

const ROOT: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
// NONBLOCK: opening a FIFO must not wait for a writer.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY)
    .union(OFlags::NONBLOCK);

fn by_the_kernel(folder: &Path, below: &Path, patience: Patience) -> Result<OwnedFd, Errno> {
    let cached = if patience == Patience::Enough {
        ResolveFlags::empty()
    } else if NOT_CACHED.load(Ordering::Relaxed) {
        return Err(Errno::AGAIN);
    } else {
        ResolveFlags::CACHED
    };
    let root = match openat2(CWD, folder, ROOT, Mode::empty(), cached) {
        // Nothing else is wrong with this call.
        Err(Errno::INVAL) if patience == Patience::None => {
            NOT_CACHED.store(true, Ordering::Relaxed);
            return Err(Errno::AGAIN);
        }
        root => root?,
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | cached;
    openat2(&root, below, FILE, Mode::empty(), resolve)
}

fn by_walking(folder: &Path, below: &Path) -> Result<OwnedFd, Errno> {
    let root = openat(CWD, folder, ROOT, Mode::empty())?;
    walk(root, below)
}

/// As many symbolic links as the kernel follows on one path.
const MOST_LINKS: usize = 40;
/// Names of one path, links' targets included.
const MOST_NAMES: usize = 4096;

/// Goes down from a folder name by name. Every folder on the way stays open, so `..` in a link's
/// target leads back to where the walk came from, never to where that folder was moved to.
fn walk(root: OwnedFd, below: &Path) -> Result<OwnedFd, Errno> {
    let mut way = vec![root];
    let mut ahead: Vec<OsString> = Vec::new();
    push_names(below, &mut ahead)?;
    let mut links = 0;
    let mut names = 0;
    loop {
        let here = way.last().ok_or(Errno::XDEV)?;
        let Some(name) = ahead.pop() else {
            // The path ends at a folder.
            return openat(here, c".", FILE, Mode::empty());
        };
        names += 1;
        if names > MOST_NAMES {
            return Err(Errno::NAMETOOLONG);
        }
        if name == ".." {
            way.pop();
            continue;
        }
        // Looked at without being followed or opened: opening a device can do something.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let seen = openat(here, &name, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&seen)?.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP);
                }
                let target = readlinkat(&seen, c"", Vec::new())?;
                push_names(Path::new(OsStr::from_bytes(target.as_bytes())), &mut ahead)?;
            }
            FileType::Directory => way.push(seen),
            _ if !ahead.is_empty() => return Err(Errno::NOTDIR),
            // If it was replaced by a link since, this fails.
            _ => return openat(here, &name, FILE | OFlags::NOFOLLOW, Mode::empty()),
        }
    }
}

/// Puts a path's names before those that are ahead, the first on top.
fn push_names(path: &Path, ahead: &mut Vec<OsString>) -> Result<(), Errno> {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => ahead.push(OsString::from_vec(name.as_bytes().to_vec())),
            Component::ParentDir => ahead.push(OsString::from("..")),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(Errno::XDEV),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Both ways, which must agree: the bytes of the file, or why there is none.
    fn outcome(folder: &Path, below: &str) -> Option<u64> {
        let read = |opened: Result<OwnedFd, Errno>| match opened {
            Ok(file) => Stamp::of(&file).unwrap().map(|stamp| stamp.len),
            Err(_) => None,
        };
        let kernel = read(by_the_kernel(folder, Path::new(below), Patience::Enough));
        let walked = read(by_walking(folder, Path::new(below)));
        assert_eq!(kernel, walked, "{below}");
        let public = match open(folder, Path::new(below), Patience::Enough) {
            Ok(Some(Found::File(_, stamp))) => Some(stamp.len),
            Ok(_) => None,
            Err(error) => panic!("{below}: {error}"),
        };
        assert_eq!(public, kernel, "{below}");
        public
    }

    #[test]
    fn neither_path_nor_link_leaves_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        let folder = outer.path().join("static");
        std::fs::create_dir_all(folder.join("deep/er")).unwrap();
        std::fs::write(folder.join("a.css"), "12345").unwrap();
        std::fs::write(folder.join("deep/b"), "1234").unwrap();
        for (target, link) in [
            ("../secret", "out"),
            ("/etc/passwd", "abs"),
            ("a.css", "in"),
            ("../a.css", "deep/up"),
            ("../../static/a.css", "deep/round"),
            ("deep", "folder"),
            ("loop", "loop"),
            ("deep/er/../b", "through"),
            ("/proc/self/root", "magic"),
            ("none", "dangling"),
        ] {
            symlink(target, folder.join(link)).unwrap();
        }
        let inside = folder.join("a.css");
        symlink(&inside, folder.join("absolute-in")).unwrap();
        for (path, len) in [
            ("a.css", 5),
            ("in", 5),
            ("deep/up", 5),
            ("folder/b", 4),
            ("folder/up", 5),
            ("through", 4),
        ] {
            assert_eq!(outcome(&folder, path), Some(len), "{path}");
        }
        for path in [
            "../secret",
            "out",
            "abs",
            "absolute-in",
            "deep/round",
            "loop",
            "magic/etc/passwd",
            "/etc/passwd",
            "dangling",
            "none",
            "a.css/x",
            "deep",
            ".",
            "",
        ] {
            assert_eq!(outcome(&folder, path), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        assert_eq!(outcome(folder.path(), "pipe"), None);
        assert_eq!(outcome(folder.path(), "socket"), None);
    }

    #[test]
    fn folder_is_told_from_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        let look = |below| open(folder.path(), Path::new(below), Patience::Enough).unwrap();
        assert!(matches!(look("deep"), Some(Found::Folder)));
        assert!(look("none").is_none());
    }

    #[test]
    fn without_patience_what_is_in_memory_is_found_and_nothing_else_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        let _warm = open(folder.path(), Path::new("a"), Patience::Enough).unwrap();
        // A kernel without the flag, or a file system that cannot say, asks for patience.
        match open(folder.path(), Path::new("a"), Patience::None) {
            Ok(Some(Found::File(_, stamp))) => assert_eq!(stamp.len, 1),
            Err(Errno::AGAIN) => {}
            other => panic!("{other:?}"),
        }
    }
}
