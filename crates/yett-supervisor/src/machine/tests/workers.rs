//! Workers: death, replacement, draining, numbers.

use super::*;

#[test]
fn killed_worker_is_replaced_at_once() {
    let mut scene = Scene::serving(2);
    assert_eq!(scene.dies(2, Exit::Signal(9)), ["detach 2", "fork 3 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 2 (process 1002) was killed by signal 9"]
    );
    assert_eq!(scene.start(3), NOTHING);
}

#[test]
fn death_that_is_seen_before_it_is_told_is_replaced_at_once_and_told_later() {
    let mut scene = Scene::serving(1);
    let worker = worker(1);
    assert_eq!(
        scene.on(Event::Gone { worker }),
        ["detach 1", "fork 2 of 1"]
    );
    assert_eq!(scene.told(), NOTHING);
    assert_eq!(scene.dies(1, Exit::Code(7)), NOTHING);
    assert_eq!(scene.told(), ["worker 1 (process 1001) left with code 7"]);
}

#[test]
fn crash_loop_backs_off() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Code(1));
    scene.start(2);
    let detach = |number: u32| format!("detach {number}");
    let fork = |number: u32| format!("fork {number} of 1");
    assert_eq!(scene.dies(2, Exit::Code(1)), [detach(2), fork(3)]);
    for (number, delay) in (3..).zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
        scene.start(number);
        assert_eq!(scene.dies(number, Exit::Code(1)), [detach(number)]);
        assert_eq!(scene.wait(delay - 1), NOTHING);
        assert_eq!(scene.wait(1), [fork(number + 1)]);
    }
    scene.start(11);
    scene.wait(10_000);
    assert_eq!(scene.dies(11, Exit::Code(1)), [detach(11), fork(12)]);
}

#[test]
fn crashes_in_one_seat_do_not_hold_back_another() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Code(1));
    scene.start(3);
    scene.dies(3, Exit::Code(1));
    scene.start(4);
    assert_eq!(scene.dies(4, Exit::Code(1)), ["detach 4"]);
    assert_eq!(scene.dies(2, Exit::Code(1)), ["detach 2", "fork 5 of 1"]);
}

#[test]
fn stuck_worker_prints_its_traceback_dies_and_is_replaced() {
    let mut scene = Scene::serving(1);
    let worker = worker(1);
    assert_eq!(scene.on(Event::Stuck { worker }), ["Abort 1"]);
    assert_eq!(scene.on(Event::Stuck { worker }), NOTHING);
    assert_eq!(scene.wait(999), NOTHING);
    assert_eq!(scene.wait(1), ["Kill 1"]);
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1", "fork 2 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 1 is stuck in a request; its traceback follows, then it is replaced"]
    );
}

#[test]
fn spent_worker_goes_only_when_its_replacement_is_ready() {
    let mut scene = Scene::serving(1);
    let worker = worker(1);
    assert_eq!(scene.on(Event::Spent { worker }), ["fork 2 of 1"]);
    assert_eq!(scene.on(Event::Spent { worker }), NOTHING);
    assert_eq!(scene.start(2), ["drain 1"]);
    assert_eq!(scene.dies(1, Exit::Code(0)), ["detach 1"]);
    assert_eq!(scene.told(), NOTHING);
}

#[test]
fn hampered_worker_is_replaced_as_a_spent_one_and_told_of_by_its_own_word() {
    let mut scene = Scene::serving(1);
    let worker = worker(1);
    assert_eq!(scene.on(Event::Hampered { worker }), ["fork 2 of 1"]);
    assert_eq!(scene.start(2), ["drain 1"]);
    // While it leaves, nothing follows from it.
    assert_eq!(scene.on(Event::Hampered { worker }), NOTHING);
    assert_eq!(scene.on(Event::Stuck { worker }), ["Abort 1"]);
    assert_eq!(scene.dies(1, Exit::Signal(6)), ["detach 1"]);
    let told = scene.told();
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("a thread of worker 1 is stuck"));
    assert!(told[1].starts_with("worker 1 is stuck"));
}

