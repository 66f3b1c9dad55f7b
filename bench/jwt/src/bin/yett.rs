//! Yett: `yett-bench prepare` makes keys and tokens, `yett-bench SECONDS` measures, `yett-bench
//! overhead` compares a proof with the crypto library's bare verification in short turns,
//! `yett-bench memory` counts what one proof allocates.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, fs};

use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_bench::{ALGORITHMS, Claims, EXPECTED, LentClaims, key, now, report, spoilt, tokens, work};
use yett_jwt::{
    Algorithm, CacheSize, KeyId, KeySet, Rules, SigningKey, TokenCache, UnixSeconds, Verifier,
    VerifyingKey,
};

/// How much is allocated, for `memory`.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

#[cfg(feature = "count")]
mod count {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::sync::atomic::Ordering;

    struct Counting;

    // SAFETY: every call goes to the system's allocator unchanged.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            super::ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
            super::CALLS.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the caller's promise is ours.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise is ours.
            unsafe { System.dealloc(place, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;
}

fn main() {
    match env::args().nth(1).as_deref() {
        Some("prepare") => prepare(),
        Some("memory") => memory(),
        Some("overhead") => overhead(),
        Some(seconds) => measure(seconds.parse().expect("seconds")),
        None => panic!("usage: yett-bench prepare | memory | overhead | SECONDS"),
    }
}

fn algorithm(name: &str) -> Algorithm {
    name.parse().expect("an algorithm")
}

fn rules() -> Rules {
    Rules::new()
        .audience(EXPECTED.0)
        .issuer(EXPECTED.1)
        .require("exp")
}

/// The two keys of an algorithm.
fn keys(name: &str, stem: Option<&str>, secret: &[u8]) -> (SigningKey, VerifyingKey) {
    match stem {
        None => {
            let signing = SigningKey::hmac(algorithm(name), secret).expect("secret");
            let verifying = signing.verifying_key();
            (signing, verifying)
        }
        Some(stem) => (
            SigningKey::from_pem(algorithm(name), &key(&format!("{stem}.pem")))
                .expect("private key"),
            VerifyingKey::from_pem(algorithm(name), &key(&format!("{stem}.pub.pem")))
                .expect("public key"),
        ),
    }
}

fn measure(seconds: f64) {
    let all = tokens();
    let claims: Claims = serde_json::from_value(all["claims"].clone()).expect("claims");
    let secret = all["secret"].as_str().expect("secret").as_bytes();
    let at = UnixSeconds::new(now());
    for (name, stem) in ALGORITHMS {
        let (signing, verifying) = keys(name, stem, secret);
        let verifier = Verifier::new(verifying, rules());
        let token = all[name].as_str().expect("token");
        let bad = spoilt(token);
        assert!(verifier.verify(&bad, at).is_err());

        report("yett-jwt", &format!("sign {name}"), seconds, || {
            signing.sign_claims(black_box(&claims)).expect("sign")
        });
        // As the peer: the claims copied into the application's own type.
        report("yett-jwt", &format!("verify {name}"), seconds, || {
            let verified = verifier.verify(black_box(token), at).expect("verify");
            verified.claims().deserialize::<Claims>().expect("claims")
        });
        // Into a type of the application's that borrows the texts.
        report(
            "yett-jwt",
            &format!("verify {name}, claims lent"),
            seconds,
            || {
                let verified = verifier.verify(black_box(token), at).expect("verify");
                let claims: LentClaims<'_> = verified.claims().deserialize().expect("claims");
                black_box(claims).exp
            },
        );
        // As the edge: the claims read where they stand.
        report(
            "yett-jwt",
            &format!("verify {name}, claims in place"),
            seconds,
            || verifier.verify(black_box(token), at).expect("verify"),
        );
        report(
            "yett-jwt",
            &format!("reject bad signature {name}"),
            seconds,
            || verifier.verify(black_box(&bad), at).is_err(),
        );
        let cache = TokenCache::new(CacheSize::default());
        report("yett-jwt", &format!("cache hit {name}"), seconds, || {
            cache
                .verify(&verifier, black_box(token), at)
                .expect("verify")
        });
        bare(name, stem, secret, token, seconds);
    }
}

/// The crypto library alone, with the key parsed and the signature decoded beforehand.
fn bare(name: &str, stem: Option<&str>, secret: &[u8], token: &str, seconds: f64) {
    let verify = bare_verification(name, stem, secret, token);
    report(
        "aws-lc-rs",
        &format!("bare verification {name}"),
        seconds,
        verify,
    );
}

fn bare_verification(name: &str, stem: Option<&str>, secret: &[u8], token: &str) -> Box<dyn Fn()> {
    let (signed, encoded) = token.rsplit_once('.').expect("a dot");
    let (signed, decoded) = (
        signed.to_owned(),
        URL_SAFE_NO_PAD.decode(encoded).expect("base64url"),
    );
    let Some(stem) = stem else {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        return Box::new(move || {
            hmac::verify(&key, black_box(signed.as_bytes()), &decoded).expect("verify");
        });
    };
    let pem = String::from_utf8(key(&format!("{stem}.pub.pem"))).expect("text");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .expect("base64");
    let parsed = match name {
        "RS256" => signature::ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, der),
        "ES256" => signature::ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, der),
        _ => signature::ParsedPublicKey::new(&signature::ED25519, der),
    };
    let parsed = parsed.expect("public key");
    Box::new(move || {
        parsed
            .verify_sig(black_box(signed.as_bytes()), &decoded)
            .expect("verify");
    })
}

