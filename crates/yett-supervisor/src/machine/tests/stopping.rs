//! Stopping.

use super::*;

#[test]
fn graceful_stop_lets_every_worker_finish() {
    let mut scene = Scene::serving(2);
    assert_eq!(
        scene.stop(in_time()),
        ["drain 1", "drain 2", "end zygote 1"]
    );
    assert_eq!(scene.stop(in_time()), NOTHING);
    scene.dies(1, Exit::Code(0));
    scene.dies(2, Exit::Code(0));
    assert_eq!(scene.zygote_dies(1), ["forget 1", "exit: stopped"]);
    assert_eq!(scene.reload(9), NOTHING);
}

#[test]
fn worker_that_dies_during_a_stop_is_not_replaced() {
    let mut scene = Scene::serving(1);
    scene.stop(in_time());
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1"]);
}

#[test]
fn quick_stop_kills_everything_at_once() {
    let mut scene = Scene::serving(2);
    scene.reload(1);
    assert_eq!(
        scene.stop(StopMode::Quick),
        [
            "answer 1: the server is stopping",
            "kill group 1",
            "Kill 1",
            "Kill 2",
            "kill group 2"
        ]
    );
    assert_eq!(
        scene.told,
        [
            "reload: importing the app (generation 2)",
            "the reload is given up (generation 2): the server is stopping",
            "stopping now"
        ]
    );
}

#[test]
fn quick_stop_overrules_a_graceful_one() {
    let mut scene = Scene::serving(1);
    scene.stop(in_time());
    assert_eq!(scene.stop(StopMode::Quick), ["kill group 1", "Kill 1"]);
    scene.zygote_dies(1);
    assert_eq!(
        scene.dies(1, Exit::Signal(9)),
        ["detach 1", "forget 1", "exit: stopped"]
    );
}

#[test]
fn stop_during_the_first_import_ends_it() {
    let mut scene = Scene::new(1);
    scene.on(Event::Start);
    assert_eq!(scene.stop(in_time()), ["kill group 1"]);
    assert_eq!(scene.zygote_dies(1), ["forget 1", "exit: stopped"]);
}

#[test]
fn reload_during_a_stop_is_refused() {
    let mut scene = Scene::serving(1);
    scene.stop(in_time());
    assert_eq!(scene.reload(1), ["answer 1: the server is stopping"]);
}

#[test]
fn stop_with_little_time_left_cuts_at_once_and_ends_workers_when_it_is_over() {
    let mut scene = Scene::serving(1);
    let within = Duration::from_secs(1);
    assert_eq!(
        scene.stop(StopMode::Graceful { within }),
        ["drain 1", "cut 1", "end zygote 1"]
    );
    assert_eq!(scene.wait(999), NOTHING);
    assert_eq!(scene.wait(1), ["Term 1"]);
    assert_eq!(scene.wait(1_000), ["Kill 1"]);
    assert_eq!(scene.wait(1_000), ["kill group 1"]);
}

#[test]
fn reload_in_progress_is_given_up_when_a_stop_is_near_and_what_serves_goes_on() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.reload(2);
    assert_eq!(
        scene.on(Event::RefuseReloads),
        [
            "answer 1: the server is stopping",
            "answer 2: the server is stopping",
            "kill group 2"
        ]
    );
    assert_eq!(
        scene.told.last().unwrap(),
        "the reload is given up (generation 2): the server is stopping"
    );
    assert_eq!(scene.zygote_dies(2), ["forget 2"]);
    assert_eq!(scene.reload(3), ["answer 3: the server is stopping"]);
    assert_eq!(
        scene.told.last().unwrap(),
        "a reload was refused: the server is stopping"
    );
    assert_eq!(
        scene.dies(1, Exit::Signal(9)),
        ["detach 1", "fork 2 of 1"],
        "a worker that dies is replaced"
    );
}

#[test]
fn dead_zygote_is_replaced_also_when_a_stop_is_near() {
    let mut scene = Scene::serving(1);
    scene.on(Event::RefuseReloads);
    assert_eq!(scene.zygote_dies(1), ["start zygote 2"]);
}

#[test]
fn reload_that_replaces_a_dead_zygote_already_is_kept_when_a_stop_is_near() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.reload(2);
    scene.zygote_dies(1);
    assert_eq!(
        scene.on(Event::RefuseReloads),
        ["answer 2: the server is stopping"]
    );
    scene.import(2);
    let started = scene.start(2);
    assert!(
        started.iter().any(|action| action.starts_with("answer 1")),
        "{started:?}"
    );
}

#[test]
fn kept_reload_that_the_stop_ends_after_all_is_told_of() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.zygote_dies(1);
    scene.on(Event::RefuseReloads);
    scene.told.clear();
    assert_eq!(
        scene.stop(in_time()).first().unwrap(),
        "answer 1: the server is stopping"
    );
    assert_eq!(
        scene.told.first().unwrap(),
        "the reload is given up (generation 2): the server is stopping"
    );
}

#[test]
fn stop_leaves_who_finishes_already_no_more_time_than_the_others() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.import(2);
    scene.start(2);
    let within = Duration::from_secs(1);
    assert_eq!(
        scene.stop(StopMode::Graceful { within }),
        ["cut 1", "drain 2", "cut 2", "end zygote 2"]
    );
    assert_eq!(scene.wait(999), NOTHING);
    assert_eq!(scene.wait(1), ["Term 1", "Term 2"]);
    assert_eq!(scene.wait(1_000), ["Kill 1", "Kill 2"]);
    assert_eq!(scene.wait(1_000), ["kill group 1", "kill group 2"]);
}
