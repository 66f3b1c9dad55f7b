//! Both sides of the control socket against each other, in a folder of the test's own.

use super::{
    client::living,
    command::{Outcome, Stopping, ask},
    entry::{EntryFiles, ServerInfo},
    server::is_allowed,
    *,
};
use crate::{
    cli::{Form, Manner, Which},
    config::Environment,
    print::{Exit, Failure, Paint},
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::Notify,
    task::JoinHandle,
};

/// A server that does as it is told.
#[derive(Default)]
struct Puppet {
    reload: Option<ReloadAnswer>,
    hold_reload: Option<Arc<Notify>>,
    stopped: Mutex<Vec<Manner>>,
    stop_came: Notify,
}

impl ControlTarget for Puppet {
    async fn reload(&self) -> ReloadAnswer {
        if let Some(hold) = &self.hold_reload {
            hold.notified().await;
        }
        self.reload.clone().unwrap_or(ReloadAnswer::Reloaded {
            generation: 2,
            millis: 1_250,
            kept_certificates: None,
        })
    }

    fn stops_within(&self, manner: Manner) -> Duration {
        Duration::from_secs(if manner == Manner::Quick { 0 } else { 30 })
    }

    fn stop(&self, manner: Manner) {
        self.stopped.lock().unwrap().push(manner);
        self.stop_came.notify_one();
    }

    fn status(&self) -> serde_json::Value {
        serde_json::json!({
            "active": 1, "releasing": null, "draining": false, "addresses": ["a", "b"],
            "workers": [
                {"id": 1, "in_flight": 0, "age_millis": 61_549, "resident_bytes": 13_713_408},
                {"id": 2, "in_flight": 3, "age_millis": 99, "resident_bytes": null},
            ],
            "crash_looping": [], "queue": {"waiting": 0},
        })
    }
}

/// A folder of the test's own, as `TMPDIR`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn environment(&self) -> Environment {
        Environment::of(&[("TMPDIR", self.0.path().to_str().unwrap())])
    }

    fn folder(&self) -> ControlFolder {
        ControlFolder::make(&self.environment()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder().path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn serve(&self, info: &ServerInfo, puppet: &Arc<Puppet>) -> JoinHandle<()> {
        let server = ControlServer::bind(info, &self.environment()).unwrap();
        tokio::spawn(server.run(Arc::clone(puppet)))
    }

    async fn run(&self, command: Command, which: Which, here: &str) -> Result<String, Failure> {
        match ask(command, which, Path::new(here), vec![self.folder()]).await? {
            Outcome::Done(text) => Ok(text),
            Outcome::Stopping(stopping) => panic!("{stopping:?}"),
        }
    }

    async fn failure(&self, command: Command, which: Which, here: &str) -> String {
        let failure = self.run(command, which, here).await.unwrap_err();
        assert_eq!(failure.exit(), Exit::Failed);
        failure.text(Paint::Off)
    }
}

fn info(pid: u32, folder: &str) -> ServerInfo {
    ServerInfo {
        pid,
        folder: PathBuf::from(folder),
        app: "notes_site.wsgi:application".to_owned(),
        binds: vec!["127.0.0.1:8000".to_owned()],
        version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn a_reload_that_works_is_told() {
    let place = Place::new();
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::default());
    let text = place
        .run(Command::Reload, Which::StartedHere, "/srv/notes")
        .await
        .unwrap();
    assert_eq!(text, "reloaded: generation 2 serves, after 1.2 s\n");
}

#[tokio::test]
async fn a_reload_of_bad_code_prints_the_traceback_and_fails() {
    let place = Place::new();
    let reload = Some(ReloadAnswer::KeptOld {
        summary: "ModuleNotFoundError: No module named 'x'".to_owned(),
        traceback: "Traceback (most recent call last):\n  File \"a.py\"\u{1b}[2J\n".to_owned(),
    });
    let puppet = Puppet {
        reload,
        ..Puppet::default()
    };
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::new(puppet));
    assert_eq!(
        place
            .failure(Command::Reload, Which::StartedHere, "/srv/notes")
            .await,
        "Traceback (most recent call last):\n  File \"a.py\"\\u{1b}[2J\n\n\
         error: the new code does not start: ModuleNotFoundError: No module named 'x'\n\
         hint: the old code keeps serving\n"
    );
}

#[tokio::test]
async fn a_reload_whose_certificates_were_not_taken_says_so_and_fails() {
    let place = Place::new();
    let puppet = Puppet {
        reload: Some(ReloadAnswer::Reloaded {
            generation: 2,
            millis: 1_250,
            kept_certificates: Some("there is no private key in own.key".to_owned()),
        }),
        ..Puppet::default()
    };
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::new(puppet));
    assert_eq!(
        place
            .failure(Command::Reload, Which::StartedHere, "/srv/notes")
            .await,
        "error: the new certificates were not taken, and those from before stay in use: there is no private key in own.key\n\
         hint: the code was reloaded: generation 2 serves, after 1.2 s\n"
    );
}

