//! The checks of the fuzz targets of the link, run here with their seeds and some thousand changes of these.

#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/changes.rs"]
mod changes;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/link.rs"]
mod link;

#[test]
fn any_bytes_are_cut_into_frames_as_the_checks_say() {
    changes::run(&link::frame_seeds(), link::PIECES, 10_000, link::frames);
}

#[test]
fn any_memory_of_the_other_end_is_read_as_the_checks_say() {
    changes::run(&link::ring_seeds(), link::PIECES, 5000, link::ring);
}
