//! Golden files: what a user writes, and what comes of it, word for word.
//!
//! A file of `golden/` holds a command line after `$` (variables in front, as in a shell), then a
//! `yett.toml`, then a line of dashes, then the outcome: the settings that differ from the defaults
//! and the warnings, or all errors. The harness compares and shows the difference; it never
//! rewrites a file, because the outcome is to be read before it is believed.

use super::{
    Environment, RawServe, Reload, Role, Settled, Surroundings,
    raw::Place,
    socket::Accounts,
    source::{FileText, settled},
    units::{duration_text, size_text},
};
use crate::cli::{Order, parse};
use std::{ffi::OsString, fmt::Write as _, fs, num::NonZeroUsize, path::Path, time::Duration};
use yett_edge::listen::{Permissions, Preface, Wire};
use yett_edge::log::Format;
use yett_edge::tls::{CertificateSource, ClientCertificates, TlsSettings};

const ACCOUNTS: Accounts<'static> = Accounts {
    user: &|name| (name == "notes").then_some(1001),
    group: &|name| (name == "www-data").then_some(33),
};

const DASHES: &str = "----------\n";

/// A folder whose name has "missing" in it does not exist; there are 8 CPUs, a user notes and a group
/// www-data; `yett` was started in /srv/notes.
fn outcome(command: &str, toml: &str) -> Result<Settled, String> {
    let is_word_of_shell = |word: &&str| word.starts_with("YETT_") && word.contains('=');
    let words = || command.split_whitespace();
    let pairs: Vec<(&str, &str)> = words()
        .take_while(is_word_of_shell)
        .filter_map(|word| word.split_once('='))
        .collect();
    let environment = Environment::of(&pairs);
    let order = parse(words().skip_while(is_word_of_shell).map(OsString::from))
        .map_err(|no_order| no_order.plain)?;
    let Order::Serve(flags) = order else {
        return Err("a golden file is about yett serve".to_owned());
    };
    let around = Surroundings {
        folder: "/srv/notes".into(),
        file_folder: Some("/etc/yett".into()),
        temporary: "/tmp".into(),
        cpus: NonZeroUsize::new(8).unwrap(),
        is_folder: &|path: &Path| !path.to_string_lossy().contains("missing"),
        accounts: &ACCOUNTS,
    };
    let (variables, errors) = RawServe::from_environment(&environment);
    let file = (!toml.is_empty()).then(|| FileText {
        name: "yett.toml".to_owned(),
        text: toml.to_owned(),
    });
    settled(flags.over(variables), file, errors, &around).map_err(|errors| errors.to_string())
}

fn tls_lines(tls: &TlsSettings, line: &mut impl FnMut(&str, String)) {
    for certificate in &tls.certificates {
        let text = match certificate {
            CertificateSource::Files { certificate, key } => {
                format!("{} with {}", certificate.display(), key.display())
            }
            CertificateSource::SelfSigned { names } => format!("made for {}", names.join(", ")),
        };
        line("tls certificate", text);
    }
    line("tls min version", format!("{:?}", tls.min_version));
    line("tls unknown name", format!("{:?}", tls.unknown_name));
    let clients = match &tls.clients {
        ClientCertificates::Off => "off".to_owned(),
        ClientCertificates::Optional(trust) => format!("optional, {trust:?}"),
        ClientCertificates::Required(trust) => format!("required, {trust:?}"),
    };
    line("tls clients", clients);
    line(
        "tls handshake timeout",
        duration_text(tls.handshake_timeout),
    );
}

/// Who may connect to a Unix socket, where that is not as usual.
struct Unusual<'p>(&'p Permissions);

impl std::fmt::Display for Unusual<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let usual = Permissions::default();
        if self.0.mode != usual.mode {
            write!(f, " with mode {:04o}", self.0.mode)?;
        }
        for (kind, number) in [("user", self.0.user), ("group", self.0.group)] {
            if let Some(number) = number {
                write!(f, " of {kind} {number}")?;
            }
        }
        Ok(())
    }
}

