//! Verdicts on tokens of key pairs: with the public key alone, and with the keys that an issuer
//! publishes, brings late, withdraws, or does not bring at all.

use std::sync::Arc;

use yett_jwt::{Algorithm, KeyId, KeySet, SigningKey};

use super::{ACCESS, NOW, head, here, judged, settings, token, told};
use crate::gate::Gate;
use crate::guard::{
    CredentialFault, Doubt, Judgement, KeysAtHand, KeysWanted, OpenBy, TokenKeySource, Verdict,
};
use crate::request::RequestHead;

/// What waits for keys.
fn waiting(gate: &Gate, head: RequestHead) -> KeysWanted {
    match gate.judge(head, NOW) {
        Judgement::KeysWanted(wanted) => wanted,
        Judgement::Verdict(verdict) => panic!("{verdict:?}"),
    }
}

#[test]
fn token_of_a_key_pair_is_proven_with_the_public_key_alone() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut settings = settings();
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.algorithm = "ES256".to_owned();
    rules.key = here(key.verifying_key().to_pem().unwrap().into_bytes());
    let gate = Gate::new(settings).unwrap();

    let told_of = |token: String| {
        let headers = [("Authorization", &*format!("Bearer {token}"))];
        told(&judged(&gate, head("GET", "/api/notes/", &headers), NOW))
    };
    let good = key.sign(ACCESS.as_bytes()).unwrap();
    // The second time from the cache.
    assert_eq!(told_of(good.clone()), "APP+ID");
    assert_eq!(told_of(good), "APP+ID");
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    assert_eq!(
        told_of(stranger.sign(ACCESS.as_bytes()).unwrap()),
        "invalid"
    );
    let hmac = token(ACCESS);
    assert_eq!(told_of(hmac.replace("Bearer ", "")), "invalid");
}

#[test]
fn private_key_is_not_taken_as_the_key_that_proves() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut settings = settings();
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.algorithm = "ES256".to_owned();
    rules.key = here(key.danger_to_pem().unwrap().as_bytes().to_vec());
    let errors = Gate::new(settings).unwrap_err().to_string();
    assert!(
        errors.contains("make VERIFYING_KEY the PEM text"),
        "{errors}"
    );
    assert!(!errors.contains("BEGIN"), "{errors}");
}

/// A gate whose keys an issuer publishes, and a key of the issuer.
fn gate_of_issuer() -> (Gate, SigningKey) {
    let mut settings = settings();
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.algorithm = "ES256".to_owned();
    rules.key = TokenKeySource::Issuer;
    (Gate::new(settings).unwrap(), published("a"))
}

fn published(id: &str) -> SigningKey {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    key.with_key_id(KeyId::new(id).unwrap())
}

fn set_of(keys: &[&SigningKey]) -> Arc<KeySet> {
    Arc::new(KeySet::new(keys.iter().map(|key| key.verifying_key())).unwrap())
}

fn bearer(key: &SigningKey) -> RequestHead {
    let token = format!("Bearer {}", key.sign(ACCESS.as_bytes()).unwrap());
    head("GET", "/api/notes/", &[("Authorization", &token)])
}

#[test]
fn token_of_an_issuer_waits_for_the_first_keys() {
    let (gate, key) = gate_of_issuer();
    let wanted = waiting(&gate, bearer(&key));
    assert_eq!(wanted.key_id(), None);
    // The issuer is down: the application decides.
    let verdict = gate.judge_with_keys_at_hand(wanted, KeysAtHand::Fresh, NOW);
    let Verdict::Admitted(admitted) = verdict else {
        panic!("refused without keys")
    };
    let doubt = Doubt::NoKeys;
    let fault = CredentialFault::NoKeys;
    assert_eq!(
        admitted.open_by(),
        Some(&OpenBy::AppAnswers { fault, doubt })
    );
    // Requests without a token do not wait.
    assert_eq!(
        told(&judged(&gate, head("GET", "/api/notes/", &[]), NOW)),
        "missing"
    );

    gate.take_keys(&set_of(&[&key]));
    assert_eq!(told(&judged(&gate, bearer(&key), NOW)), "APP+ID");
}

#[test]
fn unknown_key_is_asked_for_once_and_then_refused() {
    let (gate, key) = gate_of_issuer();
    gate.take_keys(&set_of(&[&key]));
    let newer = published("b");
    let wanted = waiting(&gate, bearer(&newer));
    assert_eq!(wanted.key_id().map(KeyId::as_str), Some("b"));
    let verdict = gate.judge_with_keys_at_hand(wanted, KeysAtHand::Fresh, NOW);
    assert_eq!(told(&verdict), "invalid");

    gate.take_keys(&set_of(&[&key, &newer]));
    assert_eq!(told(&judged(&gate, bearer(&newer), NOW)), "APP+ID");
}

#[test]
fn key_that_may_be_newer_than_the_set_is_left_to_the_application() {
    let (gate, key) = gate_of_issuer();
    gate.take_keys(&set_of(&[&key]));
    let wanted = waiting(&gate, bearer(&published("b")));
    let verdict = gate.judge_with_keys_at_hand(wanted, KeysAtHand::Stale, NOW);
    assert_eq!(told(&verdict), "APP");
}

#[test]
fn key_that_leaves_the_set_is_refused_although_its_token_was_known() {
    let (gate, key) = gate_of_issuer();
    gate.take_keys(&set_of(&[&key]));
    assert_eq!(told(&judged(&gate, bearer(&key), NOW)), "APP+ID");
    gate.take_keys(&set_of(&[&published("b")]));
    assert_eq!(
        told(&gate.judge_with_keys_at_hand(waiting(&gate, bearer(&key)), KeysAtHand::Fresh, NOW)),
        "invalid"
    );
}

#[test]
fn shared_secret_cannot_come_from_an_issuer() {
    let mut settings = settings();
    settings.app.token_rules.as_mut().unwrap().key = TokenKeySource::Issuer;
    let errors = Gate::new(settings).unwrap_err().to_string();
    assert!(errors.contains("JWK_URL is not for HMAC"), "{errors}");
}
