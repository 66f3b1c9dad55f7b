//! The command line's answers, word for word.

use super::*;
use crate::config::{Key, key::TABLE};

fn parse_line(line: &str) -> Result<Order, NoOrder> {
    parse(line.split_whitespace().map(OsString::from))
}

fn mistake(line: &str) -> String {
    let no_order = parse_line(line).unwrap_err();
    assert_eq!(no_order.exit, Exit::Usage, "{}", no_order.plain);
    no_order.plain
}

#[test]
fn clap_agrees_with_the_definition() {
    command().debug_assert();
}

#[test]
fn every_setting_has_a_flag_that_reaches_its_key() {
    for row in &TABLE {
        let line = match row.key {
            Key::App => "yett serve word".to_owned(),
            // Without the sign an app that follows would be taken for its value.
            Key::Reload | Key::TlsSelfSigned | Key::ProxyProtocol | Key::RequestId => {
                format!("yett serve {}=word", row.flag)
            }
            _ => format!("yett serve {} word", row.flag),
        };
        let Ok(Order::Serve(raw)) = parse_line(&line) else {
            panic!("{line}")
        };
        let said = raw.list(row.key);
        assert_eq!(said.len(), 1, "{line}");
        assert_eq!(said[0].text, "word");
        assert_eq!(said[0].place.to_string(), row.flag);
    }
}

#[test]
fn every_flag_names_its_variable_in_the_help() {
    let help = parse_line("yett serve --help").unwrap_err();
    assert_eq!(help.exit, Exit::Fine);
    for row in &TABLE {
        assert!(
            help.plain.contains(&format!("[env:{}]", row.variable())),
            "{}\n{}",
            row.variable(),
            help.plain
        );
    }
}

#[test]
fn orders_are_read() {
    let here = Which::StartedHere;
    assert_eq!(parse_line("yett reload"), Ok(Order::Reload(here)));
    assert_eq!(
        parse_line("yett reload --pid 12"),
        Ok(Order::Reload(Which::Pid(12)))
    );
    assert_eq!(
        parse_line("yett stop"),
        Ok(Order::Stop(here, Manner::Graceful))
    );
    assert_eq!(
        parse_line("yett stop --quick --pid 7"),
        Ok(Order::Stop(Which::Pid(7), Manner::Quick))
    );
    assert_eq!(
        parse_line("yett status --json"),
        Ok(Order::Status(here, Form::Json))
    );
    assert_eq!(
        parse_line("yett routes"),
        Ok(Order::Routes(RawServe::default(), Form::Text))
    );
    assert_eq!(
        parse_line("yett check"),
        Ok(Order::Check(RawServe::default()))
    );
}

#[test]
fn lists_repeat_and_a_single_value_does_not() {
    let Ok(Order::Serve(raw)) = parse_line("yett serve -b :80 --bind unix:/a -w 2") else {
        panic!()
    };
    let binds: Vec<_> = raw
        .list(Key::Bind)
        .iter()
        .map(|said| said.text.as_str())
        .collect();
    assert_eq!(binds, [":80", "unix:/a"]);
    assert_eq!(
        raw.one(Key::Workers).map(|said| said.text.as_str()),
        Some("2")
    );
    assert_eq!(
        mistake("yett serve -w 2 -w 3"),
        "error: the argument '--workers <N>' cannot be used multiple times\n\n\
         Usage: yett serve [OPTIONS] [APP]\n\nFor more information, try '--help'.\n"
    );
}

#[test]
fn reload_alone_is_on_and_takes_no_app_for_its_value() {
    let Ok(Order::Serve(raw)) = parse_line("yett serve --reload app:app") else {
        panic!("not read")
    };
    assert_eq!(raw.one(Key::Reload).unwrap().text, "on");
    assert_eq!(raw.one(Key::App).unwrap().text, "app:app");
}

#[test]
fn no_access_log_is_access_log_off() {
    let Ok(Order::Serve(raw)) = parse_line("yett serve --no-access-log") else {
        panic!()
    };
    assert_eq!(
        raw.one(Key::AccessLog).map(|said| said.text.as_str()),
        Some("off")
    );
    assert!(
        mistake("yett serve --no-access-log --access-log on").starts_with(
            "error: the argument '--no-access-log' cannot be used with '--access-log <ON|OFF>'"
        )
    );
}

