use super::*;
use crate::JwksClient;
use crate::testing::{Certificate, settings};

fn errors(settings: JwksSettings) -> Vec<JwksSettingsError> {
    match JwksClient::new(settings) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors().to_vec(),
    }
}

/// Good settings that do not look at this machine's certificates.
fn good() -> JwksSettings {
    let authority = Certificate::new(&["issuer.example"]).pem();
    JwksSettings {
        trust: Trust::Only(authority.into_bytes()),
        ..settings("https://issuer.example/jwks.json")
    }
}

#[test]
fn defaults_are_good() {
    assert_eq!(errors(good()), []);
}

#[test]
fn every_mistake_is_named_at_once() {
    let settings = JwksSettings {
        url: "http://issuer.example/jwks.json".into(),
        allowed: vec![],
        refresh: Duration::from_secs(9),
        cooldown: Duration::ZERO,
        timeout: Duration::from_secs(61),
        longest_body: 0,
        loopback: Loopback::Refused,
        trust: Trust::Only(vec![]),
    };
    let text = JwksClient::new(settings).unwrap_err().to_string();
    assert_eq!(
        text,
        "url: plain http lets anybody on the way choose the keys; use https (http is for this machine alone, with loopback allowed)\n\
         trust: the PEM text holds no certificate\n\
         allowed: no algorithm is named; name those that the issuer signs with\n\
         refresh: 9s is not within 10s and 604800s\n\
         cooldown: 0ns is not within 1s and 3600s\n\
         timeout: 61s is not within 1ms and 60s\n\
         longest_body: 0 bytes is not within 1 and 262144"
    );
}

#[test]
fn bounds_are_themselves_allowed() {
    for (refresh, cooldown, timeout, longest_body) in [
        (
            REFRESHES.start(),
            COOLDOWNS.start(),
            TIMEOUTS.start(),
            LONGEST_BODIES.start(),
        ),
        (
            REFRESHES.end(),
            COOLDOWNS.end(),
            TIMEOUTS.end(),
            LONGEST_BODIES.end(),
        ),
    ] {
        let settings = JwksSettings {
            refresh: *refresh,
            cooldown: *cooldown,
            timeout: *timeout,
            longest_body: *longest_body,
            ..good()
        };
        assert_eq!(errors(settings), []);
    }
}

#[test]
fn longest_times_do_not_overflow_the_clock() {
    let settings = JwksSettings {
        refresh: Duration::MAX,
        ..good()
    };
    assert!(matches!(
        errors(settings).as_slice(),
        [JwksSettingsError::Duration {
            setting: "refresh",
            ..
        }]
    ));
}

#[test]
fn symmetric_algorithm_is_refused() {
    let settings = JwksSettings {
        allowed: vec![Algorithm::Es256, Algorithm::Hs256],
        ..good()
    };
    assert_eq!(
        errors(settings),
        [JwksSettingsError::Symmetric(Algorithm::Hs256)]
    );
}

#[test]
fn neither_settings_nor_their_errors_show_the_address() {
    let settings = JwksSettings {
        url: "https://user:hunter2@issuer.example/?key=hunter3".into(),
        ..good()
    };
    let shown = format!("{settings:?} {:?}", errors(settings.clone()));
    assert!(
        !shown.contains("hunter") && !shown.contains("issuer.example"),
        "{shown}"
    );
}
