//! Request head in, verdict out: may this request go on, where to, and as whom?
//!
//! # What it is
//! Three stages of a request. `request`: [`RequestHead::parse`] makes what the HTTP layer read
//! canonical and clean, or refuses it with [`BadRequest`]. `route`: file mounts by prefix, and
//! Django's own URL patterns. `guard`: [`Gate::judge`] proves the bearer token and gives a
//! [`Verdict`]. Services take [`Admitted`], which this crate alone can make: from a proven token,
//! or from the configuration that declares the way open ([`OpenBy`]).
//!
//! The guard protects twice. The application still checks every request; the edge answers before
//! it only where the project's own recorded answer is surely what the application would say.
//!
//! # What it keeps out
//! I/O, async, the clock (`now` is a parameter) and `unsafe`. The raw path: one file reads it,
//! `request/target.rs`. Configuration text: settings are plain data, made by `yett`, or from the app
//! manifest by [`GateSettings::from_manifest`]. Everything that a client could say under a name of
//! Yett's own, or under a second spelling of a name.
//!
//! # Way in
//! ```
//! use http::Request;
//! use yett_gate::{Arrival, ClientAddr, Gate, GateSettings, HeadRules, Judgement, MountSettings};
//! use yett_gate::{RequestHead, Scheme, ServerAddr, Service, Verdict};
//! use yett_jwt::UnixSeconds;
//!
//! let mounts = vec![MountSettings { prefix: "/static/".to_owned() }];
//! let gate = Gate::new(GateSettings { mounts, ..GateSettings::default() })?;
//!
//! let (parts, ()) = Request::get("/static/css/%61.css").header("Host", "a").body(())?.into_parts();
//! let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
//! let head = RequestHead::parse(parts, arrival, &HeadRules::default())?;
//! let Judgement::Verdict(Verdict::Admitted(admitted)) = gate.judge(head, UnixSeconds::new(0)) else {
//!     unreachable!("a mount is open");
//! };
//! let Service::Files { rest, .. } = admitted.service() else { unreachable!() };
//! assert_eq!(rest.as_bytes(), b"css/a.css");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! Then `guard/judge.rs`, which is the whole judgement on one screen.
//!
//! # How it is tested
//! A claim per test beside each module; a committed matrix of route × credential → verdict
//! (`gate/tests.rs`); property tests that no raw path panics, that canonical targets are stable and
//! free of dot segments, and that every spelling of a path takes the same route.
#![forbid(unsafe_code)]

mod describe;
mod gate;
mod guard;
mod manifest;
mod request;
mod route;
mod settings;

pub use describe::{Explanation, RouteGuard, RouteInfo};
pub use gate::Gate;
pub use guard::{
    Admitted, Answer, AnswerSettings, CredentialFault, Doubt, FaultKind, Identity, Judgement,
    KeyLength, KeysAtHand, KeysWanted, OpenBy, Refused, SchemeHeaderSettings, TokenKey,
    TokenKeySource, TokenRuleSettings, Verdict,
};
pub use request::{
    AllowedHosts, Arrival, AuthScheme, BadRequest, BodyFollows, BodyLength, ClientAddr,
    ClientCertificate, Credential, ForwardedHost, ForwardingHeaders, HeadRules, Host, Network,
    Origin, RequestHead, RequestIdError, RequestIdHeader, Scheme, ServerAddr, Spelling, Target,
    TlsSession, TrustError, TrustedProxies, UnderscoreError, UnderscoreNames, UnprovenToken,
    forwarded, speaks_of_origin,
};
pub use route::{
    AnswerChoice, GuardSettings, MountId, MountSettings, Rest, RouteName, SchemeAnswers, Service,
    UrlEntrySettings, UrlPattern,
};
pub use settings::{
    AppGuardSettings, GateSettings, GateSettingsError, GateSettingsErrors, SettingsFault,
};
