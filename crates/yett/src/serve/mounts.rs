//! From the settings and a release's manifest to what the edge serves as files.

use super::manifest::{Manifest, StaticFiles, WhiteNoise};
use crate::config::{Reload, ServeSettings, StaticMount};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};
use yett_edge::{
    Mount, Types,
    mount::{Absent, Freshness, Look, Place, Readers},
};

/// Bytes of the file in which `ManifestStaticFilesStorage` says what it named; of a larger one nothing is
/// taken.
const LONGEST_LIST: u64 = 64 << 20;

/// What the settings say of files, for every release.
#[derive(Debug, Clone, Default)]
pub(super) struct FileSettings {
    mounts: Vec<StaticMount>,
    max_age: Duration,
    max_age_is_default: bool,
    types: Arc<Types>,
    develops: bool,
}

/// A mount and its URL.
pub(super) type Mounted = (String, Arc<Mount>);

impl FileSettings {
    pub(super) fn new(settings: &ServeSettings) -> Self {
        Self {
            mounts: settings.mounts.clone(),
            max_age: settings.files.max_age,
            max_age_is_default: settings.files.max_age_is_default,
            types: Arc::clone(&settings.files.types),
            develops: settings.reload != Reload::Off,
        }
    }

    /// The mounts that the settings name, and the project's own at this URL unless they name one for it.
    pub(super) fn mounts(
        &self,
        manifest: &Manifest,
        url: Option<String>,
        warnings: &mut Vec<String>,
    ) -> Vec<Mounted> {
        let mut mounted: Vec<Mounted> = self.mounts.iter().map(|mount| self.named(mount)).collect();
        let Some(files) = manifest.django.as_ref().map(|django| &django.static_files) else {
            return mounted;
        };
        let named = |url: &str| mounted.iter().any(|(other, _)| *other == url);
        match url {
            Some(url) if named(&url) => {}
            Some(url) => {
                warnings.extend(files.why_not.clone());
                if let Some(mount) = self.of_project(&url, files, warnings) {
                    mounted.push((url, Arc::new(mount)));
                }
            }
            // Whoever names folders has an own idea of where static files are.
            None if !mounted.is_empty() => {}
            None => warnings.extend(files.why_not.clone()),
        }
        mounted
    }

    fn named(&self, named: &StaticMount) -> Mounted {
        let mut mount = Mount::new(named.folder.clone());
        mount.index.clone_from(&named.index);
        if let Some(page) = &named.fallback {
            mount.absent = Absent::Page(page.clone());
        }
        mount.types = Arc::clone(&self.types);
        self.keep(&mut mount, None);
        (named.url.clone(), Arc::new(mount))
    }

    /// How long, and whether it is looked at each time.
    fn keep(&self, mount: &mut Mount, of_project: Option<&WhiteNoise>) {
        if self.develops || of_project.is_some_and(|one| one.autorefresh) {
            mount.look = Look::Always;
        }
        let age = match of_project.filter(|_| self.max_age_is_default) {
            None => Some(self.max_age),
            Some(one) => one.max_age.map(Duration::from_secs),
        };
        mount.freshness = match age {
            _ if self.develops => Freshness::Ask,
            Some(age) => Freshness::For(age),
            None => Freshness::Unsaid,
        };
    }

    fn of_project(
        &self,
        url: &str,
        files: &StaticFiles,
        warnings: &mut Vec<String>,
    ) -> Option<Mount> {
        let mut mount = Mount::new(files.root.clone().unwrap_or_default());
        if files.root.is_none() {
            mount.places = files
                .places
                .iter()
                .map(|place| Place {
                    folder: place.folder.clone(),
                    prefix: place.prefix.clone(),
                })
                .collect();
            mount.absent = Absent::App;
        }
        if let Some(root) = &files.root
            && let Some(warning) = uncollected(root, url)
            && files.whitenoise.is_none()
        {
            warnings.push(warning);
            return None;
        }
        mount.types = Arc::clone(&self.types);
        if let Some(whitenoise) = &files.whitenoise {
            // It serves more than these files, and asks the project for the rest.
            mount.absent = Absent::App;
            mount.index.clone_from(&whitenoise.index);
            if whitenoise.any_origin {
                mount.readers = Readers::AnyOrigin;
            }
            mount.types = with(&self.types, whitenoise);
        }
        self.keep(&mut mount, files.whitenoise.as_ref());
        if let (Some(list), false) = (&files.hashed, self.develops) {
            mount.hidden = files.root.as_ref().and_then(|root| below(root, list));
            match hashed_names(list) {
                Ok(names) => mount.hashed = names,
                Err(why) => warnings.push(format!(
                    "{} {why}, so pages that use {{% static %}} fail, and no name is kept for ever: run `python \
                     manage.py collectstatic`, then reload",
                    list.display()
                )),
            }
        }
        Some(mount)
    }
}

