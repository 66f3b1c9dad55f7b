use super::*;

const REFRESH: Duration = Duration::from_secs(600);
const COOLDOWN: Duration = Duration::from_secs(30);
const MIDDLE: u64 = 512;

fn pace() -> Pace {
    Pace::new(REFRESH, COOLDOWN)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// After how many whole seconds the next refresh is due, rounded.
fn due_after(pace: &Pace, now: Instant) -> u64 {
    let due = pace.due().unwrap() - now;
    (due + Duration::from_millis(500)).as_secs()
}

#[test]
fn everything_is_allowed_at_first() {
    let now = Instant::now();
    for errand in [Errand::Absence, Errand::UnknownKey, Errand::Refresh] {
        assert!(pace().allows(errand, now));
    }
    assert_eq!(pace().due(), None);
}

#[test]
fn unknown_keys_cause_one_fetch_per_cooldown() {
    let now = Instant::now();
    let mut pace = pace();
    pace.succeeded(Errand::UnknownKey, now, MIDDLE);
    assert!(!pace.allows(Errand::UnknownKey, now + seconds(29)));
    assert!(pace.allows(Errand::UnknownKey, now + seconds(30)));
}

#[test]
fn refresh_does_not_use_up_the_fetch_for_an_unknown_key() {
    let now = Instant::now();
    let mut pace = pace();
    pace.succeeded(Errand::Refresh, now, MIDDLE);
    assert!(pace.allows(Errand::UnknownKey, now));
}

#[test]
fn refresh_does_not_end_the_cooldown() {
    let now = Instant::now();
    let mut pace = pace();
    pace.succeeded(Errand::UnknownKey, now, MIDDLE);
    pace.succeeded(Errand::Refresh, now + seconds(10), MIDDLE);
    assert!(!pace.allows(Errand::UnknownKey, now + seconds(29)));
}

#[test]
fn every_failure_makes_demands_pause_and_longer_up_to_the_cooldown() {
    let mut now = Instant::now();
    let mut pace = pace();
    for pause in [5, 10, 20, 30, 30] {
        pace.failed(now, MIDDLE);
        for errand in [Errand::Absence, Errand::UnknownKey] {
            assert!(!pace.allows(errand, now + seconds(pause) - Duration::from_millis(1)));
            assert!(pace.allows(errand, now + seconds(pause)));
        }
        now += seconds(pause);
    }
}

#[test]
fn retries_back_off_up_to_the_refresh_interval() {
    let now = Instant::now();
    let mut pace = pace();
    for pause in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
        pace.failed(now, MIDDLE);
        assert_eq!(due_after(&pace, now), pause);
    }
}

#[test]
fn success_ends_the_pause_of_a_failure() {
    let now = Instant::now();
    let mut pace = pace();
    pace.failed(now, MIDDLE);
    pace.failed(now, MIDDLE);
    pace.succeeded(Errand::Refresh, now, MIDDLE);
    assert!(pace.allows(Errand::UnknownKey, now));
    assert_eq!(due_after(&pace, now), 600);
    pace.failed(now, MIDDLE);
    assert_eq!(due_after(&pace, now), 5);
}

#[test]
fn thousandth_failure_is_as_harmless_as_the_tenth() {
    let now = Instant::now();
    let mut pace = pace();
    for _ in 0..1000 {
        pace.failed(now, MIDDLE);
    }
    assert_eq!(due_after(&pace, now), 600);
}

#[test]
fn refresh_is_spread_over_a_tenth_to_both_sides() {
    let all: Vec<Duration> = (0..2048).map(|roll| spread(REFRESH, roll)).collect();
    assert_eq!(all.iter().min(), Some(&seconds(540)));
    assert_eq!(all.iter().max(), Some(&seconds(660)));
}

#[test]
fn longest_refresh_does_not_overflow() {
    let week = seconds(7 * 24 * 3600);
    assert_eq!(spread(week, 1023), week * 11 / 10);
}
