//! Files and lines that a Python traceback names.

use std::path::Path;

/// The places, outermost first, as `  File "/srv/notes/views.py", line 12, in <module>` names them.
pub(super) fn places(traceback: &str) -> impl DoubleEndedIterator<Item = (&str, u32)> {
    traceback.lines().filter_map(|line| {
        // Frames of an exception group stand behind a bar.
        let line = line.trim_start_matches([' ', '|', '+', '-']);
        let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        Some((file, rest.get(..end)?.parse().ok()?))
    })
}

/// Where to look first: the innermost place of the project, else the innermost of all. The file is
/// told from the project's folder on.
pub(super) fn first(traceback: &str, project: &Path) -> Option<(String, u32)> {
    let own = places(traceback)
        .rev()
        .find(|(file, _)| is_own(file) && Path::new(file).starts_with(project));
    let (file, line) = own.or_else(|| places(traceback).next_back())?;
    let short = Path::new(file).strip_prefix(project);
    let short = short.unwrap_or(Path::new(file)).display().to_string();
    Some((short, line))
}

/// Whether a file is neither of an installed package nor of the interpreter.
pub(super) fn is_own(file: &str) -> bool {
    let of_others = ["/site-packages/", "/dist-packages/", "/lib/python3", "<"];
    file.starts_with('/') && !of_others.iter().any(|part| file.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "/srv/notes/wsgi.py", line 4, in <module>
    from notes import views
  File "/srv/notes/.venv/lib/python3.13/site-packages/rest_framework/views.py", line 112, in x
  File "<frozen importlib._bootstrap>", line 1360, in _find_and_load
ValueError: File "x", line
"#;

    #[test]
    fn innermost_place_of_the_project_comes_first() {
        let place = |project: &str| first(TRACEBACK, Path::new(project));
        assert_eq!(place("/srv/notes"), Some(("wsgi.py".to_owned(), 4)));
        let innermost = ("<frozen importlib._bootstrap>".to_owned(), 1360);
        assert_eq!(place("/elsewhere"), Some(innermost));
        assert_eq!(first("SyntaxError: no", Path::new("/")), None);
        let syntax =
            "  File \"/srv/notes/a.py\", line 7\n    def (:\nSyntaxError: invalid syntax\n";
        assert_eq!(
            first(syntax, Path::new("/srv/notes")),
            Some(("a.py".to_owned(), 7))
        );
    }

    #[test]
    fn nonsense_names_no_place() {
        let nonsense = "File \"a\", line x\nFile \"b\", line 99999999999\nFile \"c";
        assert_eq!(places(nonsense).count(), 0);
    }
}
