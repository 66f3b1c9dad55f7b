//! Files below a mount, for GET and HEAD.
//!
//! What a client can ask for: a regular file inside the mount's folders, none of whose names begins
//! with a dot (but `.well-known`, RFC 8615). A file that was asked for within the last second is answered
//! from what is known of it, without a system call; else it is looked at, which waits for nothing as
//! long as the kernel has it in memory. Only what has to come from a disk goes to a thread that may wait.

mod beneath;
mod cache;
pub(super) mod condition;
pub(super) mod entity;
pub mod range;
mod reply;
mod types;

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::header::{HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};
use tokio::task::spawn_blocking;
use yett_gate::{Admitted, RequestHead, Rest};

pub(super) use beneath::Stamp;
use beneath::{Found, Patience, open};
use cache::{Age, Cache, Key, Known, Sought};
use entity::{Entity, Seen, Sight, look};
pub(super) use reply::{Piece, make};
pub use types::Types;

use crate::log::Record;
use crate::meters::{Limit, Lookup, Meters};
use crate::mount::{Absent, Look, Mount};
use crate::respond::{self, Body, Failure};
use crate::settings::FilesSettings;

/// The file service of an edge.
#[derive(Debug)]
pub(super) struct Files {
    cache: Cache,
    meters: Arc<Meters>,
}

/// What becomes of a request for a file.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one, and a box would cost each answer an allocation"
)]
pub(super) enum Outcome {
    Answered(Response<Body>),
    /// There is none, and the application may have another idea.
    LeftToTheApp(Record),
}

/// What stands at a path.
enum There {
    File(Arc<Known>),
    Folder,
    Nothing,
}

impl Files {
    pub(super) fn new(settings: &FilesSettings, meters: Arc<Meters>) -> Self {
        Self {
            cache: Cache::new(settings),
            meters,
        }
    }

    /// The answer, if the file that is asked for is known and needs no look.
    ///
    /// # Errors
    /// The record, where it takes more than that.
    pub(super) fn answer_at_once(
        &self,
        admitted: &Admitted,
        mount: &Mount,
        rest: &Rest,
        record: Record,
    ) -> Result<Response<Body>, Record> {
        let head = admitted.head();
        let reads = matches!(*head.method(), Method::GET | Method::HEAD);
        if !reads || mount.look != Look::EverySecond {
            return Err(record);
        }
        let sought = Sought {
            mount: mount.key(),
            path: rest.as_bytes(),
        };
        let Some(known) = self.cache.find_fresh(sought) else {
            return Err(record);
        };
        self.meters.looked_up(Lookup::Hit);
        Ok(self.reply(head, &known.entity, record))
    }

    pub(super) async fn answer(
        &self,
        admitted: &Admitted,
        mount: &Arc<Mount>,
        rest: &Rest,
        record: Record,
    ) -> Outcome {
        let head = admitted.head();
        let reads = matches!(*head.method(), Method::GET | Method::HEAD);
        if !reads && mount.absent != Absent::App {
            return Outcome::Answered(respond::failed(&Failure::FileMethod, record));
        }
        let found = if reads {
            self.find(mount, rest.as_bytes()).await
        } else {
            Ok(There::Nothing)
        };
        let answered = match (found, &mount.absent) {
            (Ok(There::File(known)), _) => self.reply(head, &known.entity, record),
            (Ok(There::Folder), _) if mount.index.is_some() => to_the_folder(head, record),
            (Ok(There::Folder | There::Nothing), Absent::App) => {
                return Outcome::LeftToTheApp(record);
            }
            (Ok(_), Absent::Page(page)) if is_of_a_page(rest) => {
                match self.find(mount, page.as_bytes()).await {
                    Ok(There::File(known)) => self.reply(head, &known.entity, record),
                    Ok(_) => respond::failed(&Failure::NoSuchFile, record),
                    Err(error) => respond::failed(&Failure::File(error), record),
                }
            }
            (Ok(_), _) => respond::failed(&Failure::NoSuchFile, record),
            (Err(error), _) => respond::failed(&Failure::File(error), record),
        };
        Outcome::Answered(answered)
    }