#[test]
fn spent_worker_stays_while_the_one_before_it_still_drains() {
    let mut scene = Scene::serving(1);
    scene.on(Event::Spent { worker: worker(1) });
    scene.start(2);
    assert_eq!(scene.on(Event::Spent { worker: worker(2) }), NOTHING);
    assert_eq!(scene.dies(1, Exit::Code(0)), ["detach 1", "fork 3 of 1"]);
}

#[test]
fn spent_worker_that_dies_early_leaves_its_seat_to_the_heir() {
    let mut scene = Scene::serving(1);
    scene.on(Event::Spent { worker: worker(1) });
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1"]);
    assert_eq!(scene.start(2), NOTHING);
    assert!(scene.state.is_ready(worker(2)));
}

#[test]
fn worker_that_will_not_drain_is_killed_at_the_deadline() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.import(2);
    scene.start(2);
    assert_eq!(scene.wait(GRACEFUL - 1), ["cut 1"]);
    assert_eq!(scene.wait(1), ["Term 1"]);
    assert_eq!(scene.wait(1_000), ["Kill 1"]);
    assert_eq!(scene.wait(1_000), ["kill group 1"]);
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1"]);
    assert_eq!(scene.zygote_dies(1), ["forget 1"]);
}

#[test]
fn worker_that_does_not_get_ready_prints_its_traceback_dies_and_is_replaced() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Signal(9));
    scene.forked(2);
    assert_eq!(scene.wait(IMPORT), ["Abort 2"]);
    assert_eq!(scene.wait(1_000), ["Kill 2"]);
    assert_eq!(scene.dies(2, Exit::Signal(9)), ["detach 2", "fork 3 of 1"]);
}

#[test]
fn worker_without_a_link_is_useless() {
    let mut scene = Scene::serving(1);
    let worker = worker(1);
    assert_eq!(scene.on(Event::LinkLost { worker }), ["detach 1"]);
    assert_eq!(scene.on(Event::LinkLost { worker }), NOTHING);
    assert_eq!(scene.wait(200), ["Kill 1"]);
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["fork 2 of 1"]);
}

#[test]
fn link_that_ends_with_its_process_is_told_as_the_death_it_is() {
    let mut scene = Scene::serving(1);
    scene.on(Event::LinkLost { worker: worker(1) });
    assert_eq!(scene.dies(1, Exit::Signal(11)), ["fork 2 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 1 (process 1001) was killed by signal 11"]
    );
}

#[test]
fn fork_that_fails_is_tried_again() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Signal(9));
    let reason = "too many open files".to_owned();
    let worker = worker(2);
    assert_eq!(
        scene.on(Event::ForkFailed { worker, reason }),
        ["detach 2", "fork 3 of 1"]
    );
}

#[test]
fn workers_are_added_and_removed_within_their_bounds() {
    let mut scene = Scene::serving(2);
    assert_eq!(
        scene.on(Event::ChangeWorkers { difference: 5 }),
        ["fork 3 of 1", "fork 4 of 1"]
    );
    assert_eq!(scene.on(Event::ChangeWorkers { difference: 1 }), NOTHING);
    // Those that are not ready yet go first.
    assert_eq!(
        scene.on(Event::ChangeWorkers { difference: -2 }),
        ["Kill 4", "Kill 3"]
    );
    assert_eq!(
        scene.on(Event::ChangeWorkers { difference: -2 }),
        ["drain 2"]
    );
    assert_eq!(scene.on(Event::ChangeWorkers { difference: -1 }), NOTHING);
    assert_eq!(
        scene.told(),
        [
            "from now on 4 workers",
            "the number of workers stays 4",
            "from now on 2 workers",
            "from now on 1 worker",
            "the number of workers stays 1"
        ]
    );
}

#[test]
fn last_ready_worker_is_not_the_one_removed() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Signal(9));
    assert_eq!(
        scene.on(Event::ChangeWorkers { difference: -1 }),
        ["Kill 3"]
    );
    assert!(scene.state.is_ready(worker(2)));
}