#[tokio::test]
async fn a_reload_that_was_not_tried_says_why() {
    let place = Place::new();
    let puppet = Puppet {
        reload: Some(ReloadAnswer::NotTried("the server is stopping".to_owned())),
        ..Puppet::default()
    };
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::new(puppet));
    let text = place
        .failure(Command::Reload, Which::StartedHere, "/srv/notes")
        .await;
    assert_eq!(text, "error: the server refused: the server is stopping\n");
}

#[tokio::test]
async fn a_status_gets_through_while_a_reload_takes_its_time() {
    let place = Place::new();
    let hold = Arc::new(Notify::new());
    let puppet = Arc::new(Puppet {
        hold_reload: Some(Arc::clone(&hold)),
        ..Puppet::default()
    });
    let _server = place.serve(&info(7, "/srv/notes"), &puppet);
    let reload = place.run(Command::Reload, Which::Pid(7), "/");
    let status = async {
        let text = place
            .run(Command::Status(Form::Text), Which::Pid(7), "/")
            .await
            .unwrap();
        hold.notify_one();
        text
    };
    let (reload, status) = tokio::join!(reload, status);
    assert!(reload.is_ok());
    assert_eq!(
        status,
        "pid 7: notes_site.wsgi:application at 127.0.0.1:8000 from /srv/notes\nversion: 0.1.0\nactive: 1\n\
         addresses: a, b\ncrash looping: none\ndraining: no\nqueue:\n  waiting: 0\nreleasing: none\n\
         workers:\n  age: 61.5 s\n  id: 1\n  in flight: 0\n  resident: 13.0 MiB\n\
         workers:\n  age: 0.0 s\n  id: 2\n  in flight: 3\n  resident: none\n"
    );
}

#[tokio::test]
async fn a_status_in_json_has_the_server_and_its_words() {
    let place = Place::new();
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::default());
    let text = place
        .run(Command::Status(Form::Json), Which::Pid(7), "/")
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["server"]["pid"], 7);
    assert_eq!(value["server"]["folder"], "/srv/notes");
    assert_eq!(value["status"]["workers"][1]["in_flight"], 3);
}

