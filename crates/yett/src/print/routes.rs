//! What `yett routes` prints: a table that fits the terminal, or JSON.

use super::screen::{Paint, Style, without_controls};
use serde::Serialize;
use std::fmt::Write as _;

/// One route, in the order in which routes are tried.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RouteRow {
    /// Methods, as `GET,POST`; empty if the app alone knows.
    pub(crate) method: String,
    /// The path as the project writes it.
    pub(crate) path: String,
    /// The view, or the folder of a static mount.
    pub(crate) view: String,
    /// The view's authentication classes.
    pub(crate) authentication: String,
    /// The view's permission classes.
    pub(crate) permission: String,
    /// Who answers a bad token: `edge`, `app`, or `files`.
    pub(crate) answered: String,
    /// Who answers a request without a token, likewise. In the JSON alone.
    pub(crate) missing: String,
    /// The schemes over which the edge answers. In the JSON alone.
    pub(crate) schemes: Vec<&'static str>,
    /// One sentence.
    pub(crate) why: String,
}

const HEADINGS: [&str; 7] = [
    "METHOD",
    "PATH",
    "VIEW",
    "AUTHENTICATION",
    "PERMISSION",
    "ANSWERED",
    "WHY",
];

/// Two spaces between columns.
const GAP: usize = 2;

/// A column is never cut below this; a terminal narrower than all columns at their narrowest gets
/// long lines.
const NARROWEST: usize = 8;

impl RouteRow {
    fn cells(&self) -> [String; 7] {
        let cells = [
            &self.method,
            &self.path,
            &self.view,
            &self.authentication,
            &self.permission,
            &self.answered,
            &self.why,
        ];
        cells.map(|cell| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                without_controls(cell).replace(['\n', '\t'], " ")
            }
        })
    }
}

/// The table. With `width`, long cells are cut with `…` so that a line fits; without, nothing is
/// cut.
pub(crate) fn routes_table(rows: &[RouteRow], width: Option<usize>, paint: Paint) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(RouteRow::cells).collect();
    let mut widths = HEADINGS.map(|heading| heading.chars().count());
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Some(width) = width {
        shrink(
            &mut widths,
            width.saturating_sub(GAP * (HEADINGS.len() - 1)),
        );
    }
    let mut text = String::new();
    let heading = line(&HEADINGS.map(str::to_owned), &widths);
    let _ = writeln!(text, "{}", paint.text(Style::Strong, &heading));
    for row in &cells {
        let _ = writeln!(text, "{}", line(row, &widths));
    }
    if cells.is_empty() {
        let _ = writeln!(
            text,
            "(the app has no URL table that yett can read: every request goes to it)"
        );
    }
    text
}

/// The rows as a JSON list.
pub(crate) fn routes_json(rows: &[RouteRow]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(rows).map(|text| text + "\n")
}

/// Takes from the widest column, one by one, until all fit.
fn shrink(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

fn line(cells: &[String; 7], widths: &[usize; 7]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{:<width$}", cut(cell, *width)));
    padded
        .collect::<Vec<_>>()
        .join(&" ".repeat(GAP))
        .trim_end()
        .to_owned()
}

fn cut(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    let mut cut: String = cell.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<RouteRow> {
        let row = |cells: [&str; 7]| {
            let [
                method,
                path,
                view,
                authentication,
                permission,
                answered,
                why,
            ] = cells.map(str::to_owned);
            RouteRow {
                method,
                path,
                view,
                authentication,
                permission,
                missing: answered.clone(),
                schemes: if answered == "edge" {
                    vec!["http", "https"]
                } else {
                    Vec::new()
                },
                answered,
                why,
            }
        };
        vec![
            row([
                "GET,PUT",
                "/api/notes/<int:pk>/",
                "notes.views.NoteViewSet",
                "JWTAuthentication",
                "IsAuthenticated",
                "edge",
                "every class needs a token",
            ]),
            row([
                "",
                "/admin/",
                "django.contrib.admin",
                "",
                "",
                "app",
                "not a DRF view",
            ]),
        ]
    }

    #[test]
    fn a_table_that_is_piped_is_whole() {
        let expected = "\
METHOD   PATH                  VIEW                     AUTHENTICATION     PERMISSION       ANSWERED  WHY
GET,PUT  /api/notes/<int:pk>/  notes.views.NoteViewSet  JWTAuthentication  IsAuthenticated  edge      every class needs a token
-        /admin/               django.contrib.admin     -                  -                app       not a DRF view
";
        assert_eq!(routes_table(&rows(), None, Paint::Off), expected);
    }

    #[test]
    fn a_table_fits_the_terminal() {
        let expected = "\
METHOD   PATH           VIEW          AUTHENTICAT…  PERMISSION    ANSWERED  WHY
GET,PUT  /api/notes/<…  notes.views…  JWTAuthenti…  IsAuthentic…  edge      every class…
-        /admin/        django.cont…  -             -             app       not a DRF v…
";
        let table = routes_table(&rows(), Some(88), Paint::Off);
        assert!(
            table.lines().all(|line| line.chars().count() <= 88),
            "{table}"
        );
        assert_eq!(table, expected);
    }

    #[test]
    fn a_terminal_too_narrow_for_any_table_ends_the_cutting() {
        let table = routes_table(&rows(), Some(10), Paint::Off);
        assert!(
            table
                .lines()
                .all(|line| line.chars().count() <= 7 * NARROWEST + 6 * GAP),
            "{table}"
        );
    }

    #[test]
    fn no_rows_are_explained() {
        assert!(routes_table(&[], None, Paint::Off).ends_with(
            "(the app has no URL table that yett can read: every request goes to it)\n"
        ));
    }

    #[test]
    fn json_has_the_same_words() {
        let json = routes_json(&rows()[1..]).unwrap();
        let expected = r#"[
  {
    "method": "",
    "path": "/admin/",
    "view": "django.contrib.admin",
    "authentication": "",
    "permission": "",
    "answered": "app",
    "missing": "app",
    "schemes": [],
    "why": "not a DRF view"
  }
]
"#;
        assert_eq!(json, expected);
    }
}
