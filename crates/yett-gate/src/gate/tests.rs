//! Claims about verdicts, and the matrix of route × credential. The project is
//! `manifest/notes.json`. Verdicts on tokens of key pairs, and of an issuer's keys, are `keys.rs`.

mod keys;

use http::{HeaderMap, Request};
use proptest::prelude::*;
use yett_jwt::{Algorithm, SigningKey, UnixSeconds};

use super::Gate;
use crate::guard::{
    CredentialFault, Doubt, Judgement, OpenBy, SchemeHeaderSettings, TokenKey, TokenKeySource,
    Verdict,
};
use crate::request::{Arrival, ClientAddr, HeadRules, RequestHead, Scheme, ServerAddr};
use crate::route::{GuardSettings, MountSettings, Service, UrlPattern};
use crate::settings::GateSettings;

const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);
const ACCESS: &str = r#"{"token_type":"access","exp":1800000300,"jti":"1","user_id":"42"}"#;

fn settings() -> GateSettings {
    GateSettings::from_manifest(include_bytes!("../manifest/notes.json")).unwrap()
}

fn here(key: Vec<u8>) -> TokenKeySource {
    TokenKeySource::Here(TokenKey::new(key))
}

fn gate() -> Gate {
    Gate::new(settings()).unwrap()
}

fn token(claims: &str) -> String {
    let key = SigningKey::hs256(b"thirty-two bytes of secret, or more").unwrap();
    format!("Bearer {}", key.sign(claims.as_bytes()).unwrap())
}

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> RequestHead {
    let mut request = Request::builder().method(method).uri(target);
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request = request.header("Host", "www.example.com:8000");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
    let mut rules = HeadRules::default();
    rules.proxies.add("unix").unwrap();
    rules.danger_underscores.add("x_person").unwrap();
    RequestHead::parse(parts, arrival, &rules).unwrap()
}

/// The verdict, where no issuer's keys are wanted.
fn judged(gate: &Gate, head: RequestHead, now: UnixSeconds) -> Verdict {
    verdict(gate.judge(head, now))
}

fn verdict(judgement: Judgement) -> Verdict {
    match judgement {
        Judgement::Verdict(verdict) => verdict,
        Judgement::KeysWanted(wanted) => panic!("{wanted:?}"),
    }
}

/// A verdict in a word: the refusal's body, or where the request goes on to.
fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Refused(refused) => String::from_utf8(refused.answer().body.to_vec()).unwrap(),
        Verdict::Admitted(admitted) => match (admitted.service(), admitted.identity()) {
            (Service::App, Some(_)) => "APP+ID".to_owned(),
            (Service::App, None) => "APP".to_owned(),
            (Service::Files { .. }, _) => "FILES".to_owned(),
        },
    }
}

fn check(method: &str, target: &str, headers: &[(&str, &str)], expected: &str) {
    let verdict = judged(&gate(), head(method, target, headers), NOW);
    assert_eq!(told(&verdict), expected, "{method} {target} {headers:?}");
}

/// The whole policy: a row for each route, a column for each credential. Small words are the
/// project's own answers, given by the edge; `APP+ID` goes to the application with an identity.
const MATRIX: &str = "
request                 | good   | none    | basic   | two words | garbage | forged  | expired | refresh    | no type | no id | no exp
GET /api/notes/         | APP+ID | missing | missing | malformed | invalid | invalid | expired | wrong type | no type | no id | APP
POST /api/notes/        | APP+ID | missing | missing | malformed | invalid | invalid | expired | wrong type | no type | no id | APP
HEAD /api/notes/        | APP+ID | missing | missing | malformed | invalid | invalid | expired | wrong type | no type | no id | APP
DELETE /api/notes/      | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
OPTIONS /api/notes/     | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
PUT /api/notes/7/       | APP+ID | missing | missing | malformed | invalid | invalid | expired | wrong type | no type | no id | APP
GET /api/notes/7        | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
GET /api/feed/          | APP+ID | APP     | APP     | malformed | invalid | invalid | expired | APP        | APP     | APP   | APP
POST /api/token/        | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
GET /admin/users/       | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
GET /legacy/reports/    | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
GET /nowhere            | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
GET /static/css/a.css   | FILES  | FILES   | FILES   | FILES     | FILES   | FILES   | FILES   | FILES      | FILES   | FILES | FILES
OPTIONS *               | APP+ID | APP     | APP     | APP       | APP     | APP     | APP     | APP        | APP     | APP   | APP
";

