//! `X-Sendfile` and `X-Accel-Redirect`: the application names a file, the edge sends it.
//!
//! Closed by default: only folders that the settings name can be reached, a name that leads nowhere
//! else is the application's failure, and the headers never leave the server. As nginx does it, the
//! application's own headers are kept (type, disposition, cookies, caching, validators) but for those
//! that describe the body that the file replaces. Conditions and ranges are those of static files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, LAST_MODIFIED,
};
use http::{Method, StatusCode};

use super::files::condition::{Answer, Validators, decide};
use super::files::{Piece, Stamp, Types, entity, make, open_named};
use crate::meters::{Limit, Meters};
use crate::respond::{Failure, FileRange, Part};
use crate::settings::Sendfile;

const X_SENDFILE: HeaderName = HeaderName::from_static("x-sendfile");
const X_ACCEL_REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");

/// Why the file that an application named is not sent. The path stands in the log alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendfileError {
    #[error(
        "the application sent {header}: {value}, which no --sendfile URL=DIR of this server covers (a path with dots or an empty part is below none)"
    )]
    Unmapped { header: &'static str, value: String },
    #[error("the application sent more than one of X-Sendfile and X-Accel-Redirect")]
    Several,
    #[error("the application sent {header}: {value}, and there is no such file in {}", .folder.display())]
    Missing {
        header: &'static str,
        value: String,
        folder: PathBuf,
    },
}

/// What the application named.
pub(super) struct Wanted {
    header: &'static str,
    value: HeaderValue,
}

/// Takes the headers out of an answer; whatever becomes of them, the client does not see them.
///
/// # Errors
/// [`SendfileError::Several`].
pub(super) fn take(headers: &mut HeaderMap) -> Result<Option<Wanted>, SendfileError> {
    let mut wanted = None;
    for (name, header) in [
        (X_SENDFILE, "X-Sendfile"),
        (X_ACCEL_REDIRECT, "X-Accel-Redirect"),
    ] {
        if !headers.contains_key(&name) {
            continue;
        }
        let several = headers.get_all(&name).iter().nth(1).is_some();
        let value = headers.remove(&name);
        if several || wanted.is_some() {
            return Err(SendfileError::Several);
        }
        wanted = value.map(|value| Wanted { header, value });
    }
    Ok(wanted)
}

impl Wanted {
    /// Opens the file and makes the headers speak of it.
    ///
    /// # Errors
    /// [`Failure::Sendfile`], or [`Failure::File`] when the file cannot be read.
    pub(super) async fn open(
        self,
        folders: &[Sendfile],
        types: &Types,
        headers: &mut HeaderMap,
    ) -> Result<NamedFile, Failure> {
        let value = String::from_utf8_lossy(self.value.as_bytes()).into_owned();
        let header = self.header;
        let (folder, below) = self.place(folders).ok_or(SendfileError::Unmapped {
            header,
            value: value.clone(),
        })?;
        let named = types.of(&below);
        let missing = SendfileError::Missing {
            header,
            value,
            folder: folder.clone(),
        };
        let opened = tokio::task::spawn_blocking(move || open_named(&folder, &below)).await;
        let opened = opened.unwrap_or_else(|gone| Err(Failure::File(std::io::Error::other(gone))));
        let (file, stamp) = match opened {
            Ok(opened) => opened,
            Err(Failure::NoSuchFile) => return Err(missing.into()),
            Err(failure) => return Err(failure),
        };
        headers.remove(CONTENT_RANGE);
        headers.entry(CONTENT_TYPE).or_insert(named);
        Ok(NamedFile {
            file: Arc::new(file.into()),
            stamp,
        })
    }

    /// The folder that covers the name, and the path below it.
    fn place(&self, folders: &[Sendfile]) -> Option<(PathBuf, PathBuf)> {
        let value = self.value.as_bytes();
        if self.header == "X-Sendfile" {
            let path = Path::new(OsStr::from_bytes(value));
            let mut best: Option<(&Path, &Path)> = None;
            for folder in folders.iter().map(|one| one.folder.as_path()) {
                if let Ok(below) = path.strip_prefix(folder)
                    && best
                        .is_none_or(|(_, other)| below.as_os_str().len() < other.as_os_str().len())
                {
                    best = Some((folder, below));
                }
            }
            best.and_then(|(folder, below)| plain(folder, below))
        } else {
            let path = value.split(|byte| *byte == b'?').next()?;
            let path = unescaped(path)?;
            let mut best: Option<(&Sendfile, &[u8])> = None;
            for folder in folders {
                if let Some(below) = path.strip_prefix(folder.url.as_bytes())
                    && best.is_none_or(|(_, other)| below.len() < other.len())
                {
                    best = Some((folder, below));
                }
            }
            let (folder, below) = best?;
            plain(&folder.folder, Path::new(OsStr::from_bytes(below)))
        }
    }
}

/// A file that the application named, open.
pub(super) struct NamedFile {
    file: Arc<std::fs::File>,
    stamp: Stamp,
}

