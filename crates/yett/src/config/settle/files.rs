//! Folders: which are served without the app, and which the app may name.

use super::{
    Key, RawMount, Said, Settling, StaticFiles, StaticMount, mount, non_zero, quoted, size, whole,
};
use std::sync::Arc;
use std::time::Duration;
use yett_edge::Types;

impl Settling<'_> {
    pub(super) fn mounts(&mut self) -> Vec<StaticMount> {
        let raw = self.raw_mounts();
        self.settled_mounts(raw)
    }

    pub(super) fn files(&mut self) -> Option<StaticFiles> {
        let raw = self.raw;
        let max_age = self.duration(Key::StaticMaxAge, Duration::ZERO, 24 * 365);
        let mut types = Types::default();
        for said in raw.list(Key::StaticType) {
            if let Some((extension, value)) =
                self.keep(&said.place, mount::content_type(&said.text))
            {
                // It was checked to be one that a header can hold.
                let _checked = types.say(&extension, &value);
            }
        }
        let open = self.one(Key::StaticOpen, |text| whole(text, 1, 1_000_000));
        let memory = self.one(Key::StaticMemory, |text| size(text, 0, 1 << 40));
        Some(StaticFiles {
            max_age: max_age?,
            max_age_is_default: raw.one(Key::StaticMaxAge).is_none(),
            types: Arc::new(types),
            open: non_zero(open?)?,
            memory: memory?,
        })
    }

    pub(super) fn sendfile(&mut self) -> Vec<StaticMount> {
        let raw = self.halves(Key::Sendfile);
        self.settled_mounts(raw)
    }

    pub(super) fn settled_mounts(&mut self, raw: Vec<RawMount>) -> Vec<StaticMount> {
        let mut mounts: Vec<StaticMount> = Vec::new();
        for RawMount {
            url,
            folder,
            index,
            fallback,
        } in raw
        {
            let mut page = |said: Option<Said>| {
                let said = said?;
                self.keep(&said.place, mount::file(&said.text))
            };
            let (index, fallback) = (page(index), page(fallback));
            let folder = folder.and_then(|folder| self.existing(&folder));
            let Some(said) = url else { continue };
            let Some(url) = self.keep(&said.place, mount::url(&said.text)) else {
                continue;
            };
            if mounts.iter().any(|mount| mount.url == url) {
                let wrong = format!("{} is mounted twice", quoted(&url));
                self.refuse(&said.place, wrong, "each URL once");
                continue;
            }
            // A folder that is wrong has pushed its error; the URL still counts for those after it.
            mounts.push(StaticMount {
                url,
                folder: folder.unwrap_or_default(),
                index,
                fallback,
            });
        }
        mounts
    }

    /// The mounts of flags or variables, or else those of the file.
    pub(super) fn raw_mounts(&mut self) -> Vec<RawMount> {
        let raw = self.raw;
        if raw.list(Key::Static).is_empty() {
            return raw.mounts().to_vec();
        }
        self.halves(Key::Static)
    }

    /// The words of a list of `URL=DIR`, cut in two.
    pub(super) fn halves(&mut self, key: Key) -> Vec<RawMount> {
        let raw = self.raw;
        let mut mounts = Vec::new();
        for said in raw.list(key) {
            if let Some((url, folder)) = self.keep(&said.place, mount::halves(&said.text)) {
                let half = |text| Some(Said::new(text, said.place.clone()));
                mounts.push(RawMount {
                    url: half(url),
                    folder: half(folder),
                    index: None,
                    fallback: None,
                });
            }
        }
        mounts
    }
}
