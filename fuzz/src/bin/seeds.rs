//! Writes the seeds into folders for libFuzzer: `seeds FOLDER` makes a folder in it for each target, and a file
//! there for each seed.

use std::path::Path;

use yett_edge::fuzzing;
use yett_fuzz::{link, range, seeds, target};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "corpus".into());
    for (target, inputs) in [
        ("token", seeds::token()),
        ("jwk", seeds::jwk()),
        ("jwk_set", seeds::jwk_set()),
        ("pem", seeds::pem()),
        ("link_frames", link::frame_seeds()),
        ("link_ring", link::ring_seeds()),
        ("edge_link", fuzzing::worker_seeds()),
        ("scanner", fuzzing::scanner_seeds()),
        ("proxy_header", fuzzing::proxy_header_seeds()),
        ("http2", fuzzing::http2_seeds()),
        ("target", target::target_seeds()),
        ("range", range::range_seeds()),
    ] {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder)?;
        for (nth, input) in inputs.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{nth}")), input)?;
        }
    }
    Ok(())
}
