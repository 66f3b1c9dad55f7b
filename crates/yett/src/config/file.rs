//! `yett.toml` into raw words: the nouns, their keys, and which type a value has. What a word means
//! is for `settle`.
//!
//! | noun | what it holds |
//! | --- | --- |
//! | `[[listener]]` | `bind`, `tls`, `proxy_protocol`, `socket_mode`, `socket_owner` |
//! | `[app.NAME]` | the app and its workers; this version runs one |
//! | `[[route]]` | `path`, `files`, `guard = "open"`, `index`, `fallback`: a folder served without the app |
//! | `[static]` | what holds for all files that are served without the app |
//! | `[[route]]` | `path`, `max_body`, `compress`: what a part of the app has otherwise |
//! | `[proxy]` | whom to believe what others say of a request's origin |
//! | `[server]` | what holds for the whole process: limits, grace period, files of its own |
//! | `[tls]`, `[[tls.certificate]]` | HTTPS: versions and clients; each certificate with its key |
//! | `[compression]` | which answers of the app are compressed |
//! | `[admin]` | where health and metrics are told |
//! | `[log]` | `format`, `access`, `file`, `fields`, `slow_request` |
//!
//! An unknown key is an error, never passed over: a misspelt limit would be no limit. If the text
//! is not TOML, only that is said, since everything after it is guesswork.

mod value;

use super::{
    ConfigError, Key, Place, RawListener, RawMount, RawRule, RawServe, Said,
    error::quoted,
    key::{Shape, TABLE},
    nearest::nearest,
};
use std::{ops::Range, sync::Arc};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};
use value::{described, is_plain, right_value, text_of, without_items};

/// The nouns as they are written.
const NOUNS: [&str; 11] = [
    "[[listener]]",
    "[app.NAME]",
    "[[route]]",
    "[static]",
    "[server]",
    "[proxy]",
    "[tls]",
    "[compression]",
    "[websocket]",
    "[admin]",
    "[log]",
];
const LISTENER_KEYS: [&str; 5] = [
    "bind",
    "tls",
    "proxy_protocol",
    "socket_mode",
    "socket_owner",
];
const ROUTE_KEYS: [&str; 7] = [
    "path", "files", "guard", "index", "fallback", "max_body", "compress",
];

type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The words of a file, and what is wrong with its shape. `name` is the file as the user would name
/// it.
pub(super) fn words(name: &str, text: &str) -> (RawServe, Vec<ConfigError>) {
    let mut reader = Reader {
        name: name.into(),
        text,
        raw: RawServe::default(),
        errors: Vec::new(),
    };
    let (document, syntax) = DeTable::parse_recoverable(text);
    if syntax.is_empty() {
        reader.document(document.get_ref());
    }
    for error in syntax {
        let place = reader.place(error.span().unwrap_or(0..0));
        reader.errors.push(ConfigError::new(
            place,
            format!("not TOML: {}", error.message()),
        ));
    }
    (reader.raw, reader.errors)
}

