//! Which Python, in this order:
//!
//! 1. the one that was asked for (`--python`, `YETT_PYTHON`, `python` in `[app.NAME]`); no other is taken then;
//! 2. the one beside the running `yett`, which is the one that `pip install` put it beside, and so has `yett.worker`;
//! 3. the one of the active virtual environment (`VIRTUAL_ENV`);
//! 4. the first in `PATH`.
//!
//! Paths are not resolved: a virtual environment's `python` is a symlink, and Python finds the
//! environment by the name it was started with. Whether it is a Python, and new enough, the zygote
//! finds out.

use crate::{
    config::{Environment, PythonWish},
    print::Failure,
};
use rustix::{
    fs::{Access, access},
    io::Errno,
    process::geteuid,
};
use std::{
    env, fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
};

const NAMES: [&str; 2] = ["python3", "python"];

/// An interpreter that is there and may be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    /// Absolute, not resolved.
    pub(crate) path: PathBuf,
    /// How it was found.
    pub(crate) whereabouts: Whereabouts,
}

/// How an interpreter was found, or where one was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// It was asked for.
    AskedFor,
    /// Beside the running `yett`.
    BesideYett,
    /// In the active virtual environment.
    VirtualEnvironment,
    /// In `PATH`.
    Path,
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskedFor => "asked for",
            Self::BesideYett => "beside yett",
            Self::VirtualEnvironment => "in the virtual environment",
            Self::Path => "in PATH",
        })
    }
}

/// There is no Python. `Display` lists what was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoPython {
    tried: Vec<Tried>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tried {
    what: String,
    whereabouts: Whereabouts,
    wrong: String,
}

impl NoPython {
    /// What to try.
    fn hint(&self) -> &'static str {
        match self.tried.first().map(|tried| tried.whereabouts) {
            Some(Whereabouts::AskedFor) => {
                "leave --python (YETT_PYTHON) away, and yett looks for one itself"
            }
            _ => {
                "name one with --python, or activate the virtual environment that yett is installed in"
            }
        }
    }
}

impl std::error::Error for NoPython {}

impl fmt::Display for NoPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no Python found; tried:")?;
        for Tried {
            what,
            whereabouts,
            wrong,
        } in &self.tried
        {
            write!(f, "\n{what} ({whereabouts}): {wrong}")?;
        }
        Ok(())
    }
}

impl From<NoPython> for Failure {
    fn from(error: NoPython) -> Self {
        let hint = error.hint();
        Self::usage(error).hint(hint)
    }
}

/// Finds the interpreter.
pub(crate) fn python(
    wish: Option<&PythonWish>,
    environment: &Environment,
) -> Result<Python, NoPython> {
    // `current_exe` is resolved, so a link in ~/.local/bin leads to the environment that it points
    // into.
    find(wish, env::current_exe().ok().as_deref(), environment)
}

fn find(
    wish: Option<&PythonWish>,
    program: Option<&Path>,
    environment: &Environment,
) -> Result<Python, NoPython> {
    let mut search = Search { tried: Vec::new() };
    let found = match wish {
        Some(PythonWish::Path(path)) => search.candidate(path.clone(), Whereabouts::AskedFor),
        Some(PythonWish::Name(name)) => search.in_path(name, Whereabouts::AskedFor, environment),
        None => search.usual_places(program, environment),
    };
    found.ok_or(NoPython {
        tried: search.tried,
    })
}

struct Search {
    tried: Vec<Tried>,
}

impl Search {
    fn usual_places(
        &mut self,
        program: Option<&Path>,
        environment: &Environment,
    ) -> Option<Python> {
        if let Some(folder) = program.and_then(Path::parent)
            && let Some(python) = self.in_folder(folder, Whereabouts::BesideYett)
        {
            return Some(python);
        }
        if let Some(root) = environment
            .value("VIRTUAL_ENV")
            .map(Path::new)
            .filter(|root| root.is_absolute())
            && let Some(python) = self.in_folder(&root.join("bin"), Whereabouts::VirtualEnvironment)
        {
            return Some(python);
        }
        NAMES
            .iter()
            .find_map(|name| self.in_path(name, Whereabouts::Path, environment))
    }

    fn in_folder(&mut self, folder: &Path, whereabouts: Whereabouts) -> Option<Python> {
        NAMES
            .iter()
            .find_map(|name| self.candidate(folder.join(name), whereabouts))
    }

    /// The first in `PATH`. Relative entries are passed over: what runs must not depend on the
    /// current folder.
    fn in_path(
        &mut self,
        name: &str,
        whereabouts: Whereabouts,
        environment: &Environment,
    ) -> Option<Python> {
        let folders = environment
            .value("PATH")
            .map(|path| env::split_paths(path).collect::<Vec<_>>());
        let mut paths = folders
            .unwrap_or_default()
            .into_iter()
            .filter(|folder| folder.is_absolute());
        let found = paths.find_map(|folder| {
            let path = folder.join(name);
            usable(&path).is_ok().then_some(path)
        });
        match found {
            Some(path) => Some(Python { path, whereabouts }),
            None => {
                self.tried.push(Tried {
                    what: name.to_owned(),
                    whereabouts,
                    wrong: "not in any folder of PATH".to_owned(),
                });
                None
            }
        }
    }

    fn candidate(&mut self, path: PathBuf, whereabouts: Whereabouts) -> Option<Python> {
        match usable(&path) {
            Ok(()) => Some(Python { path, whereabouts }),
            Err(wrong) => {
                self.tried.push(Tried {
                    what: path.display().to_string(),
                    whereabouts,
                    wrong,
                });
                None
            }
        }
    }
}

