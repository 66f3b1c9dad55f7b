use super::*;
use crate::log::record::{Route, ServiceKind};
use crate::log::words::Words;

fn fields(target: &str, agent: &str) -> Fields {
    let mut words = Words::new("GET", target);
    words.say(Word::UserAgent, agent);
    words.say(Word::Referer, agent);
    Fields {
        client: ClientAddr::Ip("192.0.2.1:5".parse().unwrap()),
        words,
        protocol: "HTTP/1.1",
        scheme: "http",
        status: 200,
        bytes: 13,
        received: 7,
        took: Duration::from_micros(1234),
        waited: Duration::ZERO,
        app: Some(Duration::from_micros(1000)),
        service: ServiceKind::App,
        route: Route::Own("app"),
        worker: Some(7),
        reason: None,
        fault: None,
        failure: None,
    }
}

fn line(format: &Format, fields: &Fields) -> String {
    let mut line = String::new();
    format.write(&mut line, fields);
    line
}

#[test]
fn header_cannot_forge_a_text_record() {
    let forged = fields("/a\" 500", "x\"\n2026 fake \u{1b}[31m \u{2028}é");
    let line = line(&Format::Text, &forged);
    assert_eq!(line.matches('\n').count(), 1);
    let line = &line[line.find(' ').unwrap()..];
    assert_eq!(
        line,
        " 192.0.2.1 \"GET /a\\\" 500 HTTP/1.1\" 200 13 1.234ms app worker=7 \
         agent=\"x\\\"\\n2026 fake \\u{1b}[31m \\u{2028}\\u{e9}\"\n"
    );
}

#[test]
fn name_of_a_route_cannot_forge_a_record() {
    let forged = "/a b/\n2026-01-01 fake fault=client \"\u{1b}é$";
    let mut fields = fields("/", "x");
    fields.route = Route::Own(forged);
    for format in [
        Format::Text,
        Format::Json,
        Format::Template(Template::parse("{route} {status}").unwrap()),
    ] {
        let line = line(&format, &fields);
        let line = line.strip_suffix('\n').unwrap();
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        // In JSON it stands between quotes.
        assert!(format == Format::Json || !line.contains(" fake "), "{line}");
    }
    fields.route = Route::Own("/api/<int:pk>/$");
    assert!(line(&Format::Text, &fields).contains("ms /api/<int:pk>/$ worker=7 "));
}

#[test]
fn header_cannot_forge_a_json_record() {
    let line = line(&Format::Json, &fields("/a", "x\",\"status\":500,\n\""));
    assert_eq!(line.matches('\n').count(), 1);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["status"], 200);
    assert_eq!(value["user_agent"], "x\",\"status\":500,\n\"");
}

#[test]
fn json_record_holds_nothing_that_steers_a_terminal() {
    let line = line(&Format::Json, &fields("/\u{9b}31m\u{7f}", "\u{2028}😀"));
    let line = line.trim_end();
    assert!(line.chars().all(|c| (' '..='~').contains(&c)), "{line}");
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(value["target"], "/\u{9b}31m\u{7f}");
    assert_eq!(value["user_agent"], "\u{2028}😀");
}

#[test]
fn json_of_chosen_fields_has_them_in_their_order_and_says_what_is_missing() {
    let format = Format::JsonOf(vec![
        Field::Status,
        Field::Host,
        Field::App,
        Field::TookSeconds,
    ]);
    assert_eq!(
        line(&format, &fields("/", "a")),
        "{\"status\":200,\"host\":null,\"app_us\":1000,\"took_s\":\"0.001234\"}\n"
    );
}

fn template(text: &str, fields: &Fields) -> String {
    line(&Format::Template(Template::parse(text).unwrap()), fields)
}

#[test]
fn template_shows_its_fields_and_a_hyphen_for_what_is_missing() {
    let fields = fields("/a?b", "curl/8");
    assert_eq!(
        template("{{{method}}} {path} {status} {host} {fault}", &fields),
        "{GET} /a 200 - -\n"
    );
    let combined = template(Template::COMBINED, &fields);
    let (address, rest) = combined.split_once('[').unwrap();
    let (_, rest) = rest.split_once("] ").unwrap();
    assert_eq!(address, "192.0.2.1 - - ");
    assert_eq!(rest, "\"GET /a?b HTTP/1.1\" 200 13 \"curl/8\" \"curl/8\"\n");
}

#[test]
fn template_cannot_be_forged_between_quotes_nor_without_them() {
    let evil = "x\" 200 \\\n y";
    assert_eq!(
        template("\"{user_agent}\" {status}", &fields("/", evil)),
        "\"x\\\" 200 \\\\\\n y\" 200\n"
    );
    assert_eq!(
        template("\"a\" {user_agent} {status}", &fields("/", evil)),
        "\"a\" x\\\"\\u{20}200\\u{20}\\\\\\n\\u{20}y 200\n"
    );
}

#[test]
fn mistakes_of_a_template_are_named() {
    let error = |text| Template::parse(text).unwrap_err();
    assert_eq!(
        error("{client} {remote_addr}").to_string(),
        "there is no field {remote_addr}"
    );
    assert_eq!(error("{client"), FormatError::LoneBrace);
    assert_eq!(error("client}"), FormatError::LoneBrace);
    assert_eq!(error("no field"), FormatError::NoField);
    assert_eq!(error("{client}\n"), FormatError::NotPlain);
    assert_eq!(error(&"{client}".repeat(300)), FormatError::TooLong);
}

#[test]
fn id_of_a_request_stands_in_every_format_that_shows_it() {
    let mut fields = fields("/", "a");
    assert!(!line(&Format::Text, &fields).contains(" id="));
    assert_eq!(template("{request_id}", &fields), "-\n");
    fields.words.say(Word::RequestId, "f058=ebd6");
    assert!(line(&Format::Text, &fields).contains(" worker=7 id=f058=ebd6 "));
    assert_eq!(template("{request_id}", &fields), "f058=ebd6\n");
    let json = line(&Format::JsonOf(vec![Field::RequestId]), &fields);
    assert_eq!(json, "{\"request_id\":\"f058=ebd6\"}\n");
}

#[test]
fn every_field_has_a_name_of_its_own() {
    for field in Field::ALL {
        assert_eq!(Field::named(field.name()), Some(*field));
    }
}

proptest::proptest! {
    #[test]
    fn any_words_make_one_plain_line_and_json_says_them_all(target in "\\PC{0,60}|.{0,60}", agent in ".{0,60}") {
        let fields = fields(&target, &agent);
        for format in [
            Format::Text,
            Format::Json,
            Format::Template(Template::parse(Template::COMBINED).unwrap()),
            Format::Template(Template::parse("{user_agent} {target}").unwrap()),
        ] {
            let line = line(&format, &fields);
            let line = line.strip_suffix('\n').unwrap();
            proptest::prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
        let json: serde_json::Value = serde_json::from_str(&line(&Format::Json, &fields)).unwrap();
        proptest::prop_assert_eq!(json["target"].as_str().unwrap(), target);
        proptest::prop_assert_eq!(json["user_agent"].as_str().unwrap(), agent);
    }
}
