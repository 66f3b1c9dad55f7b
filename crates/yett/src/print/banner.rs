//! What `yett serve` says when it is ready.

use super::screen::{Paint, Style, one_line};
use std::fmt::Write as _;

/// Everything that the banner says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Banner {
    /// Where it listens, as a client would write it: `http://127.0.0.1:8000`,
    /// `unix:/run/yett.sock`.
    pub(crate) addresses: Vec<String>,
    /// The certificates in use, a line each.
    pub(crate) certificates: Vec<String>,
    /// Where health and metrics are told.
    pub(crate) admin: Vec<String>,
    /// The app's name.
    pub(crate) app: String,
    /// `Django 6.0.10`, if it is a framework that we know.
    pub(crate) framework: Option<String>,
    /// `WSGI` or `ASGI`.
    pub(crate) interface: String,
    /// Worker processes.
    pub(crate) workers: usize,
    /// Threads in each.
    pub(crate) threads: usize,
    /// Requests that each runs at once in an event loop; `None` if threads run them.
    pub(crate) concurrency: Option<usize>,
    /// `3.13.0`.
    pub(crate) python_version: String,
    /// The interpreter's path.
    pub(crate) python_path: String,
    /// Where tokens are checked; `None` if there is no URL table to read it from.
    pub(crate) guarded: Option<GuardedPaths>,
    /// Why the edge checks no token at all, if it does not.
    pub(crate) no_guard: Option<String>,
    /// Static mounts: URL and folder.
    pub(crate) mounts: Vec<(String, String)>,
    /// Sentences about what is probably not meant.
    pub(crate) warnings: Vec<String>,
    /// What is watched for changes, in development.
    pub(crate) reload: Option<String>,
    /// The process id, for `kill -HUP`.
    pub(crate) pid: u32,
}

/// Where tokens are checked before Python runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct GuardedPaths {
    /// Routes that need a token, as the project writes them.
    pub(crate) guarded: Vec<String>,
    /// How many routes there are in all.
    pub(crate) total: usize,
}

/// Paths that are named; the others are counted.
const EXAMPLES: usize = 3;

/// The banner, several lines.
pub(crate) fn banner(banner: &Banner, paint: Paint) -> String {
    let mut text = String::new();
    let title = format!("yett {}", env!("CARGO_PKG_VERSION"));
    let _ = write!(
        text,
        "{} serves {}",
        paint.text(Style::Strong, &title),
        one_line(&banner.app)
    );
    let kind: Vec<String> = banner
        .framework
        .iter()
        .cloned()
        .chain([banner.interface.clone()])
        .collect();
    let _ = writeln!(text, " ({})", one_line(&kind.join(", ")));
    for address in &banner.addresses {
        line(&mut text, paint, "address", &one_line(address));
    }
    for certificate in &banner.certificates {
        line(&mut text, paint, "tls", &one_line(certificate));
    }
    for address in &banner.admin {
        line(&mut text, paint, "admin", &one_line(address));
    }
    let python = format!("{} at {}", banner.python_version, banner.python_path);
    line(&mut text, paint, "python", &one_line(&python));
    let each = match banner.concurrency {
        Some(requests) => counted(requests, "request"),
        None => counted(banner.threads, "thread"),
    };
    let workers = format!("{} × {each}", banner.workers);
    line(&mut text, paint, "workers", &workers);
    if let Some(reload) = &banner.reload {
        line(&mut text, paint, "reload", &one_line(reload));
    }
    if let Some(guarded) = &banner.guarded {
        line(
            &mut text,
            paint,
            "tokens",
            &one_line(&guarded_text(guarded)),
        );
    }
    if let Some(why) = &banner.no_guard {
        line(
            &mut text,
            paint,
            "tokens",
            &format!("checked by the app alone: {}", one_line(why)),
        );
    }
    for (url, folder) in &banner.mounts {
        line(
            &mut text,
            paint,
            "static",
            &one_line(&format!("{url} from {folder}")),
        );
    }
    for warning in &banner.warnings {
        let _ = writeln!(
            text,
            "  {} {}",
            paint.text(Style::Warning, "warning"),
            one_line(warning)
        );
    }
    let hint = format!(
        "Ctrl-C stops it; yett reload (or kill -HUP {}) loads new code.",
        banner.pid
    );
    let _ = writeln!(text, "{}", paint.text(Style::Faint, &hint));
    text
}

fn line(text: &mut String, paint: Paint, label: &str, value: &str) {
    let _ = writeln!(text, "  {:<7} {value}", paint.text(Style::Faint, label));
}

