//! Points in time for people: as UTC dates, and as seen from now.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use yett_jwt::UnixSeconds;

/// A moment as a date in UTC, such as `2023-11-14T22:13:20Z`; none outside the years 0 to 9999.
pub(crate) fn utc(moment: UnixSeconds) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(moment.get())
        .ok()?
        .format(&Rfc3339)
        .ok()
}

/// The same, or the bare seconds.
pub(crate) fn utc_or_seconds(moment: UnixSeconds) -> String {
    utc(moment).unwrap_or_else(|| format!("{moment} s after 1970"))
}

/// A span of time, rounded down: `42 s`, `3 min`, `1 h 59 min`, `12 days`, `3 years`.
pub(crate) fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let with_rest = |whole: String, rest: u64, unit: &str| match rest {
        0 => whole,
        rest => format!("{whole} {rest} {unit}"),
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => {
            let hours = format!("{} h", seconds / HOUR);
            with_rest(hours, seconds % HOUR / MINUTE, "min")
        }
        DAY..YEAR => {
            let days = counted(seconds / DAY, "day");
            if seconds < 10 * DAY {
                with_rest(days, seconds % DAY / HOUR, "h")
            } else {
                days
            }
        }
        _ => counted(seconds / YEAR, "year"),
    }
}

/// A moment as seen from now: `3 min ago`, `in 5 min`, `now`.
pub(crate) fn from_now(moment: UnixSeconds, now: UnixSeconds) -> String {
    let distance = span(moment.get().abs_diff(now.get()));
    match moment.cmp(&now) {
        std::cmp::Ordering::Less => format!("{distance} ago"),
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Greater => format!("in {distance}"),
    }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_in_utc_as_far_as_there_are_any() {
        let at = |seconds| utc(UnixSeconds::new(seconds));
        assert_eq!(at(1_700_000_000).unwrap(), "2023-11-14T22:13:20Z");
        assert_eq!(at(-1).unwrap(), "1969-12-31T23:59:59Z");
        assert_eq!(at(i64::MAX), None);
        assert_eq!(at(i64::MIN), None);
        assert_eq!(
            utc_or_seconds(UnixSeconds::new(i64::MAX)),
            "9223372036854775807 s after 1970"
        );
    }

    #[test]
    fn spans_are_rounded_down_to_what_people_say() {
        let spans = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (7_199, "1 h 59 min"),
            (86_400, "1 day"),
            (90_000, "1 day 1 h"),
            (864_000, "10 days"),
            (31_536_000, "1 year"),
            (u64::MAX, "584942417355 years"),
        ];
        for (seconds, text) in spans {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn the_farthest_moments_are_told() {
        let (first, last) = (UnixSeconds::new(i64::MIN), UnixSeconds::new(i64::MAX));
        assert!(from_now(first, last).ends_with("years ago"));
        assert!(from_now(last, first).starts_with("in "));
        assert_eq!(from_now(last, last), "now");
    }
}