    /// What stands at a path below a mount.
    async fn find(&self, mount: &Arc<Mount>, path: &[u8]) -> std::io::Result<There> {
        if mount.hidden.as_deref() == Some(path) {
            return Ok(There::Nothing);
        }
        let sought = Sought {
            mount: mount.key(),
            path,
        };
        let known = self.cache.find(sought);
        if mount.look == Look::EverySecond
            && let Some(known) = &known
            && self.cache.age(known) == Age::Fresh
        {
            self.meters.looked_up(Lookup::Hit);
            return Ok(There::File(Arc::clone(known)));
        }
        let Some(names) = names(path, mount.index.as_deref()) else {
            return Ok(There::Nothing);
        };
        let seen = match look(mount, &names, Patience::None) {
            Ok(seen) => seen,
            // Also what went wrong is asked again: the patient look says what counts.
            Err(_) => {
                let (mount, names) = (Arc::clone(mount), names.clone());
                waiting(move || Ok(look(&mount, &names, Patience::Enough)?)).await?
            }
        };
        let sight = match seen {
            Seen::File(sight) => sight,
            Seen::Folder | Seen::Nothing => {
                if known.is_some() {
                    self.cache.forget(sought);
                }
                self.meters.looked_up(Lookup::Absent);
                return Ok(match seen {
                    Seen::Folder => There::Folder,
                    _ => There::Nothing,
                });
            }
        };
        if let Some(known) = known
            && known.entity.is(&sight)
        {
            self.cache.refresh(&known);
            self.meters.looked_up(Lookup::Checked);
            return Ok(There::File(known));
        }
        let entity = self.load(mount, names, sight).await?;
        self.meters.looked_up(Lookup::Miss);
        let key = Key {
            mount: mount.key(),
            path: path.into(),
        };
        let (known, crowded) = self.cache.keep(key, entity);
        if crowded {
            self.meters.met(Limit::StaticFiles);
        }
        Ok(There::File(known))
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, u64) {
        self.cache.held()
    }

    async fn load(
        &self,
        mount: &Arc<Mount>,
        names: PathBuf,
        sight: Sight,
    ) -> std::io::Result<Entity> {
        let mount = Arc::clone(mount);
        let in_memory = self.cache.largest_in_memory();
        waiting(move || Entity::load(sight, &mount, &names, in_memory)).await
    }
}

/// Does what may wait for a disk where waiting harms nobody.
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|gone| Err(std::io::Error::other(gone)))
}

/// The names from the mount down to a file; with an index, of a path that ends with a slash, or of the
/// mount itself, the folder's index. `None`: the path cannot name a file that clients may have.
fn names(path: &[u8], index: Option<&str>) -> Option<PathBuf> {
    let (folder, index) = match (index, path) {
        (Some(index), b"") => return Some(PathBuf::from(index)),
        (Some(index), [folder @ .., b'/']) => (folder, Some(index)),
        _ => (path, None),
    };
    let is_open = |name: &[u8]| {
        !name.is_empty()
            && !name.contains(&b'\\')
            && (!name.starts_with(b".") || name == b".well-known")
    };
    if !folder.split(|byte| *byte == b'/').all(is_open) {
        return None;
    }
    let mut names = PathBuf::from(OsStr::from_bytes(folder));
    if let Some(index) = index {
        names.push(index);
    }
    Some(names)
}

/// Whether a path that names no file may be a page of an application in the browser, and not a missing
/// file of it, for which a page would be taken.
fn is_of_a_page(rest: &Rest) -> bool {
    let last = rest.as_bytes().rsplit(|byte| *byte == b'/').next();
    !last.unwrap_or_default().contains(&b'.')
}

/// To the folder with a slash behind it, so that what its index names by a relative path is found.
fn to_the_folder(head: &RequestHead, mut record: Record) -> Response<Body> {
    let uri = head.target().uri();
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (uri, String::new()),
    };
    // Two slashes in front would name another server.
    let location = HeaderValue::from_str(&format!("{path}/{query}"));
    let (Ok(location), false) = (location, path.starts_with("//")) else {
        return respond::failed(&Failure::NoSuchFile, record);
    };
    record.status(StatusCode::MOVED_PERMANENTLY);
    let mut response = Response::new(Body::bytes(bytes::Bytes::new(), record));
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Opens a file that the application named, where waiting harms nobody.
///
/// # Errors
/// [`Failure::NoSuchFile`] for whatever is not a readable file in there, [`Failure::File`] otherwise.
pub(super) fn open_named(folder: &Path, below: &Path) -> Result<(OwnedFd, Stamp), Failure> {
    match open(folder, below, Patience::Enough) {
        Ok(Some(Found::File(file, stamp))) => Ok((file, stamp)),
        Ok(_) => Err(Failure::NoSuchFile),
        Err(error) => Err(Failure::File(error.into())),
    }
}

#[cfg(test)]
mod tests;