/// The path of a file below a folder.
fn below(folder: &Path, file: &Path) -> Option<Box<[u8]>> {
    let path = file.strip_prefix(folder).ok()?;
    Some(path.as_os_str().as_bytes().into())
}

/// The settings' types and, below them, the project's.
fn with(settings: &Arc<Types>, project: &WhiteNoise) -> Arc<Types> {
    let mut types = Types::default();
    // What no header can hold could not be sent by WhiteNoise either.
    for (extension, content_type) in &project.types {
        let _unsendable = types.say(extension, content_type);
    }
    for (name, content_type) in &project.types_by_name {
        let _unsendable = types.say_of_name(name, content_type);
    }
    Arc::new(types.under(settings))
}

/// Why a folder holds nothing that could be served.
fn uncollected(root: &Path, url: &str) -> Option<String> {
    let what = match fs::read_dir(root).map(|mut entries| entries.next().is_none()) {
        Ok(false) => return None,
        Ok(true) => "is empty",
        Err(_) if root.is_dir() => "cannot be read",
        Err(_) => "does not exist",
    };
    Some(format!(
        "STATIC_ROOT {} {what}, so nothing is served under {url}: run `python manage.py collectstatic`, then reload (for development, \
         --reload serves them without)",
        root.display()
    ))
}

