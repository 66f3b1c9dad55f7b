//! `cargo bench`: the same work under criterion, for changes to Yett itself. Keys are made anew at
//! each run; nothing is read from disk.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jwt_bench::{Claims, EXPECTED, now, spoilt};
use yett_jwt::{Algorithm, CacheSize, Rules, SigningKey, TokenCache, UnixSeconds, Verifier};

fn tokens(criterion: &mut Criterion) {
    let claims = Claims {
        token_type: "access".into(),
        exp: (now() + 86_400) as u64,
        iat: now() as u64,
        jti: "0123456789abcdef0123456789abcdef".into(),
        user_id: "1".into(),
        iss: EXPECTED.1.into(),
        aud: EXPECTED.0.into(),
    };
    let at = UnixSeconds::new(now());
    for algorithm in [
        Algorithm::Hs256,
        Algorithm::Hs512,
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ] {
        let key = SigningKey::generate(algorithm).expect("key");
        let rules = Rules::new().audience(EXPECTED.0).issuer(EXPECTED.1);
        let verifier = Verifier::new(key.verifying_key(), rules);
        let token = key.sign_claims(&claims).expect("sign");
        let bad = spoilt(&token);
        let cache = TokenCache::new(CacheSize::default());

        let mut group = criterion.benchmark_group(algorithm.name());
        group.bench_function("sign", |b| b.iter(|| key.sign_claims(black_box(&claims))));
        group.bench_function("verify", |b| {
            b.iter(|| verifier.verify(black_box(&token), at))
        });
        group.bench_function("verify into a type", |b| {
            b.iter(|| {
                let verified = verifier.verify(black_box(&token), at).expect("verify");
                verified.claims().deserialize::<Claims>().expect("claims")
            });
        });
        group.bench_function("reject", |b| {
            b.iter(|| verifier.verify(black_box(&bad), at))
        });
        group.bench_function("cache hit", |b| {
            b.iter(|| cache.verify(&verifier, black_box(&token), at));
        });
        group.finish();
    }
}

criterion_group!(benches, tokens);
criterion_main!(benches);