fn credential(column: &str) -> Option<String> {
    let forged = SigningKey::hs256(b"another secret of thirty-two bytes").unwrap();
    match column {
        "good" => Some(token(ACCESS)),
        "none" => None,
        "basic" => Some("Basic eDp5".to_owned()),
        "two words" => Some("Bearer a b".to_owned()),
        "garbage" => Some("Bearer garbage".to_owned()),
        "forged" => Some(format!(
            "Bearer {}",
            forged.sign(ACCESS.as_bytes()).unwrap()
        )),
        "expired" => Some(token(&ACCESS.replace("1800000300", "1800000000"))),
        "refresh" => Some(token(&ACCESS.replace("access", "refresh"))),
        "no type" => Some(token(&ACCESS.replace("token_type", "tt"))),
        "no id" => Some(token(&ACCESS.replace("jti", "id"))),
        "no exp" => Some(token(&ACCESS.replace("exp", "end"))),
        other => panic!("unknown column {other}"),
    }
}

/// Judges every request of the matrix.
fn check_matrix(judge: impl Fn(RequestHead) -> Verdict) {
    let mut rows = MATRIX.trim().lines();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
    let columns: Vec<String> = cells(rows.next().unwrap());
    for row in rows {
        let row: Vec<String> = cells(row);
        let (method, target) = row[0].split_once(' ').unwrap();
        for (column, expected) in columns.iter().zip(&row).skip(1) {
            let credential = credential(column);
            let headers: Vec<(&str, &str)> = credential
                .iter()
                .map(|value| ("Authorization", value.as_str()))
                .collect();
            let verdict = judge(head(method, target, &headers));
            assert_eq!(told(&verdict), *expected, "{method} {target} with {column}");
        }
    }
}

#[test]
fn matrix_of_route_and_credential_holds() {
    let gate = gate();
    check_matrix(|head| judged(&gate, head, NOW));
}

#[test]
fn what_files_leave_to_the_application_is_judged_as_if_there_were_none() {
    let mut settings = settings();
    settings.mounts.push(MountSettings { prefix: "/".into() });
    let gate = Gate::new(settings).unwrap();
    check_matrix(|head| match judged(&gate, head, NOW) {
        Verdict::Admitted(admitted)
            if matches!(admitted.service(), Service::Files { .. })
                && admitted.route().as_str() == "/" =>
        {
            verdict(gate.judge_left_by_files(admitted, NOW))
        }
        found => found,
    });
}

#[test]
fn good_token_hands_on_token_and_claims() {
    let good = token(ACCESS);
    let request = head("GET", "/api/notes/", &[("Authorization", &good)]);
    let Verdict::Admitted(admitted) = judged(&gate(), request, NOW) else {
        panic!("a good token is admitted");
    };
    let identity = admitted.identity().unwrap();
    assert_eq!(Some(identity.token()), good.strip_prefix("Bearer "));
    assert_eq!(identity.claims_json(), ACCESS.as_bytes());
    assert_eq!(admitted.open_by(), None);
    assert_eq!(admitted.route().as_str(), "/api/notes/");
    assert_eq!(format!("{identity:?}"), "Identity([token])");
    let printed = format!("{admitted:?}");
    assert!(
        !printed.contains(identity.token()) && !printed.contains("user_id"),
        "{printed}"
    );
}

#[test]
fn refusal_is_precise_for_the_log_and_holds_no_token() {
    let expired = credential("expired").unwrap();
    let request = head("GET", "/api/notes/7/", &[("Authorization", &expired)]);
    let Verdict::Refused(refused) = judged(&gate(), request, NOW) else {
        panic!("an expired token is refused");
    };
    assert_eq!(refused.route().as_str(), "/api/notes/<int:pk>/");
    assert_eq!(refused.answer().status, 401);
    assert!(matches!(refused.reason(), CredentialFault::Unproven(_)));
    assert!(!format!("{refused:?}").contains(&expired[7..]));
}

#[test]
fn answer_is_sent_without_its_recorded_framing() {
    let Verdict::Refused(refused) = judged(&gate(), head("GET", "/api/notes/", &[]), NOW) else {
        panic!("a missing token is refused");
    };
    let headers: &HeaderMap = &refused.answer().headers;
    assert_eq!(headers["www-authenticate"], "Bearer realm=\"api\"");
    assert!(!headers.contains_key("content-length"));
}

fn check_doubt(headers: &[(&str, &str)], target: &str, expected: Doubt) {
    let Verdict::Admitted(admitted) = judged(&gate(), head("GET", target, headers), NOW) else {
        panic!("doubtful, so the application decides: {headers:?}");
    };
    match admitted.open_by() {
        Some(OpenBy::AppAnswers { doubt, .. }) => assert_eq!(*doubt, expected, "{headers:?}"),
        other => panic!("{headers:?}: {other:?}"),
    }
}

