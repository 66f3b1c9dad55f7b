//! Which files are the app's source. Pure: paths in, answers out; what it knows of the disk is told.
//!
//! Code counts wherever it was imported from, but for the interpreter's own library and installed
//! packages: an editable install is watched, a virtual environment is not. Templates and compiled
//! translations count as well, as frameworks keep them in memory.

use serde::Deserialize;
use std::{
    collections::HashSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Folders that are watched at most; beyond it the watcher says so.
pub(super) const MOST_FOLDERS: usize = 8192;

/// What the app manifest says about the app's files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sources {
    /// Folders of imported modules, without installed packages.
    folders: Vec<PathBuf>,
    /// Folders below which every file is a template.
    templates: Vec<PathBuf>,
    /// Folders whose files come from users and tools: `STATIC_ROOT`, `MEDIA_ROOT`.
    ignored: Vec<PathBuf>,
}

impl Sources {
    /// Reads them from the manifest; without them there is nothing but the project's folder.
    pub(super) fn read(manifest: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Manifest {
            #[serde(default)]
            sources: Sources,
        }
        serde_json::from_slice::<Manifest>(manifest)
            .unwrap_or_default()
            .sources
    }
}

/// What is watched, and what of it is source.
#[derive(Debug)]
pub(super) struct Rules {
    project: PathBuf,
    templates: Vec<PathBuf>,
    ignored: Vec<PathBuf>,
    /// Every folder that is watched.
    folders: HashSet<PathBuf>,
}

impl Rules {
    pub(super) fn new(project: PathBuf, ignored: Vec<PathBuf>) -> Self {
        Self {
            project,
            templates: Vec::new(),
            ignored,
            folders: HashSet::new(),
        }
    }

    pub(super) fn project(&self) -> &Path {
        &self.project
    }

    /// Takes in what an import brought; returns the folders to watch: trees, then single ones.
    pub(super) fn learn(&mut self, sources: Sources) -> (Vec<PathBuf>, Vec<PathBuf>) {
        self.ignored.extend(
            sources
                .ignored
                .into_iter()
                // Whoever collects files into the project's own folder still wants to be reloaded.
                .filter(|folder| !self.project.starts_with(folder))
                .filter(|folder| !self.ignored.contains(folder))
                .collect::<Vec<_>>(),
        );
        let trees: Vec<PathBuf> = sources
            .templates
            .into_iter()
            .filter(|folder| !self.templates.contains(folder))
            .take(MOST_FOLDERS.saturating_sub(self.templates.len()))
            .collect();
        self.templates.extend(trees.iter().cloned());
        (trees, sources.folders)
    }

    /// Remembers a folder as watched. `None`: there are too many; otherwise whether it is new.
    pub(super) fn watch(&mut self, folder: &Path) -> Option<bool> {
        if self.folders.contains(folder) {
            return Some(false);
        }
        (self.folders.len() < MOST_FOLDERS).then(|| self.folders.insert(folder.to_owned()))
    }

    /// Every folder that is watched.
    pub(super) fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.folders.iter()
    }

    /// Whether a folder that vanished was watched; it is forgotten.
    pub(super) fn forget(&mut self, folder: &Path) -> bool {
        self.folders.remove(folder)
    }

    /// Whether source is looked for in this folder of a tree. What the folder holds is asked of
    /// `holds`.
    pub(super) fn enters(&self, folder: &Path, holds: impl Fn(&str) -> bool) -> bool {
        let name = folder.file_name().and_then(OsStr::to_str).unwrap_or("");
        let is_tool = name.starts_with('.')
            || matches!(
                name,
                "__pycache__" | "node_modules" | "site-packages" | "dist-packages"
            );
        !is_tool && !self.is_ignored(folder) && !holds("pyvenv.cfg")
    }

    /// Whether a change of this file is a change of the app.
    pub(super) fn is_source(&self, file: &Path) -> bool {
        let Some(name) = file.file_name().and_then(OsStr::to_str) else {
            return false;
        };
        if self.is_ignored(file) {
            return false;
        }
        if name == ".env" {
            return file.parent() == Some(&self.project);
        }
        if is_of_an_editor(name) {
            return false;
        }
        let kind = file.extension().and_then(OsStr::to_str);
        matches!(kind, Some("py" | "mo"))
            || (!matches!(kind, Some("pyc" | "pyo"))
                && self.templates.iter().any(|folder| file.starts_with(folder)))
    }

    fn is_ignored(&self, path: &Path) -> bool {
        self.ignored.iter().any(|folder| path.starts_with(folder))
    }
}

