//! Where to listen: every address once, with all that is said of it beside it, so that nothing is
//! looked up by an address again. Two listeners with port 0 have the same one.

use super::{
    Bind, ConfigError, Key, Listen, Place, RawListener, Role, Said, Settling, choice, describe,
    quoted, socket, tls,
};
use std::path::Path;
use yett_edge::{
    listen::{Permissions, Preface, Wire},
    tls::TlsSettings,
};
use yett_gate::HeadRules;

impl Settling<'_> {
    /// The listeners, and what those of them that speak TLS run by; of the latter the outer `None`
    /// only if an error was pushed.
    pub(super) fn listeners(&mut self) -> (Vec<Listen>, Option<Option<TlsSettings>>) {
        let raw = self.raw;
        let everywhere = self.one(Key::ProxyProtocol, choice::switch) == Some(true);
        let usual = Permissions {
            mode: self.one(Key::SocketMode, socket::mode).unwrap_or_default(),
            ..Permissions::default()
        };
        let usual = self.owned(usual, raw.one(Key::SocketOwner));
        let mut taken = Vec::new();
        let mut own: Vec<(Bind, RawListener)> = Vec::new();
        for listener in raw.listeners() {
            if let Some(bind) = self.address(&listener.bind, &mut taken) {
                own.push((bind, listener));
            }
        }
        let tls = self.tls(own.iter().map(|(bind, _)| bind));
        let secured = matches!(tls, Some(Some(_)));
        let preface = |prefaced| match prefaced {
            true => Preface::ProxyHeader,
            false => Preface::None,
        };
        let mut listeners = Vec::new();
        for (bind, said) in own {
            let tcp = bind.unix_path().is_none();
            self.need_certificates(&bind, said.tls.as_ref());
            let wire = match tcp && secured && !is(said.tls.as_ref(), false) {
                true => Wire::Tls,
                false => Wire::Plain,
            };
            listeners.push(Listen {
                bind,
                role: Role::Serve(wire),
                preface: preface(everywhere && tcp || is(said.proxy_protocol.as_ref(), true)),
                permissions: self.permissions(usual, tcp, &said),
            });
        }
        let has_https = |one: &Listen| one.role == Role::Serve(Wire::Tls);
        let leads_nowhere =
            secured && raw.one(Key::RedirectPort).is_none() && !listeners.iter().any(has_https);
        for said in raw.list(Key::RedirectHttp) {
            let Some(bind) = self.address(said, &mut taken) else {
                continue;
            };
            let (wrong, expected) = if bind.unix_path().is_some() {
                ("a Unix socket has no HTTPS beside it", "host:port or :port")
            } else if leads_nowhere {
                (
                    "there is no HTTPS listener to send anybody to",
                    "--redirect-port PORT, or a listener that speaks TLS",
                )
            } else {
                listeners.push(Listen {
                    bind,
                    role: Role::Redirect,
                    preface: preface(everywhere),
                    permissions: usual,
                });
                continue;
            };
            self.refuse(&said.place, wrong, expected);
        }
        (listeners, tls)
    }

    /// Who may connect to a listener: what holds for all, but for what it says itself.
    fn permissions(&mut self, usual: Permissions, tcp: bool, of: &RawListener) -> Permissions {
        if tcp && let Some(said) = of.socket_mode.as_ref().or(of.socket_owner.as_ref()) {
            let wrong = "only a Unix socket has a mode and an owner";
            self.refuse(&said.place, wrong, "bind = \"unix:/path\"");
        }
        let said = of.socket_mode.as_ref();
        let mode = said.and_then(|said| self.keep(&said.place, socket::mode(&said.text)));
        let mode = mode.unwrap_or(usual.mode);
        self.owned(Permissions { mode, ..usual }, of.socket_owner.as_ref())
    }

    fn owned(&mut self, permissions: Permissions, owner: Option<&Said>) -> Permissions {
        let accounts = self.around.accounts;
        let owner =
            owner.and_then(|said| self.keep(&said.place, socket::owner(&said.text, accounts)));
        match owner {
            Some((user, group)) => Permissions {
                user,
                group,
                ..permissions
            },
            None => permissions,
        }
    }

    /// An address that is not `taken`, to which it is added, nor overlaps with one that is.
    fn address(&mut self, said: &Said, taken: &mut Vec<(Bind, Said)>) -> Option<Bind> {
        let parsed = Bind::parse(&said.text, |path| self.absolute(path, &said.place));
        let bind = self.keep(&said.place, parsed)?;
        if let Some((_, first)) = taken.iter().find(|(other, _)| bind.overlaps(other)) {
            let wrong = format!(
                "{} is bound twice, first by {}",
                quoted(&said.text),
                describe(first)
            );
            self.refuse(&said.place, wrong, "each address once");
            return None;
        }
        if let Some(parent) = bind.unix_path().and_then(Path::parent) {
            self.need_folder(parent, &said.place);
        }
        taken.push((bind.clone(), said.clone()));
        Some(bind)
    }

    /// A listener that says `tls = true` speaks TLS or is a mistake.
    fn need_certificates(&mut self, bind: &Bind, said: Option<&Said>) {
        let raw = self.raw;
        let Some(said) = said.filter(|said| is(Some(said), true)) else {
            return;
        };
        if bind.unix_path().is_some() {
            let wrong = "a Unix socket never speaks TLS";
            self.refuse(&said.place, wrong, "a listener on a host and port");
        } else if raw.list(Key::TlsCert).is_empty() && !is(raw.one(Key::TlsSelfSigned), true) {
            let wrong = "this listener is to speak TLS, and there is no certificate";
            self.refuse(&said.place, wrong, tls::EXPECTED);
        }
    }

    /// A PROXY header is taken from trusted proxies alone.
    pub(super) fn need_trust(&mut self, listeners: &[Listen], head: Option<&HeadRules>) {
        let prefaced = |one: &Listen| one.preface == Preface::ProxyHeader;
        if !listeners.iter().any(prefaced) || head.is_none_or(|head| !head.proxies.is_empty()) {
            return;
        }
        let everywhere = self.raw.one(Key::ProxyProtocol).cloned().into_iter();
        let single = self.raw.listeners().into_iter();
        let place = everywhere
            .chain(single.filter_map(|one| one.proxy_protocol))
            .find(|said| is(Some(said), true))
            .map_or(Place::Default, |said| said.place);
        self.errors.push(
            ConfigError::new(
                place,
                "proxy_protocol is on, and no proxy is trusted, so that nobody could connect",
            )
            .expected("the proxies' addresses as trust in [proxy], or --trust-proxy"),
        );
    }
}

/// Whether it is said to be on, or off.
fn is(said: Option<&Said>, on: bool) -> bool {
    said.is_some_and(|said| choice::switch(&said.text) == Ok(on))
}
