//! Where to listen.

use super::{Bind, ConfigError, Key, Place, Said, Settling, describe, head, quoted};
use std::collections::BTreeSet;
use std::path::Path;

impl Settling<'_> {
    /// Where to listen, which of these in clear text in any case, and where connections begin with a
    /// PROXY header.
    pub(super) fn binds(&mut self) -> (Vec<Bind>, Vec<Bind>, BTreeSet<Bind>) {
        let everywhere = self
            .one(Key::ProxyProtocol, head::is_on)
            .is_some_and(|on| on);
        let default = [Said::new(
            Key::Bind.row().default.unwrap_or_default(),
            Place::Default,
        )];
        let raw = self.raw;
        let said = match raw.list(Key::Bind) {
            [] => default.as_slice(),
            said => said,
        };
        let mut binds: Vec<(Bind, &Said)> = Vec::new();
        for said in said {
            let parsed = Bind::parse(&said.text, |path| self.absolute(path, &said.place));
            let Some(bind) = self.keep(&said.place, parsed) else {
                continue;
            };
            if let Some((_, first)) = binds.iter().find(|(other, _)| bind.collides(other)) {
                let wrong = format!(
                    "{} is bound twice, first by {}",
                    quoted(&said.text),
                    describe(first)
                );
                self.errors.push(
                    ConfigError::new(said.place.clone(), wrong).expected("each address once"),
                );
                continue;
            }
            if let Some(parent) = bind.unix_path().and_then(Path::parent) {
                self.need_folder(parent, &said.place);
            }
            binds.push((bind, said));
        }
        let plain = binds
            .iter()
            .filter(|(_, said)| {
                raw.wire_of(&said.place)
                    .is_some_and(|wire| wire.text == "off")
            })
            .map(|(bind, _)| bind.clone());
        let plain = plain.collect();
        self.need_certificates(&binds);
        let is_prefaced = |bind: &Bind, said: &Said| {
            everywhere && bind.unix_path().is_none() || raw.is_prefaced(&said.place)
        };
        let prefaced = binds
            .iter()
            .filter(|(bind, said)| is_prefaced(bind, said))
            .map(|(bind, _)| bind.clone())
            .collect();
        (
            binds.into_iter().map(|(bind, _)| bind).collect(),
            plain,
            prefaced,
        )
    }
}
