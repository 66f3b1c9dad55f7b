//! A token for people: header and claims, one line each, times also as dates and as seen from now.
//!
//! It never says of a token that it is valid. Whoever calls puts a sentence above that says what was
//! proven, and that is nothing for `yett token inspect`.

use super::{
    json_text::{JsonObjectText, compact, members, pretty},
    moment::{from_now, utc},
    screen::{Paint, Style, one_line},
};
use std::{cmp::Ordering, fmt::Write as _};
use yett_jwt::UnixSeconds;

/// What is to be shown: JSON that was checked.
#[derive(Clone, Copy)]
pub(crate) struct TokenView<'t> {
    /// The header, a JSON object.
    pub(crate) header: &'t str,
    /// The claims, a JSON object; none if nobody can read them.
    pub(crate) claims: Option<&'t str>,
    /// From when times are seen.
    pub(crate) now: UnixSeconds,
}

/// A longer value is laid out over several lines.
const LONGEST_LINE: usize = 80;

/// Names are padded up to this width; longer ones push their value to the right.
const WIDEST_NAME: usize = 16;

impl TokenView<'_> {
    /// Header and claims, each under its title.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        self.section(&mut text, paint, "header", self.header, false);
        if let Some(claims) = self.claims {
            text.push('\n');
            self.section(&mut text, paint, "claims", claims, true);
        }
        text
    }

    fn section(&self, text: &mut String, paint: Paint, title: &str, json: &str, has_times: bool) {
        let _ = writeln!(text, "{}", paint.text(Style::Strong, title));
        let members = members(json);
        if members.is_empty() {
            let _ = writeln!(text, "  {}", paint.text(Style::Faint, "(none)"));
        }
        let width = members
            .iter()
            .map(|(name, _)| one_line(name).chars().count())
            .max()
            .unwrap_or(0)
            .min(WIDEST_NAME);
        for (name, value) in &members {
            let shown = one_line(name);
            let _ = write!(text, "  {:<width$}  ", paint.text(Style::Faint, &shown));
            let short = compact(value);
            if short.chars().count() <= LONGEST_LINE {
                text.push_str(&short);
            } else {
                text.push_str(&pretty(value).replace('\n', "\n  "));
            }
            if has_times && let Some(seconds) = time_of(name, value) {
                let (style, words) = words(name, seconds, self.now);
                if let Some(date) = utc(seconds) {
                    let _ = write!(text, "  {date},");
                }
                let _ = write!(text, " {}", paint.text(style, &words));
            }
            text.push('\n');
        }
    }
}

/// The claims that are moments, for programs: `{"exp": {"seconds": …, "utc": …, "from_now": …}}`.
/// `from_now` is in seconds, negative for the past.
pub(crate) fn times_json(claims: &str, now: UnixSeconds) -> JsonObjectText {
    let mut times = JsonObjectText::default();
    for (name, value) in members(claims) {
        if let Some(seconds) = time_of(&name, value) {
            let time = JsonObjectText::default()
                .with("seconds", seconds.get())
                .with("utc", utc(seconds))
                .with("from_now", seconds.get().saturating_sub(now.get()));
            times = times.raw(&name, &time.one_line());
        }
    }
    times
}

/// The moment that a claim tells: those of RFC 7519, two of OpenID Connect and one of simplejwt.
fn time_of(name: &str, value: &str) -> Option<UnixSeconds> {
    let is_time = matches!(
        name,
        "exp" | "nbf" | "iat" | "auth_time" | "updated_at" | "refresh_exp"
    );
    is_time.then(|| whole_seconds(value)).flatten()
}

