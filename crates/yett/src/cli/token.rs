//! The words of `yett token`. No flag takes a secret: command lines are seen by every user of the
//! machine and land in histories.

use super::words;
use clap::{Args, Subcommand, ValueEnum};
use std::{fmt, path::PathBuf};
use yett_jwt::{Algorithm, KeyId, UnixSeconds};

/// What to do with a token.
#[derive(Debug, Subcommand, PartialEq, Eq)]
pub(crate) enum TokenCommand {
    /// Show what a token says, without verifying anything.
    Inspect(InspectArgs),
    /// Prove a token with a key, and show its claims.
    Verify(VerifyArgs),
    /// Sign claims, and print the token.
    Issue(IssueArgs),
}

/// A token on the command line. Not printed by `Debug`: it may be good.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenWord(pub(crate) String);

impl From<String> for TokenWord {
    fn from(word: String) -> Self {
        Self(word)
    }
}

impl fmt::Debug for TokenWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct InspectArgs {
    /// The token; - or nothing reads it from stdin. A token given here lands in the shell's history
    /// and is seen by every user of this machine (ps): give good ones on stdin. "Bearer" in front,
    /// quotes and white space around it do not matter.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: Option<TokenWord>,
    /// See times from this moment instead of now: seconds since 1970, or a date such as
    /// 2026-11-22T07:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = words::moment, allow_negative_numbers = true)]
    pub(crate) at: Option<UnixSeconds>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct VerifyArgs {
    /// The token alone; - or nothing reads it from stdin, where one line end after it does not
    /// matter. A token given here lands in the shell's history and is seen by every user of this
    /// machine (ps).
    #[arg(value_name = "TOKEN")]
    pub(crate) token: Option<TokenWord>,

    #[command(flatten)]
    pub(crate) key: VerifyingKeyArgs,
    /// The algorithm of the key. Needed for PEM files and secrets; a JWK says it itself. With a key
    /// set: take keys of this algorithm only; may be repeated.
    #[arg(long, value_name = "ALG", value_parser = words::algorithm, help_heading = "Key")]
    pub(crate) alg: Vec<Algorithm>,
    /// Let --jwks-url name this machine, also with http://.
    #[arg(
        long,
        conflicts_with_all = ["key", "secret_file", "secret_env", "jwks"],
        help_heading = "Key"
    )]
    pub(crate) allow_loopback: bool,
    /// Take a secret that is shorter than its algorithm's hash. It can be guessed from one token.
    #[arg(long, conflicts_with_all = ["key", "jwks", "jwks_url"], help_heading = "Key")]
    pub(crate) danger_short_secret: bool,

    /// The token must be from this issuer (iss). May be repeated: any of them.
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    pub(crate) issuer: Vec<String>,
    /// The token must be for this audience (aud). May be repeated: any of them. Without it, a token
    /// that is for somebody is refused.
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    pub(crate) audience: Vec<String>,
    /// Take tokens for any audience.
    #[arg(long, conflicts_with = "audience", help_heading = "Rules")]
    pub(crate) any_audience: bool,
    /// By how much clocks may differ, such as 30s [default: 0]
    #[arg(long, value_name = "DURATION", value_parser = words::seconds, help_heading = "Rules")]
    pub(crate) leeway: Option<u32>,
    /// The token must have this claim. May be repeated.
    #[arg(long, value_name = "CLAIM", help_heading = "Rules")]
    pub(crate) require: Vec<String>,
    /// What the header's typ must say. "jwt" is also good when it is absent; "any" does not look.
    #[arg(
        long = "type",
        id = "type",
        value_name = "TYPE",
        value_enum,
        default_value_t,
        help_heading = "Rules"
    )]
    pub(crate) kind: TokenType,
    /// Verify as of this moment instead of now: seconds since 1970, or a date such as
    /// 2026-11-22T07:00:00Z.
    #[arg(
        long,
        value_name = "MOMENT",
        value_parser = words::moment,
        allow_negative_numbers = true,
        help_heading = "Rules"
    )]
    pub(crate) at: Option<UnixSeconds>,

    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a verifying key comes from: exactly one place.
