//! The check of the fuzz target for request targets, run here with its seeds and changes of these.

#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/changes.rs"]
mod changes;
#[expect(unreachable_pub, reason = "another crate's library")]
#[path = "../../../fuzz/src/target.rs"]
mod target;

#[test]
fn any_target_has_one_canonical_form() {
    changes::run(
        &target::target_seeds(),
        target::PIECES,
        50_000,
        target::target,
    );
}
