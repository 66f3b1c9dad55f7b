//! The operator's rules: presence, times, issuer, audience.

use super::Rules;
use crate::testing::{NOW, refusal, try_claims};
use crate::{Refusal, RefusalKind, Registered, UnixSeconds};

fn missing(claim: &str) -> Refusal {
    Refusal::Missing {
        claim: claim.into(),
    }
}

/// Claims with one time, so many seconds from now.
fn at(claim: &str, offset: i64) -> String {
    format!(r#"{{"{claim}":{}}}"#, NOW.get() + offset)
}

#[test]
fn expired_token_is_refused() {
    assert!(try_claims(&at("exp", 1), Rules::new()).is_ok());
    for offset in [0, -1, -1_000_000] {
        let refusal = refusal(&at("exp", offset), Rules::new());
        let expires_at = UnixSeconds::new(NOW.get() + offset);
        assert_eq!(
            refusal,
            Refusal::Expired {
                expires_at,
                now: NOW
            }
        );
        assert_eq!(refusal.kind(), RefusalKind::Expired);
    }
}

#[test]
fn token_before_its_nbf_is_refused() {
    assert!(try_claims(&at("nbf", 0), Rules::new()).is_ok());
    let refusal = refusal(&at("nbf", 1), Rules::new());
    let not_before = UnixSeconds::new(NOW.get() + 1);
    assert_eq!(
        refusal,
        Refusal::NotYetValid {
            not_before,
            now: NOW
        }
    );
    assert_eq!(refusal.kind(), RefusalKind::Immature);
}

#[test]
fn token_issued_in_the_future_is_refused() {
    assert!(try_claims(&at("iat", 0), Rules::new()).is_ok());
    let refusal = refusal(&at("iat", 1), Rules::new());
    let issued_at = UnixSeconds::new(NOW.get() + 1);
    assert_eq!(
        refusal,
        Refusal::IssuedInFuture {
            issued_at,
            now: NOW
        }
    );
    assert_eq!(refusal.kind(), RefusalKind::Immature);
}

#[test]
fn token_issued_within_this_second_is_accepted() {
    assert!(try_claims(r#"{"iat":1700000000.9,"nbf":1700000000.9}"#, Rules::new()).is_ok());
}

#[test]
fn leeway_widens_every_time_by_exactly_itself() {
    let rules = || Rules::new().leeway(30);
    for (claim, accepted, refused) in [("exp", -29, -30), ("nbf", 30, 31), ("iat", 30, 31)] {
        assert!(try_claims(&at(claim, accepted), rules()).is_ok(), "{claim}");
        let kind = refusal(&at(claim, refused), rules()).kind();
        assert!(
            matches!(kind, RefusalKind::Expired | RefusalKind::Immature),
            "{claim}"
        );
    }
}

#[test]
fn extreme_times_and_leeway_do_not_overflow() {
    let rules = || Rules::new().leeway(u32::MAX);
    assert!(try_claims(r#"{"exp":9223372036854775807}"#, rules()).is_ok());
    assert_eq!(
        refusal(r#"{"exp":-9223372036854775808}"#, rules()).kind(),
        RefusalKind::Expired
    );
    assert_eq!(
        refusal(r#"{"nbf":9223372036854775807}"#, rules()).kind(),
        RefusalKind::Immature
    );
    let verifier = crate::testing::verifier(rules());
    let token = crate::testing::token(crate::testing::HEADER, r#"{"exp":0,"iat":0}"#);
    for now in [i64::MIN, i64::MAX] {
        assert!(verifier.verify(&token, UnixSeconds::new(now)).is_err());
    }
}

#[test]
fn immature_goes_before_expired() {
    let claims = r#"{"nbf":1800000000,"exp":1}"#;
    assert_eq!(refusal(claims, Rules::new()).kind(), RefusalKind::Immature);
}

#[test]
fn expired_goes_before_issuer_audience_and_types() {
    let rules = Rules::new().issuer("i").audience("a");
    let refusal = refusal(r#"{"exp":1,"iss":"x","aud":"x","sub":5}"#, rules);
    assert_eq!(refusal.kind(), RefusalKind::Expired);
}

#[test]
fn exp_is_not_required_unless_the_rules_say_so() {
    assert!(try_claims("{}", Rules::new()).is_ok());
    assert_eq!(refusal("{}", Rules::new().require("exp")), missing("exp"));
}

#[test]
fn required_claim_must_be_there_and_not_null() {
    let rules = || Rules::new().require("jti").require("tenant");
    assert_eq!(refusal(r#"{"tenant":1}"#, rules()), missing("jti"));
    assert_eq!(refusal(r#"{"jti":"a"}"#, rules()), missing("tenant"));
    assert_eq!(
        refusal(r#"{"jti":"a","tenant":null}"#, rules()),
        missing("tenant")
    );
    assert_eq!(
        refusal(r#"{"jti":"a","Tenant":1}"#, rules()),
        missing("tenant")
    );
    assert_eq!(missing("jti").kind(), RefusalKind::MissingClaim);
    // Any value but null is a value.
    for value in ["false", "0", r#""""#, "[]", "{}"] {
        let payload = format!(r#"{{"jti":"a","tenant":{value}}}"#);
        assert!(try_claims(&payload, rules()).is_ok(), "{payload}");
    }
}

#[test]
fn issuer_is_exact_and_required() {
    let rules = || Rules::new().issuer("https://id.example/");
    assert!(try_claims(r#"{"iss":"https://id.example/"}"#, rules()).is_ok());
    assert_eq!(refusal("{}", rules()), missing("iss"));
    for issuer in [
        "",
        "https://id.example",
        "https://id.example/x",
        "https://ID.example/",
        "example",
        "https://id.example/ ",
    ] {
        let payload = format!(r#"{{"iss":"{issuer}"}}"#);
        assert_eq!(refusal(&payload, rules()), Refusal::Issuer, "{payload}");
    }
    assert_eq!(Refusal::Issuer.kind(), RefusalKind::Issuer);
}

#[test]
fn any_of_several_issuers_is_accepted() {
    let rules = || Rules::new().issuer("a").issuer("b");
    assert!(try_claims(r#"{"iss":"b"}"#, rules()).is_ok());
    assert_eq!(refusal(r#"{"iss":"ab"}"#, rules()), Refusal::Issuer);
}

#[test]
fn audience_is_an_exact_member_and_required() {
    let rules = || Rules::new().audience("shop").audience("desk");
    for aud in [
        r#""shop""#,
        r#""desk""#,
        r#"["shop"]"#,
        r#"["other","desk"]"#,
    ] {
        let payload = format!(r#"{{"aud":{aud}}}"#);
        assert!(try_claims(&payload, rules()).is_ok(), "{payload}");
    }
    for aud in [
        r#""""#,
        r#""shopping""#,
        r#""sho""#,
        r#""SHOP""#,
        "[]",
        r#"["x","shop "]"#,
    ] {
        let payload = format!(r#"{{"aud":{aud}}}"#);
        assert_eq!(refusal(&payload, rules()), Refusal::Audience, "{payload}");
    }
    assert_eq!(refusal("{}", rules()), missing("aud"));
    assert_eq!(Refusal::Audience.kind(), RefusalKind::Audience);
}

#[test]
fn unexpected_audience_is_refused() {
    for aud in [r#""shop""#, r#"["shop"]"#, r#""""#, "[]"] {
        let payload = format!(r#"{{"aud":{aud}}}"#);
        assert_eq!(
            refusal(&payload, Rules::new()),
            Refusal::AudienceUnexpected,
            "{payload}"
        );
    }
    assert_eq!(Refusal::AudienceUnexpected.kind(), RefusalKind::Audience);
}

#[test]
fn danger_any_audience_admits_strangers_until_an_audience_is_named() {
    let payload = r#"{"aud":"elsewhere"}"#;
    assert!(try_claims(payload, Rules::new().danger_any_audience()).is_ok());
    for rules in [
        Rules::new().danger_any_audience().audience("shop"),
        Rules::new().audience("shop").danger_any_audience(),
    ] {
        assert_eq!(refusal(payload, rules), Refusal::Audience);
    }
}

#[test]
fn subject_is_required_and_exact() {
    let rules = || Rules::new().subject("42");
    assert!(try_claims(r#"{"sub":"42"}"#, rules()).is_ok());
    assert_eq!(refusal("{}", rules()), missing("sub"));
    for other in ["", "4", "420", " 42"] {
        let refusal = refusal(&format!(r#"{{"sub":"{other}"}}"#), rules());
        assert_eq!(refusal, Refusal::Subject, "{other}");
        assert_eq!(refusal.kind(), RefusalKind::Subject);
    }
}

#[test]
fn none_of_no_issuers_or_audiences_is_right() {
    let nobody: [&str; 0] = [];
    let rules = || Rules::new().issuers(nobody);
    assert_eq!(refusal(r#"{"iss":"a"}"#, rules()), Refusal::Issuer);
    assert_eq!(refusal("{}", rules()), missing("iss"));
    let rules = || Rules::new().audiences(nobody);
    assert_eq!(refusal(r#"{"aud":"a"}"#, rules()), Refusal::Audience);
    assert_eq!(refusal("{}", rules()), missing("aud"));
}

#[test]
fn single_audience_is_no_array() {
    let rules = || Rules::new().audience("a").single_audience();
    assert!(try_claims(r#"{"aud":"a"}"#, rules()).is_ok());
    for claims in [r#"{"aud":["a"]}"#, r#"{"aud":["a","b"]}"#, r#"{"aud":[]}"#] {
        assert_eq!(refusal(claims, rules()), Refusal::AudienceNotSingle);
    }
    assert_eq!(refusal(r#"{"aud":"b"}"#, rules()), Refusal::Audience);
}

#[test]
fn skipped_claim_may_be_anything() {
    for claim in Registered::ALL {
        for value in ["0", "null", "[{}]", "\"x\"", "99999999999999999999"] {
            let claims = format!(r#"{{"{claim}":{value}}}"#);
            let rules = Rules::new()
                .issuer("a")
                .subject("a")
                .audience("a")
                .danger_skip(claim);
            // Only the other two parties may be missing now.
            let refusal = refusal(&claims, rules);
            assert_eq!(refusal.kind(), RefusalKind::MissingClaim, "{claims}");
            assert_ne!(refusal, missing(claim.name()));
            assert!(try_claims(&claims, Rules::new().danger_skip(claim)).is_ok());
        }
    }
}

#[test]
fn skipping_leaves_the_other_rules() {
    let rules = || Rules::new().danger_skip(Registered::Subject);
    let kind = |claims: &str, rules| refusal(claims, rules).kind();
    assert_eq!(kind(r#"{"sub":1,"exp":1}"#, rules()), RefusalKind::Expired);
    assert_eq!(kind(r#"{"jti":1}"#, rules()), RefusalKind::InvalidClaim);
    assert_eq!(refusal("{}", rules().require("sub")), missing("sub"));
}

#[test]
fn skipped_claim_is_told_as_json_alone() {
    let rules = Rules::new().danger_skip(Registered::ExpiresAt);
    let claims = try_claims(r#"{"exp":1}"#, rules).unwrap();
    assert_eq!(claims.expires_at(), None);
    assert!(claims.claim("exp").is_some());
}

#[test]
fn unproven_claims_are_judged_by_the_same_rules() {
    let rules = Rules::new().audience("a").require("scope");
    let judge = |claims: &str| rules.danger_check_claims(claims.as_bytes(), NOW);
    assert!(judge(r#"{"aud":"a","scope":1}"#).is_ok());
    assert_eq!(judge(r#"{"aud":"a"}"#).unwrap_err(), missing("scope"));
    let kinds = [
        (r#"{"aud":"b","scope":1}"#, RefusalKind::Audience),
        (r#"{"aud":"a","scope":1,"exp":1}"#, RefusalKind::Expired),
        (r#"{"aud":"a","aud":"a"}"#, RefusalKind::Malformed),
        ("[]", RefusalKind::Malformed),
    ];
    for (claims, kind) in kinds {
        assert_eq!(judge(claims).unwrap_err().kind(), kind, "{claims}");
    }
    let not_text = rules.danger_check_claims(b"\xFF", NOW).unwrap_err();
    assert_eq!(not_text.kind(), RefusalKind::Malformed);
}
