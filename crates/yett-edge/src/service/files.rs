//! Files below a folder, for GET and HEAD.
//!
//! The path below the mount is walked name by name from the folder's own descriptor, without
//! following symbolic links that lead out of it, so neither a path nor a link can leave the folder.
//! Conditional and range requests, precompressed files and caching follow with the complete file
//! service; until then every answer is the whole file.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use http::header::{CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use http::{Method, Response};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::Errno;
use time::OffsetDateTime;
use time::macros::format_description;
use yett_gate::{Admitted, Rest};

use crate::log::Record;
use crate::respond::{self, Body, Failure, FileRange};
use crate::ruling::Mount;

pub(super) async fn answer(
    admitted: &Admitted,
    mount: &Mount,
    rest: &Rest,
    mut record: Record,
) -> Response<Body> {
    let method = admitted.head().method();
    if method != Method::GET && method != Method::HEAD {
        return respond::failed(&Failure::FileMethod, record);
    }
    let Some(names) = rest.segments() else {
        return respond::failed(&Failure::NoSuchFile, record);
    };
    let below: PathBuf = names.map(OsStr::from_bytes).collect();
    let content_type = content_type(&below);
    let folder = mount.folder.clone();
    let opened = tokio::task::spawn_blocking(move || open_below(&folder, &below)).await;
    let opened = opened.unwrap_or_else(|gone| Err(Failure::File(std::io::Error::other(gone))));
    let file = match opened {
        Ok(file) => file,
        Err(failure) => return respond::failed(&failure, record),
    };
    record.status(http::StatusCode::OK);
    let mut response = Response::new(Body::file(
        FileRange::new(file.content, 0, file.len),
        record,
    ));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(modified) = file.modified.and_then(|at| HeaderValue::from_str(&at).ok()) {
        headers.insert(LAST_MODIFIED, modified);
    }
    headers.insert(
        http::header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A regular file that is open for reading.
pub(super) struct Opened {
    pub(super) content: OwnedFd,
    pub(super) len: u64,
    pub(super) modified: Option<String>,
}

/// Opens a file below a folder, and only there: neither `..` nor a link leads out of it.
///
/// # Errors
/// [`Failure::NoSuchFile`] for whatever is not a readable file in there, [`Failure::File`] otherwise.
pub(super) fn open_below(folder: &Path, below: &Path) -> Result<Opened, Failure> {
    let root = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| Failure::File(error.into()))?;
    let file = open_beneath(&root, below)?;
    let stat = fstat(&file).map_err(|error| Failure::File(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Failure::NoSuchFile);
    }
    Ok(Opened {
        content: file,
        len: u64::try_from(stat.st_size).unwrap_or(0),
        modified: http_date(stat.st_mtime),
    })
}

fn open_beneath(root: &OwnedFd, below: &Path) -> Result<OwnedFd, Failure> {
    // NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match openat2(root, below, flags, Mode::empty(), resolve) {
        Ok(file) => Ok(file),
        // XDEV: the path leads out of the folder. To a client all of these are one.
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
        ) => Err(Failure::NoSuchFile),
        Err(error) => Err(Failure::File(error.into())),
    }
}

fn http_date(seconds: i64) -> Option<String> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()?
        .format(format)
        .ok()
}

/// The content type by the file's last extension, after the IANA registry.
pub(super) fn content_type(path: &Path) -> &'static str {
    let extension = path
        .extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(folder: &Path, below: &str) -> Result<u64, String> {
        match open_below(folder, Path::new(below)) {
            Ok(opened) => Ok(opened.len),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[tokio::test]
    async fn neither_path_nor_link_leaves_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        let folder = outer.path().join("static");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("a.css"), "12345").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("out")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("abs")).unwrap();
        std::os::unix::fs::symlink("a.css", folder.join("in")).unwrap();
        let missing = Err(Failure::NoSuchFile.to_string());
        assert_eq!(outcome(&folder, "a.css"), Ok(5));
        assert_eq!(outcome(&folder, "in"), Ok(5));
        for path in [
            "../secret",
            "out",
            "abs",
            "/etc/passwd",
            "none",
            "a.css/x",
            ".",
        ] {
            assert_eq!(outcome(&folder, path), missing, "{path}");
        }
    }

    #[test]
    fn date_is_as_http_writes_it() {
        assert_eq!(
            http_date(784_111_777).as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
    }
}
