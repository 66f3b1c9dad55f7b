//! How much work, and what kind of salt and password, is taken.

use super::*;

fn refused<S>(made: Result<S, HashError>, bound: Bound) {
    assert_eq!(made.err(), Some(HashError::OutOfBounds(bound)));
}

#[test]
fn iterations_of_pbkdf2_are_bounded() {
    assert!(Pbkdf2::new(Prf::Sha256, 20_000_000).is_ok());
    for iterations in [0, 20_000_001, u32::MAX] {
        refused(Pbkdf2::new(Prf::Sha256, iterations), Bound::Iterations);
    }
}

#[test]
fn work_of_scrypt_is_bounded() {
    assert!(Scrypt::new(1 << 14, 8, 5).is_ok());
    assert!(Scrypt::new(1 << 20, 8, 2).is_ok());
    for n in [0, 1, 3, 16385, 1 << 21, u32::MAX] {
        refused(Scrypt::new(n, 8, 1), Bound::WorkFactor);
    }
    refused(Scrypt::new(2, 0, 1), Bound::BlockSize);
    refused(Scrypt::new(2, 65, 1), Bound::BlockSize);
    refused(Scrypt::new(2, 1, 0), Bound::Parallelism);
    refused(Scrypt::new(2, 1, 65), Bound::Parallelism);
    refused(Scrypt::new(1 << 20, 16, 1), Bound::Memory);
    refused(Scrypt::new(1 << 20, 8, 3), Bound::Work);
}

#[test]
fn work_of_argon2_is_bounded() {
    assert!(Argon2::new(102_400, 2, 8).is_ok());
    assert!(Argon2::new(MOST_MEMORY_KIB, 4, 8).is_ok());
    refused(Argon2::new(MOST_MEMORY_KIB + 1, 1, 1), Bound::Memory);
    refused(Argon2::new(63, 1, 8), Bound::Memory);
    refused(Argon2::new(64, 0, 1), Bound::TimeCost);
    refused(Argon2::new(64, 65, 1), Bound::TimeCost);
    refused(Argon2::new(64, 1, 0), Bound::Parallelism);
    refused(Argon2::new(u32::MAX, 1, u32::MAX), Bound::Parallelism);
    refused(Argon2::new(MOST_MEMORY_KIB, 5, 1), Bound::Work);
    for length in [0, 3, 65, usize::MAX] {
        let kind = (Variety::Id, Edition::V19);
        refused(Argon2::of(kind, (64, 1, 1), length), Bound::DigestLength);
    }
}

#[test]
fn cost_of_bcrypt_is_bounded() {
    assert!(Bcrypt::new(Input::Plain, 16).is_ok());
    for cost in [0, 3, 17, 31, 32, u32::MAX] {
        refused(Bcrypt::new(Input::Sha256, cost), Bound::Cost);
    }
}

#[test]
fn password_longer_than_the_bound_is_refused() {
    assert!(Password::new(&[b'p'; LONGEST_PASSWORD]).is_ok());
    let refused = Password::new(&[b'p'; LONGEST_PASSWORD + 1]);
    assert_eq!(refused.err(), Some(HashError::PasswordTooLong));
}

#[test]
fn salt_that_could_not_be_read_back_is_refused() {
    let plain = [
        Scheme::from(Pbkdf2::new(Prf::Sha256, 1).unwrap()),
        Scheme::from(Scrypt::new(2, 1, 1).unwrap()),
    ];
    for scheme in plain {
        for salt in [&b""[..], b"a$b", b"\xff"] {
            assert_eq!(scheme.encode(password("p"), salt), Err(HashError::Salt));
        }
    }
    let argon2 = Scheme::from(Argon2::new(64, 1, 1).unwrap());
    for salt in [&[b's'; 7][..], &[b's'; 65]] {
        assert_eq!(argon2.encode(password("p"), salt), Err(HashError::Salt));
    }
    let bcrypt = Scheme::from(Bcrypt::new(Input::Plain, 4).unwrap());
    for salt in [&[b's'; 15][..], &[b's'; 17]] {
        assert_eq!(bcrypt.encode(password("p"), salt), Err(HashError::Salt));
    }
}

#[test]
fn memory_of_a_scheme_is_told() {
    assert_eq!(
        Scheme::from(Argon2::new(102_400, 2, 8).unwrap()).memory_kib(),
        102_400
    );
    assert_eq!(
        Scheme::from(Scrypt::new(1 << 14, 8, 5).unwrap()).memory_kib(),
        16_384 + 6
    );
    assert_eq!(
        Scheme::from(Pbkdf2::new(Prf::Sha1, 1).unwrap()).memory_kib(),
        0
    );
}

#[test]
fn password_and_stored_hash_are_not_printed() {
    assert_eq!(format!("{:?}", password("lion")), "Password([secret])");
    for text in MADE_BY_DJANGO {
        let shown = format!("{:?}", Stored::parse(text).unwrap());
        let digest = text.rsplit('$').next().unwrap();
        assert!(!shown.contains(digest) && !shown.contains("seasalt"));
    }
}
