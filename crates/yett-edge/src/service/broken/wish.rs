//! What kind of answer a client would rather have (RFC 9110 section 12.5.1), of three.

use http::header::{ACCEPT, HeaderMap};

/// A kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// HTML: it is a browser.
    Page,
    /// JSON: it is a client of an API.
    Json,
    /// Neither was asked for by name.
    Text,
}

/// HTML or JSON only where it is named; HTML where both are wanted equally.
pub(super) fn of(headers: &HeaderMap) -> Wish {
    let (mut page, mut json) = (0, 0);
    for value in headers.get_all(ACCEPT) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(weight).unwrap_or(1_000);
            match kind.as_str() {
                "text/html" | "application/xhtml+xml" => page = weight.max(page),
                "application/json" => json = weight.max(json),
                kind if kind.ends_with("+json") => json = weight.max(json),
                _ => {}
            }
        }
    }
    match (page, json) {
        (0, 0) => Wish::Text,
        (page, json) if page >= json => Wish::Page,
        _ => Wish::Json,
    }
}

/// `q=0.8` in thousandths; what cannot be read counts as not wanted.
fn weight(parameter: &str) -> Option<u32> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value: f32 = value.trim().parse().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    Some((value.clamp(0.0, 1.0) * 1_000.0) as u32)
}
