//! The check of a login: answer, renewal, and the work that it takes.

use super::*;

fn pbkdf2(iterations: u32) -> Scheme {
    Pbkdf2::new(Prf::Sha256, iterations).unwrap().into()
}

fn argon2(memory_kib: u32, passes: u32, lanes: u32) -> Scheme {
    Argon2::new(memory_kib, passes, lanes).unwrap().into()
}

fn bcrypt(input: Input, cost: u32) -> Scheme {
    Bcrypt::new(input, cost).unwrap().into()
}

fn scrypt(n: u32, r: u32, p: u32) -> Scheme {
    Scrypt::new(n, r, p).unwrap().into()
}

/// Letters enough for Django's 128 bits, and bytes that bcrypt takes.
fn salt(scheme: Scheme) -> &'static [u8] {
    match scheme {
        Scheme::Bcrypt(_) => SALT,
        _ => b"twenty-two letters and",
    }
}

fn made(scheme: Scheme) -> String {
    scheme.encode(password("lion"), salt(scheme)).unwrap()
}

#[test]
fn check_tells_right_from_wrong_from_old() {
    for (preferred, old) in [
        (pbkdf2(3), pbkdf2(2)),
        (pbkdf2(2), pbkdf2(3)),
        (argon2(64, 1, 1), argon2(64, 2, 1)),
        (argon2(64, 1, 1), argon2(72, 1, 1)),
        (argon2(64, 1, 1), argon2(64, 1, 2)),
        (scrypt(4, 1, 1), scrypt(2, 1, 1)),
        (scrypt(4, 1, 1), scrypt(4, 2, 1)),
        (scrypt(4, 1, 1), scrypt(4, 1, 2)),
        (bcrypt(Input::Sha256, 5), bcrypt(Input::Sha256, 4)),
        (bcrypt(Input::Sha256, 4), bcrypt(Input::Plain, 4)),
        (argon2(64, 1, 1), pbkdf2(2)),
    ] {
        let check = |text: &str, secret: &str| {
            let checked = Preferred::new(preferred).check(password(secret), text);
            checked.unwrap()
        };
        assert_eq!(check(&made(preferred), "lion"), Checked::Right);
        assert_eq!(check(&made(preferred), "lamb"), Checked::Wrong);
        assert_eq!(check(&made(old), "lion"), Checked::RightButOld, "{old:?}");
        assert_eq!(check(&made(old), "lamb"), Checked::Wrong);
    }
}

#[test]
fn short_salt_is_renewed_for_pbkdf2_and_argon2_alone() {
    for (scheme, renewed) in [
        (pbkdf2(1), true),
        (argon2(64, 1, 1), true),
        (scrypt(2, 1, 1), false),
    ] {
        let preferred = Preferred::new(scheme);
        let text = scheme.encode(password("lion"), &[b's'; 21]).unwrap();
        assert_eq!(
            preferred.must_update(&Stored::parse(&text).unwrap()),
            renewed
        );
        let text = scheme.encode(password("lion"), &[b's'; 22]).unwrap();
        assert!(!preferred.must_update(&Stored::parse(&text).unwrap()));
    }
}

#[test]
fn argon2_of_another_edition_variety_or_length_is_renewed() {
    let preferred = Preferred::new(argon2(64, 1, 1));
    for (kind, length, renewed) in [
        ((Variety::Id, Edition::V19), 32, false),
        ((Variety::Id, Edition::V16), 32, true),
        ((Variety::Id, Edition::Untold), 32, true),
        ((Variety::I, Edition::V19), 32, true),
        ((Variety::D, Edition::V19), 32, true),
        ((Variety::Id, Edition::V19), 16, true),
    ] {
        let text = made(Argon2::of(kind, (64, 1, 1), length).unwrap().into());
        assert_eq!(
            preferred.must_update(&Stored::parse(&text).unwrap()),
            renewed
        );
    }
}

#[test]
fn version_letter_of_bcrypt_is_no_reason_to_renew() {
    let text = made(bcrypt(Input::Plain, 4)).replace("$2b$", "$2a$");
    let checked = Preferred::new(bcrypt(Input::Plain, 4)).check(password("lion"), &text);
    assert_eq!(checked, Ok(Checked::Right));
}

#[test]
fn unusable_and_unknown_accounts_open_with_no_password() {
    let preferred = Preferred::new(pbkdf2(1));
    for text in ["!", "!abc", "", "md5$salt$digest", "plain"] {
        for secret in ["", "!", text] {
            let checked = preferred.check(password(secret), text);
            assert_eq!(checked, Ok(Checked::Wrong), "{text}");
        }
    }
}

#[test]
fn broken_hash_is_an_error_to_be_logged() {
    let preferred = Preferred::new(pbkdf2(1));
    for (text, error) in [
        ("pbkdf2_sha256$x$salt$AAAA", HashError::Malformed),
        (
            "bcrypt$$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
            HashError::OutOfBounds(Bound::Cost),
        ),
    ] {
        assert_eq!(preferred.check(password("lion"), text), Err(error));
    }
}

#[test]
fn account_that_cannot_log_in_costs_one_preferred_hash() {
    for scheme in [
        pbkdf2(1),
        scrypt(2, 1, 1),
        argon2(64, 1, 1),
        bcrypt(Input::Sha256, 4),
        bcrypt(Input::Plain, 4),
    ] {
        let preferred = Preferred::new(scheme);
        for text in ["!", "", "md5$salt$digest", "pbkdf2_sha256$x$salt$AAAA"] {
            work_done();
            let _ = preferred.check(password("lion"), text);
            assert_eq!(work_done(), [scheme], "{text}");
        }
        assert_eq!(preferred.spend(password("lion")), Ok(()));
        assert_eq!(work_done(), [scheme]);
    }
}

#[test]
fn wrong_password_of_an_old_hash_is_brought_up_to_the_preferred_work() {
    for (preferred, old, expected) in [
        (pbkdf2(1000), pbkdf2(300), vec![pbkdf2(300), pbkdf2(700)]),
        (pbkdf2(300), pbkdf2(1000), vec![pbkdf2(1000)]),
        (pbkdf2(300), pbkdf2(300), vec![pbkdf2(300)]),
        (
            bcrypt(Input::Plain, 6),
            bcrypt(Input::Plain, 4),
            vec![bcrypt(Input::Plain, 4); 4],
        ),
        (
            bcrypt(Input::Plain, 4),
            bcrypt(Input::Plain, 6),
            vec![bcrypt(Input::Plain, 6)],
        ),
        // As in Django: no such sum for these, nor across algorithms.
        (argon2(64, 2, 1), argon2(64, 1, 1), vec![argon2(64, 1, 1)]),
        (scrypt(4, 1, 1), scrypt(2, 1, 1), vec![scrypt(2, 1, 1)]),
        (pbkdf2(300), scrypt(2, 1, 1), vec![scrypt(2, 1, 1)]),
    ] {
        let text = made(old);
        work_done();
        let checked = Preferred::new(preferred).check(password("lamb"), &text);
        assert_eq!(checked, Ok(Checked::Wrong));
        assert_eq!(work_done(), expected);
    }
}

#[test]
fn right_password_costs_one_hash() {
    let text = made(pbkdf2(300));
    work_done();
    let checked = Preferred::new(pbkdf2(1000)).check(password("lion"), &text);
    assert_eq!(checked, Ok(Checked::RightButOld));
    assert_eq!(work_done(), [pbkdf2(300)]);
}