/// The second in which a JSON number lies, if there is such a moment.
fn whole_seconds(number: &str) -> Option<UnixSeconds> {
    if let Ok(seconds) = number.parse() {
        return Some(UnixSeconds::new(seconds));
    }
    /// Beyond it, dates have more digits than anybody reads; and within it the cast is exact.
    const FARTHEST: f64 = 1e15;
    // JSON numbers begin with a digit or a minus; Rust would also read "inf".
    if !number.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    let seconds = number.parse::<f64>().ok()?.floor();
    (-FARTHEST..FARTHEST)
        .contains(&seconds)
        .then_some(UnixSeconds::new(seconds as i64))
}

fn words(name: &str, moment: UnixSeconds, now: UnixSeconds) -> (Style, String) {
    let distance = from_now(moment, now);
    match (name, moment.cmp(&now)) {
        ("exp" | "refresh_exp", Ordering::Greater) => (Style::Faint, format!("expires {distance}")),
        ("exp" | "refresh_exp", _) => (Style::Warning, format!("expired {distance}")),
        ("nbf", Ordering::Greater) => (Style::Warning, format!("not before that: {distance}")),
        ("iat", Ordering::Greater) => (Style::Warning, format!("in the future: {distance}")),
        _ => (Style::Faint, distance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds::new(1_700_000_000);

    fn text(claims: &str) -> String {
        let view = TokenView {
            header: r#"{"alg":"HS256","typ":"JWT"}"#,
            claims: Some(claims),
            now: NOW,
        };
        view.text(Paint::Off)
    }

    #[test]
    fn times_are_also_dates_and_seen_from_now() {
        let claims = r#"{"sub":"42","exp":1699999820,"nbf":1700000300,"iat":1699999520.75,
            "auth_time":1700000000,"aud":["a","b"]}"#;
        let expected = r#"header
  alg  "HS256"
  typ  "JWT"

claims
  sub        "42"
  exp        1699999820  2023-11-14T22:10:20Z, expired 3 min ago
  nbf        1700000300  2023-11-14T22:18:20Z, not before that: in 5 min
  iat        1699999520.75  2023-11-14T22:05:20Z, 8 min ago
  auth_time  1700000000  2023-11-14T22:13:20Z, now
  aud        ["a", "b"]
"#;
        assert_eq!(text(claims), expected);
    }

    #[test]
    fn times_that_are_none_are_shown_as_they_are() {
        let claims = r#"{"exp":"tomorrow","nbf":1e300,"iat":null}"#;
        assert!(text(claims).ends_with("claims\n  exp  \"tomorrow\"\n  nbf  1e300\n  iat  null\n"));
        assert_eq!(times_json(claims, NOW).one_line(), "{}");
    }

    #[test]
    fn a_time_of_any_year_is_shown() {
        assert!(
            text(r#"{"exp":9223372036854775807}"#)
                .ends_with("  exp  9223372036854775807 expires in 292471208623 years\n")
        );
    }

    #[test]
    fn a_claim_can_neither_forge_a_line_nor_steer_the_terminal() {
        let claims = "{\"a\\nVERIFIED\":\"x\\nVERIFIED\u{9b}2J\",\"\u{202e}\":1}";
        assert!(
            text(claims).ends_with(
                "claims\n  a\\nVERIFIED  \"x\\nVERIFIED\\u009b2J\"\n  \\u{202e}     1\n"
            ),
            "{}",
            text(claims)
        );
    }

    #[test]
    fn long_values_are_laid_out() {
        let claims = format!(r#"{{"roles":["{}","b"]}}"#, "a".repeat(80));
        let expected = format!(
            "claims\n  roles  [\n    \"{}\",\n    \"b\"\n  ]\n",
            "a".repeat(80)
        );
        assert!(text(&claims).ends_with(&expected), "{}", text(&claims));
    }

    #[test]
    fn times_for_programs_have_seconds_date_and_distance() {
        assert_eq!(
            times_json(r#"{"exp":1699999820,"sub":"1"}"#, NOW).one_line(),
            r#"{"exp":{"seconds":1699999820,"utc":"2023-11-14T22:10:20Z","from_now":-180}}"#
        );
    }
}