/// A file that may be run.
fn usable(path: &Path) -> Result<(), String> {
    let facts = path.metadata().map_err(|error| unreachable(path, &error))?;
    if !facts.is_file() {
        return Err("not a file".to_owned());
    }
    access(path, Access::EXEC_OK).map_err(|error| match error {
        Errno::ACCESS => format!("may not be run by user {}", geteuid().as_raw()),
        other => format!("may not be run: {}", std::io::Error::from(other)),
    })
}

/// Why nothing can be said of a file.
fn unreachable(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound if path.is_symlink() => "a link to what is not there".to_owned(),
        ErrorKind::NotFound => "not there".to_owned(),
        ErrorKind::PermissionDenied => format!(
            "user {} may not enter a folder on the way there",
            geteuid().as_raw()
        ),
        _ => format!("cannot be reached: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };
    use tempfile::TempDir;

    /// A folder with files in it, each with its mode.
    fn folder(files: &[(&str, u32)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
        folder
    }

    fn environment(path: &Path, virtual_env: Option<&Path>) -> Environment {
        let virtual_env =
            virtual_env.map(|root| ("VIRTUAL_ENV".into(), root.as_os_str().to_owned()));
        [("PATH".into(), path.as_os_str().to_owned())]
            .into_iter()
            .chain(virtual_env)
            .collect()
    }

    #[test]
    fn the_one_beside_yett_then_the_virtual_environments_then_the_one_in_path() {
        let venv = folder(&[("bin/python", 0o755), ("bin/yett", 0o755)]);
        let other = folder(&[("bin/python3", 0o755), ("bin/python", 0o755)]);
        let system = folder(&[("python3", 0o755)]);
        let active = environment(system.path(), Some(other.path()));
        let plain = environment(system.path(), None);
        let beside = venv.path().join("bin/yett");
        let alone = Path::new("/nowhere/yett");
        let check = |program: &Path, environment: &Environment, path: PathBuf, whereabouts| {
            assert_eq!(
                find(None, Some(program), environment),
                Ok(Python { path, whereabouts })
            );
        };
        check(
            &beside,
            &active,
            venv.path().join("bin/python"),
            Whereabouts::BesideYett,
        );
        check(
            alone,
            &active,
            other.path().join("bin/python3"),
            Whereabouts::VirtualEnvironment,
        );
        check(
            alone,
            &plain,
            system.path().join("python3"),
            Whereabouts::Path,
        );
    }

    #[test]
    fn the_one_that_was_asked_for_is_taken_or_none() {
        let system = folder(&[
            ("python3", 0o755),
            ("python3.12", 0o755),
            ("notes.txt", 0o644),
        ]);
        let environment = environment(system.path(), None);
        let name = PythonWish::Name("python3.12".to_owned());
        let found = find(Some(&name), None, &environment).unwrap();
        assert_eq!(
            (found.path, found.whereabouts),
            (system.path().join("python3.12"), Whereabouts::AskedFor)
        );
        let message = |wish: PythonWish| {
            let error = find(Some(&wish), None, &environment).unwrap_err();
            assert_eq!(
                error.hint(),
                "leave --python (YETT_PYTHON) away, and yett looks for one itself"
            );
            error.to_string()
        };
        assert_eq!(
            message(PythonWish::Path("/nowhere/python".into())),
            "no Python found; tried:\n/nowhere/python (asked for): not there"
        );
        assert_eq!(
            message(PythonWish::Name("python4".into())),
            "no Python found; tried:\npython4 (asked for): not in any folder of PATH"
        );
        let folder = system.path().display();
        assert_eq!(
            message(PythonWish::Path(system.path().to_owned())),
            format!("no Python found; tried:\n{folder} (asked for): not a file")
        );
        assert_eq!(
            message(PythonWish::Path(system.path().join("notes.txt"))),
            format!(
                "no Python found; tried:\n{folder}/notes.txt (asked for): may not be run by user {}",
                geteuid().as_raw()
            )
        );
        assert_eq!(
            message(PythonWish::Path(system.path().join("notes.txt/python"))),
            format!(
                "no Python found; tried:\n{folder}/notes.txt/python (asked for): cannot be reached: Not a \
                 directory (os error 20)"
            )
        );
        std::os::unix::fs::symlink("gone", system.path().join("link")).unwrap();
        assert_eq!(
            message(PythonWish::Path(system.path().join("link"))),
            format!(
                "no Python found; tried:\n{folder}/link (asked for): a link to what is not there"
            )
        );
    }

    #[test]
    fn folder_that_may_not_be_entered_is_not_called_missing() {
        let refused = std::io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(
            unreachable(Path::new("/closed/python"), &refused),
            format!(
                "user {} may not enter a folder on the way there",
                geteuid().as_raw()
            )
        );
    }

    #[test]
    fn without_any_the_error_lists_what_was_tried() {
        let error = find(
            None,
            Some(Path::new("/opt/x/yett")),
            &environment(Path::new(""), Some(Path::new("/venv"))),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no Python found; tried:\n\
             /opt/x/python3 (beside yett): not there\n\
             /opt/x/python (beside yett): not there\n\
             /venv/bin/python3 (in the virtual environment): not there\n\
             /venv/bin/python (in the virtual environment): not there\n\
             python3 (in PATH): not in any folder of PATH\n\
             python (in PATH): not in any folder of PATH"
        );
        assert_eq!(
            error.hint(),
            "name one with --python, or activate the virtual environment that yett is installed in"
        );
    }
}
