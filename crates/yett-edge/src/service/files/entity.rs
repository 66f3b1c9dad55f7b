//! A file as it is sent: its content or the open file, and every header that is known before a
//! request asks for it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use httpdate::HttpDate;
use rustix::io::Errno;

use super::beneath::{self, Found, Patience, Stamp};
use super::condition::Validators;
use crate::clock;
use crate::mount::{Freshness, Mount, Readers};
use crate::respond::{Coding, FileRange, Part, accepted};

/// Files up to this are read whole: they are named by a hash of their content, and may be kept in memory.
pub(super) const SMALL: u64 = 1024 * 1024;

/// A file that was changed within this time of a look may change again without its time telling so.
const UNSETTLED: Duration = Duration::from_secs(2);

/// What was found at a path: the file, and what lies compressed beside it.
#[derive(Debug)]
pub(super) struct Sight {
    plain: (OwnedFd, Stamp),
    coded: Vec<(Coding, OwnedFd, Stamp)>,
}

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Seen {
    File(Sight),
    Folder,
    Nothing,
}

/// Looks for a path in a mount's places, and for what lies compressed beside it in the same place.
///
/// # Errors
/// What the system says; [`Errno::AGAIN`] where more patience is needed.
pub(super) fn look(mount: &Mount, path: &Path, patience: Patience) -> Result<Seen, Errno> {
    let mut folder = false;
    for place in &mount.places {
        let Some(below) = place.below(path) else {
            continue;
        };
        match beneath::open(&place.folder, below, patience)? {
            None => {}
            Some(Found::Folder) => folder = true,
            Some(Found::File(file, stamp)) => {
                let mut coded = Vec::new();
                for coding in Coding::ALL {
                    let mut beside = below.as_os_str().to_owned();
                    beside.push(coding.extension());
                    if let Some(Found::File(file, other)) =
                        beneath::open(&place.folder, Path::new(&beside), patience)?
                        // In whole seconds: archives and some tools keep no more of a time.
                        && other.modified.0 >= stamp.modified.0
                        && other.len < stamp.len
                    {
                        coded.push((coding, file, other));
                    }
                }
                return Ok(Seen::File(Sight {
                    plain: (file, stamp),
                    coded,
                }));
            }
        }
    }
    Ok(if folder { Seen::Folder } else { Seen::Nothing })
}

/// A file and its compressed forms, ready to be sent.
#[derive(Debug)]
pub(super) struct Entity {
    plain: Variant,
    coded: Vec<(Coding, Variant)>,
    /// It was changed so shortly before it was looked at that the same stamp proves nothing.
    unsettled: bool,
}

/// One form.
#[derive(Debug)]
pub(super) struct Variant {
    content: Content,
    stamp: Stamp,
    etag: HeaderValue,
    modified: Option<HttpDate>,
    unsettled: bool,
    headers: HeaderMap,
}

#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

impl Entity {
    /// Makes what was seen ready. Waits for the disk.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn load(
        sight: Sight,
        mount: &Mount,
        path: &Path,
        in_memory: u64,
    ) -> std::io::Result<Self> {
        let common = common_headers(mount, path, !sight.coded.is_empty());
        let (file, stamp) = sight.plain;
        let plain = Variant::load(file, stamp, None, &common, in_memory)?;
        let mut coded = Vec::with_capacity(sight.coded.len());
        for (coding, file, stamp) in sight.coded {
            let variant = Variant::load(file, stamp, Some(coding), &common, in_memory)?;
            coded.push((coding, variant));
        }
        let unsettled = plain.unsettled || coded.iter().any(|(_, variant)| variant.unsettled);
        Ok(Self {
            plain,
            coded,
            unsettled,
        })
    }

    /// Whether what is seen now is certainly what this was made of.
    pub(super) fn is(&self, sight: &Sight) -> bool {
        let coded = sight
            .coded
            .iter()
            .map(|(coding, _, stamp)| (*coding, *stamp));
        !self.unsettled
            && sight.plain.1 == self.plain.stamp
            && coded.eq(self
                .coded
                .iter()
                .map(|(coding, variant)| (*coding, variant.stamp)))
    }

    /// The form that a client likes best.
    pub(super) fn best(&self, request: &HeaderMap) -> &Variant {
        if self.coded.is_empty() || !request.contains_key(ACCEPT_ENCODING) {
            return &self.plain;
        }
        let of = |coding| self.coded.iter().find(|(other, _)| *other == coding);
        let smallest_first = Coding::ALL.into_iter().rev();
        accepted(
            request,
            smallest_first.filter(|coding| of(*coding).is_some()),
        )
        .and_then(of)
        .map_or(&self.plain, |(_, variant)| variant)
    }

    /// Bytes that it holds in memory.
    pub(super) fn memory(&self) -> u64 {
        let held = |variant: &Variant| match &variant.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(_) => 0,
        };
        held(&self.plain) + self.coded.iter().map(|(_, one)| held(one)).sum::<u64>()
    }

    /// Descriptors that it holds open.
    pub(super) fn descriptors(&self) -> u64 {
        let held = |variant: &Variant| u64::from(matches!(variant.content, Content::File(_)));
        held(&self.plain) + self.coded.iter().map(|(_, one)| held(one)).sum::<u64>()
    }
}