#[test]
fn doubtful_request_is_left_to_the_application() {
    let notes = "/api/notes/";
    check_doubt(&[("Host", "evil.test")], notes, Doubt::Host);
    check_doubt(&[("Host", "under_score.example.com")], notes, Doubt::Host);
    check_doubt(&[("Accept", "text/html")], notes, Doubt::Accept);
    check_doubt(&[], "/api/notes/?format=api", Doubt::Format);
    check_doubt(&[("Cookie", "csrftoken=x")], notes, Doubt::Cookie);
    check_doubt(
        &[],
        &format!("/api/notes/{}/", "1".repeat(5000)),
        Doubt::Long,
    );
    check_doubt(&[], &format!("{notes}?{}", "a&".repeat(1000)), Doubt::Long);
    check_doubt(&[("Authorization", "bearer x")], notes, Doubt::Spelling);
    check_doubt(&[], "/api/feed/", Doubt::NoAnswer);
}

#[test]
fn answer_that_varies_is_left_to_the_application() {
    // `Vary: Accept, origin`, as django-cors-headers has it.
    let notes = "/api/notes/";
    check_doubt(&[("Origin", "https://a.test")], notes, Doubt::AnswerVaries);
    let invalid = [("Origin", "https://a.test"), ("Authorization", "Bearer x")];
    check("GET", notes, &invalid, "invalid");
    // It was recorded with a cookie.
    let no_exp = credential("no exp").unwrap();
    check_doubt(&[("Authorization", &no_exp)], notes, Doubt::AnswerVaries);
}

/// The gate of a project that redirects clear text, behind a proxy that says the scheme.
fn gate_over_https_alone() -> Gate {
    let mut settings = settings();
    settings.app.scheme_header = Some(SchemeHeaderSettings {
        name: "X-Forwarded-Proto".to_owned(),
        secure: "https".to_owned(),
    });
    for entry in &mut settings.app.url_table {
        if let GuardSettings::Token(answers) = &mut entry.guard {
            answers.https = std::mem::take(&mut answers.http);
        }
    }
    Gate::new(settings).unwrap()
}

#[test]
fn answer_is_the_one_for_the_scheme_that_the_application_sees() {
    let gate = gate_over_https_alone();
    let told_of =
        |headers: &[(&str, &str)]| told(&judged(&gate, head("GET", "/api/notes/", headers), NOW));
    assert_eq!(told_of(&[]), "APP");
    assert_eq!(told_of(&[("X-Forwarded-Proto", "http")]), "APP");
    assert_eq!(told_of(&[("X-Forwarded-Proto", "https")]), "missing");
    assert_eq!(told_of(&[("X_Forwarded_Proto", "https")]), "APP");
    let twice = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Proto", "http"),
    ];
    assert_eq!(told_of(&twice), "APP");
    let routes = gate.routes();
    let notes = routes.iter().find(|route| route.path == "/api/notes/");
    assert_eq!(notes.unwrap().schemes, [Scheme::Https]);
}

#[test]
fn pattern_that_the_project_may_refuse_makes_only_its_own_paths_uncertain() {
    let mut settings = settings();
    let mut years = settings.app.url_table[2].clone();
    years.route = "<year:year>/notes/".to_owned();
    years.pattern = UrlPattern::Perhaps(vec!["^(?P<year>[a-z]{3})/notes/\\Z".to_owned()]);
    settings.app.url_table.insert(0, years.clone());
    years.route = "<year:year>/".to_owned();
    years.pattern = UrlPattern::Perhaps(vec!["^(?P<year>[a-z]+)/notes/7/\\Z".to_owned()]);
    settings.app.url_table.insert(1, years);
    let gate = Gate::new(settings).unwrap();
    let told_of = |target| told(&judged(&gate, head("GET", target, &[]), NOW));
    assert_eq!(told_of("/api/notes/"), "APP");
    assert_eq!(told_of("/abc/notes/"), "APP");
    assert_eq!(told_of("/api/notes/7/"), "APP");
    assert_eq!(told_of("/api/notes/8/"), "missing");
    let shown: Vec<String> = gate
        .routes()
        .iter()
        .filter(|route| route.path.contains("notes/"))
        .map(|route| format!("{:5} {}: {}", route.guard, route.path, route.why))
        .collect();
    assert_eq!(
        shown,
        [
            "app   /<year:year>/notes/: the edge cannot tell which paths /<year:year>/notes/ takes",
            "app   /api/notes/: the edge cannot tell which paths /<year:year>/notes/ takes",
            "token /api/notes/<int:pk>/: IsAuthenticated with JWTAuthentication alone; \
             not where /<year:year>/notes/ may take the path",
        ]
    );
}

