//! The page that shows a browser why the code does not load. Needs nothing from elsewhere, and its
//! policy allows nothing but its own style and script.

use crate::develop::Broken;

/// The longest part of a traceback that is shown, in bytes; of a longer one its end.
const LONGEST_TRACEBACK: usize = 128 * 1024;

/// The hashes are those of [`STYLE`] and [`SCRIPT`]; a test holds them to it.
pub(super) const POLICY: &str = "default-src 'none'; \
    style-src 'sha256-9IAXqvoZv6LB6mDnZSxq6q7p3CSnV2oTrvamkYOaxFc='; \
    script-src 'sha256-dvHrQ/7YDrpbDu7d2QZ12GOQeYO98GvZQ7PyRkroQ5U='; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2126; --faint: #5c6670; --paper: #fff; --box: #f4f5f7; --mark: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ea; --faint: #9aa4ae; --paper: #16191d; --box: #20252b; --mark: #ff8a80 }
}
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1rem; font-weight: 600; color: var(--mark) }
h2 { margin: .25rem 0 0; font: 600 1.35rem/1.35 ui-monospace, monospace; overflow-wrap: anywhere }
p { margin: .5rem 0; color: var(--faint) }
code { color: var(--ink); overflow-wrap: anywhere }
pre { margin: 1.25rem 0; padding: 1rem; overflow-x: auto; border-radius: .5rem; background: var(--box);
  font: 14px/1.5 ui-monospace, monospace }
";

/// Asks the edge, which answers when there is something else to see, or at once when it stops. After a restart of the server
/// numbers begin anew, so the page says that it knows none.
pub(super) const SCRIPT: &str = "
let seen = document.documentElement.dataset.seen;
async function ask() {
  for (;;) {
    try {
      const news = await fetch('/__yett__/news?' + seen, {cache: 'no-store'});
      if (news.status !== 204) return location.reload();
    } catch (gone) {
      seen = '';
    }
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}
ask();
";

/// The page; with the outcome's number it loads itself again when there is another one.
pub(super) fn html(broken: &Broken, number: Option<u64>) -> String {
    let summary = escaped(&broken.summary);
    let place = broken
        .place
        .as_ref()
        .map_or_else(String::new, |(file, line)| {
            format!(
                "<p><code>{}</code>, line <code>{line}</code></p>\n",
                escaped(file)
            )
        });
    let traceback = end_of(broken.traceback.trim_end());
    let traceback = if traceback.is_empty() {
        String::new()
    } else {
        format!("<pre>{}</pre>\n", escaped(traceback))
    };
    let (seen, after, script) = match number {
        Some(number) => (
            format!(" data-seen=\"{number}\""),
            "This page goes away by itself once the code loads.",
            format!("<script>{SCRIPT}</script>\n"),
        ),
        None => (
            String::new(),
            "Once the code loads, send the request again.",
            String::new(),
        ),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"{seen}>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{summary}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>The application does not start</h1>\n<h2>{summary}</h2>\n{place}{traceback}\
         <p>{after} Yett shows it because the server was started with <code>--reload</code>.</p>\n\
         {script}</body>\n</html>\n"
    )
}

/// The end of a text, from a whole character on.
fn end_of(text: &str) -> &str {
    let from = text.len().saturating_sub(LONGEST_TRACEBACK);
    let from = (from..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    text.get(from..).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
