//! The check of the fuzz target for ranges, run here with its seeds and changes of these.

#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/changes.rs"]
mod changes;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/range.rs"]
mod range;

#[test]
fn no_range_passes_the_files_end_or_holds_a_byte_twice() {
    changes::run(&range::range_seeds(), range::PIECES, 50_000, range::range);
}
