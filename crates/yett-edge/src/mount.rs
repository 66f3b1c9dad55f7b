//! A URL prefix whose files the edge sends, and how it sends them.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::service::Types;

/// Where files come from and what is said about them. Immutable: a release brings new ones.
#[derive(Debug)]
pub struct Mount {
    /// Where a file is looked for, in this order; the first that has it counts.
    pub places: Vec<Place>,
    /// What a path gets that no place has.
    pub absent: Absent,
    /// The file that stands for the folder it is in, for paths that end with a slash. `None`: a
    /// folder is not there.
    pub index: Option<String>,
    /// How long what is not named by its content may be kept without asking.
    pub freshness: Freshness,
    /// Paths below the mount whose names say their content, so that they never change.
    pub hashed: HashSet<Box<[u8]>>,
    /// A path below the mount that is not there for clients: the list of the names above, of which it says
    /// more than pages show.
    pub hidden: Option<Box<[u8]>>,
    /// Types that the configuration adds.
    pub types: Arc<Types>,
    /// Whether pages of other sites may read the files.
    pub readers: Readers,
    /// When a file that was looked at is looked at again.
    pub look: Look,
    key: u64,
}

/// A folder, and the names that stand before the paths that are looked up in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// Leads the path below the mount, with a slash at its end, as in `STATICFILES_DIRS`; or empty.
    pub prefix: String,
}

impl Place {
    /// A folder for every path.
    #[must_use]
    pub const fn all(folder: PathBuf) -> Self {
        Self {
            folder,
            prefix: String::new(),
        }
    }

    /// The path below the folder, of a path below the mount.
    pub(crate) fn below<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let bytes = path.as_os_str().as_bytes();
        let below = bytes.strip_prefix(self.prefix.as_bytes())?;
        (!below.is_empty()).then(|| Path::new(OsStr::from_bytes(below)))
    }
}

/// What a path gets that no place has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// 404.
    NotFound,
    /// The file at this path below the mount, as a 200, if the path's last name has no dot in it: the
    /// page of an application that routes in the browser.
    Page(String),
    /// The application is asked, in development: it may know of places that the edge does not.
    App,
}

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// So long without asking; HTML is always asked for, because it names everything else.
    For(Duration),
    /// Nothing is said, so a client guesses; but HTML and names that say their content are as above.
    Unsaid,
    /// It is kept, and asked for each time. Also names that say their content: in development a file
    /// may change under them.
    Ask,
}

/// Whose pages may read the files' content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// This site's.
    SameOrigin,
    /// Everyone's: `Access-Control-Allow-Origin: *`.
    AnyOrigin,
}

/// How often a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// When the last look is a second ago.
    EverySecond,
    /// For each request.
    Always,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Mount {
    /// One folder, as it is without further words: no index, a minute of freshness.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            places: vec![Place::all(folder)],
            absent: Absent::NotFound,
            index: None,
            freshness: Freshness::For(Duration::from_secs(60)),
            hashed: HashSet::new(),
            hidden: None,
            types: Arc::default(),
            readers: Readers::SameOrigin,
            look: Look::EverySecond,
            key: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Tells it from every other mount of this process, of earlier releases too.
    pub(crate) const fn key(&self) -> u64 {
        self.key
    }
}