/// The names that `ManifestStaticFilesStorage` made; why there are none.
fn hashed_names(list: &Path) -> Result<HashSet<Box<[u8]>>, String> {
    #[derive(serde::Deserialize)]
    struct List {
        paths: BTreeMap<String, String>,
    }
    let file = fs::File::open(list).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => String::from("does not exist"),
        _ => format!("cannot be read ({error})"),
    })?;
    let mut text = Vec::new();
    file.take(LONGEST_LIST)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot be read ({error})"))?;
    let list: List = serde_json::from_slice(&text)
        .map_err(|error| format!("is not what Django writes ({error})"))?;
    Ok(list
        .paths
        .into_iter()
        // A file that kept its name may change under it.
        .filter(|(name, hashed)| name != hashed)
        .map(|(_, hashed)| hashed.into_bytes().into())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(static_files: &serde_json::Value) -> Manifest {
        serde_json::from_value(json!({
            "yett": "0", "python": "3", "app": {"spec": "a:b", "interface": "wsgi"},
            "django": {"version": "5", "static": static_files, "token_rules": null, "token_rules_why_not": null},
        }))
        .unwrap()
    }

    fn made(settings: &FileSettings, files: &serde_json::Value) -> (Vec<Mounted>, Vec<String>) {
        let mut warnings = Vec::new();
        let url = Some(String::from("/static/"));
        let mounts = settings.mounts(&manifest(files), url, &mut warnings);
        (mounts, warnings)
    }

    fn made_of(files: &serde_json::Value) -> Vec<Mounted> {
        made(&FileSettings::default(), files).0
    }

    #[test]
    fn missing_collectstatic_is_said_clearly() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        let files =
            json!({"url": "/static/", "root": root, "hashed": root.join("staticfiles.json")});
        let check = |expected: &[&str], mounts: usize| {
            let (made, warnings) = made(&FileSettings::default(), &files);
            let shown = root.display().to_string();
            let warnings: Vec<_> = warnings
                .iter()
                .map(|one| one.replace(&shown, "ROOT"))
                .collect();
            assert_eq!(warnings, expected);
            assert_eq!(made.len(), mounts);
        };
        check(
            &[
                "STATIC_ROOT ROOT does not exist, so nothing is served under /static/: run `python manage.py collectstatic`, then reload (for development, --reload serves them without)",
            ],
            0,
        );
        fs::create_dir(&root).unwrap();
        check(
            &[
                "STATIC_ROOT ROOT is empty, so nothing is served under /static/: run `python manage.py collectstatic`, then reload (for development, --reload serves them without)",
            ],
            0,
        );
        fs::write(root.join("a.css"), "").unwrap();
        check(
            &[
                "ROOT/staticfiles.json does not exist, so pages that use {% static %} fail, and no name is kept for ever: run `python manage.py collectstatic`, then reload",
            ],
            1,
        );
        let list =
            json!({"paths": {"a.css": "a.0123456789ab.css", "b.css": "b.css"}, "version": "1.1"});
        fs::write(root.join("staticfiles.json"), list.to_string()).unwrap();
        check(&[], 1);
        let (made, _) = made(&FileSettings::default(), &files);
        let names: Vec<_> = made[0].1.hashed.iter().map(|name| &**name).collect();
        assert_eq!(names, [b"a.0123456789ab.css".as_slice()]);
        assert_eq!(
            made[0].1.hidden.as_deref(),
            Some(b"staticfiles.json".as_slice())
        );
        // Elsewhere it is no file of the mount.
        let files = json!({"root": root, "hashed": outer.path().join("staticfiles.json")});
        assert_eq!(made_of(&files)[0].1.hidden, None);
    }

    #[test]
    fn settings_win_over_whitenoise_and_whitenoise_over_the_default() {
        let root = tempfile::tempdir().unwrap();
        let whitenoise = |age: Option<u64>, autorefresh: bool| json!({"max_age": age, "any_origin": true, "index": "index.html", "autorefresh": autorefresh, "types": {"foo": "a/b"}, "types_by_name": {"b": "a/c"}});
        let plain = json!({"root": root.path(), "whitenoise": null});
        fs::write(root.path().join("a"), "").unwrap();
        let age = |max_age: Option<u64>, files: &serde_json::Value| {
            let settings = FileSettings {
                max_age: Duration::from_secs(max_age.unwrap_or(60)),
                max_age_is_default: max_age.is_none(),
                ..FileSettings::default()
            };
            let (made, warnings) = made(&settings, files);
            assert_eq!(warnings, [""; 0]);
            Arc::clone(&made[0].1)
        };
        let noisy = json!({"root": root.path(), "whitenoise": whitenoise(Some(7), false)});
        let silent = json!({"root": root.path(), "whitenoise": whitenoise(None, true)});
        let seconds = |count| Freshness::For(Duration::from_secs(count));
        assert_eq!(age(None, &plain).freshness, seconds(60));
        assert_eq!(age(None, &plain).absent, Absent::NotFound);
        let mount = age(None, &noisy);
        assert_eq!(mount.freshness, seconds(7));
        assert_eq!(mount.readers, Readers::AnyOrigin);
        assert_eq!(mount.absent, Absent::App);
        assert_eq!(mount.index.as_deref(), Some("index.html"));
        assert_eq!(mount.look, Look::EverySecond);
        assert_eq!(age(Some(9), &noisy).freshness, seconds(9));
        let mount = age(None, &silent);
        assert_eq!(
            (mount.freshness, mount.look),
            (Freshness::Unsaid, Look::Always)
        );
        assert_eq!(age(Some(9), &silent).freshness, seconds(9));
    }

    #[test]
    fn in_development_the_finders_places_are_asked_each_time() {
        let files = json!({"root": null, "places": [{"folder": "/a", "prefix": ""}, {"folder": "/b", "prefix": "v/"}], "why_not": "so"});
        let settings = FileSettings {
            develops: true,
            ..FileSettings::default()
        };
        let (made, warnings) = made(&settings, &files);
        assert_eq!(warnings, ["so"]);
        let mount = &made[0].1;
        assert_eq!(mount.places.len(), 2);
        assert_eq!(
            (mount.look, mount.freshness),
            (Look::Always, Freshness::Ask)
        );
        assert_eq!(mount.absent, Absent::App);
    }

    #[test]
    fn folder_that_the_settings_name_wins() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = FileSettings::default();
        settings.mounts.push(StaticMount {
            url: "/static/".into(),
            folder: folder.path().into(),
            index: None,
            fallback: Some("index.html".into()),
        });
        let (made, warnings) = made(&settings, &json!({"root": "/none", "why_not": "unseen"}));
        assert_eq!(warnings, [""; 0]);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].1.absent, Absent::Page("index.html".into()));
    }
}
