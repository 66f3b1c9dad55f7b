//! Every notice as people read it.

use super::*;
use crate::outcome::FailureStage;

#[test]
fn every_notice_reads_as_a_sentence() {
    let generation = GenerationId::new(2);
    let worker = WorkerId::new(7);
    let failure = Failure::new(FailureStage::Import, "ImportError: no");
    let started = |cause| Notice::ReleaseStarted { generation, cause };
    let failed = |serving| Notice::ReleaseFailed {
        generation,
        failure: failure.clone(),
        serving,
    };
    let died = |pid| Notice::WorkerDied {
        worker,
        pid,
        exit: Exit::Signal(9),
    };
    let unfit = |pid| Notice::WorkerUnfit {
        worker,
        pid,
        summary: "ImportError: no".to_owned(),
        traceback: "Traceback …\n".to_owned(),
    };
    let too_large = |delay| Notice::WorkerTooLarge {
        worker,
        resident: 625 << 19,
        limit: 300 << 20,
        delay,
    };
    let serves = |workers| Notice::ReleaseActive {
        generation,
        workers,
        millis: 250,
    };
    let reason = || "too many open files".to_owned();
    let exit = Exit::Code(1);
    let table = [
        (
            started(ReleaseCause::Start),
            "info: importing the app (generation 2)",
        ),
        (
            started(ReleaseCause::Reload),
            "info: reload: importing the app (generation 2)",
        ),
        (
            started(ReleaseCause::LostZygote),
            "warning: importing the app again, as its zygote is gone (generation 2)",
        ),
        (
            serves(1),
            "info: generation 2 serves with 1 worker after 250 ms",
        ),
        (
            serves(4),
            "info: generation 2 serves with 4 workers after 250 ms",
        ),
        (
            failed(None),
            "error: generation 2 failed (import): ImportError: no",
        ),
        (
            failed(Some(GenerationId::new(1))),
            "error: generation 2 failed (import): ImportError: no; generation 1 goes on serving",
        ),
        (
            Notice::ReloadRefused {
                given_up: Some(generation),
            },
            "warning: the reload is given up (generation 2): the server is stopping",
        ),
        (
            Notice::ReloadRefused { given_up: None },
            "warning: a reload was refused: the server is stopping",
        ),
        (
            Notice::GenerationEnded { generation },
            "info: generation 2 has ended",
        ),
        (
            died(Some(123)),
            "warning: worker 7 (process 123) was killed by signal 9",
        ),
        (died(None), "warning: worker 7 was killed by signal 9"),
        (
            unfit(Some(123)),
            "warning: worker 7 (process 123) cannot start: ImportError: no",
        ),
        (
            unfit(None),
            "warning: worker 7 cannot start: ImportError: no",
        ),
        (
            too_large(0),
            "warning: worker 7 uses 312.5 MiB of memory, more than max_rss (300.0 MiB); it is \
             replaced",
        ),
        (
            too_large(30_000),
            "error: worker 7 uses 312.5 MiB of memory, more than max_rss (300.0 MiB); as it is \
             so soon after its start, it goes on serving and is replaced in 30 s: the limit is \
             too low for this app, or the app grows too fast",
        ),
        (
            Notice::WorkerNotForked {
                worker,
                reason: reason(),
            },
            "warning: worker 7 could not be forked: too many open files",
        ),
        (
            Notice::WorkerHeldBack {
                generation,
                millis: 200,
            },
            "warning: workers of generation 2 die too soon; the next one in 200 ms",
        ),
        (
            Notice::WorkerNotReplaced { worker, generation },
            "error: worker 7 cannot be replaced before a new generation is ready: the zygote of \
             generation 2 is gone",
        ),
        (
            Notice::WorkerNotReady { worker },
            "warning: worker 7 did not get ready in time; its traceback follows, then it is replaced",
        ),
        (
            Notice::WorkerHampered { worker },
            "warning: a thread of worker 7 is stuck in a request; another worker takes its place, and \
             it ends when its other requests are answered",
        ),
        (
            Notice::WorkerStuck { worker },
            "warning: worker 7 is stuck in a request; its traceback follows, then it is replaced",
        ),
        (
            Notice::WorkerOverstayed { worker },
            "warning: worker 7 did not finish within the graceful timeout; ended",
        ),
        (
            Notice::WorkerLinkLost { worker },
            "warning: the link to worker 7 is gone; killed",
        ),
        (
            Notice::WorkersChanged { workers: 3 },
            "info: from now on 3 workers",
        ),
        (
            Notice::WorkersUnchanged { workers: 3 },
            "warning: the number of workers stays 3",
        ),
        (
            Notice::ZygoteDied { generation, exit },
            "error: the zygote of generation 2 left with code 1; its workers go on serving while \
             a new generation is started",
        ),
        (
            Notice::ZygoteBroken {
                generation,
                reason: reason(),
            },
            "error: the zygote of generation 2 is killed: too many open files",
        ),
        (
            Notice::Stopping,
            "info: stopping: every worker finishes its requests",
        ),
        (Notice::Killing, "info: stopping now"),
    ];
    for (notice, expected) in table {
        let level = match notice.level() {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        assert_eq!(format!("{level}: {notice}"), expected);
    }
}
