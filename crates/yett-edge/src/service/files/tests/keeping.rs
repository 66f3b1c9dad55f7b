//! What is kept between requests: how long, how much, and that a change is seen.

use super::*;
use crate::settings::FilesSettings;

fn bounded(mount: Mount, open: usize, memory: u64) -> Bench {
    let settings = EdgeSettings {
        files: FilesSettings {
            open,
            memory,
            ..FilesSettings::default()
        },
        ..EdgeSettings::default()
    };
    Bench::with_mount(settings, "/static/", mount)
}

#[tokio::test(start_paused = true)]
async fn change_is_seen_within_a_second_and_not_looked_for_before() {
    let folder = folder();
    let path = folder.path();
    let bench = serving(Mount::new(path.into()));
    put(path, "b.txt", "one");
    assert_eq!(answer(&bench, "/static/b.txt", "").await, "200 OK | one");
    put(path, "b.txt", "two");
    assert_eq!(answer(&bench, "/static/b.txt", "").await, "200 OK | one");
    bench.clock.pass(cache::FRESH).await;
    assert_eq!(answer(&bench, "/static/b.txt", "").await, "200 OK | two");
    fs::rename(path.join("css/a.css"), path.join("b.txt")).unwrap();
    bench.clock.pass(cache::FRESH).await;
    assert_eq!(
        answer(&bench, "/static/b.txt", "").await,
        "200 OK | body {}"
    );
    fs::remove_file(path.join("b.txt")).unwrap();
    bench.clock.pass(cache::FRESH).await;
    assert_eq!(answer(&bench, "/static/b.txt", "").await, MISSING);
    // What was not there is looked for each time.
    put(path, "b.txt", "back");
    assert_eq!(answer(&bench, "/static/b.txt", "").await, "200 OK | back");
}

#[tokio::test(start_paused = true)]
async fn in_development_every_request_sees_the_file_as_it_is() {
    let folder = folder();
    let mut mount = Mount::new(folder.path().into());
    mount.look = Look::Always;
    let bench = serving(mount);
    for content in ["one", "two", "six"] {
        // As an editor does it: in place, perhaps within one tick of the file system's clock.
        fs::write(folder.path().join("b.txt"), content).unwrap();
        let expected = format!("200 OK | {content}");
        assert_eq!(answer(&bench, "/static/b.txt", "").await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn compressed_form_that_comes_or_goes_is_seen() {
    let folder = folder();
    let bench = serving(Mount::new(folder.path().into()));
    let gzip = "Accept-Encoding: gzip\r\n";
    let plain = format!("200 OK | {}", "0123456789".repeat(20));
    assert_eq!(answer(&bench, "/static/a.txt", gzip).await, plain);
    put(folder.path(), "a.txt.gz", "small");
    bench.clock.pass(cache::FRESH).await;
    assert_eq!(
        answer(&bench, "/static/a.txt", gzip).await,
        "200 OK | small"
    );
    fs::remove_file(folder.path().join("a.txt.gz")).unwrap();
    bench.clock.pass(cache::FRESH).await;
    assert_eq!(answer(&bench, "/static/a.txt", gzip).await, plain);
}

#[tokio::test(start_paused = true)]
async fn neither_bound_is_passed_and_every_file_is_served_all_the_same() {
    let folder = folder();
    for number in 0..40 {
        put(folder.path(), &format!("{number}.txt"), "x".repeat(1000));
    }
    for (open, memory, most) in [(8, 1 << 20, 8), (1000, 10_000, 10), (1000, 1 << 20, 1000)] {
        let bench = bounded(Mount::new(folder.path().into()), open, memory);
        for _ in 0..2 {
            for number in 0..40 {
                let answer = answer(&bench, &format!("/static/{number}.txt"), "").await;
                assert_eq!(answer.len(), "200 OK | ".len() + 1000);
            }
        }
        let (files, held) = bench.files_held();
        assert!(files <= most && held <= memory, "{files} {held}");
        let met = bench.met(Limit::StaticFiles);
        assert_eq!(met > 0, most < 40, "{met}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_memory_every_answer_is_read_from_its_open_file() {
    let folder = folder();
    let bench = bounded(Mount::new(folder.path().into()), 10, 0);
    for _ in 0..2 {
        assert_eq!(
            answer(&bench, "/static/css/a.css", "").await,
            "200 OK | body {}"
        );
    }
    assert_eq!(bench.files_held(), (1, 0));
}