struct Reader<'t> {
    name: Arc<str>,
    text: &'t str,
    raw: RawServe,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (noun, value) in in_order(document) {
            match noun.get_ref().as_ref() {
                "listener" => self.tables(value, "listener", Self::listener),
                "route" => self.tables(value, "route", Self::route),
                "app" => self.apps(value),
                "tls" => self.tls(value),
                plain if NOUNS.contains(&&*format!("[{plain}]")) => self.table(value, plain),
                unknown => {
                    let wrong = format!("there is no {} in a configuration", quoted(unknown));
                    let near = nearest(unknown, NOUNS.map(bare));
                    self.unknown(noun, wrong, &listed(&NOUNS), near);
                }
            }
        }
    }

    /// The tables of a noun that is written `[[noun]]`.
    fn tables(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        noun: &'static str,
        read: fn(&mut Self, &DeTable<'_>, Range<usize>),
    ) {
        let expected = format!("[[{noun}]]");
        let Some(list) = value.get_ref().as_array() else {
            let wrong = format!("{noun} is {}", described(value.get_ref()));
            return self.wrong(
                value.span(),
                wrong,
                &expected,
                Some(format!("write {expected} with two brackets")),
            );
        };
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => read(self, table, item.span()),
                None => self.wrong(
                    item.span(),
                    format!("{noun} has {} in it", described(item.get_ref())),
                    &expected,
                    None,
                ),
            }
        }
    }

    fn listener(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        self.only(table, "[[listener]]", &LISTENER_KEYS);
        let tls = self.word(table, "tls", Shape::Switch);
        let proxy_protocol = self.word(table, "proxy_protocol", Shape::Switch);
        let socket_mode = self.word(table, "socket_mode", Shape::Text);
        let socket_owner = self.word(table, "socket_owner", Shape::Text);
        if !table.contains_key("bind") {
            return self.wrong(
                span,
                "a listener without a bind".to_owned(),
                "bind = \"host:port\" or \"unix:/path\"",
                None,
            );
        }
        if let Some(bind) = self.word(table, "bind", Shape::Text) {
            self.raw.listen(RawListener {
                bind,
                tls,
                proxy_protocol,
                socket_mode,
                socket_owner,
            });
        }
    }

    /// `[tls]`, and the `[[tls.certificate]]` in it.
    fn tls(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.table(value, "tls");
        };
        if let Some(certificates) = table.get("certificate") {
            self.tables(certificates, "tls.certificate", Self::certificate);
        }
        self.keys_beside(table, "tls", "[tls]", &["certificate"]);
    }

    /// `[[tls.certificate]]`: without `key`, the certificate's file holds the key too.
    fn certificate(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        self.only(table, "[[tls.certificate]]", &["cert", "key"]);
        if !table.contains_key("cert") {
            self.wrong(
                span,
                "a certificate without a file".to_owned(),
                "cert = \"chain.pem\", and key = \"key.pem\"",
                None,
            );
        }
        let cert = self.word(table, "cert", Shape::Text);
        let key = match table.contains_key("key") {
            true => self.word(table, "key", Shape::Text),
            false => cert.clone(),
        };
        for (key, said) in [(Key::TlsCert, cert), (Key::TlsPrivate, key)] {
            if let Some(said) = said {
                self.raw.say(key, said);
            }
        }
    }

    /// `[app.NAME]`, exactly one.
    fn apps(&mut self, value: &Spanned<DeValue<'_>>) {
        let expected = "one table with a name of your choice, such as [app.notes]";
        let Some(apps) = value.get_ref().as_table() else {
            return self.wrong(
                value.span(),
                format!("app is {}", described(value.get_ref())),
                expected,
                None,
            );
        };
        let mut first: Option<String> = None;
        for (name, app) in in_order(apps) {
            let Some(table) = app.get_ref().as_table() else {
                let hint = "write [app.main] above it".to_owned();
                let wrong = format!("{} stands in [app] itself", quoted(name.get_ref()));
                self.wrong(name.span(), wrong, expected, Some(hint));
                continue;
            };
            if let Some(first) = &first {
                let wrong = format!(
                    "[app.{}] is a second app beside [app.{first}]",
                    name.get_ref()
                );
                self.wrong(
                    name.span(),
                    wrong,
                    "one app: this version of yett runs one",
                    None,
                );
                continue;
            }
            let header = format!("[app.{}]", name.get_ref());
            self.keys(table, "app", &header);
            first = Some(name.get_ref().to_string());
        }
    }

    /// A noun that is one table with keys of [`TABLE`] alone.
    fn table(&mut self, value: &Spanned<DeValue<'_>>, noun: &str) {
        let header = format!("[{noun}]");
        match value.get_ref().as_table() {
            Some(table) => self.keys(table, noun, &header),
            None => self.wrong(
                value.span(),
                format!("{noun} is {}", described(value.get_ref())),
                &header,
                None,
            ),
        }
    }

    /// All keys of a table that [`TABLE`] knows.
    fn keys(&mut self, table: &DeTable<'_>, noun: &str, header: &str) {
        self.keys_beside(table, noun, header, &[]);
    }

    /// The same, without keys that are read elsewhere.
    fn keys_beside(&mut self, table: &DeTable<'_>, noun: &str, header: &str, own: &[&str]) {
        let rows = || TABLE.iter().filter(|row| row.table == Some(noun));
        for (name, value) in in_order(table) {
            if own.contains(&name.get_ref().as_ref()) {
                continue;
            }
            match rows().find(|row| row.name == name.get_ref()) {
                Some(row) => self.value(row.key, row.shape, (name, value)),
                None => {
                    let known = rows().map(|row| row.name).chain(own.iter().copied());
                    self.unknown_key(name, header, known);
                }
            }
        }
    }

    /// Says which keys of a table there are not.
    fn only(&mut self, table: &DeTable<'_>, header: &str, known: &[&str]) {
        for (name, _) in in_order(table) {
            if !known.contains(&name.get_ref().as_ref()) {
                self.unknown_key(name, header, known.iter().copied());
            }
        }
    }

    /// A value that is no row of the table.
    fn word(&mut self, table: &DeTable<'_>, name: &str, shape: Shape) -> Option<Said> {
        let value = table.get(name)?;
        let place = self.place(value.span());
        if let Some(text) = text_of(shape, value.get_ref()) {
            return Some(Said::new(text, place));
        }
        let wrong = format!("{name} is {}", described(value.get_ref()));
        let right = right_value(name, shape, value.get_ref());
        self.wrong(value.span(), wrong, shape.expected(), right);
        None
    }

    /// A list of strings into words; whatever in it is none is an error of its own.
    fn texts(&mut self, key: Key, list: &[Spanned<DeValue<'_>>]) {
        for item in list {
            match item.get_ref() {
                DeValue::String(text) if is_plain(text) => {
                    let place = self.place(item.span());
                    self.raw.say(key, Said::new(text.as_ref(), place));
                }
                other => {
                    let wrong = format!("an item of {} is {}", key.row().name, described(other));
                    self.wrong(item.span(), wrong, Shape::Text.expected(), None);
                }
            }
        }
    }

    /// A value into a word, if its type is right.
    fn value(&mut self, key: Key, shape: Shape, (name, value): Entry<'_, '_>) {
        if let (Shape::Texts, DeValue::Array(list)) = (shape, value.get_ref()) {
            if let (true, Some(rest)) = (list.is_empty(), without_items(key)) {
                let wrong = format!("{} is empty{rest}", name.get_ref());
                let expected = "at least one item; or leave the key away";
                self.wrong(value.span(), wrong, expected, None);
            }
            return self.texts(key, list);
        }
        let text = text_of(shape, value.get_ref());
        match text {
            Some(text) => {
                let place = self.place(value.span());
                self.raw.say(key, Said::new(text, place));
            }
            None => {
                let wrong = format!("{} is {}", name.get_ref(), described(value.get_ref()));
                self.wrong(
                    value.span(),
                    wrong,
                    shape.expected(),
                    right_value(name.get_ref(), shape, value.get_ref()),
                );
            }
        }
    }

    /// `[[route]]`: a folder that is served to everyone, so its guard must say so; or, without
    /// `files`, what a part of the app has otherwise.
    fn route(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        self.only(table, "[[route]]", &ROUTE_KEYS);
        let has = |name| table.get(name).is_some();
        let url = self.route_text(table, "path", &span, "path = \"/static/\"");
        let max_body = self.word(table, "max_body", Shape::Size);
        let compress = self.word(table, "compress", Shape::SwitchOrDanger);
        if !has("files") && (has("max_body") || has("compress")) {
            if has("guard") {
                let wrong = "a route without files has a guard".to_owned();
                let hint = "who may pass is the project's to say; leave guard away".to_owned();
                self.wrong(span, wrong, "path with max_body or compress", Some(hint));
            }
            for (name, value) in in_order(table) {
                if matches!(name.get_ref().as_ref(), "index" | "fallback") {
                    let name = name.get_ref();
                    let wrong = format!("{name} stands in a route without files");
                    let hint = format!("name the folder as files, or leave {name} away");
                    let expected = "path with max_body or compress";
                    self.wrong(value.span(), wrong, expected, Some(hint));
                }
            }
            return self.raw.rule(RawRule {
                path: url,
                max_body,
                compress,
            });
        }
        if has("max_body") {
            let wrong = "a folder has no bodies of requests".to_owned();
            let hint = "leave max_body away, or files".to_owned();
            self.wrong(span.clone(), wrong, "path, files and guard", Some(hint));
        }
        if has("compress") {
            let wrong = "files are not compressed on their way".to_owned();
            let hint =
                "leave compress away: name.br, name.zst or name.gz beside a file is sent in \
                        its place"
                    .to_owned();
            self.wrong(span.clone(), wrong, "path, files and guard", Some(hint));
        }
        let folder = self.route_text(table, "files", &span, "files = \"a folder\"");
        let guard = self.route_text(
            table,
            "guard",
            &span,
            "guard = \"open\": everyone may read these files",
        );
        if let Some(guard) = guard.filter(|guard| guard.text != "open") {
            let wrong = format!("there is no guard {}", quoted(&guard.text));
            self.errors.push(
                ConfigError::new(guard.place, wrong)
                    .expected("\"open\", the only one for files in this version"),
            );
        }
        let mut page = |name: &str| {
            table.contains_key(name).then(|| {
                let expected = "the name of a file below the folder";
                self.route_text(table, name, &span, expected)
            })?
        };
        let (index, fallback) = (page("index"), page("fallback"));
        self.raw.mount(RawMount {
            url,
            folder,
            index,
            fallback,
        });
    }

    /// A string of a route, which must be there.
    fn route_text(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        span: &Range<usize>,
        expected: &str,
    ) -> Option<Said> {
        match table.get(name).map(|value| (value.span(), value.get_ref())) {
            None => self.wrong(
                span.clone(),
                format!("a route without {name}"),
                expected,
                None,
            ),
            Some((span, DeValue::String(text))) if is_plain(text) => {
                return Some(Said::new(text.as_ref(), self.place(span)));
            }
            Some((span, other)) => self.wrong(
                span,
                format!("{name} is {}", described(other)),
                "a plain string",
                None,
            ),
        }
        None
    }

    fn unknown_key<'k>(
        &mut self,
        name: &Spanned<DeString<'_>>,
        header: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let wrong = format!("there is no key {} in {header}", quoted(name.get_ref()));
        let elsewhere = TABLE
            .iter()
            .find(|row| row.name == name.get_ref() && row.table.is_some());
        match (
            nearest(name.get_ref(), known.iter().copied()),
            elsewhere.and_then(|row| row.table),
        ) {
            (None, Some(table)) => {
                let hint = match table {
                    "app" => "it belongs in [app.NAME]".to_owned(),
                    "listener" | "tls.certificate" => format!("it belongs in [[{table}]]"),
                    _ => format!("it belongs in [{table}]"),
                };
                self.wrong(name.span(), wrong, &listed(&known), Some(hint));
            }
            (near, _) => self.unknown(name, wrong, &listed(&known), near),
        }
    }

    fn unknown(
        &mut self,
        name: &Spanned<DeString<'_>>,
        wrong: String,
        expected: &str,
        near: Option<&str>,
    ) {
        let hint = near.map(|near| format!("did you mean {near}?"));
        self.wrong(name.span(), wrong, expected, hint);
    }

    fn wrong(&mut self, span: Range<usize>, wrong: String, expected: &str, hint: Option<String>) {
        let error = ConfigError::new(self.place(span), wrong).expected(expected);
        self.errors.push(match hint {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }

    /// Line and column of a span's start. A place past the end is the end.
    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Place::File {
            file: Arc::clone(&self.name),
            line,
            column,
        }
    }
}

/// A noun without its brackets.
fn bare(noun: &'static str) -> &'static str {
    let name = noun.trim_matches(['[', ']']);
    name.split_once('.').map_or(name, |(name, _)| name)
}

/// The entries in the order of the file; the parser keeps them sorted by name.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry<'a, 'i>> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} or {last}", front.join(", ")),
    }
}
