//! Durations and sizes as people write them: a whole number and its unit. A bare number is refused,
//! because half of the peers mean seconds by it and the other half milliseconds; only `0` needs no
//! unit.

use super::error::{Wrong, quoted};
use std::time::Duration;

const DURATION: &str = "a whole number and a unit (ms, s, m, h), such as \"30s\"";
const SIZE: &str = "a whole number and a unit (B, KiB, MiB, GiB), such as \"100MiB\"";

/// A duration such as `1500ms`, `30s`, `5m`, `2h` or `0`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let (number, unit) = split(text)
        .ok_or_else(|| Wrong::new(format!("{} is not a duration", quoted(text)), DURATION))?;
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "" if number == "0" => Some(0),
        _ => None,
    };
    let Some(milliseconds) = milliseconds else {
        return Err(wrong_unit(text, number, unit, DURATION, duration_hint));
    };
    let whole: Option<u64> = number.parse().ok();
    let Some(total) = whole.and_then(|whole| whole.checked_mul(milliseconds)) else {
        return Err(Wrong::new(
            format!("{} is too large", quoted(text)),
            DURATION,
        ));
    };
    Ok(Duration::from_millis(total))
}

/// [`duration`] for flags that are no setting: what is wrong, in one line.
pub(crate) fn read_duration(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|wrong| wrong.to_string())
}

/// A size in bytes, such as `512B`, `64KiB`, `100MiB` or `2GiB`.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let (number, unit) =
        split(text).ok_or_else(|| Wrong::new(format!("{} is not a size", quoted(text)), SIZE))?;
    let bytes: Option<u64> = match unit {
        "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "" if number == "0" => Some(0),
        _ => None,
    };
    let Some(bytes) = bytes else {
        return Err(wrong_unit(text, number, unit, SIZE, size_hint));
    };
    let whole: Option<u64> = number.parse().ok();
    let Some(total) = whole.and_then(|whole| whole.checked_mul(bytes)) else {
        return Err(Wrong::new(format!("{} is too large", quoted(text)), SIZE));
    };
    Ok(total)
}

/// Digits and what follows them; `None` if there are no digits in front.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    (!number.is_empty()).then(|| (number, unit.trim_start()))
}

fn wrong_unit(
    text: &str,
    number: &str,
    unit: &str,
    expected: &str,
    right: fn(&str) -> Option<&'static str>,
) -> Wrong {
    let wrong = if unit.is_empty() {
        Wrong::new(format!("{} has no unit", quoted(text)), expected)
    } else {
        Wrong::new(
            format!("{} is not a unit in {}", quoted(unit), quoted(text)),
            expected,
        )
    };
    match right(unit) {
        Some(right) => wrong.hint(format!("write \"{number}{right}\"")),
        None => wrong,
    }
}

/// The unit that somebody probably meant.
fn duration_hint(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "ms" | "msec" | "millisecond" | "milliseconds" => Some("ms"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hour" | "hours" => Some("h"),
        _ => None,
    }
}

/// The unit that somebody probably meant.
fn size_hint(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => Some("B"),
        "k" | "kb" | "kib" => Some("KiB"),
        "m" | "mb" | "mib" => Some("MiB"),
        "g" | "gb" | "gib" => Some("GiB"),
        _ => None,
    }
}

/// A duration in words that [`duration`] reads back.
pub(crate) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0 => "0s".to_owned(),
        _ if milliseconds.is_multiple_of(3_600_000) => format!("{}h", milliseconds / 3_600_000),
        _ if milliseconds.is_multiple_of(60_000) => format!("{}m", milliseconds / 60_000),
        _ if milliseconds.is_multiple_of(1_000) => format!("{}s", milliseconds / 1_000),
        _ => format!("{milliseconds}ms"),
    }
}

/// A size in words that [`size`] reads back.
pub(crate) fn size_text(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    #[test]
    fn durations_are_read_and_written_back() {
        let check = |text: &str, milliseconds: u64, back: &str| {
            let duration = duration(text).unwrap();
            assert_eq!(duration, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(duration_text(duration), back);
        };
        check("1500ms", 1_500, "1500ms");
        check("30s", 30_000, "30s");
        check("30 s", 30_000, "30s");
        check("5m", 300_000, "5m");
        check("120s", 120_000, "2m");
        check("2h", 7_200_000, "2h");
        check("0", 0, "0s");
        check("0s", 0, "0s");
    }

    #[test]
    fn sizes_are_read_and_written_back() {
        let check = |text: &str, bytes: u64, back: &str| {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
            assert_eq!(size_text(bytes), back);
        };
        check("512B", 512, "512B");
        check("64KiB", 65_536, "64KiB");
        check("1024 KiB", 1 << 20, "1MiB");
        check("100MiB", 104_857_600, "100MiB");
        check("2GiB", 1 << 31, "2GiB");
        check("0", 0, "0B");
    }

    proptest::proptest! {
        #[test]
        fn every_size_and_duration_comes_back(bytes: u64, milliseconds: u32) {
            let milliseconds = Duration::from_millis(u64::from(milliseconds));
            proptest::prop_assert_eq!(size(&size_text(bytes)), Ok(bytes));
            proptest::prop_assert_eq!(duration(&duration_text(milliseconds)), Ok(milliseconds));
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_refused_with_a_hint() {
        let at = |wrong: Wrong| wrong.at(Place::Flag("--x")).to_string();
        let check_duration = |text: &str, message: &str| {
            assert_eq!(at(duration(text).unwrap_err()), format!("--x: {message}"))
        };
        let check_size = |text: &str, message: &str| {
            assert_eq!(at(size(text).unwrap_err()), format!("--x: {message}"))
        };
        check_duration(
            "30",
            &format!("\"30\" has no unit: expected {DURATION}\n  hint: write \"30s\""),
        );
        check_duration(
            "5min",
            &format!(
                "\"min\" is not a unit in \"5min\": expected {DURATION}\n  hint: write \"5m\""
            ),
        );
        check_duration(
            "1.5s",
            &format!("\".5s\" is not a unit in \"1.5s\": expected {DURATION}"),
        );
        check_duration(
            "-1s",
            &format!("\"-1s\" is not a duration: expected {DURATION}"),
        );
        check_duration("", &format!("\"\" is not a duration: expected {DURATION}"));
        check_duration(
            "99999999999999999999s",
            &format!("\"99999999999999999999s\" is too large: expected {DURATION}"),
        );
        check_duration(
            "18446744073709551615h",
            &format!("\"18446744073709551615h\" is too large: expected {DURATION}"),
        );
        check_size(
            "100MB",
            &format!(
                "\"MB\" is not a unit in \"100MB\": expected {SIZE}\n  hint: write \"100MiB\""
            ),
        );
        check_size(
            "10m",
            &format!("\"m\" is not a unit in \"10m\": expected {SIZE}\n  hint: write \"10MiB\""),
        );
        check_size(
            "4096",
            &format!("\"4096\" has no unit: expected {SIZE}\n  hint: write \"4096B\""),
        );
        check_size("big", &format!("\"big\" is not a size: expected {SIZE}"));
    }
}