#[test]
fn path_with_a_newline_is_left_to_the_application() {
    let mut settings = settings();
    settings.app.url_table[2].pattern =
        UrlPattern::Pieces(vec!["^tags/(?P<tag>[^/]+)/\\Z".to_owned()]);
    let gate = Gate::new(settings).unwrap();
    let told_of = |target| told(&judged(&gate, head("GET", target, &[]), NOW));
    assert_eq!(told_of("/tags/a/"), "missing");
    assert_eq!(told_of("/tags/a%0Ab/"), "APP");
    assert_eq!(told_of("/tags/a%7F/"), "APP");
}

#[test]
fn answer_that_refuses_nothing_is_not_given() {
    let mut settings = settings();
    settings.app.answers[0].status = 302;
    let gate = Gate::new(settings).unwrap();
    let verdict = judged(&gate, head("GET", "/api/notes/", &[]), NOW);
    assert_eq!(told(&verdict), "APP");
}

#[test]
fn scheme_in_another_case_counts_when_the_token_is_good() {
    let good = token(ACCESS).replace("Bearer", "bearer");
    check("GET", "/api/notes/", &[("Authorization", &good)], "APP+ID");
}

#[test]
fn request_without_token_rules_is_left_to_the_application() {
    let mut settings = settings();
    settings.app.token_rules = None;
    let good = token(ACCESS);
    let request = head("GET", "/api/notes/", &[("Authorization", &good)]);
    let Verdict::Admitted(admitted) = judged(&Gate::new(settings).unwrap(), request, NOW) else {
        panic!("nothing to refuse by");
    };
    assert_eq!(admitted.open_by(), Some(&OpenBy::NoTokenRules));
}

#[test]
fn settings_by_default_leave_everything_to_the_application() {
    let gate = Gate::new(GateSettings::default()).unwrap();
    let verdict = judged(&gate, head("GET", "/static/a", &[]), NOW);
    assert_eq!(told(&verdict), "APP");
}

#[test]
fn rules_of_issuer_audience_and_leeway_are_obeyed() {
    let mut settings = settings();
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.issuer = Some("us".to_owned());
    rules.audience = Some(vec!["api".to_owned(), "web".to_owned()]);
    rules.leeway_seconds = 10;
    let gate = Gate::new(settings).unwrap();
    let check = |claims: &str, expected: &str| {
        let token = token(claims);
        let request = head("GET", "/api/notes/", &[("Authorization", &token)]);
        assert_eq!(told(&judged(&gate, request, NOW)), expected, "{claims}");
    };
    let claims = r#"{"iss":"us","aud":"web","exp":1799999995,"jti":"1","token_type":"access"}"#;
    check(claims, "APP+ID");
    check(&claims.replace("us", "usx"), "invalid");
    check(&claims.replace("web", "we"), "invalid");
    check(&claims.replace("aud", "auds"), "invalid");
    check(&claims.replace("1799999995", "1799999990"), "expired");
}

#[test]
fn identity_header_is_dropped_also_where_an_underscore_may_pass() {
    let mut settings = settings();
    settings.identity_headers = vec!["X-Person".to_owned()];
    let let_through = judged(&gate(), head("GET", "/nowhere", &[("X_Person", "a")]), NOW);
    let dropped = Gate::new(settings).unwrap();
    let dropped = judged(&dropped, head("GET", "/nowhere", &[("X_Person", "a")]), NOW);
    for (verdict, expected) in [(let_through, true), (dropped, false)] {
        let Verdict::Admitted(admitted) = verdict else {
            panic!("open");
        };
        assert_eq!(admitted.head().headers().contains_key("x_person"), expected);
    }
}

#[test]
fn identity_header_is_dropped_in_every_spelling() {
    for configured in ["X-User", "x_user", "X_USER"] {
        let mut settings = settings();
        settings.identity_headers = vec![configured.to_owned()];
        let gate = Gate::new(settings).unwrap();
        let sent = [
            ("X-User", "a"),
            ("x-user", "b"),
            ("X_User", "c"),
            ("x_USER", "d"),
            ("X-Other", "e"),
        ];
        for target in ["/nowhere", "/static/a"] {
            let Verdict::Admitted(admitted) = judged(&gate, head("GET", target, &sent), NOW) else {
                panic!("open");
            };
            let names: Vec<&str> = admitted
                .head()
                .headers()
                .keys()
                .map(|name| name.as_str())
                .collect();
            assert_eq!(names, ["host", "x-other"], "{configured} {target}");
        }
    }
}