#[test]
fn a_flag_that_this_version_does_not_have_is_named() {
    for flag in ["--tls-password", "--worker-class"] {
        assert_eq!(
            mistake(&format!("yett serve {flag}")),
            format!(
                "error: unexpected argument '{flag}' found\n\nFor more information, try '--help'.\n"
            )
        );
    }
    assert_eq!(
        mistake("yett serve --worker 4"),
        "error: unexpected argument '--worker' found\n\n  tip: a similar argument exists: '--workers'\n\n\
         Usage: yett serve --workers <N> [APP]\n\nFor more information, try '--help'.\n"
    );
}

#[test]
fn a_mistyped_command_is_pointed_out() {
    assert_eq!(
        mistake("yett server"),
        "error: unrecognized subcommand 'server'\n\n  tip: a similar subcommand exists: 'serve'\n\n\
         Usage: yett <COMMAND>\n\nFor more information, try '--help'.\n"
    );
    assert_eq!(
        mistake("yett stop --pid 0"),
        "error: invalid value '0' for '--pid <N>': 0 is not in 1..=4294967295\n\nFor more information, try '--help'.\n"
    );
}

#[test]
fn without_a_command_the_help_is_shown_and_the_exit_code_is_2() {
    let no_order = parse_line("yett").unwrap_err();
    assert_eq!(no_order.exit, Exit::Usage);
    assert!(
        no_order.plain.contains("Usage: yett <COMMAND>"),
        "{}",
        no_order.plain
    );
}

#[test]
fn the_version_is_printed() {
    let version = parse_line("yett --version").unwrap_err();
    assert_eq!(
        (version.plain.as_str(), version.exit),
        (
            concat!("yett ", env!("CARGO_PKG_VERSION"), "\n"),
            Exit::Fine
        )
    );
}

#[test]
fn a_token_and_its_key_are_read() {
    let Ok(Order::Token(command)) =
        parse_line("yett token verify a.b.c --key k.pem --alg ES256 --leeway 30s --type at+jwt")
    else {
        panic!()
    };
    assert!(!format!("{command:?}").contains("a.b.c"));
    let TokenCommand::Verify(words) = *command else {
        panic!()
    };
    assert_eq!(words.token, Some(TokenWord("a.b.c".to_owned())));
    assert_eq!(words.leeway, Some(30));
    assert_eq!(words.kind, TokenType::AccessToken);
}

#[test]
fn a_key_comes_from_exactly_one_place() {
    for verb in ["verify", "issue"] {
        let none = mistake(&format!("yett token {verb} --alg HS256"));
        assert!(
            none.contains("required arguments were not provided"),
            "{none}"
        );
        let two = mistake(&format!("yett token {verb} --key a --secret-env B"));
        assert!(two.contains("cannot be used with"), "{two}");
    }
    mistake("yett token verify --key a --allow-loopback");
    mistake("yett token verify --key a --danger-short-secret");
    mistake("yett token verify --key a --audience b --any-audience");
    mistake("yett token issue --key a --expires-in 5m --danger-no-expiry");
}

/// A command line is seen by every user of the machine.
#[test]
fn no_flag_of_token_and_keys_takes_a_secret() {
    let command = command();
    for noun in ["token", "keys"] {
        let noun = command.find_subcommand(noun).unwrap();
        for verb in noun.get_subcommands() {
            for arg in verb
                .get_arguments()
                .filter(|arg| arg.get_action().takes_values())
            {
                let id = arg.get_id().as_str();
                let place = arg.get_value_names().and_then(|names| names.first());
                let place = place.map_or("", |name| name.as_str());
                if id.contains("secret") || id.contains("key") {
                    let by_name = matches!(place, "FILE" | "VARIABLE");
                    assert!(by_name, "{} --{id} {place}", verb.get_name());
                }
                assert!(!id.contains("password"), "{id}");
            }
        }
    }
    let refused = mistake("yett token verify --secret=hunter2 --alg HS256");
    assert!(!refused.contains("hunter2"), "{refused}");
}