/// Every setting, a line each.
fn lines(settled: &Settled) -> Vec<String> {
    let settings = &settled.settings;
    let limits = &settings.limits;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("{name} = {value}"));
    line(
        "app",
        settings
            .app
            .as_ref()
            .map_or("found".to_owned(), ToString::to_string),
    );
    line("folder", settings.folder.display().to_string());
    line(
        "python",
        settings
            .python
            .as_ref()
            .map_or("found".to_owned(), |python| format!("{python:?}")),
    );
    line("interface", settings.interface.name().to_owned());
    line(
        "reload",
        match settings.reload {
            Reload::Off => "off",
            Reload::On => "on",
            Reload::Poll => "poll",
        }
        .to_owned(),
    );
    for one in &settings.listeners {
        let port = settings.redirect_port;
        let name = match one.role {
            Role::Serve(_) => "bind",
            Role::Redirect => "redirect",
        };
        let role = match one.role {
            Role::Serve(Wire::Plain) => "".to_owned(),
            Role::Serve(Wire::Tls) => " over TLS".to_owned(),
            Role::Redirect => port.map_or(" to the first".to_owned(), |port| format!(" to {port}")),
        };
        let preface = match one.preface {
            Preface::ProxyHeader => " behind a PROXY header",
            Preface::None => "",
        };
        let mut text = format!("{}{role}{preface}", one.bind);
        if one.bind.unix_path().is_some() {
            let _infallible = write!(text, "{}", Unusual(&one.permissions));
        }
        line(name, text);
    }
    if let Some(tls) = &settings.tls {
        tls_lines(tls, &mut line);
    }
    if let Some(hsts) = &settings.hsts {
        line("hsts", hsts.clone());
    }
    for mount in &settings.mounts {
        line(
            "static",
            format!("{} from {}", mount.url, mount.folder.display()),
        );
        for (what, page) in [("index", &mount.index), ("fallback", &mount.fallback)] {
            if let Some(page) = page {
                line(what, page.clone());
            }
        }
    }
    let files = &settings.files;
    let unless_said = if files.max_age_is_default {
        ", or as the project says"
    } else {
        ""
    };
    let max_age = duration_text(files.max_age);
    line("static max age", format!("{max_age}{unless_said}"));
    line("static types", format!("{:?}", files.types));
    line("static open", files.open.to_string());
    line("static memory", size_text(files.memory));
    for folder in &settings.sendfile {
        line(
            "sendfile",
            format!("{} from {}", folder.url, folder.folder.display()),
        );
    }
    line("workers", settings.workers.to_string());
    let threads = settings.threads.of_executor();
    line(
        "threads",
        threads.map_or("auto".to_owned(), |threads| threads.to_string()),
    );
    line("concurrency", settings.concurrency.to_string());
    line("loop", settings.event_loop.name().to_owned());
    line("lifespan", settings.lifespan.name().to_owned());
    line(
        "timeout",
        settings.timeout.map_or("never".to_owned(), duration_text),
    );
    line("graceful timeout", duration_text(settings.graceful_timeout));
    line("start timeout", duration_text(settings.start_timeout));
    line(
        "max requests",
        settings
            .max_requests
            .map_or("never".to_owned(), |requests| requests.to_string()),
    );
    line(
        "max requests jitter",
        settings.max_requests_jitter.to_string(),
    );
    line(
        "max rss",
        settings
            .max_rss
            .map_or("any".to_owned(), |bytes| size_text(bytes.get())),
    );
    line("preload", format!("{:?}", settings.preload).to_lowercase());
    line("queue", limits.queue.to_string());
    line("queue timeout", duration_text(limits.queue_timeout));
    line("keep-alive", duration_text(limits.keep_alive));
    line("head timeout", duration_text(limits.head_timeout));
    line("body timeout", duration_text(limits.body_timeout));
    line("send timeout", duration_text(limits.send_timeout));
    line("min rate", size_text(limits.min_rate));
    line("max connections", limits.max_connections.to_string());
    line(
        "max connections per address",
        limits
            .max_connections_per_address
            .map_or("any".to_owned(), |most| most.to_string()),
    );
    line("max head", size_text(limits.max_head as u64));
    line("max headers", limits.max_headers.to_string());
    line("max body", size_text(limits.max_body));
    line("spool dir", limits.spool_dir.display().to_string());
    line("max spool", size_text(limits.max_spool));
    line("max spool files", limits.max_spool_files.to_string());
    line("max answer spool", size_text(limits.max_answer_spool));
    line(
        "http2 streams",
        settings
            .http2
            .as_ref()
            .map_or("off".to_owned(), |http2| http2.max_streams.to_string()),
    );
    let compression = &settings.compression;
    line("compression", format!("{:?}", compression.compression));
    line("compression min size", size_text(compression.min_size));
    line(
        "compression max encoders",
        compression.max_encoders.to_string(),
    );
    let head = &settings.head;
    let hosts = head.allowed_hosts.as_ref();
    line(
        "allowed hosts",
        hosts.map_or("any".to_owned(), |hosts| format!("{hosts:?}")),
    );
    line(
        "security headers",
        format!("{:?}", settings.security_headers),
    );
    line(
        "request id",
        head.request_id
            .as_ref()
            .map_or("off".to_owned(), |header| header.name().to_string()),
    );
    line("underscores", format!("{:?}", head.danger_underscores));
    line(
        "trust",
        if head.proxies.is_empty() {
            "nobody".to_owned()
        } else {
            format!("{:?}", head.proxies)
        },
    );
    line("proxy headers", format!("{:?}", head.forwarding));
    line("proxy host", format!("{:?}", head.forwarded_host));
    for rule in settings.routes.iter() {
        let max_body = rule.max_body.map_or("default".to_owned(), size_text);
        let compression = rule
            .compression
            .map_or("default".to_owned(), |compression| {
                format!("{compression:?}")
            });
        let value = format!(
            "{} max body {max_body}, compression {compression}",
            rule.path
        );
        line("route", value);
    }
    let websocket = &settings.websocket;
    let unless_never = |time: Option<Duration>| time.map_or("never".to_owned(), duration_text);
    line("ws max message", size_text(websocket.max_message));
    line("ws ping interval", unless_never(websocket.ping_interval));
    line("ws ping timeout", unless_never(websocket.ping_timeout));
    line("ws deflate", format!("{:?}", websocket.deflate));
    line("drain delay", duration_text(settings.drain_delay));
    line(
        "admin",
        settings
            .admin
            .as_ref()
            .map_or("nowhere".to_owned(), ToString::to_string),
    );
    for host in &settings.admin_hosts {
        line("admin host", host.clone());
    }
    let log = &settings.log;
    line(
        "log format",
        match &log.format {
            Format::Text => "text".to_owned(),
            Format::Json => "json".to_owned(),
            Format::JsonOf(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
                format!("json of {}", names.join(", "))
            }
            Format::Template(template) => format!("template of {}", template.fields().count()),
            Format::Off => "off".to_owned(),
        },
    );
    line(
        "log file",
        log.file
            .as_ref()
            .map_or("standard output".to_owned(), |path| {
                path.display().to_string()
            }),
    );
    line("slow request", unless_never(log.slow_request));
    line(
        "pid file",
        settings
            .pid_file
            .as_ref()
            .map_or("none".to_owned(), |path| path.display().to_string()),
    );
    lines.extend(
        settled
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    lines
}