/// What editors write beside the file that is edited: locks, backups, unfinished copies.
fn is_of_an_editor(name: &str) -> bool {
    name.starts_with(['.', '#', '~'])
        || name.ends_with(['~', '#'])
        || [".swp", ".swx", ".tmp", ".bak", ".orig", "___jb_tmp___", "___jb_old___"]
            .iter()
            .any(|end| name.ends_with(end))
        // Vim's test whether it may write here.
        || name == "4913"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let mut rules = Rules::new("/srv/notes".into(), vec!["/srv/notes/assets".into()]);
        let sources = Sources::read(
            br#"{"yett": "1", "sources": {"folders": ["/srv/lib/x"],
                 "templates": ["/srv/notes/templates", "/srv/lib/templates"],
                 "ignored": ["/srv/notes/media", "/srv"]}}"#,
        );
        let (trees, folders) = rules.learn(sources);
        assert_eq!(trees.len(), 2);
        assert_eq!(folders, [PathBuf::from("/srv/lib/x")]);
        rules
    }

    #[test]
    fn code_templates_and_translations_are_source_and_nothing_else() {
        let rules = rules();
        let check =
            |path, expected| assert_eq!(rules.is_source(Path::new(path)), expected, "{path}");
        check("/srv/notes/views.py", true);
        check("/srv/lib/x/y.py", true);
        check("/srv/notes/locale/de/LC_MESSAGES/django.mo", true);
        check("/srv/notes/templates/a.html", true);
        check("/srv/lib/templates/deep/a.txt", true);
        check("/srv/notes/.env", true);
        check("/srv/notes/deep/.env", false);
        check("/srv/notes/a.html", false);
        check("/srv/notes/db.sqlite3-journal", false);
        check("/srv/notes/media/upload.py", false);
        check("/srv/notes/assets/a.py", false);
        check("/srv/notes/templates/__pycache__/x.pyc", false);
    }

    #[test]
    fn what_editors_write_beside_a_file_is_not_source() {
        let rules = rules();
        for name in [
            ".views.py.swp",
            "views.py~",
            "#views.py#",
            ".#views.py",
            "4913",
            "views.py.tmp",
            "views.py___jb_tmp___",
        ] {
            let path = Path::new("/srv/notes/templates").join(name);
            assert!(!rules.is_source(&path), "{name}");
        }
    }

    #[test]
    fn folders_of_tools_and_environments_are_not_entered() {
        let rules = rules();
        let enters = |path: &str, held: &str| rules.enters(Path::new(path), |name| name == held);
        assert!(enters("/srv/notes/app", ""));
        for name in [
            ".git",
            ".venv",
            "node_modules",
            "__pycache__",
            "media",
            "assets",
        ] {
            assert!(!enters(&format!("/srv/notes/{name}"), ""), "{name}");
        }
        assert!(!enters("/srv/notes/env", "pyvenv.cfg"));
    }

    #[test]
    fn folders_have_a_bound() {
        let mut rules = rules();
        for number in 0..MOST_FOLDERS {
            assert_eq!(rules.watch(Path::new(&format!("/{number}"))), Some(true));
        }
        assert_eq!(rules.watch(Path::new("/1")), Some(false));
        assert_eq!(rules.watch(Path::new("/more")), None);
        assert!(rules.forget(Path::new("/1")) && !rules.forget(Path::new("/1")));
    }

    #[test]
    fn manifest_without_sources_has_none() {
        for manifest in ["{}", "nonsense"] {
            assert!(Sources::read(manifest.as_bytes()).folders.is_empty());
        }
    }
}
