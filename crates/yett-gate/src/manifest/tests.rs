//! Claims about reading the manifest.

use http::Method;

use crate::gate::Gate;
use crate::guard::KeyLength;
use crate::route::{GuardSettings, MountSettings, UrlPattern};
use crate::settings::GateSettings;

const NOTES: &str = include_str!("notes.json");

fn read(manifest: &str) -> GateSettings {
    GateSettings::from_manifest(manifest.as_bytes()).unwrap()
}

fn check_refused(manifest: &str, expected: &str) {
    let errors = GateSettings::from_manifest(manifest.as_bytes()).unwrap_err();
    let errors = errors.to_string();
    assert!(errors.contains(expected), "{errors}");
    assert!(!errors.contains("dGhpc"), "{errors}");
}

#[test]
fn manifest_becomes_settings_that_make_a_gate() {
    let settings = read(NOTES);
    assert_eq!(
        settings.mounts,
        [MountSettings {
            prefix: "/static/".to_owned()
        }]
    );
    assert_eq!(settings.app.allowed_hosts, ["127.0.0.1", ".example.com"]);
    assert_eq!(settings.app.answers.len(), 8);
    let rules = settings.app.token_rules.as_ref().unwrap();
    assert_eq!(rules.key_length, KeyLength::Enforced);
    assert_eq!(rules.token_type_claim.as_deref(), Some("token_type"));
    let entry = &settings.app.url_table[3];
    assert_eq!(entry.methods, [Method::GET, Method::PUT, Method::DELETE]);
    assert!(matches!(&entry.pattern, UrlPattern::Pieces(pieces) if pieces.len() == 2));
    assert!(
        matches!(&entry.guard, GuardSettings::Token(answers) if answers.http.no_exp == Some(7))
    );
    Gate::new(settings).unwrap();
}

#[test]
fn manifest_without_django_leaves_everything_to_the_application() {
    assert_eq!(read(r#"{"django": null}"#), GateSettings::default());
    assert_eq!(read(r#"{"app": {}}"#), GateSettings::default());
}

#[test]
fn debug_without_allowed_hosts_allows_what_django_allows() {
    let debug = NOTES
        .replace(r#""debug": false"#, r#""debug": true"#)
        .replace(r#"["127.0.0.1", ".example.com"]"#, "[]");
    let hosts = read(&debug).app.allowed_hosts;
    assert_eq!(hosts, [".localhost", "127.0.0.1", "[::1]"]);
}

#[test]
fn static_files_elsewhere_are_not_mounted() {
    let elsewhere = [
        r#"{"url": "https://cdn.test/", "root": "/srv"}"#,
        r#"{"url": "//cdn.test/", "root": "/srv"}"#,
        r#"{"url": "/static/", "root": null}"#,
        r#"{"url": "/static/", "root": null, "places": []}"#,
        r#"{"url": null, "root": "/srv"}"#,
        r#"{"url": "/", "root": "/srv"}"#,
        "null",
    ];
    for static_files in elsewhere {
        let ours = r#"{"url": "/static/", "root": "/srv/notes/static"}"#;
        let settings = read(&NOTES.replace(ours, static_files));
        assert_eq!(settings.mounts, [], "{static_files}");
    }
}

#[test]
fn manifest_of_another_shape_is_refused() {
    check_refused("", "app manifest: the manifest cannot be read");
    check_refused(
        &NOTES.replace(r#""guard": "token""#, r#""guard": "maybe""#),
        "unknown variant `maybe`",
    );
}

#[test]
fn what_cannot_be_taken_over_is_named_at_once() {
    let broken = NOTES
        .replace("dGhpcnR5", "dGhpc*!!")
        .replace(r#"["GET", "PUT", "DELETE"]"#, r#"["GET", "P T"]"#);
    check_refused(&broken, "token rules: the key is not base64");
    check_refused(
        &broken,
        "url table, entry 3 (api/notes/<int:pk>/): \"P T\" is not a method's name",
    );
}
