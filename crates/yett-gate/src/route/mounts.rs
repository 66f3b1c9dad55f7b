//! Files by URL prefix: the longest prefix of the decoded path wins.
//!
//! A mount is declared open by its configuration: what lies below it is for everyone. So the
//! prefix is compared with the bytes that the file service gets, never with the raw path, and a
//! prefix ends with a slash, so that `/static/` cannot take `/static-secret`.

use super::{MountId, RouteName};
use crate::settings::{GateSettingsError, SettingsFault};

/// One URL prefix whose files are served to everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountSettings {
    /// Begins and ends with a slash; plain text, not percent-encoded. `/` takes every path.
    pub prefix: String,
}

/// The path below a mount: decoded, without a dot segment or NUL.
///
/// It can still begin with a slash or hold empty segments and backslashes, which the file service
/// turns away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest(Box<[u8]>);

impl Rest {
    /// The bytes behind the mount's prefix.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The mounts, longest prefix first.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    mounts: Vec<Mount>,
}

#[derive(Debug)]
pub(crate) struct Mount {
    prefix: Box<[u8]>,
    name: RouteName,
    id: MountId,
}

impl Mount {
    pub(crate) const fn name(&self) -> &RouteName {
        &self.name
    }

    pub(crate) const fn id(&self) -> MountId {
        self.id
    }
}

impl Mounts {
    /// Sorts the mounts; adds an error for each that cannot be one.
    pub(crate) fn new(settings: &[MountSettings], errors: &mut Vec<GateSettingsError>) -> Self {
        let mut mounts: Vec<Mount> = Vec::with_capacity(settings.len());
        for (place, MountSettings { prefix }) in settings.iter().enumerate() {
            let fault = if !is_prefix(prefix) {
                Some(SettingsFault::MountPrefix)
            } else if mounts
                .iter()
                .any(|mount| *mount.prefix == *prefix.as_bytes())
            {
                Some(SettingsFault::MountTwice)
            } else {
                None
            };
            if let Some(fault) = fault {
                errors.push(GateSettingsError::new(format!("mount {prefix:?}"), fault));
                continue;
            }
            mounts.push(Mount {
                prefix: prefix.as_bytes().into(),
                name: RouteName::new(prefix),
                id: MountId::new(place),
            });
        }
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        Self { mounts }
    }

    /// The mount that a path lies below, with the rest of the path.
    pub(crate) fn find(&self, path: &[u8]) -> Option<(&Mount, Rest)> {
        self.mounts.iter().find_map(|mount| {
            let rest = path.strip_prefix(&*mount.prefix)?;
            Some((mount, Rest(rest.into())))
        })
    }

    /// In match order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter()
    }
}

/// Whether a canonical path can begin with this.
fn is_prefix(prefix: &str) -> bool {
    let Some(names) = prefix.strip_prefix('/') else {
        return false;
    };
    let Some(names) = names.strip_suffix('/') else {
        return prefix == "/";
    };
    names
        .split('/')
        .all(|name| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::{MountSettings, Mounts, is_prefix};

    fn mounts(prefixes: &[&str]) -> Mounts {
        let settings: Vec<MountSettings> = prefixes
            .iter()
            .map(|prefix| MountSettings {
                prefix: (*prefix).to_owned(),
            })
            .collect();
        let mut errors = Vec::new();
        let mounts = Mounts::new(&settings, &mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        mounts
    }

    fn check(path: &str, expected: Option<(&str, &str)>) {
        let mounts = mounts(&["/static/", "/static/admin/", "/media/"]);
        let found = mounts.find(path.as_bytes());
        let found = found.as_ref().map(|(mount, rest)| {
            let rest = std::str::from_utf8(rest.as_bytes()).unwrap();
            (mount.name().as_str(), rest)
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn longest_prefix_takes_the_path() {
        check("/static/a.css", Some(("/static/", "a.css")));
        check("/static/admin/a.css", Some(("/static/admin/", "a.css")));
        check("/static/admin", Some(("/static/", "admin")));
        check("/media/a/b", Some(("/media/", "a/b")));
    }

    #[test]
    fn prefix_ends_at_its_slash() {
        check("/static", None);
        check("/static-secret/a", None);
        check("/Static/a", None);
        check("//static/a", None);
        check("/api/static/a", None);
    }

    #[test]
    fn prefix_that_no_path_begins_with_is_refused() {
        for prefix in ["/", "/static/", "/a/b/", "/sp ace/"] {
            assert!(is_prefix(prefix), "{prefix}");
        }
        for prefix in [
            "", "static/", "/static", "//", "/a//b/", "/../", "/a/./", "/a?/",
        ] {
            assert!(!is_prefix(prefix), "{prefix}");
        }
    }
}
