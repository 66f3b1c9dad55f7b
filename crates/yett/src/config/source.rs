//! From the command line's words to settings: the one place of the configuration that touches the
//! file system.

use super::{
    ConfigError, ConfigErrors, Environment, Key, Place, RawServe, Settled, Surroundings, cpus,
    file, settle, socket,
};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

/// The file that is read without being asked for.
const FILE_NAME: &str = "yett.toml";

/// A configuration is some hundred lines; a longer file is a mistake such as `--config /var/log/…`.
const LARGEST_FILE: u64 = 1 << 20;

/// A configuration file's text.
pub(super) struct FileText {
    /// The file as the user would name it.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
}

/// Reads everything and settles it: flag, then variable, then `yett.toml`, then default.
///
/// The file is `--config` or `YETT_CONFIG`, or `yett.toml` in the folder of `--chdir` or
/// `YETT_CHDIR`, or `yett.toml` in the current folder, if there is one.
pub(crate) fn load(flags: RawServe, environment: &Environment) -> Result<Settled, ConfigErrors> {
    let folder = std::env::current_dir().map_err(|error| {
        ConfigError::new(
            Place::WholeFile("the current folder".into()),
            error.to_string(),
        )
    })?;
    let (variables, mut errors) = RawServe::from_environment(environment);
    let said = flags.over(variables);
    let path = path_of_file(&said, &folder);
    let file = path.as_ref().and_then(|(path, name, place)| {
        read(path, name.clone(), place)
            .map_err(|error| errors.push(error))
            .ok()
    });
    let around = Surroundings {
        file_folder: path
            .as_ref()
            .and_then(|(path, ..)| path.parent())
            .map(Path::to_owned),
        folder,
        temporary: std::env::temp_dir(),
        cpus: cpus::cpus(),
        is_folder: &|path| path.is_dir(),
        accounts: &socket::OF_THIS_MACHINE,
    };
    let mut settled = settled(said, file, errors, &around)?;
    settled.warnings.extend(environment.misspelt());
    Ok(settled)
}

/// [`load`] without the file system.
pub(super) fn settled(
    said: RawServe,
    file: Option<FileText>,
    mut errors: Vec<ConfigError>,
    around: &Surroundings<'_>,
) -> Result<Settled, ConfigErrors> {
    let name = file.as_ref().map(|file| file.name.clone());
    let raw = match file {
        None => said,
        Some(FileText { name, text }) => {
            let (words, wrong) = file::words(&name, &text);
            errors.extend(wrong);
            said.over(words)
        }
    };
    let (settings, warnings) = settle::settle(&raw, around, errors)?;
    Ok(Settled {
        settings,
        warnings,
        file: name,
    })
}

/// The file's absolute path, its name for messages, and who asked for it.
fn path_of_file(said: &RawServe, folder: &Path) -> Option<(PathBuf, String, Place)> {
    if let Some(config) = said.one(Key::Config) {
        return Some((
            folder.join(&config.text),
            config.text.clone(),
            config.place.clone(),
        ));
    }
    let (path, name) = match said.one(Key::Chdir) {
        None => (folder.join(FILE_NAME), FILE_NAME.to_owned()),
        Some(chdir) => {
            let name = Path::new(&chdir.text).join(FILE_NAME);
            (folder.join(&name), name.display().to_string())
        }
    };
    let place = Place::WholeFile(name.as_str().into());
    path.exists().then_some((path, name, place))
}

fn read(path: &Path, name: String, place: &Place) -> Result<FileText, ConfigError> {
    let wrong = |what: String| ConfigError::new(place.clone(), what);
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            wrong(format!("there is no file {name:?}")).expected("a configuration file")
        }
        _ => wrong(format!("{name:?} cannot be read: {error}")),
    };
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file of the largest size from a larger one.
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(
            wrong(format!("{name:?} is larger than 1 MiB")).expected("a configuration file")
        );
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| wrong(format!("{name:?} is not UTF-8")).expected("TOML in UTF-8"))?;
    Ok(FileText { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Said;
    use std::fs;

    fn flags(pairs: &[(Key, &str)]) -> RawServe {
        RawServe::from_flags(pairs.iter().map(|(key, text)| (*key, (*text).to_owned())))
    }

    fn errors(flags: RawServe) -> String {
        load(flags, &Environment::default())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_file_of_the_chdir_folder_is_found_and_its_paths_start_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("assets")).unwrap();
        let text = "[[route]]\npath = \"/a\"\nfiles = \"assets\"\nguard = \"open\"\n";
        fs::write(folder.path().join("yett.toml"), text).unwrap();
        let chdir = folder.path().to_str().unwrap();
        let settled = load(flags(&[(Key::Chdir, chdir)]), &Environment::default()).unwrap();
        assert_eq!(settled.file, Some(format!("{chdir}/yett.toml")));
        assert_eq!(
            settled.settings.mounts[0].folder,
            folder.path().join("assets")
        );
        assert_eq!(settled.settings.folder, folder.path());
    }

    #[test]
    fn a_file_that_is_asked_for_must_be_there_and_be_readable_text() {
        let folder = tempfile::tempdir().unwrap();
        let name = |file: &str| folder.path().join(file).to_str().unwrap().to_owned();
        let (none, binary, large) = (name("none.toml"), name("binary.toml"), name("large.toml"));
        fs::write(&binary, [0xff, 0xfe]).unwrap();
        fs::write(&large, vec![b'#'; 1 << 20 | 1]).unwrap();
        let check = |file: &str, message: &str| {
            assert_eq!(
                errors(flags(&[(Key::Config, file)])),
                format!("--config: {file:?} {message}")
            );
        };
        assert_eq!(
            errors(flags(&[(Key::Config, &none)])),
            format!("--config: there is no file {none:?}: expected a configuration file")
        );
        check(&binary, "is not UTF-8: expected TOML in UTF-8");
        check(
            &large,
            "is larger than 1 MiB: expected a configuration file",
        );
        check(
            folder.path().to_str().unwrap(),
            "cannot be read: Is a directory (os error 21)",
        );
    }

    #[test]
    fn mistakes_of_flags_variables_and_file_come_together() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("yett.toml"), "[log]\nformat = \"xml\"\n").unwrap();
        let mut flags = flags(&[(Key::Chdir, folder.path().to_str().unwrap())]);
        flags.say(Key::Threads, Said::new("many", Place::Flag("--threads")));
        let environment = Environment::of(&[("YETT_TIMEOUT", "30")]);
        let text = load(flags, &environment).unwrap_err().to_string();
        let places: Vec<_> = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(place, _)| place)
            .collect();
        let file = format!("{}/yett.toml:2:10", folder.path().display());
        assert_eq!(places, ["--threads", "YETT_TIMEOUT", "  hint", &file]);
    }
}
