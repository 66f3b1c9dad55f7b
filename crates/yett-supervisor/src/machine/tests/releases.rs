//! Releases: import, traffic, failure.

use super::*;

#[test]
fn first_release_goes_from_import_to_traffic() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.on(Event::Start), ["start zygote 1"]);
    let pid = 100;
    let generation = generation(1);
    assert_eq!(scene.on(Event::ZygoteStarted { generation, pid }), NOTHING);
    assert_eq!(scene.on(Event::Loaded { generation }), ["prepare 1"]);
    assert_eq!(
        scene.on(Event::Prepared { generation }),
        ["fork 1 of 1", "fork 2 of 1"]
    );
    scene.wait(250);
    assert_eq!(scene.start(2), NOTHING);
    assert_eq!(scene.start(1), ["commit 1", "activate 1"]);
    assert_eq!(
        scene.told(),
        [
            "importing the app (generation 1)",
            "generation 1 serves with 2 workers after 250 ms"
        ]
    );
}

#[test]
fn traffic_moves_only_when_every_new_worker_is_ready() {
    let mut scene = Scene::serving(2);
    assert_eq!(scene.reload(1), ["start zygote 2"]);
    assert_eq!(scene.import(2), ["fork 3 of 2", "fork 4 of 2"]);
    assert_eq!(scene.start(3), NOTHING);
    assert_eq!(
        scene.start(4),
        [
            "commit 2",
            "activate 2",
            "answer 1: 2 serves",
            "drain 1",
            "drain 2",
            "end zygote 1"
        ]
    );
    assert_eq!(scene.dies(1, Exit::Code(0)), ["detach 1"]);
    assert_eq!(scene.dies(2, Exit::Code(0)), ["detach 2"]);
    assert_eq!(scene.zygote_dies(1), ["forget 1"]);
}

#[test]
fn ready_before_the_zygote_has_told_of_the_fork_counts() {
    let mut scene = Scene::new(1);
    scene.on(Event::Start);
    scene.import(1);
    let worker = worker(1);
    assert_eq!(
        scene.on(Event::Ready { worker }),
        ["commit 1", "activate 1"]
    );
    assert_eq!(scene.on(Event::Forked { worker, pid: 1_001 }), NOTHING);
}

#[test]
fn broken_first_release_ends_the_server_with_the_reason() {
    let mut scene = Scene::new(2);
    scene.on(Event::Start);
    assert_eq!(scene.import_fails(1), ["kill group 1"]);
    assert_eq!(
        scene.zygote_dies(1),
        ["forget 1", "exit: the app did not start: ImportError: no"]
    );
}

#[test]
fn broken_first_release_waits_for_a_reload_where_that_is_wanted() {
    let mut scene = Scene::new(1);
    scene.state.limits.purpose = Purpose::Development;
    scene.on(Event::Start);
    assert_eq!(scene.import_fails(1), ["kill group 1"]);
    assert_eq!(scene.zygote_dies(1), ["forget 1"]);
    assert_eq!(scene.wait(600_000), NOTHING);
    assert_eq!(scene.reload(1), ["start zygote 2"]);
    assert_eq!(scene.import_fails(2).len(), 2);
    scene.zygote_dies(2);
    assert_eq!(scene.reload(2), ["start zygote 3"]);
    assert_eq!(scene.import(3), ["fork 1 of 3"]);
    assert_eq!(
        scene.start(1),
        ["commit 3", "activate 3", "answer 2: 3 serves"]
    );
}

#[test]
fn reload_ends_an_import_that_is_out_of_date_in_development_alone() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    assert_eq!(scene.reload(2), NOTHING);
    let mut scene = Scene::serving(1);
    scene.state.limits.purpose = Purpose::Development;
    assert_eq!(scene.reload(1), ["start zygote 2"]);
    assert_eq!(
        scene.reload(2),
        [
            "kill group 2",
            "answer 1: the release failed at the stage `superseded`",
            "start zygote 3"
        ]
    );
    scene.zygote_dies(2);
    assert_eq!(scene.import(3), ["fork 2 of 3"]);
    scene.forked(2);
    assert_eq!(
        scene.reload(3),
        [
            "kill group 3",
            "Kill 2",
            "answer 2: the release failed at the stage `superseded`",
            "start zygote 4"
        ]
    );
}

#[test]
fn broken_release_leaves_the_old_one_serving() {
    let mut scene = Scene::serving(2);
    scene.reload(1);
    assert_eq!(
        scene.import_fails(2),
        [
            "kill group 2",
            "answer 1: the release failed at the stage `import`"
        ]
    );
    assert_eq!(scene.zygote_dies(2), ["forget 2"]);
    assert_eq!(
        scene.told(),
        [
            "reload: importing the app (generation 2)",
            "generation 2 failed (import): ImportError: no; generation 1 goes on serving",
            "generation 2 has ended"
        ]
    );
    assert_eq!(scene.dies(1, Exit::Signal(9)), ["detach 1", "fork 3 of 1"]);
}

#[test]
fn release_that_the_program_refuses_fails_before_any_fork() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    let generation = generation(2);
    scene.on(Event::Loaded { generation });
    let reason = "two routes clash".to_owned();
    assert_eq!(
        scene.on(Event::Refused { generation, reason }),
        [
            "kill group 2",
            "answer 1: the release failed at the stage `prepare`"
        ]
    );
}