#[tokio::test]
async fn a_stop_is_passed_on_with_its_manner() {
    for (manner, within) in [(Manner::Graceful, 35), (Manner::Quick, 5)] {
        let place = Place::new();
        let puppet = Arc::new(Puppet::default());
        let server = place.serve(&info(7, "/srv/notes"), &puppet);
        let command = Command::Stop(manner);
        let outcome = ask(
            command,
            Which::StartedHere,
            Path::new("/srv/notes"),
            vec![place.folder()],
        )
        .await;
        let Ok(Outcome::Stopping(stopping)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(
            (stopping.pid, stopping.within),
            (7, Duration::from_secs(within))
        );
        assert!(stopping.process.is_some());
        // The answer comes before the stop, so the stop is waited for.
        puppet.stop_came.notified().await;
        assert_eq!(*puppet.stopped.lock().unwrap(), [manner]);
        server.abort();
    }
}

#[test]
fn a_stop_waits_until_the_process_has_ended() {
    let mut child = process::Command::new("cat")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let watched = Pid::from_child(&child);
    let stopping = |manner, within| {
        let process = pidfd_open(watched, PidfdFlags::empty()).ok();
        Stopping {
            pid: 7,
            process,
            within,
            manner,
        }
        .finished()
        .map_err(|failure| failure.text(Paint::Off))
    };
    assert_eq!(
        stopping(Manner::Graceful, Duration::ZERO).unwrap_err(),
        "error: the server with the process id 7 was told to stop and has not ended\n\
         hint: yett stop --quick --pid 7 does not wait for requests\n"
    );
    assert_eq!(
        stopping(Manner::Quick, Duration::ZERO).unwrap_err(),
        "error: the server with the process id 7 was told to stop and has not ended\n\
         hint: kill -KILL 7 ends it for certain\n"
    );
    drop(child.stdin.take());
    let text = stopping(Manner::Graceful, Duration::from_secs(60)).unwrap();
    assert_eq!(text, "stopped the server with the process id 7\n");
    assert!(child.wait().unwrap().success(), "{pid}");
}

#[tokio::test]
async fn without_a_server_the_sentence_helps() {
    let place = Place::new();
    assert_eq!(
        place
            .failure(Command::Reload, Which::StartedHere, "/srv/notes")
            .await,
        "error: no server runs that was started in /srv/notes\nhint: start one with yett serve\n"
    );
    let _server = place.serve(&info(7, "/srv/other"), &Arc::default());
    assert_eq!(
        place
            .failure(Command::Reload, Which::StartedHere, "/srv/notes")
            .await,
        "error: no server runs that was started in /srv/notes\nhint: choose one with --pid:\n  \
         pid 7: notes_site.wsgi:application at 127.0.0.1:8000 from /srv/other\n"
    );
    assert_eq!(
        place
            .failure(Command::Reload, Which::Pid(8), "/srv/notes")
            .await,
        "error: no server of yett with the process id 8 runs\nhint: these run:\n  \
         pid 7: notes_site.wsgi:application at 127.0.0.1:8000 from /srv/other\n"
    );
}

#[tokio::test]
async fn several_servers_of_a_folder_are_listed() {
    let place = Place::new();
    let _first = place.serve(&info(7, "/srv/notes"), &Arc::default());
    let _second = place.serve(&info(12, "/srv/notes"), &Arc::default());
    assert_eq!(
        place
            .failure(
                Command::Status(Form::Text),
                Which::StartedHere,
                "/srv/notes"
            )
            .await,
        "error: 2 servers were started in /srv/notes:\n  \
         pid 7: notes_site.wsgi:application at 127.0.0.1:8000 from /srv/notes\n  \
         pid 12: notes_site.wsgi:application at 127.0.0.1:8000 from /srv/notes\nhint: choose one with --pid\n"
    );
}

#[tokio::test]
async fn the_entry_is_private_and_goes_with_its_server() {
    let place = Place::new();
    let server = place.serve(&info(7, "/srv/notes"), &Arc::default());
    assert_eq!(place.names(), ["7.json", "7.sock"]);
    for name in place.names() {
        let mode = fs::metadata(place.folder().path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    assert_eq!(place.names(), [""; 0]);
}

#[tokio::test]
async fn entries_of_dead_servers_are_removed_and_others_stay() {
    let place = Place::new();
    let folder = place.folder();
    // A socket whose server is gone without cleaning up, a description without a socket, and things
    // that are not ours.
    drop(
        EntryFiles::new(folder.path(), 5)
            .make(&info(5, "/srv/notes"))
            .unwrap(),
    );
    fs::write(folder.path().join("6.json"), "{}").unwrap();
    fs::write(folder.path().join("notes.txt"), "").unwrap();
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::default());
    let pids: Vec<u32> = living(&[folder])
        .await
        .iter()
        .map(|server| server.info.pid)
        .collect();
    assert_eq!(pids, [7]);
    assert_eq!(place.names(), ["7.json", "7.sock", "notes.txt"]);
}

#[tokio::test]
async fn what_an_earlier_process_with_the_same_id_left_is_replaced() {
    let place = Place::new();
    drop(
        EntryFiles::new(place.folder().path(), 7)
            .make(&info(7, "/srv/old"))
            .unwrap(),
    );
    let _server = place.serve(&info(7, "/srv/new"), &Arc::default());
    assert!(
        place
            .run(Command::Status(Form::Text), Which::StartedHere, "/srv/new")
            .await
            .is_ok()
    );
}

/// Sends bytes as a client and reads all that comes back.
async fn exchange(place: &Place, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(place.folder().path().join("7.sock"))
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    // A server that closes with unread bytes resets the connection; that is an answer too.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_request_that_nobody_knows_is_refused_and_the_server_lives_on() {
    let place = Place::new();
    let _server = place.serve(&info(7, "/srv/notes"), &Arc::default());
    let refused =
        "{\"answer\":\"refused\",\"message\":\"this is no request that the server knows\"}\n";
    assert_eq!(exchange(&place, b"{\"op\":\"halt\"}\n").await, refused);
    assert_eq!(exchange(&place, b"\xff\xfe\n").await, refused);
    assert_eq!(exchange(&place, b"").await, refused);
    assert_eq!(exchange(&place, &vec![b'x'; 8 << 10]).await, "");
    assert!(
        exchange(&place, b"{\"op\":\"status\"}\n")
            .await
            .starts_with("{\"answer\":\"status\"")
    );
}

#[test]
fn the_same_user_and_root_are_allowed_and_nobody_else() {
    assert!(is_allowed(1000, 1000));
    assert!(is_allowed(0, 1000));
    assert!(!is_allowed(1001, 1000));
    assert!(!is_allowed(1000, 0));
}
