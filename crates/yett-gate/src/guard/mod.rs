//! Stage "guard": may this request go on, and as whom?
//!
//! [`Admitted`] is the witness; only `admitted.rs` can make one, and only from a proof or from the
//! configuration that declares the way open. The edge refuses a request itself only where the
//! answer is surely what the project would say; in every doubt the application decides.

mod admitted;
mod answers;
mod certain;
mod judge;
mod keys;
mod scheme;
mod token;
mod verdict;

pub use admitted::{Admitted, Identity, OpenBy};
pub(crate) use answers::Answers;
pub use answers::{Answer, AnswerSettings};
pub use certain::Doubt;
pub use scheme::SchemeHeaderSettings;
pub(crate) use scheme::SchemeRule;
pub(crate) use token::TokenRules;
pub use token::{
    CredentialFault, FaultKind, KeyLength, TokenKey, TokenKeySource, TokenRuleSettings,
};
pub use verdict::{Judgement, KeysWanted, Refused, Verdict};
