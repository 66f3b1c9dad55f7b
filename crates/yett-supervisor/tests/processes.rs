//! The loop with real processes: a small zygote in Python that speaks the real control protocol.
//! Nothing waits for time to pass; every step waits for something that was seen.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod server;

use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use server::{GOOD, Plan, Server};
use yett_supervisor::{
    Exit, ExitReason, FailureStage, GenerationState, Keyboard, ReloadError, StopMode, WorkerId,
    WorkerState,
};

fn kill(pid: u32, signal: Signal) {
    kill_process(pid_of(pid), signal).unwrap();
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// True for a zombie as well: what does not exist has been reaped.
fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// A graceful stop that has all of its time.
const IN_TIME: StopMode = StopMode::Graceful {
    within: Duration::from_secs(30),
};

#[tokio::test]
async fn first_generation_serves_when_all_its_workers_are_ready() {
    let mut server = Server::start(3, GOOD);
    server.see("commit 1").await;
    server.see("activate 1").await;
    let status = server.supervisor.status();
    assert_eq!(status.workers_ready, 3);
    let generation = &status.generations[0];
    assert_eq!(generation.state, GenerationState::Active);
    for worker in &generation.workers {
        assert_eq!(worker.state, WorkerState::Ready);
        assert!(exists(server.pid(worker.worker.get()).await));
    }
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn zygote_inherits_its_control_socket_and_nothing_else_of_ours() {
    let mut server = Server::start(2, GOOD);
    server.see("activate 1").await;
    // By now we hold a control socket and two links that the second zygote must not get.
    server.supervisor.reload().wait().await.unwrap();
    let folder = server.folder().canonicalize().unwrap();
    for manifest in server.manifests.lock().unwrap().iter() {
        let facts: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let expected = serde_json::json!({
            "sockets": 1, "stdin": "/dev/null", "leads_its_group": true, "folder": folder
        });
        assert_eq!(facts, expected);
    }
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn reload_brings_new_workers_and_lets_the_old_ones_finish() {
    let mut server = Server::start(2, GOOD);
    server.see("activate 1").await;
    let old = [
        server.pid(1).await,
        server.pid(2).await,
        server.zygote_pid(1),
    ];
    let reloaded = server.supervisor.reload().wait().await.unwrap();
    assert_eq!(reloaded.generation.get(), 2);
    server.see("activate 2").await;
    server.see("drain 1").await;
    server.see("drain 2").await;
    server.see("forget 1").await;
    assert!(old.into_iter().all(|pid| !exists(pid)));
    let status = server.supervisor.status();
    assert_eq!((status.workers_ready, status.generations.len()), (2, 1));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn broken_release_leaves_the_old_one_serving_and_tells_why() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    let pid = server.pid(1).await;
    server.plan(Plan {
        import: "bad",
        ..GOOD
    });
    let Err(ReloadError::Failed(failure)) = server.supervisor.reload().wait().await else {
        panic!("it worked");
    };
    assert_eq!(failure.stage, FailureStage::Import);
    assert_eq!(failure.summary, "ImportError: no such app");
    assert_eq!(failure.traceback, "Traceback (most recent call last):\n");
    server
        .see("generation 2 failed (import): ImportError: no such app; generation 1 goes on serving")
        .await;
    server.see("generation 2 has ended").await;
    assert_eq!(server.pid(1).await, pid);
    assert!(exists(pid));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn killed_worker_is_replaced() {
    let mut server = Server::start(2, GOOD);
    server.see("activate 1").await;
    let pid = server.pid(2).await;
    kill(pid, Signal::KILL);
    server.see("detach 2").await;
    server
        .see(&format!("worker 2 (process {pid}) was killed by signal 9"))
        .await;
    // A reload waits until all are ready again, here and there.
    server.supervisor.reload().wait().await.unwrap();
    let status = server.supervisor.status();
    assert_eq!((status.workers_died, status.workers_ready), (1, 2));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn workers_outlive_their_zygote_and_are_reaped_here() {
    let mut server = Server::start(2, GOOD);
    server.see("activate 1").await;
    let (first, second) = (server.pid(1).await, server.pid(2).await);
    kill(server.zygote_pid(1), Signal::KILL);
    server
        .see(
            "the zygote of generation 1 was killed by signal 9; its workers go on serving while a \
             new generation is started",
        )
        .await;
    assert!(exists(first) && exists(second));
    server.see("activate 2").await;
    server.see("drain 1").await;
    server.see("drain 2").await;
    server.see("generation 1 has ended").await;
    assert!(!exists(first) && !exists(second));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn orphan_that_is_killed_is_told_as_what_it_was() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    let pid = server.pid(1).await;
    server.plan(Plan {
        import: "hangs",
        ..GOOD
    });
    kill(server.zygote_pid(1), Signal::KILL);
    server.next("the zygote of generation 1 was killed").await;
    kill(pid, Signal::SEGV);
    server.next("worker 1 cannot be replaced").await;
    server
        .see(&format!("worker 1 (process {pid}) was killed by signal 11"))
        .await;
    assert!(!exists(pid));
    assert_eq!(server.stop(IN_TIME).await, ExitReason::Stopped);
}

#[tokio::test]
async fn stuck_worker_gets_sigabrt_and_is_replaced() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    let pid = server.pid(1).await;
    server.supervisor.worker_stuck(WorkerId::new(1));
    server.next("worker 1 is stuck").await;
    server.see("detach 1").await;
    server.supervisor.reload().wait().await.unwrap();
    assert!(!exists(pid));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn spent_worker_is_drained_after_its_replacement_is_ready() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    server.supervisor.worker_spent(WorkerId::new(1));
    server.see("drain 1").await;
    let ready = server.supervisor.status().workers_ready;
    assert_eq!(ready, 1);
    server.see("detach 1").await;
    assert_eq!(server.supervisor.status().workers_died, 0);
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn worker_that_will_not_drain_is_killed() {
    let stubborn = Plan {
        worker: "stubborn",
        ..GOOD
    };
    let mut server = Server::start_with(1, stubborn, |settings| {
        settings.graceful_timeout = Duration::from_millis(50);
    });
    server.see("activate 1").await;
    let pid = server.pid(1).await;
    server.plan(GOOD);
    server.supervisor.reload().wait().await.unwrap();
    server
        .see("worker 1 did not finish within the graceful timeout; ended")
        .await;
    server.see("generation 1 has ended").await;
    assert!(!exists(pid));
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn graceful_stop_leaves_no_process_behind() {
    let mut server = Server::start(2, GOOD);
    server.see("activate 1").await;
    let pids = [
        server.pid(1).await,
        server.pid(2).await,
        server.zygote_pid(1),
    ];
    assert_eq!(server.stop(IN_TIME).await, ExitReason::Stopped);
    assert!(pids.into_iter().all(|pid| !exists(pid)));
}

#[tokio::test]
async fn quick_stop_kills_even_the_stubborn() {
    quick_stop_kills(Keyboard::Apart).await;
}

#[tokio::test]
async fn quick_stop_kills_those_who_share_the_keyboard_and_nobody_else_of_their_group() {
    quick_stop_kills(Keyboard::Shared).await;
}

async fn quick_stop_kills(keyboard: Keyboard) {
    let plan = Plan {
        worker: "stubborn",
        ..GOOD
    };
    let mut server = Server::start_with(2, plan, |settings| settings.keyboard = keyboard);
    server.see("activate 1").await;
    let pids = [
        server.pid(1).await,
        server.pid(2).await,
        server.zygote_pid(1),
    ];
    server.supervisor.stop(IN_TIME);
    server.see("drain 2").await;
    assert_eq!(server.stop(StopMode::Quick).await, ExitReason::Stopped);
    assert!(pids.into_iter().all(|pid| !exists(pid)));
}

#[tokio::test]
async fn first_release_that_fails_is_the_exit_reason() {
    let table = [
        ("bad", FailureStage::Import, "ImportError: no such app"),
        (
            "dies",
            FailureStage::Zygote,
            "the zygote left with code 3 before its workers were ready",
        ),
        (
            "closes",
            FailureStage::Zygote,
            "it closed its control socket and did not leave",
        ),
        (
            "nonsense",
            FailureStage::Zygote,
            "a control message cannot be understood: expected value at line 1 column 1",
        ),
        (
            "too_long",
            FailureStage::Zygote,
            "a control message is longer than 32768 bytes",
        ),
        (
            "no_manifest",
            FailureStage::Zygote,
            "the message `loaded` came with 0 descriptors instead of 1",
        ),
        (
            "long_manifest",
            FailureStage::Manifest,
            "a document has 16777217 bytes, more than 16777216",
        ),
        (
            "pipe_manifest",
            FailureStage::Manifest,
            "a document is not a file",
        ),
    ];
    for (import, stage, summary) in table {
        let reason = Server::start(1, Plan { import, ..GOOD }).end().await;
        let failure = reason.failure().unwrap();
        assert_eq!((failure.stage, &*failure.summary), (stage, summary));
    }
}

#[tokio::test]
async fn import_is_bounded_in_time() {
    let server = Server::start_with(
        1,
        Plan {
            import: "hangs",
            ..GOOD
        },
        |settings| {
            settings.import_timeout = Duration::from_millis(300);
        },
    );
    let reason = server.end().await;
    assert_eq!(reason.failure().unwrap().stage, FailureStage::Timeout);
}

#[tokio::test]
async fn workers_that_die_before_they_are_ready_fail_the_release() {
    let reason = Server::start(
        2,
        Plan {
            worker: "dies",
            ..GOOD
        },
    )
    .end()
    .await;
    assert_eq!(reason.failure().unwrap().stage, FailureStage::Workers);
}

#[tokio::test]
async fn workers_that_cannot_start_fail_the_release_in_their_own_words() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    server.plan(Plan {
        worker: "unfit",
        ..GOOD
    });
    let Err(ReloadError::Failed(failure)) = server.supervisor.reload().wait().await else {
        panic!("it worked");
    };
    assert_eq!(failure.stage, FailureStage::Workers);
    assert_eq!(
        failure.summary,
        "3 workers died before every worker was ready: ImportError: no such app"
    );
    assert_eq!(failure.traceback, "Traceback (most recent call last):\n");
    let told = server.next("worker 2 (process ").await;
    assert!(
        told.ends_with(") cannot start: ImportError: no such app"),
        "{told}"
    );
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn worker_over_its_memory_is_replaced_and_then_no_more_at_once() {
    let mut server = Server::start_with(1, GOOD, |settings| {
        settings.max_rss = NonZeroU64::new(1);
    });
    server.see("activate 1").await;
    let told = server.next("worker 1 uses ").await;
    assert!(
        told.ends_with("more than max_rss (0.0 MiB); it is replaced"),
        "{told}"
    );
    server.see("drain 1").await;
    server.see("detach 1").await;
    // The second one in a row serves on for a while.
    let told = server.next("worker 2 uses ").await;
    assert!(
        told.contains("more than max_rss (0.0 MiB); as it is so soon"),
        "{told}"
    );
    let status = server.supervisor.status();
    let worker = &status.generations[0].workers[0];
    assert_eq!(worker.state, WorkerState::Ready);
    assert!(worker.resident_bytes > Some(1 << 20), "{worker:?}");
    assert_eq!(status.workers_died, 0);
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn what_is_open_at_a_drained_worker_is_cut_before_it_is_ended() {
    let stubborn = Plan {
        worker: "stubborn",
        ..GOOD
    };
    let mut server = Server::start_with(1, stubborn, |settings| {
        settings.graceful_timeout = Duration::from_millis(1_050);
    });
    server.see("activate 1").await;
    server.plan(GOOD);
    server.supervisor.reload().wait().await.unwrap();
    server.see("drain 1").await;
    server.see("cut 1").await;
    server
        .see("worker 1 did not finish within the graceful timeout; ended")
        .await;
    server.stop(StopMode::Quick).await;
}

#[tokio::test]
async fn interpreter_that_is_not_there_is_named() {
    let server = Server::start_with(1, GOOD, |settings| settings.python = "/no/python".into());
    let folder = server.folder().display().to_string();
    let reason = server.end().await;
    assert_eq!(
        reason.to_string(),
        format!(
            "the app did not start: `/no/python` cannot be started in `{folder}`: No such file or \
             directory (os error 2)"
        )
    );
}

#[tokio::test]
async fn who_waits_for_a_reload_is_told_when_the_server_stops() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    server.plan(Plan {
        import: "hangs",
        ..GOOD
    });
    let answer = server.supervisor.reload();
    server.next("reload: importing the app").await;
    let supervisor = server.supervisor.clone();
    server.stop(IN_TIME).await;
    assert_eq!(answer.wait().await, Err(ReloadError::Stopping));
    assert_eq!(supervisor.reload().wait().await, Err(ReloadError::Stopping));
}

#[tokio::test]
async fn zygotes_and_workers_leave_when_the_supervisor_is_gone() {
    let mut server = Server::start(1, GOOD);
    server.see("activate 1").await;
    let pids = [server.zygote_pid(1), server.pid(1).await];
    let processes = pids.map(|pid| pidfd_open(pid_of(pid), PidfdFlags::empty()).unwrap());
    server.running.abort();
    assert!(server.running.await.unwrap_err().is_cancelled());
    for process in processes {
        let mut polled = [rustix::event::PollFd::new(
            &process,
            rustix::event::PollFlags::IN,
        )];
        rustix::event::poll(&mut polled, None).unwrap();
    }
}

#[test]
fn exits_read_as_sentences() {
    assert_eq!(Exit::Code(1).to_string(), "left with code 1");
    assert_eq!(Exit::Unknown.to_string(), "left, and nobody saw how");
}
