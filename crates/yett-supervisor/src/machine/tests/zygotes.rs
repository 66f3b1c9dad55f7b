//! Zygotes that die or misbehave after their release.

use super::*;

#[test]
fn zygote_death_costs_no_worker() {
    let mut scene = Scene::serving(2);
    assert_eq!(scene.zygote_dies(1), ["start zygote 2"]);
    assert!(scene.state.is_ready(worker(1)) && scene.state.is_ready(worker(2)));
    scene.import(2);
    scene.start(3);
    assert_eq!(
        scene.start(4),
        ["commit 2", "activate 2", "drain 1", "drain 2"]
    );
    scene.dies(1, Exit::Code(0));
    assert_eq!(scene.dies(2, Exit::Code(0)), ["detach 2", "forget 1"]);
}

#[test]
fn without_a_zygote_a_dead_worker_waits_for_the_next_generation() {
    let mut scene = Scene::serving(1);
    scene.zygote_dies(1);
    scene.told();
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1"]);
    assert_eq!(
        scene.told()[0],
        "worker 1 cannot be replaced before a new generation is ready: the zygote of generation 1 \
         is gone"
    );
    scene.import(2);
    assert_eq!(scene.start(2), ["commit 2", "activate 2", "forget 1"]);
}

#[test]
fn generation_that_cannot_be_revived_is_tried_again_later_and_later() {
    let mut scene = Scene::serving(1);
    assert_eq!(scene.zygote_dies(1), ["start zygote 2"]);
    assert_eq!(scene.import_fails(2), ["kill group 2", "start zygote 3"]);
    assert_eq!(scene.zygote_dies(2), ["forget 2"]);
    for (number, delay) in (3..).zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
        assert_eq!(scene.import_fails(number), [format!("kill group {number}")]);
        assert_eq!(scene.zygote_dies(number), [format!("forget {number}")]);
        assert_eq!(scene.wait(delay - 1), NOTHING);
        assert_eq!(scene.wait(1), [format!("start zygote {}", number + 1)]);
    }
    assert!(scene.state.is_ready(worker(1)));
}

#[test]
fn zygote_that_breaks_the_protocol_is_killed_and_its_workers_go_on() {
    let mut scene = Scene::serving(1);
    let generation = generation(1);
    let reason = "a control message cannot be understood".to_owned();
    assert_eq!(
        scene.on(Event::ControlBroken { generation, reason }),
        ["kill zygote 1"]
    );
    assert_eq!(scene.zygote_dies(1), ["start zygote 2"]);
    assert!(scene.state.is_ready(worker(1)));
}

#[test]
fn zygote_that_closes_its_socket_and_stays_is_killed() {
    let mut scene = Scene::serving(1);
    let generation = generation(1);
    assert_eq!(scene.on(Event::ControlEnded { generation }), NOTHING);
    assert_eq!(scene.wait(1_000), ["kill zygote 1"]);
}

#[test]
fn zygote_that_does_not_fork_is_killed() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Signal(9));
    assert_eq!(scene.wait(IMPORT), ["kill zygote 1"]);
    assert_eq!(scene.zygote_dies(1), ["detach 3", "start zygote 2"]);
}

#[test]
fn zygote_that_dies_takes_back_a_fork_it_has_not_told_of() {
    let mut scene = Scene::serving(2);
    scene.dies(1, Exit::Signal(9));
    assert_eq!(scene.zygote_dies(1), ["detach 3", "start zygote 2"]);
}
