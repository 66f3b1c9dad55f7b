//! Stage "request": what arrived, made canonical and cleaned. Nothing here proves anything.
//!
//! [`RequestHead::parse`] is the one way in. After it, every later stage (router, guard, file
//! service, application, access log) sees the same path bytes and the same headers.

mod arrival;
mod asserted;
mod bad_request;
mod credential;
pub mod forwarded;
mod forwarding;
mod head;
mod host;
mod proxies;
mod request_id;
mod rules;
mod target;
mod tls;

pub use arrival::{Arrival, ClientAddr, Origin, Scheme, ServerAddr};
pub use bad_request::BadRequest;
pub use credential::{AuthScheme, Credential, Spelling, UnprovenToken};
pub use forwarding::{ForwardedHost, ForwardingHeaders, speaks_of_origin};
pub use head::{BodyFollows, BodyLength, RequestHead};
pub use host::{AllowedHosts, Host};
pub use proxies::{Network, TrustError, TrustedProxies};
pub use request_id::{RequestIdError, RequestIdHeader};
pub use rules::{HeadRules, UnderscoreError, UnderscoreNames};
pub use target::Target;
pub use tls::{ClientCertificate, TlsSession};