#[test]
fn import_that_takes_too_long_fails_the_release() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    assert_eq!(scene.wait(IMPORT - 1), NOTHING);
    assert_eq!(
        scene.wait(1),
        [
            "kill group 2",
            "answer 1: the release failed at the stage `timeout`"
        ]
    );
}

#[test]
fn zygote_that_cannot_be_started_fails_the_release() {
    let mut scene = Scene::new(1);
    scene.on(Event::Start);
    let reason = "no python".to_owned();
    let generation = generation(1);
    assert_eq!(
        scene.on(Event::SpawnFailed { generation, reason }),
        ["forget 1", "exit: the app did not start: no python"]
    );
}

#[test]
fn new_workers_that_keep_dying_fail_the_release() {
    let mut scene = Scene::serving(2);
    scene.reload(1);
    scene.import(2);
    scene.start(3);
    scene.forked(4);
    assert_eq!(scene.dies(4, Exit::Code(3)), ["detach 4", "fork 5 of 2"]);
    scene.forked(5);
    assert_eq!(scene.dies(5, Exit::Code(3)), ["detach 5"]);
    assert_eq!(scene.wait(100), ["fork 6 of 2"]);
    scene.forked(6);
    assert_eq!(
        scene.dies(6, Exit::Code(3)),
        [
            "detach 6",
            "kill group 2",
            "Kill 3",
            "answer 1: the release failed at the stage `workers`"
        ]
    );
    assert_eq!(scene.dies(3, Exit::Signal(9)), ["detach 3"]);
    assert_eq!(scene.zygote_dies(2), ["forget 2"]);
}

#[test]
fn zygote_that_dies_during_its_release_fails_it() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.import(2);
    assert_eq!(
        scene.zygote_dies(2),
        [
            "Kill 2",
            "answer 1: the release failed at the stage `zygote`",
            "detach 2",
            "forget 2"
        ]
    );
}

#[test]
fn zygote_that_dies_while_it_imports_is_not_called_one_that_could_not_start() {
    for (exit, told) in [
        (
            Exit::Signal(11),
            "signal 11 while importing; the error output",
        ),
        (Exit::Signal(9), "signal 9 while importing; most often"),
        (Exit::Code(0), "code 0 while importing; something"),
    ] {
        let mut scene = Scene::serving(1);
        scene.reload(1);
        let generation = generation(2);
        scene.on(Event::Importing { generation });
        assert!(
            scene
                .on(Event::ZygoteExited { generation, exit })
                .contains(&"answer 1: the release failed at the stage `import`".to_owned())
        );
        assert!(
            scene.told.iter().any(|notice| notice.contains(told)),
            "{told}"
        );
    }
}

#[test]
fn reload_during_a_reload_is_remembered_once() {
    let mut scene = Scene::serving(1);
    assert_eq!(scene.reload(1), ["start zygote 2"]);
    assert_eq!(scene.reload(2), NOTHING);
    assert_eq!(scene.reload(3), NOTHING);
    scene.import(2);
    assert_eq!(
        scene.start(2),
        [
            "commit 2",
            "activate 2",
            "answer 1: 2 serves",
            "drain 1",
            "end zygote 1",
            "start zygote 3"
        ]
    );
    scene.import(3);
    assert_eq!(
        scene.start(3),
        [
            "commit 3",
            "activate 3",
            "answer 2: 3 serves",
            "answer 3: 3 serves",
            "drain 2",
            "end zygote 2"
        ]
    );
}

#[test]
fn fifth_generation_waits_until_one_has_gone() {
    let mut scene = Scene::serving(1);
    for number in 2..=4 {
        scene.reload(number);
        scene.import(number);
        scene.start(u32::try_from(number).unwrap());
    }
    assert_eq!(scene.reload(5), NOTHING);
    scene.dies(1, Exit::Code(0));
    assert_eq!(scene.zygote_dies(1), ["forget 1", "start zygote 5"]);
}

#[test]
fn release_whose_workers_cannot_start_fails_in_the_words_of_the_last() {
    let mut scene = Scene::serving(1);
    scene.reload(1);
    scene.import(2);
    for number in 2..=4 {
        scene.forked(number);
        let worker = worker(number);
        // Their death may be seen before the zygote has told of it.
        scene.on(Event::Gone { worker });
        scene.on(Event::Unfit {
            worker,
            summary: "ValueError: x".to_owned(),
            traceback: "Traceback …\n".to_owned(),
        });
        let exit = Exit::Code(3);
        let failed = step(&mut scene.state, Event::Exited { worker, exit }, scene.now);
        scene.wait(100);
        if number == 4 {
            let answer = failed.into_iter().find_map(|action| match action {
                Action::Answer {
                    outcome: Err(crate::outcome::ReloadError::Failed(failure)),
                    ..
                } => Some(failure),
                _ => None,
            });
            let expected = Failure {
                stage: FailureStage::Workers,
                summary: "3 workers died before every worker was ready: ValueError: x".to_owned(),
                traceback: "Traceback …\n".to_owned(),
            };
            assert_eq!(answer, Some(expected));
        }
    }
}