#[derive(Debug, Args, PartialEq, Eq)]
#[group(required = true, multiple = false)]
pub(crate) struct VerifyingKeyArgs {
    /// A public key or certificate (PEM), or a JWK.
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) key: Option<PathBuf>,
    /// A file whose bytes are the shared secret; one line end after it does not count.
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A variable whose value is the shared secret.
    #[arg(long, value_name = "VARIABLE", help_heading = "Key")]
    pub(crate) secret_env: Option<String>,
    /// A JWK set.
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) jwks: Option<PathBuf>,
    /// Fetch the JWK set from here, once. https only.
    #[arg(long, value_name = "URL", help_heading = "Key")]
    pub(crate) jwks_url: Option<String>,
}

#[derive(Debug, Args, PartialEq, Eq)]
pub(crate) struct IssueArgs {
    #[command(flatten)]
    pub(crate) key: SigningKeyArgs,
    /// The algorithm of the key. Needed for PEM files and secrets; a JWK says it itself.
    #[arg(long, value_name = "ALG", value_parser = words::algorithm, help_heading = "Key")]
    pub(crate) alg: Option<Algorithm>,
    /// The key's id, for the header [default: that of the JWK, if it has one]
    #[arg(long, value_name = "ID", value_parser = words::key_id, help_heading = "Key")]
    pub(crate) kid: Option<KeyId>,
    /// What the header's typ says.
    #[arg(
        long = "type",
        id = "type",
        value_name = "TYPE",
        value_enum,
        default_value_t,
        help_heading = "Key"
    )]
    pub(crate) kind: IssuedType,

    /// How long the token is good, such as 5m. Needed, unless the claims have exp.
    #[arg(long, value_name = "DURATION", value_parser = words::lifetime, help_heading = "Claims")]
    pub(crate) expires_in: Option<u32>,
    /// Make a token that never expires. Nothing but a new key ends it.
    #[arg(long, conflicts_with = "expires_in", help_heading = "Claims")]
    pub(crate) danger_no_expiry: bool,
    /// The token is good only after this long (nbf); 0 means from now.
    #[arg(long, value_name = "DURATION", value_parser = words::seconds, help_heading = "Claims")]
    pub(crate) not_before: Option<u32>,
    /// Whom the token is about (sub).
    #[arg(long, value_name = "NAME", help_heading = "Claims")]
    pub(crate) subject: Option<String>,
    /// Who makes the token (iss).
    #[arg(long, value_name = "NAME", help_heading = "Claims")]
    pub(crate) issuer: Option<String>,
    /// Whom the token is for (aud). May be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Claims")]
    pub(crate) audience: Vec<String>,
    /// A claim that is a string. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = words::claim, help_heading = "Claims")]
    pub(crate) claim: Vec<(String, String)>,
    /// A claim that is any JSON value. May be repeated.
    #[arg(
        long,
        value_name = "NAME=JSON",
        value_parser = words::json_claim,
        help_heading = "Claims"
    )]
    pub(crate) claim_json: Vec<(String, String)>,
    /// A file with a JSON object of claims; - reads it from stdin.
    #[arg(long, value_name = "FILE", help_heading = "Claims")]
    pub(crate) claims: Option<PathBuf>,
    /// Leave the token's own id (jti) out; else it is random, unless the claims have one.
    #[arg(long, help_heading = "Claims")]
    pub(crate) no_jti: bool,
    /// Issue as of this moment instead of now: seconds since 1970, or a date such as
    /// 2026-11-22T07:00:00Z.
    #[arg(
        long,
        value_name = "MOMENT",
        value_parser = words::moment,
        allow_negative_numbers = true,
        help_heading = "Claims"
    )]
    pub(crate) at: Option<UnixSeconds>,

    /// Print JSON instead of the token alone.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a signing key comes from: exactly one place.
#[derive(Debug, Args, PartialEq, Eq)]
#[group(required = true, multiple = false)]
pub(crate) struct SigningKeyArgs {
    /// A private key: PEM or JWK.
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) key: Option<PathBuf>,
    /// A file whose bytes are the shared secret; one line end after it does not count.
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A variable whose value is the shared secret.
    #[arg(long, value_name = "VARIABLE", help_heading = "Key")]
    pub(crate) secret_env: Option<String>,
}

/// Which `typ` a token must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenType {
    /// Absent or JWT.
    #[default]
    #[value(name = "jwt")]
    Jwt,
    /// at+jwt (RFC 9068).
    #[value(name = "at+jwt")]
    AccessToken,
    /// Whatever it says.
    #[value(name = "any")]
    Any,
}

/// Which `typ` a token gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum IssuedType {
    /// JWT.
    #[default]
    #[value(name = "jwt")]
    Jwt,
    /// at+jwt (RFC 9068).
    #[value(name = "at+jwt")]
    AccessToken,
}