#[test]
fn encoded_spelling_cannot_leave_its_route() {
    check("GET", "/api%2fnotes/", &[], "missing");
    check("GET", "/%61pi/n%6ftes%2F7/", &[], "missing");
    check("GET", "/static%2fa.css", &[], "FILES");
    check("GET", "//api/notes/", &[], "APP");
    check("GET", "/api/notes/%0a", &[], "APP");
}

#[test]
fn typ_of_a_token_is_not_looked_at() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut settings = settings();
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.algorithm = "ES256".to_owned();
    rules.key = here(key.verifying_key().to_pem().unwrap().into_bytes());
    let gate = Gate::new(settings).unwrap();

    let header = r#"{"alg":"ES256","typ":"at+jwt"}"#;
    let token = key.sign_payload(header, ACCESS.as_bytes(), 8192).unwrap();
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    assert_eq!(
        told(&judged(&gate, head("GET", "/api/notes/", &headers), NOW)),
        "APP+ID"
    );
}

#[test]
fn all_settings_errors_come_at_once() {
    let mut settings = settings();
    settings.mounts[0].prefix = "static".to_owned();
    settings.identity_headers = vec!["no header".to_owned(), "Host".to_owned()];
    let rules = settings.app.token_rules.as_mut().unwrap();
    rules.key = here(b"short".to_vec());
    rules.audience = Some(Vec::new());
    rules.header_types = vec!["Bear er".to_owned()];
    settings.app.answers[0].status = 20;
    settings.app.answers[1].headers[0].0 = "no header".to_owned();
    settings.app.answers.truncate(2);
    let errors = Gate::new(settings).unwrap_err().to_string();
    let expected = "\
mount \"static\": a mount's prefix begins and ends with a slash and has no empty or dotted part; write it like /static/
identity header \"no header\": this is not a header name; write one like X-User
identity header \"Host\": requests need this header; choose another one for the identity
token rules: the key is refused; make SIGNING_KEY at least 32 random bytes (48 for HS384, 64 for HS512): the secret has 5 bytes, fewer than 32
token rules: the list of audiences is empty, so that no token would be good; name one, or leave audience out
token rules: header type \"Bear er\" is not one word of visible ASCII; write it like Bearer
answer 0: 20 is no status; the answer must be valid HTTP
answer 1: header \"no header\" or its value cannot be sent; the answer must be valid HTTP
url table, entry 2 (api/notes/): it chooses answer 2, and there are 2; answers count from 0";
    assert!(errors.starts_with(expected), "{errors}");
}

#[test]
fn key_is_not_printed() {
    let printed = format!("{:?} {:?}", settings(), gate());
    assert!(printed.contains("[secret]") && !printed.contains("thirty-two"));
}

/// Paths near the project's routes, each byte plain or escaped.
fn spelled_near_routes() -> impl Strategy<Value = (String, String)> {
    let path = prop_oneof![
        Just("api/notes/".to_owned()),
        Just("api/notes/7/".to_owned()),
        Just("static/a/b.css".to_owned()),
        Just("legacy/reports/".to_owned()),
        "(api|notes|static|admin|7|/){0,5}",
    ];
    (path, proptest::collection::vec(0u8..3, 40)).prop_map(|(path, spellings)| {
        let spell = |(byte, spelling): (u8, &u8)| match spelling {
            0 => char::from(byte).to_string(),
            1 => format!("%{byte:02x}"),
            _ => format!("%{byte:02X}"),
        };
        let raw: String = path
            .bytes()
            .zip(spellings.iter().cycle())
            .map(spell)
            .collect();
        (format!("/{path}"), format!("/{raw}"))
    })
}

proptest! {
    #[test]
    fn every_spelling_of_a_path_gets_the_same_verdict((plain, spelled) in spelled_near_routes()) {
        let gate = gate();
        let plain = judged(&gate, head("GET", &plain, &[]), NOW);
        let spelled = judged(&gate, head("GET", &spelled, &[]), NOW);
        prop_assert_eq!(told(&plain), told(&spelled));
        let name = |verdict: &Verdict| match verdict {
            Verdict::Admitted(admitted) => admitted.route().clone(),
            Verdict::Refused(refused) => refused.route().clone(),
        };
        prop_assert_eq!(name(&plain), name(&spelled));
    }
}

#[test]
fn method_of_an_unknown_name_is_left_to_the_application() {
    check("PROPFIND", "/api/notes/", &[], "APP");
    check("M-SEARCH", "/api/notes/", &[], "APP");
}
