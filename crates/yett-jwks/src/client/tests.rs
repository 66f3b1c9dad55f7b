//! The client over scripted issuers, in paused time: it passes only while every task waits for it.

use tokio::task::yield_now;
use tokio::time::{advance, sleep};

use super::*;
use crate::testing::{Act, Script, set};

fn never() -> std::future::Pending<()> {
    std::future::pending()
}

/// Lets every task run until it waits: the runtime runs some dozens of them between two looks at
/// this one.
async fn everybody_waits() {
    for _ in 0..1000 {
        yield_now().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn answer(kids: &[&str]) -> Act {
    Act::Answer(set(kids))
}

/// An answer that takes a second.
fn slow(kids: &[&str]) -> Act {
    Act::AnswerAfter(seconds(1), set(kids))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_before_somebody_asks() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    assert!(client.current().is_none());
    assert_eq!(script.fetches(), 0);
    assert_eq!(client.status().fetches, 0);
}

#[tokio::test(start_paused = true)]
async fn first_keys_are_fetched_once_and_then_at_hand() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    for _ in 0..3 {
        assert!(client.keys().await.unwrap().contains("a"));
        assert!(client.keys_for("a").await.unwrap().contains("a"));
    }
    assert!(client.current().unwrap().contains("a"));
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_fetch_however_many_wait() {
    let script = Script::new([slow(&["a"]), slow(&["a", "b"])]);
    let client = script.client();
    for kid in ["a", "b"] {
        let waiting: Vec<_> = (0..500)
            .map(|number| {
                let client = client.clone();
                tokio::spawn(async move {
                    match number % 2 {
                        0 => client.keys_for(kid).await,
                        _ => client.keys_for("neither").await,
                    }
                })
            })
            .collect();
        for waiting in waiting {
            assert!(waiting.await.unwrap().unwrap().contains(kid));
        }
        advance(seconds(30)).await;
    }
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_kid_refetches_once_per_cooldown() {
    let script = Script::new([answer(&["a"]), answer(&["a", "b"]), answer(&["c"])]);
    let client = script.client();
    client.keys().await.unwrap();
    assert!(client.keys_for("b").await.unwrap().contains("b"));
    assert_eq!(script.fetches(), 2);
    for number in 0..100 {
        let kid = format!("made up {number}");
        assert!(client.keys_for(&kid).await.unwrap().contains("b"));
    }
    advance(seconds(29)).await;
    assert!(!client.keys_for("c").await.unwrap().contains("c"));
    assert_eq!(script.fetches(), 2);
    advance(seconds(1)).await;
    assert!(client.keys_for("c").await.unwrap().contains("c"));
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn known_kid_never_fetches_nor_waits() {
    let script = Script::new([answer(&["a"]), Act::Silence]);
    let client = script.client();
    client.keys().await.unwrap();
    let other = client.clone();
    let stuck = tokio::spawn(async move { other.keys_for("b").await });
    yield_now().await;
    let at_once = timeout(Duration::ZERO, client.keys_for("a")).await;
    assert!(at_once.unwrap().unwrap().contains("a"));
    stuck.abort();
}

#[tokio::test(start_paused = true)]
async fn kid_that_came_a_moment_ago_does_not_fetch() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    client.keys().await.unwrap();
    // Whoever looked before it came, and asks for the fetch only now.
    for lacking in [Some("a"), None] {
        let join = client.keeper.join(Errand::UnknownKey, lacking);
        assert!(matches!(join, Join::Declined(None)));
    }
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn kid_that_no_key_can_have_does_not_fetch() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    client.keys().await.unwrap();
    client.keys_for(&"k".repeat(257)).await.unwrap();
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancelled_waiter_does_not_cancel_the_fetch() {
    let script = Script::new([slow(&["a"])]);
    let client = script.client();
    let other = client.clone();
    let first = tokio::spawn(async move { other.keys().await });
    yield_now().await;
    let other = client.clone();
    let second = tokio::spawn(async move { other.keys().await });
    yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(second.await.unwrap().unwrap().contains("a"));
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetch_ends_even_if_nobody_waits_any_more() {
    let script = Script::new([slow(&["a"])]);
    let client = script.client();
    assert!(
        timeout(Duration::from_millis(1), client.keys())
            .await
            .is_err()
    );
    let mut status = client.subscribe();
    status.changed().await.unwrap();
    assert!(client.current().unwrap().contains("a"));
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn stale_set_serves_while_the_issuer_is_down() {
    let script = Script::new([answer(&["a"]), Act::Fail]);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    client.keys().await.unwrap();
    sleep(seconds(24 * 3600)).await;
    assert!(client.keys().await.unwrap().contains("a"));
    assert!(client.keys_for("a").await.unwrap().contains("a"));
    assert!(client.keys_for("b").await.unwrap().contains("a"));
    let status = client.status();
    assert!(status.failures_in_row > 100);
    assert!(matches!(status.last_error, Some(JwksError::Status(503))));
    assert!(status.last_success.unwrap().elapsed() >= seconds(24 * 3600));
    refreshing.abort();
}

#[tokio::test(start_paused = true)]
async fn issuer_that_is_down_is_not_hammered() {
    let script = Script::new([Act::Fail]);
    let client = script.client();
    for _ in 0..100 {
        assert!(matches!(client.keys().await, Err(JwksError::Status(503))));
        assert!(matches!(
            client.keys_for("a").await,
            Err(JwksError::Status(503))
        ));
    }
    assert_eq!(script.fetches(), 1);
    advance(seconds(5)).await;
    client.keys().await.unwrap_err();
    advance(seconds(5)).await;
    client.keys().await.unwrap_err();
    assert_eq!(script.fetches(), 2);
    advance(seconds(5)).await;
    client.keys().await.unwrap_err();
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn failed_fetch_for_an_unknown_kid_is_tried_again_sooner_than_a_good_one() {
    let script = Script::new([answer(&["a"]), Act::Fail, answer(&["a", "b"])]);
    let client = script.client();
    client.keys().await.unwrap();
    assert!(!client.keys_for("b").await.unwrap().contains("b"));
    assert!(!client.keys_for("b").await.unwrap().contains("b"));
    assert_eq!(script.fetches(), 2);
    advance(seconds(5)).await;
    assert!(client.keys_for("b").await.unwrap().contains("b"));
}

#[tokio::test(start_paused = true)]
async fn bad_answer_never_replaces_a_good_set() {
    for bad in [
        b"".to_vec(),
        b"<html>".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        set(&[]),
        br#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#.to_vec(),
        vec![0xff; 100],
    ] {
        let script = Script::new([answer(&["a"]), Act::Answer(bad)]);
        let client = script.client();
        let good = client.keys().await.unwrap();
        let after = client.keys_for("b").await.unwrap();
        assert_eq!(script.fetches(), 2);
        assert!(Arc::ptr_eq(&good, &after));
        assert_eq!(client.status().failures_in_row, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn set_with_duplicate_kid_does_not_replace_a_good_one() {
    let script = Script::new([answer(&["a"]), answer(&["b", "b"])]);
    let client = script.client();
    client.keys().await.unwrap();
    assert!(client.keys_for("b").await.unwrap().contains("a"));
    assert!(matches!(
        client.status().last_error,
        Some(JwksError::KeySet(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn key_that_the_issuer_withdrew_is_gone() {
    let script = Script::new([answer(&["a"]), answer(&["b"])]);
    let client = script.client();
    client.keys().await.unwrap();
    let set = client.keys_for("b").await.unwrap();
    assert!(set.contains("b") && !set.contains("a"));
}

#[tokio::test(start_paused = true)]
async fn same_answer_keeps_the_same_set() {
    let script = Script::new([answer(&["a"]), answer(&["a"]), answer(&["a", "b"])]);
    let client = script.client();
    let first = client.keys().await.unwrap();
    let second = client.keys_for("b").await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(
        (client.status().fetches, client.status().replacements),
        (2, 1)
    );
    advance(seconds(30)).await;
    let third = client.keys_for("b").await.unwrap();
    assert!(!Arc::ptr_eq(&first, &third));
    assert_eq!(client.status().replacements, 2);
}

#[tokio::test(start_paused = true)]
async fn silent_issuer_costs_one_timeout() {
    let script = Script::new([Act::Silence]);
    let client = script.client();
    let start = Instant::now();
    assert!(matches!(
        client.keys().await,
        Err(JwksError::Timeout { .. })
    ));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn background_refreshes_give_or_take_a_tenth() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    let mut status = client.subscribe();
    status.changed().await.unwrap();
    assert_eq!(script.fetches(), 1, "the first at once");
    for _ in 0..20 {
        let last = client.status().last_success.unwrap();
        status.changed().await.unwrap();
        let between = client.status().last_success.unwrap() - last;
        assert!((540..=661).contains(&between.as_secs()), "{between:?}");
    }
    refreshing.abort();
}

#[tokio::test(start_paused = true)]
async fn background_backs_off_and_recovers() {
    let mut acts = vec![Act::Fail; 9];
    acts.push(answer(&["a"]));
    let script = Script::new(acts);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    let mut status = client.subscribe();
    status.changed().await.unwrap();
    for pause in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
        let last = client.status().last_failure.unwrap();
        status.changed().await.unwrap();
        let between = last.elapsed().as_millis();
        assert!(
            (pause * 900..=pause * 1100 + 2).contains(&between),
            "{pause} {between}"
        );
    }
    assert!(client.current().unwrap().contains("a"));
    assert_eq!(client.status().failures_in_row, 0);
    refreshing.abort();
}

#[tokio::test(start_paused = true)]
async fn fetch_on_demand_puts_the_refresh_off() {
    let script = Script::new([answer(&["a"])]);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    client.keys().await.unwrap();
    sleep(seconds(500)).await;
    client.keys_for("b").await.unwrap();
    assert_eq!(script.fetches(), 2);
    sleep(seconds(530)).await;
    assert_eq!(script.fetches(), 2);
    sleep(seconds(140)).await;
    assert_eq!(script.fetches(), 3);
    refreshing.abort();
}

#[tokio::test(start_paused = true)]
async fn failure_on_demand_brings_the_refresh_forward() {
    let script = Script::new([answer(&["a"]), Act::Fail, answer(&["a", "b"])]);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    client.keys().await.unwrap();
    client.keys_for("b").await.unwrap();
    sleep(seconds(6)).await;
    assert!(client.current().unwrap().contains("b"));
    refreshing.abort();
}

#[tokio::test(start_paused = true)]
async fn refresh_joins_a_fetch_that_runs() {
    let script = Script::new([slow(&["a"])]);
    let client = script.client();
    let refreshing = tokio::spawn(client.clone().refresh_until(never()));
    let again = tokio::spawn(client.clone().refresh_until(never()));
    client.keys().await.unwrap();
    assert_eq!(script.fetches(), 1);
    refreshing.abort();
    again.abort();
}

#[tokio::test(start_paused = true)]
async fn background_stops_at_once_also_amid_a_fetch() {
    let script = Script::new([Act::Silence]);
    let client = script.client();
    let start = Instant::now();
    client.refresh_until(sleep(seconds(1))).await;
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn crowd_beyond_the_bound_does_not_wait() {
    let script = Script::new([answer(&["a"]), Act::Silence]);
    let client = script.client();
    client.keys().await.unwrap();
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.keys_for("b").await })
        })
        .collect();
    everybody_waits().await;
    let at_once = timeout(Duration::ZERO, client.keys_for("c")).await;
    assert!(at_once.unwrap().unwrap().contains("a"));
    for waiting in waiting {
        assert!(waiting.await.unwrap().unwrap().contains("a"));
    }
}

#[tokio::test(start_paused = true)]
async fn crowd_without_a_set_is_told_so() {
    let script = Script::new([Act::Silence]);
    let client = script.client();
    for _ in 0..1000 {
        let client = client.clone();
        tokio::spawn(async move { client.keys().await });
    }
    everybody_waits().await;
    let at_once = timeout(Duration::ZERO, client.keys()).await;
    assert!(matches!(at_once.unwrap(), Err(JwksError::Crowded)));
}

#[tokio::test(start_paused = true)]
async fn fetch_that_panics_is_a_failed_fetch() {
    let script = Script::new([Act::Panic, answer(&["a"])]);
    let client = script.client();
    assert!(matches!(client.keys().await, Err(JwksError::Interrupted)));
    advance(seconds(5)).await;
    assert!(client.keys().await.unwrap().contains("a"));
}

#[test]
fn fetch_whose_runtime_ends_is_a_failed_fetch_and_another_runtime_can_go_on() {
    let script = Script::new([Act::Silence, answer(&["a"])]);
    let client = script.client();
    runtime().block_on(async {
        assert!(
            timeout(Duration::from_millis(1), client.keys())
                .await
                .is_err()
        );
    });
    assert!(matches!(
        client.status().last_error,
        Some(JwksError::Interrupted)
    ));
    runtime().block_on(async {
        assert!(matches!(client.keys().await, Err(JwksError::Interrupted)));
        advance(seconds(6)).await;
        assert!(client.keys().await.unwrap().contains("a"));
    });
}

#[test]
fn fetch_on_a_runtime_that_stands_still_is_not_waited_for_without_end() {
    let script = Script::new([Act::Silence]);
    let client = script.client();
    let standing = runtime();
    standing.block_on(async {
        assert!(
            timeout(Duration::from_millis(1), client.keys())
                .await
                .is_err()
        );
    });
    runtime().block_on(async {
        let start = Instant::now();
        assert!(matches!(client.keys().await, Err(JwksError::Interrupted)));
        assert_eq!(start.elapsed().as_secs(), 6);
    });
}
