//! Claims about what people are shown.

use http::Method;

use crate::gate::Gate;
use crate::settings::GateSettings;

fn gate() -> Gate {
    let manifest = include_bytes!("../manifest/notes.json");
    Gate::new(GateSettings::from_manifest(manifest).unwrap()).unwrap()
}

fn check(method: &Method, path: &str, expected: &str) {
    assert_eq!(gate().explain(method, path).to_string(), expected);
}

#[test]
fn routes_come_in_match_order_with_the_guard_in_effect() {
    let routes = gate().routes();
    let shown: Vec<String> = routes
        .iter()
        .map(|route| format!("{:5} {:22} {}", route.guard, route.path, route.why))
        .collect();
    assert_eq!(
        shown,
        [
            "open  /static/               files of a mount are for everyone",
            "app   /admin/                not a view of Django REST Framework",
            "app   /api/token/            the view asks for no token",
            "token /api/notes/            IsAuthenticated with JWTAuthentication alone",
            "token /api/notes/<int:pk>/   IsAuthenticated with JWTAuthentication alone",
            "token /api/feed/             a bad token is refused, a missing one is not",
            "app   /legacy/               the edge cannot tell which paths /legacy/ takes",
            "app   /legacy/reports/       the edge cannot tell which paths /legacy/ takes",
        ]
    );
}

#[test]
fn explanation_says_what_becomes_of_a_path() {
    check(
        &Method::GET,
        "/static/%61.css",
        "/static/a.css goes to /static/ (files), guard open: files of a mount are for everyone",
    );
    check(
        &Method::GET,
        "/api%2fnotes/",
        "/api/notes/ goes to /api/notes/ (notes.views.NoteViewSet), guard token: \
         IsAuthenticated with JWTAuthentication alone",
    );
    check(
        &Method::GET,
        "/legacy/reports/",
        "/legacy/reports/ goes to /legacy/ (notes.views.Legacy), guard app: \
         the edge cannot tell which paths /legacy/ takes",
    );
    check(
        &Method::GET,
        "/nowhere?a",
        "/nowhere?a goes to the app: no URL pattern matches",
    );
    check(
        &Method::GET,
        "/static/..%2fapi",
        "refused with 400: the path holds a segment that is one or two dots",
    );
    check(
        &Method::CONNECT,
        "/",
        "refused with 501: the method is CONNECT",
    );
    check(
        &Method::GET,
        "not a target",
        "refused: this is no request target",
    );
}