/// The proof of a token beside the bare verification of its signature, in turns of a few
/// milliseconds, so that whatever disturbs the machine disturbs both.
fn overhead() {
    let all = tokens();
    let secret = all["secret"].as_str().expect("secret").as_bytes();
    let at = UnixSeconds::new(now());
    for (name, stem) in ALGORITHMS {
        let (_, verifying) = keys(name, stem, secret);
        let verifier = Verifier::new(verifying, rules());
        let token = all[name].as_str().expect("token");
        let bare = bare_verification(name, stem, secret, token);
        let calls = if stem.is_none() { 5_000 } else { 100 };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..301 {
            ours.push(nanoseconds(calls, || {
                drop(black_box(verifier.verify(black_box(token), at)))
            }));
            theirs.push(nanoseconds(calls, &bare));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let more = 100.0 * (ours / theirs - 1.0);
        println!("{name}: proof {ours:.0} ns, bare verification {theirs:.0} ns, {more:+.1} %");
    }
}

fn nanoseconds(calls: u32, work: impl Fn()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| work());
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Bytes and calls of the allocator for one proof, with one key and with a set of a hundred.
fn memory() {
    assert!(cfg!(feature = "count"), "build with --features count");
    let all = tokens();
    let secret = all["secret"].as_str().expect("secret").as_bytes();
    let at = UnixSeconds::new(now());
    for (name, stem) in ALGORITHMS {
        let (_, verifying) = keys(name, stem, secret);
        let token = all[name].as_str().expect("token");
        let verifier = Verifier::new(verifying, rules());
        print_allocations(name, "one key", || {
            verifier.verify(token, at).expect("verify")
        });
    }
    for count in [1, 10, 100] {
        let signing: Vec<SigningKey> = (0..count)
            .map(|nth| {
                let key = SigningKey::generate(Algorithm::Es256).expect("key");
                key.with_key_id(KeyId::new(&format!("key-{nth}")).expect("short"))
            })
            .collect();
        let set = KeySet::new(signing.iter().map(SigningKey::verifying_key)).expect("set");
        let claims: Claims = serde_json::from_value(all["claims"].clone()).expect("claims");
        let token = signing[count / 2].sign_claims(&claims).expect("sign");
        let verifier = Verifier::new(set, rules());
        print_allocations("ES256", &format!("set of {count}, by kid"), || {
            verifier.verify(&token, at).expect("verify")
        });
    }
}

fn print_allocations<T>(name: &str, what: &str, mut work: impl FnMut() -> T) {
    drop(work());
    let before = (
        ALLOCATED.load(Ordering::Relaxed),
        CALLS.load(Ordering::Relaxed),
    );
    let kept = black_box(work());
    let bytes = ALLOCATED.load(Ordering::Relaxed) - before.0;
    let calls = CALLS.load(Ordering::Relaxed) - before.1;
    drop(kept);
    println!("yett-jwt\tallocated to verify {name}, {what}\t{bytes} bytes in {calls} calls");
}

/// Makes the keys and tokens that are missing.
fn prepare() {
    let folder = work();
    fs::create_dir_all(folder.join("keys")).expect("a folder that can be written");
    let secret = "benchmark-only-secret-0123456789-abcdefghijklmnopqrstuvwxyz";
    let claims = Claims {
        token_type: "access".into(),
        exp: (now() + 30 * 86_400) as u64,
        iat: now() as u64,
        jti: "0123456789abcdef0123456789abcdef".into(),
        user_id: "1".into(),
        iss: EXPECTED.1.into(),
        aud: EXPECTED.0.into(),
    };
    let mut all = serde_json::json!({"claims": claims, "secret": secret});
    for (name, stem) in ALGORITHMS {
        if let Some(stem) = stem {
            let key = SigningKey::generate(algorithm(name)).expect("key");
            let private = key.danger_to_pem().expect("PEM");
            let public = key.verifying_key().to_pem().expect("PEM");
            let write = |file: String, text: &str| {
                fs::write(folder.join("keys").join(file), text)
                    .expect("a file that can be written");
            };
            write(format!("{stem}.pem"), &private);
            write(format!("{stem}.pub.pem"), &public);
        }
        let (signing, _) = keys(name, stem, secret.as_bytes());
        all[name] = signing.sign_claims(&claims).expect("sign").into();
    }
    fs::write(folder.join("jwt-tokens.json"), all.to_string()).expect("a file that can be written");
}