#[test]
fn what_is_still_open_is_cut_in_the_last_tenth_of_the_grace_period() {
    let mut scene = Scene::serving(2);
    scene.on(Event::ChangeWorkers { difference: -1 });
    assert_eq!(scene.wait(GRACEFUL / 10 * 9 - 1), NOTHING);
    assert_eq!(scene.wait(1), ["cut 2"]);
    assert_eq!(scene.wait(GRACEFUL / 10 - 1), NOTHING);
    assert_eq!(scene.wait(1), ["Term 2"]);
}

#[test]
fn worker_that_is_done_is_not_cut() {
    let mut scene = Scene::serving(2);
    scene.on(Event::ChangeWorkers { difference: -1 });
    scene.dies(2, Exit::Code(0));
    assert_eq!(scene.wait(GRACEFUL), NOTHING);
}

#[test]
fn grace_period_of_a_few_seconds_leaves_a_second_after_the_cut() {
    let mut scene = Scene::serving(2);
    scene.state.limits.graceful = 4_000;
    scene.on(Event::ChangeWorkers { difference: -1 });
    assert_eq!(scene.wait(2_999), NOTHING);
    assert_eq!(scene.wait(1), ["cut 2"]);
    assert_eq!(scene.wait(1_000), ["Term 2"]);
}

#[test]
fn grace_period_too_short_for_both_is_cut_at_once() {
    let mut scene = Scene::serving(2);
    scene.state.limits.graceful = 500;
    assert_eq!(
        scene.on(Event::ChangeWorkers { difference: -1 }),
        ["drain 2", "cut 2"]
    );
    assert_eq!(scene.wait(500), ["Term 2"]);
}

fn unfit(number: u32, summary: &str) -> Event {
    Event::Unfit {
        worker: worker(number),
        summary: summary.to_owned(),
        traceback: format!("Traceback of {summary}\n"),
    }
}

#[test]
fn worker_that_cannot_start_says_why_instead_of_its_exit() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Signal(9));
    scene.told();
    scene.forked(2);
    assert_eq!(scene.on(unfit(2, "ValueError: x")), NOTHING);
    assert_eq!(scene.dies(2, Exit::Code(3)), ["detach 2", "fork 3 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 2 (process 1002) cannot start: ValueError: x"]
    );
}

#[test]
fn traceback_of_workers_that_cannot_start_is_told_once_and_again_when_it_changes() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Signal(9));
    let mut tracebacks = Vec::new();
    for (number, summary) in (2..).zip(["a", "a", "b", "b", "a"]) {
        scene.forked(number);
        for action in step(&mut scene.state, unfit(number, summary), scene.now) {
            if let Action::Notify(crate::notice::Notice::WorkerUnfit { traceback, .. }) = action {
                tracebacks.push(traceback);
            }
        }
        scene.dies(number, Exit::Code(3));
        scene.wait(5_000);
    }
    let (a, b) = ("Traceback of a\n", "Traceback of b\n");
    assert_eq!(tracebacks, [a, "", b, "", a]);
}

#[test]
fn worker_that_is_gone_before_it_was_ready_keeps_its_seat_until_its_reason_is_known() {
    let mut scene = Scene::serving(1);
    scene.dies(1, Exit::Signal(9));
    scene.forked(2);
    let worker = worker(2);
    // All three come from different places, in any order.
    assert_eq!(scene.on(Event::LinkLost { worker }), ["detach 2"]);
    assert_eq!(scene.on(Event::Gone { worker }), NOTHING);
    scene.told();
    assert_eq!(scene.on(unfit(2, "ValueError: x")), NOTHING);
    assert_eq!(scene.dies(2, Exit::Code(3)), ["fork 3 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 2 (process 1002) cannot start: ValueError: x"]
    );
}

#[test]
fn ready_worker_cannot_say_that_it_cannot_start() {
    let mut scene = Scene::serving(1);
    assert_eq!(scene.on(unfit(1, "no")), NOTHING);
    assert_eq!(scene.told(), NOTHING);
}
