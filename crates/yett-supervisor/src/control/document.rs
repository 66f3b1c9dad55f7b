//! Documents that are too long for a message: the manifest and tracebacks, in nameless files (memory files where
//! there are such).

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use super::ControlError;

/// The longest document, in bytes: 16 MiB.
pub const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

/// Reads a document from its start, wherever the writer left the offset. The length is asked for
/// first, and a file that is shortened meanwhile is an error: nothing here can wait or grow.
pub fn read_document(descriptor: OwnedFd) -> Result<Vec<u8>, ControlError> {
    let file = File::from(descriptor);
    let facts = file.metadata().map_err(ControlError::Document)?;
    // A pipe or a socket could keep us waiting.
    if !facts.is_file() {
        return Err(ControlError::NotAFile);
    }
    let length = facts.len();
    if length > MAX_DOCUMENT {
        return Err(ControlError::DocumentTooLong(length));
    }
    let length = usize::try_from(length).map_err(|_| ControlError::DocumentTooLong(length))?;
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, 0)
        .map_err(ControlError::Document)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    fn memfd() -> File {
        memfd_create("document", MemfdFlags::CLOEXEC)
            .unwrap()
            .into()
    }

    #[test]
    fn a_document_is_read_from_its_start() {
        let mut file = memfd();
        file.write_all(b"{\"yett\":1}").unwrap();
        assert_eq!(read_document(file.into()).unwrap(), b"{\"yett\":1}");
    }

    #[test]
    fn a_document_past_the_limit_is_refused_unread() {
        let file = memfd();
        file.set_len(MAX_DOCUMENT + 1).unwrap();
        let error = read_document(file.into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a document has 16777217 bytes, more than 16777216"
        );
    }

    #[test]
    fn a_pipe_is_not_a_document() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(matches!(
            read_document(reader.into()),
            Err(ControlError::NotAFile)
        ));
    }
}
