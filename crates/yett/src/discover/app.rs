//! Which app: the one that was named, or the Django project of the folder.

use crate::{
    config::{AppName, ServeSettings},
    print::Failure,
};
use std::path::{Path, PathBuf};

/// What to run, before Python has looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AppSpec {
    /// The app that was named.
    Named(AppName),
    /// The Django project whose `manage.py` is in this folder.
    DjangoProject(PathBuf),
}

/// There is no app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Django project: no manage.py in {}", .folder.display())]
pub(crate) struct NoApp {
    folder: PathBuf,
    file: Option<String>,
}

impl NoApp {
    /// What to try.
    fn hint(&self) -> String {
        match &self.file {
            None => "say which app: yett serve module:callable".to_owned(),
            Some(file) => format!(
                "say which app: yett serve module:callable, or app = \"module:callable\" in {file}"
            ),
        }
    }
}

impl From<NoApp> for Failure {
    fn from(error: NoApp) -> Self {
        let hint = error.hint();
        Self::usage(error).hint(hint)
    }
}

/// The app of these settings: what was named on the command line, in `YETT_APP` or in `[app.NAME]`;
/// otherwise the folder's `manage.py`. `file` is the configuration file that was read, for the
/// hint.
pub(crate) fn app(settings: &ServeSettings, file: Option<&str>) -> Result<AppSpec, NoApp> {
    choose(settings.app.as_ref(), &settings.folder, file)
}

fn choose(named: Option<&AppName>, folder: &Path, file: Option<&str>) -> Result<AppSpec, NoApp> {
    if let Some(name) = named {
        return Ok(AppSpec::Named(name.clone()));
    }
    if folder.join("manage.py").is_file() {
        return Ok(AppSpec::DjangoProject(folder.to_owned()));
    }
    Err(NoApp {
        folder: folder.to_owned(),
        file: file.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::Paint;
    use std::fs;

    #[test]
    fn a_named_app_wins_over_manage_py() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("manage.py"), "").unwrap();
        let name = AppName::parse("a:b").unwrap();
        assert_eq!(
            choose(Some(&name), folder.path(), None),
            Ok(AppSpec::Named(name.clone()))
        );
        assert_eq!(
            choose(None, folder.path(), None),
            Ok(AppSpec::DjangoProject(folder.path().to_owned()))
        );
    }

    #[test]
    fn without_an_app_the_error_says_how_to_name_one() {
        let check = |file: Option<&str>, expected: &str| {
            let error = choose(None, Path::new("/nowhere/x"), file).unwrap_err();
            assert_eq!(Failure::from(error).text(Paint::Off), expected);
        };
        check(
            None,
            "error: not a Django project: no manage.py in /nowhere/x\nhint: say which app: yett serve module:callable\n",
        );
        check(
            Some("yett.toml"),
            "error: not a Django project: no manage.py in /nowhere/x\n\
             hint: say which app: yett serve module:callable, or app = \"module:callable\" in yett.toml\n",
        );
    }

    #[test]
    fn a_folder_called_manage_py_is_no_project() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("manage.py")).unwrap();
        assert!(choose(None, folder.path(), None).is_err());
    }
}