impl Variant {
    fn load(
        file: OwnedFd,
        stamp: Stamp,
        coding: Option<Coding>,
        common: &HeaderMap,
        in_memory: u64,
    ) -> std::io::Result<Self> {
        let file = File::from(file);
        let whole = if stamp.len <= SMALL {
            read_whole(&file, stamp.len)?
        } else {
            None
        };
        let unsettled = is_unsettled(stamp) || (stamp.len <= SMALL && whole.is_none());
        let mark = match &whole {
            Some(bytes) => hash_mark(bytes),
            None => stamp_mark(stamp),
        };
        let suffix = coding.map_or("", Coding::extension).replace('.', "-");
        let weak = if whole.is_none() && unsettled {
            "W/"
        } else {
            ""
        };
        let etag = header(&format!("{weak}\"{mark}{suffix}\""));
        let modified = http_date(stamp);
        let mut headers = common.clone();
        headers.insert(CONTENT_LENGTH, stamp.len.into());
        headers.insert(ETAG, etag.clone());
        if let Some(modified) = modified {
            headers.insert(LAST_MODIFIED, header(&modified.to_string()));
        }
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, coding.value());
        }
        let content = match whole {
            Some(bytes) if stamp.len <= in_memory => Content::Memory(bytes),
            _ => Content::File(Arc::new(file)),
        };
        Ok(Self {
            content,
            stamp,
            etag,
            modified,
            unsettled,
            headers,
        })
    }

    pub(super) const fn len(&self) -> u64 {
        self.stamp.len
    }

    pub(super) const fn content(&self) -> &Content {
        &self.content
    }

    /// The headers of an answer with the whole of it.
    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn validators(&self) -> Validators<'_> {
        Validators {
            etag: Some(self.etag.as_bytes()),
            modified: self.modified,
            unsettled: self.unsettled,
        }
    }
}

impl Content {
    /// A range of it.
    pub(super) fn part(&self, start: u64, end: u64) -> Part {
        match self {
            Self::Memory(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Part::Bytes(bytes.slice(place(start)..place(end)))
            }
            Self::File(file) => Part::File(FileRange::of(
                Arc::clone(file),
                start,
                end.saturating_sub(start),
            )),
        }
    }
}

/// What every form of a file says of it.
fn common_headers(mount: &Mount, path: &Path, has_forms: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(10);
    let content_type = mount.types.of(path);
    if let Some(said) = cache_control(mount, path, &content_type) {
        headers.insert(CACHE_CONTROL, said);
    }
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if has_forms {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if mount.readers == Readers::AnyOrigin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    headers
}

fn cache_control(mount: &Mount, path: &Path, content_type: &HeaderValue) -> Option<HeaderValue> {
    use std::os::unix::ffi::OsStrExt;
    let is_hashed = || mount.hashed.contains(path.as_os_str().as_bytes());
    Some(match mount.freshness {
        Freshness::Ask => HeaderValue::from_static("no-cache"),
        _ if is_hashed() => HeaderValue::from_static("public, max-age=31536000, immutable"),
        _ if content_type.as_bytes().starts_with(b"text/html") => {
            HeaderValue::from_static("no-cache")
        }
        Freshness::For(Duration::ZERO) => HeaderValue::from_static("no-cache"),
        Freshness::For(span) => header(&format!("public, max-age={}", span.as_secs())),
        Freshness::Unsaid => return None,
    })
}

/// Reads all of a file; `None` if it is not as long as it was, so somebody is writing it.
fn read_whole(file: &File, len: u64) -> std::io::Result<Option<Bytes>> {
    let Ok(len) = usize::try_from(len) else {
        return Ok(None);
    };
    // One more, to see whether it grew.
    let mut content = vec![0; len + 1];
    let mut filled = 0;
    while let Some(room) = content.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(len);
    Ok((filled == len).then(|| Bytes::from(content)))
}

/// The same on every machine that has this content.
fn hash_mark(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    let short = hash.as_ref().get(..16).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(short)
}

/// The time in nanoseconds and the length: what costs no reading of a large file.
pub(in crate::service) fn stamp_mark(stamp: Stamp) -> String {
    let (seconds, nanos) = stamp.modified;
    format!("{seconds:x}.{nanos:x}-{:x}", stamp.len)
}

/// Whether a file was changed so lately that it may change again within the same tick. A time that
/// lies ahead is one that somebody set.
pub(in crate::service) fn is_unsettled(stamp: Stamp) -> bool {
    let changed = Duration::from_secs(u64::try_from(stamp.modified.0).unwrap_or(0));
    changed.abs_diff(clock::since_epoch()) < UNSETTLED
}

/// The second of the last change, never before the epoch or beyond what HTTP can write.
pub(in crate::service) fn http_date(stamp: Stamp) -> Option<HttpDate> {
    clock::http_date(u64::try_from(stamp.modified.0).ok()?)
}

/// Text of our own making.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
