//! Reads what the encoders wrote, by the decoders of the same libraries; Python's read it in the
//! tests of the whole system.

use std::io::Write;

use crate::respond::coding::Coding;

/// What can be read of it; the end may be missing.
pub(crate) fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => {
            let mut decoder = flate2::write::GzDecoder::new(Vec::new());
            decoder.write_all(bytes).unwrap();
            decoder.flush().unwrap();
            std::mem::take(decoder.get_mut())
        }
        Coding::Zstd => {
            let mut decoder = zstd::stream::write::Decoder::new(Vec::new()).unwrap();
            decoder.write_all(bytes).unwrap();
            decoder.flush().unwrap();
            decoder.into_inner()
        }
        Coding::Brotli => {
            let mut decoder = brotli::DecompressorWriter::new(Vec::new(), 4096);
            decoder.write_all(bytes).unwrap();
            decoder.flush().unwrap();
            std::mem::take(decoder.get_mut())
        }
    }
}
