//! Where fuzzing begins: good inputs of each kind, and some that were once mistaken for good.
//! Keys are made anew by each run; nothing here is secret or published.

use yett_jwt::{Algorithm, KeyId, KeySet, RsaSize, SigningKey};

/// Tokens, and headers and payloads with a line feed between.
pub fn token() -> Vec<Vec<u8>> {
    let key = SigningKey::hs256(b"another secret of the fuzz targets, long enough");
    let key = key.expect("a good secret");
    let claims = br#"{"sub":"1","aud":["a","b"],"exp":1900000000,"x":{"y":[1.5,null,true]}}"#;
    let token = key.sign(claims).expect("a token");
    let mut seeds = vec![token.into_bytes()];
    for header in [
        "",
        r#"{"alg":"HS256"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","typ":"at+jwt"}"#,
        r#"{"alg":"none"}"#,
        r#"{"al\u0067":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#,
    ] {
        seeds.push(format!("{header}\n{{}}").into_bytes());
    }
    for payload in [
        r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#,
        r#" { "a" : [ 1 , -2 , 3.5e-1 , "x\"y" , { } , [ ] ] , "b" : { "c" : "\u00e9\n" } } "#,
        r#"{"\u0061":1,"b":{"\ud83d\ude00":"\\","c":["\/",{"d\t":"e"}]},"f":"\u0000"}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":-0,"b":-0.0,"c":1E+2,"d":18446744073709551616,"e":1e308,"f":5e-324}"#,
        r#"{"a":1.7976931348623158e308}"#,
        r#"{"a":1e400}"#,
        r#"{"exp":9223372036854775808,"nbf":-1.5,"iat":0.1}"#,
        r#"{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
        r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,
            "o":1,"p":1,"q":1,"r":1,"s":{"a":1}}"#,
        r#"{"aaaaaaaa1":1,"aaaaaaaa2":1,"aaaaaaaa":1,"aaaaaaa":1,"":1}"#,
        r#"{"aud":"a","sub":"b","jti":"c","iss":null}"#,
        "{\"a\":\"\u{7f}\u{e9}\u{20ac}\u{1f600}\"}",
        "[]",
        "nul",
        "{}{}",
    ] {
        seeds.push(format!("\n{payload}").into_bytes());
    }
    seeds
}

/// A key of each algorithm.
fn keys() -> Vec<SigningKey> {
    let rsa = SigningKey::generate_rsa(Algorithm::Rs256, RsaSize::Bits2048).expect("a key");
    let pem = rsa.danger_to_pem().expect("PEM");
    let keys = Algorithm::ALL.iter().copied().filter_map(|algorithm| {
        if algorithm.is_symmetric() {
            return None;
        }
        // RSA keys take long to make: all share one.
        SigningKey::from_pem(algorithm, pem.as_bytes())
            .or_else(|_| SigningKey::generate(algorithm))
            .ok()
    });
    keys.enumerate()
        .map(|(nth, key)| match KeyId::new(&format!("key {nth}")) {
            Some(id) if nth % 2 == 0 => key.with_key_id(id),
            _ => key,
        })
        .collect()
}

/// JWKs, private, public and shared.
pub fn jwk() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        br#"{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0","alg":"HS256","kid":"1"}"#
            .to_vec(),
        br#"{"kty":"oct","k":"eyJrdHkiOiJvY3QiLCJrIjoic2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0In0"}"#
            .to_vec(),
        br#"{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
            .to_vec(),
        br#"{"kty":"RSA","n":"AQAB","e":"AQAB","use":"enc","key_ops":["verify","verify"]}"#
            .to_vec(),
        br#"{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","x5u":"https://example.com"}"#
            .to_vec(),
    ];
    for key in keys() {
        seeds.push(key.danger_to_jwk().expect("a JWK").as_bytes().to_vec());
        let public = key.verifying_key().to_jwk().expect("a JWK").to_json();
        seeds.push(public.into_bytes());
    }
    seeds
}

/// JWK sets: all keys, one at a time, one key twice, none.
pub fn jwk_set() -> Vec<Vec<u8>> {
    let jwks: Vec<String> = jwk()
        .into_iter()
        .map(|jwk| String::from_utf8(jwk).expect("UTF-8"))
        .collect();
    let mut seeds: Vec<Vec<u8>> = jwks
        .iter()
        .filter(|jwk| jwk.len() < 1500)
        .map(|jwk| format!(r#"{{"keys":[{jwk}]}}"#).into_bytes())
        .collect();
    let ec: Vec<&str> = jwks
        .iter()
        .filter(|jwk| jwk.contains(r#""EC""#))
        .map(String::as_str)
        .collect();
    seeds.push(format!(r#"{{"keys":[{}],"more":1}}"#, ec.join(",")).into_bytes());
    if let Some(one) = jwks.iter().find(|jwk| jwk.contains(r#""kid":"key"#)) {
        seeds.push(format!(r#"{{"keys":[{one},{one}]}}"#).into_bytes());
    }
    let public = KeySet::new(keys().iter().map(SigningKey::verifying_key)).expect("a set");
    seeds.push(public.to_json().into_bytes());
    for text in [
        r#"{"keys":[]}"#,
        r#"{"keys":[1,null,{}]}"#,
        r#"{"keys":{}}"#,
        "[]",
        "",
    ] {
        seeds.push(text.into());
    }
    seeds
}

/// PEM and DER of both halves.
pub fn pem() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = vec![
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_vec(),
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n".to_vec(),
        b"\x30\x80\x02\x01\x00\x00\x00".to_vec(),
        b"\x30\x84\xFF\xFF\xFF\xFF\x30\x00".to_vec(),
    ];
    for key in keys() {
        let private = key.danger_to_pem().expect("PEM").as_bytes().to_vec();
        let public = key.verifying_key().to_pem().expect("PEM").into_bytes();
        for text in [private, public] {
            seeds.push(within(&text));
            seeds.push(text);
        }
    }
    seeds
}

/// The DER in a PEM text of ours.
fn within(pem: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = str::from_utf8(pem).expect("ASCII");
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .expect("base64")
}
