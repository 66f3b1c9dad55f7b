//! The bearer token that a request carries, as djangorestframework-simplejwt reads it.
//!
//! Follows `JWTAuthentication.get_header` and `get_raw_token` (simplejwt 5.5): `bytes.split()` on
//! ASCII white space, first word one of `AUTH_HEADER_TYPES`, exactly two words. One difference:
//! the scheme is found in any case (RFC 9110, 11.1), and the spelling is remembered, because
//! simplejwt does not see a scheme in another case and so must decide there itself.
//!
//! Never here: proof. What comes out is unproved and says so in its type.

use std::fmt;

/// One word of `AUTH_HEADER_TYPES`, such as `Bearer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthScheme(Box<str>);

impl AuthScheme {
    /// Takes a scheme; `None` when it is empty or holds white space, so that no header could
    /// ever begin with it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(text.into()))
    }

    /// The scheme as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request's `Authorization` header holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// No header, a blank one, or another scheme.
    Missing,
    /// The scheme alone, or with more than one word behind it.
    Malformed(Spelling),
    /// The scheme and one word.
    Bearer(UnprovenToken<'a>, Spelling),
}

/// How the client spelled the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As configured: simplejwt sees it too.
    AsConfigured,
    /// In another case: simplejwt takes the request for one without a token.
    OtherCase,
}

/// A token that nobody has proved. Prints as `[token]`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnprovenToken<'a>(&'a [u8]);

impl<'a> UnprovenToken<'a> {
    /// The token's text; `None` when it is not ASCII and so cannot be a token.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.0).ok()?;
        text.is_ascii().then_some(text)
    }
}

impl fmt::Debug for UnprovenToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

impl<'a> Credential<'a> {
    /// Reads the value of an `Authorization` header.
    #[must_use]
    pub fn read(value: &'a [u8], schemes: &[AuthScheme]) -> Self {
        let mut words = value
            .split(|byte| is_python_space(*byte))
            .filter(|word| !word.is_empty());
        let Some(spelling) = words.next().and_then(|word| spelling(word, schemes)) else {
            return Self::Missing;
        };
        match (words.next(), words.next()) {
            (Some(token), None) => Self::Bearer(UnprovenToken(token), spelling),
            _ => Self::Malformed(spelling),
        }
    }
}

fn spelling(word: &[u8], schemes: &[AuthScheme]) -> Option<Spelling> {
    let same = |scheme: &AuthScheme| scheme.0.as_bytes() == word;
    let same_letters = |scheme: &AuthScheme| scheme.0.as_bytes().eq_ignore_ascii_case(word);
    if schemes.iter().any(same) {
        return Some(Spelling::AsConfigured);
    }
    schemes
        .iter()
        .any(same_letters)
        .then_some(Spelling::OtherCase)
}

/// The bytes that `bytes.split()` splits at; `u8::is_ascii_whitespace` lacks the vertical tab.
const fn is_python_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

#[cfg(test)]
mod tests {
    use super::{AuthScheme, Credential, Spelling, UnprovenToken};

    fn check(value: &str, expected: Credential<'_>) {
        let schemes = ["Bearer", "JWT"].map(|scheme| AuthScheme::parse(scheme).unwrap());
        let found = Credential::read(value.as_bytes(), &schemes);
        assert_eq!(found, expected, "{value:?}");
    }

    fn bearer(token: &str, spelling: Spelling) -> Credential<'_> {
        Credential::Bearer(UnprovenToken(token.as_bytes()), spelling)
    }

    #[test]
    fn blank_header_and_other_schemes_are_no_credential() {
        for value in ["", "  ", "\t", "Basic eDp5", "Bearerx a", "Token a b c"] {
            check(value, Credential::Missing);
        }
    }

    #[test]
    fn scheme_with_no_word_or_two_words_is_malformed() {
        for value in ["Bearer", " Bearer ", "Bearer a b", "JWT a b c"] {
            check(value, Credential::Malformed(Spelling::AsConfigured));
        }
        check("bearer", Credential::Malformed(Spelling::OtherCase));
    }

    #[test]
    fn scheme_with_one_word_is_a_token() {
        check("Bearer a.b.c", bearer("a.b.c", Spelling::AsConfigured));
        check("JWT\ta.b.c ", bearer("a.b.c", Spelling::AsConfigured));
        check(" Bearer \t a", bearer("a", Spelling::AsConfigured));
    }

    #[test]
    fn scheme_in_another_case_is_remembered() {
        check("bearer a", bearer("a", Spelling::OtherCase));
        check("BEARER a", bearer("a", Spelling::OtherCase));
    }

    #[test]
    fn token_is_not_printed() {
        let credential = bearer("hunter2", Spelling::AsConfigured);
        assert_eq!(format!("{credential:?}"), "Bearer([token], AsConfigured)");
    }

    #[test]
    fn scheme_that_no_header_could_carry_is_refused() {
        assert_eq!(AuthScheme::parse(""), None);
        assert_eq!(AuthScheme::parse("Bear er"), None);
    }
}