fn text(command: &str, toml: &str) -> String {
    let defaults = lines(&outcome("yett serve", "").unwrap());
    match outcome(command, toml) {
        Err(errors) => errors.trim_end().to_owned() + "\n",
        Ok(settled) => {
            let changed: Vec<String> = lines(&settled)
                .into_iter()
                .filter(|line| !defaults.contains(line))
                .collect();
            if changed.is_empty() {
                "the defaults\n".to_owned()
            } else {
                changed.join("\n") + "\n"
            }
        }
    }
}

/// Lines only one side has, in the order of the texts.
fn difference(expected: &str, actual: &str) -> String {
    let mut difference = String::new();
    for line in expected
        .lines()
        .filter(|line| !actual.lines().any(|other| other == *line))
    {
        let _ = writeln!(difference, "  - {line}");
    }
    for line in actual
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line))
    {
        let _ = writeln!(difference, "  + {line}");
    }
    if difference.is_empty() {
        "  the same lines in another order\n".to_owned()
    } else {
        difference
    }
}

#[test]
fn golden_files_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/golden");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut report = String::new();
    for path in paths {
        let golden = fs::read_to_string(&path).unwrap();
        let (input, expected) = golden.split_once(DASHES).expect("a line of dashes");
        let (command, toml) = input.split_once('\n').expect("a command line");
        let actual = text(
            command.strip_prefix("$ ").expect("a command line after $"),
            toml,
        );
        if actual != expected {
            let name = path.file_name().unwrap().to_string_lossy();
            let _ = writeln!(
                report,
                "{name}: (- expected, + actual)\n{}\n{actual}",
                difference(expected, &actual)
            );
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn the_defaults_are_these() {
    let expected = "\
app = found
folder = /srv/notes
python = found
interface = auto
reload = off
bind = 127.0.0.1:8000
static max age = 1m, or as the project says
static types = Types({})
static open = 1024
static memory = 32MiB
workers = 8
threads = auto
concurrency = 1000
loop = auto
lifespan = auto
timeout = 30s
graceful timeout = 30s
start timeout = 2m
max requests = never
max requests jitter = 0
max rss = any
preload = on
queue = 1024
queue timeout = 30s
keep-alive = 75s
head timeout = 20s
body timeout = 30s
send timeout = 1m
min rate = 500B
max connections = 10000
max connections per address = any
max head = 64KiB
max headers = 128
max body = 100MiB
spool dir = /tmp
max spool = 4GiB
max spool files = 4096
max answer spool = 64MiB
http2 streams = 128
compression = On
compression min size = 1KiB
compression max encoders = 64
allowed hosts = any
security headers = Own
request id = off
underscores = UnderscoreNames([])
trust = nobody
proxy headers = XForwarded
proxy host = Ignored
ws max message = 16MiB
ws ping interval = 20s
ws ping timeout = 20s
ws deflate = On
drain delay = 0s
admin = nowhere
log format = text
log file = standard output
slow request = never
pid file = none";
    assert_eq!(
        lines(&outcome("yett serve", "").unwrap()).join("\n"),
        expected
    );
}

#[test]
fn a_place_in_a_file_counts_lines_and_characters_from_1() {
    let (raw, errors) = super::file::words("yett.toml", "[log]\r\n# é\nformat = \"é\" # ü\n");
    assert_eq!(errors, []);
    let place = raw.one(super::Key::LogFormat).unwrap().place.clone();
    assert_eq!(
        place,
        Place::File {
            file: "yett.toml".into(),
            line: 3,
            column: 10
        }
    );
}

proptest::proptest! {
    #[test]
    fn any_words_end_in_settings_or_errors(words in proptest::collection::vec(".{0,40}", super::key::TABLE.len()), toml in "(\\PC|\n){0,200}") {
        let flags = super::key::TABLE.iter().zip(words).map(|(row, word)| (row.key, word));
        let around = Surroundings {
            folder: "/srv/notes".into(),
            file_folder: None,
            temporary: "/tmp".into(),
            cpus: NonZeroUsize::MIN,
            is_folder: &|_| true,
            accounts: &ACCOUNTS,
        };
        let file = FileText { name: "yett.toml".to_owned(), text: toml };
        if let Err(errors) = settled(RawServe::from_flags(flags), Some(file), Vec::new(), &around) {
            let text = errors.to_string();
            proptest::prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
    }
}

#[test]
fn any_text_is_read_without_a_panic() {
    // The corners of the parser's recovery: cut every golden input at every byte.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/golden");
    for entry in fs::read_dir(folder).unwrap() {
        let golden = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (end, _) in golden.char_indices() {
            let _ = super::file::words("yett.toml", &golden[..end]);
        }
    }
}