fn guarded_text(paths: &GuardedPaths) -> String {
    let (count, total) = (paths.guarded.len(), paths.total);
    if count == 0 {
        return format!(
            "checked by the app alone; the edge guards none of {}",
            counted(total, "route")
        );
    }
    let examples: Vec<&str> = paths
        .guarded
        .iter()
        .take(EXAMPLES)
        .map(String::as_str)
        .collect();
    let more = count.saturating_sub(EXAMPLES);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "checked before Python on {count} of {}: {}{more}",
        counted(total, "route"),
        examples.join(", ")
    )
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> Banner {
        Banner {
            addresses: vec!["http://127.0.0.1:8000".into(), "unix:/run/yett.sock".into()],
            certificates: vec!["notes.example until 2027-01-01T00:00:00Z from /etc/n.pem".into()],
            admin: vec!["http://127.0.0.1:9000".into()],
            app: "notes_site.wsgi:application".into(),
            framework: Some("Django 6.0.10".into()),
            interface: "WSGI".into(),
            workers: 4,
            threads: 1,
            concurrency: None,
            python_version: "3.13.0".into(),
            python_path: "/srv/notes/.venv/bin/python".into(),
            guarded: Some(GuardedPaths {
                guarded: [
                    "/api/notes/",
                    "/api/notes/<int:pk>/",
                    "/api/a/",
                    "/api/b/",
                    "/api/c/",
                ]
                .map(str::to_owned)
                .into(),
                total: 14,
            }),
            no_guard: None,
            mounts: vec![("/static/".into(), "/srv/notes/static".into())],
            warnings: vec!["DEBUG is on".into()],
            reload: None,
            pid: 4242,
        }
    }

    #[test]
    fn a_django_project_is_shown_whole() {
        let expected = "\
yett VERSION serves notes_site.wsgi:application (Django 6.0.10, WSGI)
  address http://127.0.0.1:8000
  address unix:/run/yett.sock
  tls     notes.example until 2027-01-01T00:00:00Z from /etc/n.pem
  admin   http://127.0.0.1:9000
  python  3.13.0 at /srv/notes/.venv/bin/python
  workers 4 × 1 thread
  tokens  checked before Python on 5 of 14 routes: /api/notes/, /api/notes/<int:pk>/, /api/a/ and 2 more
  static  /static/ from /srv/notes/static
  warning DEBUG is on
Ctrl-C stops it; yett reload (or kill -HUP 4242) loads new code.
";
        assert_eq!(
            banner(&notes(), Paint::Off),
            expected.replace("VERSION", env!("CARGO_PKG_VERSION"))
        );
    }

    #[test]
    fn workers_with_a_loop_are_told_by_their_requests() {
        let looped = Banner {
            interface: "ASGI".into(),
            concurrency: Some(1000),
            ..notes()
        };
        let text = banner(&looped, Paint::Off);
        assert!(text.contains("\n  workers 4 × 1000 requests\n"), "{text}");
    }

    #[test]
    fn an_app_without_a_url_table_is_shown_short() {
        let plain = Banner {
            addresses: vec!["http://[::1]:8000".into()],
            certificates: Vec::new(),
            admin: Vec::new(),
            app: "app:app".into(),
            framework: None,
            threads: 2,
            guarded: None,
            mounts: Vec::new(),
            warnings: Vec::new(),
            ..notes()
        };
        let expected = "\
yett VERSION serves app:app (WSGI)
  address http://[::1]:8000
  python  3.13.0 at /srv/notes/.venv/bin/python
  workers 4 × 2 threads
Ctrl-C stops it; yett reload (or kill -HUP 4242) loads new code.
";
        assert_eq!(
            banner(&plain, Paint::Off),
            expected.replace("VERSION", env!("CARGO_PKG_VERSION"))
        );
    }

    #[test]
    fn what_is_watched_is_told_in_development_alone() {
        let watching = Banner {
            reload: Some("watches /srv/notes".into()),
            ..notes()
        };
        let line = "  reload  watches /srv/notes\n";
        assert!(banner(&watching, Paint::Off).contains(line));
        assert!(!banner(&notes(), Paint::Off).contains("  reload"));
    }

    #[test]
    fn an_edge_that_guards_nothing_says_so() {
        let nothing = GuardedPaths {
            guarded: Vec::new(),
            total: 1,
        };
        assert_eq!(
            guarded_text(&nothing),
            "checked by the app alone; the edge guards none of 1 route"
        );
        let why = Banner {
            no_guard: Some("ALGORITHM is RS256".into()),
            guarded: None,
            ..notes()
        };
        assert!(
            banner(&why, Paint::Off)
                .contains("  tokens  checked by the app alone: ALGORITHM is RS256\n")
        );
    }

    #[test]
    fn a_name_from_the_project_cannot_forge_a_line() {
        let forged = Banner {
            app: "a\nyett: all is well\u{1b}[2J".into(),
            ..notes()
        };
        assert!(banner(&forged, Paint::Off).contains("serves a\\nyett: all is well\\u{1b}[2J ("));
    }
}