impl NamedFile {
    /// What the client gets: of a 200 to GET or HEAD what its conditions and ranges ask for, else the
    /// file. What the application says of the file (`ETag`, `Last-Modified`, `Accept-Ranges: none`)
    /// counts before what the file says of itself.
    ///
    /// # Errors
    /// [`Failure::Precondition`] and [`Failure::OutsideRange`].
    pub(super) fn answer(
        &self,
        (method, request): (&Method, &HeaderMap),
        status: StatusCode,
        headers: &mut HeaderMap,
        meters: &Meters,
    ) -> Result<(StatusCode, Piece), Failure> {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            headers.remove(CONTENT_LENGTH);
            return Ok((status, Piece::Empty));
        }
        let unsettled = entity::is_unsettled(self.stamp);
        let dated = headers.contains_key(LAST_MODIFIED);
        if let Some(modified) = entity::http_date(self.stamp)
            && let Ok(modified) = HeaderValue::from_str(&modified.to_string())
        {
            headers.entry(LAST_MODIFIED).or_insert(modified);
        }
        let conditional = status == StatusCode::OK && matches!(*method, Method::GET | Method::HEAD);
        let len = self.stamp.len;
        headers.insert(CONTENT_LENGTH, len.into());
        let mut answer = Answer::Whole;
        if conditional {
            let weak = if unsettled { "W/" } else { "" };
            let mark = format!("{weak}\"{}\"", entity::stamp_mark(self.stamp));
            if let Ok(mark) = HeaderValue::from_str(&mark) {
                headers.entry(ETAG).or_insert(mark);
            }
            let validators = Validators {
                etag: headers.get(ETAG).map(HeaderValue::as_bytes),
                modified: headers
                    .get(LAST_MODIFIED)
                    .and_then(|value| value.to_str().ok()?.parse().ok()),
                unsettled: unsettled && !dated,
            };
            answer = decide(method, request, validators, len);
            let ranges = headers
                .entry(ACCEPT_RANGES)
                .or_insert(HeaderValue::from_static("bytes"));
            if ranges != "bytes" && matches!(answer, Answer::Part(_) | Answer::Outside) {
                answer = Answer::Whole;
            }
            if answer == Answer::WholeForTooManyRanges {
                meters.met(Limit::Ranges);
            }
        }
        let content = |start: u64, end: u64| {
            let len = end.saturating_sub(start);
            Part::File(FileRange::of(Arc::clone(&self.file), start, len))
        };
        let (made, piece) = make(answer, method, len, headers, content)?;
        Ok((if conditional { made } else { status }, piece))
    }
}

/// A path below a folder that goes only down. That links do not leave the folder is seen to when it
/// is opened.
fn plain(folder: &Path, below: &Path) -> Option<(PathBuf, PathBuf)> {
    let goes_down = |part: Component<'_>| matches!(part, Component::Normal(_));
    let fine = !below.as_os_str().is_empty() && below.components().all(goes_down);
    fine.then(|| (folder.to_owned(), below.to_owned()))
}

/// The value with its escapes decoded, once, as nginx does; `None` if one is malformed.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(header: &'static str, value: &str) -> Option<String> {
        let folder = |url: &str, folder: &str| Sendfile {
            url: url.into(),
            folder: folder.into(),
        };
        let folders = [
            folder("/protected/", "/srv/media"),
            folder("/protected/deep/", "/srv/media/deeper"),
        ];
        let wanted = Wanted {
            header,
            value: HeaderValue::from_str(value).unwrap(),
        };
        let (folder, below) = wanted.place(&folders)?;
        Some(format!("{} {}", folder.display(), below.display()))
    }

    #[test]
    fn longest_prefix_says_the_folder() {
        let accel = |value| place("X-Accel-Redirect", value);
        assert_eq!(
            accel("/protected/a%20b.txt?x").as_deref(),
            Some("/srv/media a b.txt")
        );
        assert_eq!(
            accel("/protected/deep/c").as_deref(),
            Some("/srv/media/deeper c")
        );
        let sendfile = |value| place("X-Sendfile", value);
        assert_eq!(
            sendfile("/srv/media/a%20b").as_deref(),
            Some("/srv/media a%20b")
        );
        assert_eq!(
            sendfile("/srv/media/deeper/c").as_deref(),
            Some("/srv/media/deeper c")
        );
    }

    #[test]
    fn what_no_folder_covers_has_no_place() {
        for value in [
            "/protected/",
            "/protected",
            "/other/a",
            "protected/a",
            "/protected/../a",
            "/protected/%2e%2e/a",
            "/protected/a/../../b",
            "/protected//etc/passwd",
            "/protected/%",
            "/protected/%2",
            "/protected/%+1",
            "",
        ] {
            assert_eq!(place("X-Accel-Redirect", value), None, "{value}");
        }
        for value in [
            "/srv/media",
            "/srv/mediaother/a",
            "/etc/passwd",
            "srv/media/a",
            "/srv/media/../a",
            "/srv/media/a/../../b",
            "",
        ] {
            assert_eq!(place("X-Sendfile", value), None, "{value}");
        }
    }
}
