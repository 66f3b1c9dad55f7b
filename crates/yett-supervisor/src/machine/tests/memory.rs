//! Workers that use more memory than they may.

use super::*;

impl Scene {
    fn measures(&mut self, number: u32, resident: u64) -> Vec<String> {
        let worker = worker(number);
        self.on(Event::Measured { worker, resident })
    }

    fn looked_at(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.measured)
    }
}

const TOO_MUCH: u64 = MAX_RSS + 1;

#[test]
fn memory_of_ready_workers_is_looked_at_every_two_seconds() {
    let mut scene = Scene::serving(2);
    scene.wait(2_000);
    assert_eq!(scene.looked_at(), [1, 2]);
    scene.dies(1, Exit::Signal(9));
    scene.forked(3);
    scene.wait(4_000);
    assert_eq!(scene.looked_at(), [2, 2]);
}

#[test]
fn new_worker_is_looked_at_like_all_others_and_the_first_at_once() {
    let mut scene = Scene::new(1);
    scene.on(Event::Start);
    scene.import(1);
    assert_eq!(scene.looked_at(), [0; 0]);
    scene.start(1);
    assert_eq!(scene.looked_at(), [1]);
}

#[test]
fn nobody_is_looked_at_without_a_limit() {
    let mut scene = Scene::serving(2);
    scene.state.limits.max_rss = None;
    scene.wait(60_000);
    assert_eq!(scene.looked_at(), [0; 0]);
    assert_eq!(scene.measures(1, TOO_MUCH), NOTHING);
}

#[test]
fn worker_over_its_memory_goes_only_when_its_replacement_is_ready() {
    let mut scene = Scene::serving(2);
    assert_eq!(scene.measures(1, MAX_RSS), NOTHING);
    assert_eq!(scene.measures(1, TOO_MUCH), ["fork 3 of 1"]);
    assert_eq!(
        scene.told(),
        ["worker 1 uses 100.0 MiB of memory, more than max_rss (100.0 MiB); it is replaced"]
    );
    // It is on its way out: looking again would change nothing.
    assert_eq!(scene.measures(1, TOO_MUCH), NOTHING);
    scene.wait(2_000);
    assert_eq!(scene.looked_at(), [2]);
    assert_eq!(scene.start(3), ["drain 1"]);
    assert_eq!(scene.dies(1, Exit::Code(0)), ["detach 1"]);
    assert_eq!(scene.state.picture(scene.now).workers_died, 0);
}

#[test]
fn workers_over_their_memory_one_after_the_other_serve_on_and_are_replaced_ever_later() {
    let mut scene = Scene::serving(1);
    scene.measures(1, TOO_MUCH);
    scene.start(2);
    scene.dies(1, Exit::Code(0));
    assert_eq!(scene.measures(2, TOO_MUCH), ["fork 3 of 1"]);
    for (number, seconds) in (3..).zip([30, 60, 120, 240, 480, 600, 600]) {
        scene.start(number);
        scene.dies(number - 1, Exit::Code(0));
        scene.told();
        assert_eq!(scene.measures(number, 150 << 20), NOTHING);
        assert_eq!(
            scene.told(),
            [format!(
                "worker {number} uses 150.0 MiB of memory, more than max_rss (100.0 MiB); as it is \
                 so soon after its start, it goes on serving and is replaced in {seconds} s: the \
                 limit is too low for this app, or the app grows too fast"
            )]
        );
        assert_eq!(scene.wait(seconds * 1_000 - 1), NOTHING);
        assert_eq!(scene.wait(1), [format!("fork {} of 1", number + 1)]);
    }
}

#[test]
fn worker_that_waits_for_its_replacement_gets_it_at_once_when_it_has_had_its_requests() {
    let mut scene = Scene::serving(1);
    scene.measures(1, TOO_MUCH);
    scene.start(2);
    scene.dies(1, Exit::Code(0));
    scene.measures(2, TOO_MUCH);
    scene.start(3);
    scene.dies(2, Exit::Code(0));
    assert_eq!(scene.measures(3, TOO_MUCH), NOTHING);
    let worker = worker(3);
    assert_eq!(scene.on(Event::Spent { worker }), ["fork 4 of 1"]);
}

#[test]
fn large_workers_of_one_seat_do_not_hold_back_another() {
    let mut scene = Scene::serving(2);
    scene.measures(1, TOO_MUCH);
    scene.start(3);
    scene.dies(1, Exit::Code(0));
    scene.measures(3, TOO_MUCH);
    scene.start(4);
    scene.dies(3, Exit::Code(0));
    assert_eq!(scene.measures(4, TOO_MUCH), NOTHING);
    assert_eq!(scene.measures(2, TOO_MUCH), ["fork 5 of 1"]);
}

#[test]
fn new_release_begins_without_the_old_ones_delays() {
    let mut scene = Scene::serving(1);
    scene.measures(1, TOO_MUCH);
    scene.start(2);
    scene.dies(1, Exit::Code(0));
    scene.measures(2, TOO_MUCH);
    scene.reload(1);
    scene.import(2);
    scene.start(4);
    scene.wait(60_000);
    assert_eq!(scene.measures(4, TOO_MUCH), ["fork 5 of 2"]);
}

#[test]
fn worker_that_is_asked_away_is_not_replaced_for_its_memory() {
    let mut scene = Scene::serving(2);
    scene.on(Event::ChangeWorkers { difference: -1 });
    assert_eq!(scene.measures(2, TOO_MUCH), NOTHING);
    scene.stop(in_time());
    assert_eq!(scene.measures(1, TOO_MUCH), NOTHING);
    scene.looked_at();
    scene.wait(10_000);
    assert_eq!(scene.looked_at(), [0; 0]);
}
