//! Single words of `yett token` and `yett keys` into values: algorithms, moments, durations, claims.
//! The errors become part of clap's, which names the flag.

use crate::config::{nearest, read_duration};
use std::{path::PathBuf, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use yett_jwt::{Algorithm, KeyId, UnixSeconds};

/// The exact JOSE name of an algorithm.
pub(super) fn algorithm(word: &str) -> Result<Algorithm, String> {
    word.parse().map_err(|_| {
        if word.eq_ignore_ascii_case("none") {
            return "a token without a signature proves nothing".to_owned();
        }
        let names = Algorithm::ALL.iter().map(|algorithm| algorithm.name());
        let same = names.clone().find(|name| name.eq_ignore_ascii_case(word));
        match same.or_else(|| nearest(word, names.clone())) {
            Some(name) => format!("no such algorithm; did you mean {name}?"),
            None => {
                let names: Vec<_> = names.collect();
                format!("expected one of {}", names.join(", "))
            }
        }
    })
}

/// A duration with its unit, in whole seconds, and of at most 136 years.
pub(super) fn seconds(word: &str) -> Result<u32, String> {
    let duration: Duration = read_duration(word)?;
    if duration.subsec_nanos() != 0 {
        return Err("a token counts whole seconds".to_owned());
    }
    u32::try_from(duration.as_secs()).map_err(|_| "more than 136 years".to_owned())
}

/// As [`seconds`], and more than none.
pub(super) fn lifetime(word: &str) -> Result<u32, String> {
    match seconds(word)? {
        0 => Err("such a token would never be valid; expected at least 1s".to_owned()),
        seconds => Ok(seconds),
    }
}

/// A moment: seconds since 1970, or a date with time as RFC 3339 has it.
pub(super) fn moment(word: &str) -> Result<UnixSeconds, String> {
    if let Ok(seconds) = word.parse() {
        return Ok(UnixSeconds::new(seconds));
    }
    OffsetDateTime::parse(word, &Rfc3339)
        .map(|date| UnixSeconds::new(date.unix_timestamp()))
        .map_err(|_| {
            "expected seconds since 1970, or a date with time such as 2026-11-22T07:00:00Z"
                .to_owned()
        })
}

/// A key id.
pub(super) fn key_id(word: &str) -> Result<KeyId, String> {
    if word.is_empty() {
        return Err("expected a name".to_owned());
    }
    KeyId::new(word).ok_or_else(|| "longer than 256 bytes".to_owned())
}

/// A claim that is a string, as `NAME=VALUE`.
pub(super) fn claim(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// A claim that is any JSON value, as `NAME=JSON`. The text is kept: it is what will be signed.
pub(super) fn json_claim(word: &str) -> Result<(String, String), String> {
    let (name, json) = claim(word).map_err(|_| "expected NAME=JSON".to_owned())?;
    // One value and nothing after it, so that a value cannot bring further claims with it.
    serde_json::from_str::<serde::de::IgnoredAny>(&json)
        .map_err(|_| "what follows = is not JSON; a string needs its quotes".to_owned())?;
    Ok((name, json))
}

/// A key file, and the key id that it gets: `FILE` or `NAME=FILE`. An equals sign after a slash
/// belongs to the path.
pub(super) fn named_file(word: &str) -> Result<(Option<KeyId>, PathBuf), String> {
    match word.split_once('=') {
        Some((name, path)) if !name.contains('/') => {
            if path.is_empty() {
                return Err("expected FILE or NAME=FILE".to_owned());
            }
            Ok((Some(key_id(name)?), path.into()))
        }
        _ => Ok((None, word.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_exact_names_and_close_ones_are_pointed_out() {
        assert_eq!(algorithm("ES256"), Ok(Algorithm::Es256));
        let hint = |word| algorithm(word).unwrap_err();
        assert_eq!(hint("hs256"), "no such algorithm; did you mean HS256?");
        assert_eq!(hint("RSA256"), "no such algorithm; did you mean RS256?");
        assert!(hint("AES").starts_with("expected one of HS256, HS384"));
        assert_eq!(hint("none"), "a token without a signature proves nothing");
    }

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(seconds("5m"), Ok(300));
        assert_eq!(seconds("0"), Ok(0));
        assert_eq!(
            seconds("1500ms").unwrap_err(),
            "a token counts whole seconds"
        );
        assert_eq!(seconds("1193047h").unwrap_err(), "more than 136 years");
        assert!(seconds("5").unwrap_err().contains("no unit"));
        assert!(lifetime("0s").unwrap_err().contains("at least 1s"));
    }

    #[test]
    fn moments_are_seconds_or_dates() {
        let second = Ok(UnixSeconds::new(1_700_000_000));
        assert_eq!(moment("1700000000"), second);
        assert_eq!(moment("2023-11-14T22:13:20Z"), second);
        assert_eq!(moment("2023-11-14T23:13:20+01:00"), second);
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn a_json_claim_is_one_value() {
        assert_eq!(
            json_claim("a=[1, 2]"),
            Ok(("a".to_owned(), "[1, 2]".to_owned()))
        );
        assert!(json_claim(r#"a=1,"admin":true"#).is_err());
        assert!(
            json_claim("a=word")
                .unwrap_err()
                .contains("needs its quotes")
        );
        assert!(json_claim("a").is_err());
        assert_eq!(claim("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(claim("=b").is_err());
    }

    #[test]
    fn files_may_be_named_and_paths_may_have_an_equals_sign() {
        assert_eq!(named_file("k.pem"), Ok((None, "k.pem".into())));
        assert_eq!(
            named_file("2026=k.pem"),
            Ok((KeyId::new("2026"), "k.pem".into()))
        );
        assert_eq!(named_file("./a=b.pem"), Ok((None, "./a=b.pem".into())));
        assert!(named_file("=k.pem").is_err());
        assert!(named_file("a=").is_err());
    }
}
