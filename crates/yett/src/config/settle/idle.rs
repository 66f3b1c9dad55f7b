//! What is allowed, but probably not meant: settings that do nothing as the others are, and such as
//! open something on purpose. What would look safe and not be is an error, where it is settled.

use super::{Interface, Key, Listen, Role, ServeSettings, Settling, choice, socket};
use yett_edge::{listen::Wire, log::Format, rules::Compression};
use yett_gate::{ClientAddr, UnderscoreNames};

/// Settings that do nothing, when they do nothing, and without what.
type Idle = (&'static [Key], fn(&ServeSettings) -> bool, &'static str);

const IDLE: [Idle; 12] = [
    (
        &[Key::Concurrency, Key::Loop, Key::Lifespan],
        |settings| settings.interface == Interface::Wsgi,
        "interface asgi",
    ),
    (
        &[Key::MaxAnswerSpool],
        |settings| settings.interface == Interface::Asgi,
        "interface wsgi",
    ),
    (
        &[Key::MaxRequestsJitter],
        |settings| settings.max_requests.is_none(),
        "max_requests",
    ),
    (
        &[Key::AdminHosts],
        |settings| settings.admin.is_none(),
        "admin",
    ),
    (
        &[Key::RedirectPort],
        |settings| !has(settings, Role::Redirect),
        "redirect_http",
    ),
    (
        &[Key::ProxyHeaders, Key::ProxyHost],
        |settings| settings.head.proxies.is_empty(),
        "trust_proxy",
    ),
    (
        &[Key::Http2MaxStreams],
        |settings| settings.http2.is_none(),
        "http2",
    ),
    (
        &[Key::CompressionMinSize, Key::CompressionMaxEncoders],
        |settings| {
            let of_routes = settings.routes.iter().filter_map(|one| one.compression);
            let mut all = of_routes.chain([settings.compression.compression]);
            all.all(|one| one == Compression::Off)
        },
        "compression",
    ),
    (
        &[Key::WsPingTimeout],
        |settings| settings.websocket.ping_interval.is_none(),
        "ws_ping_interval",
    ),
    (
        &[Key::LogFile, Key::LogFields, Key::LogFormat],
        |settings| settings.log.format == Format::Off,
        "access_log",
    ),
    (
        &[Key::ProxyProtocol],
        |settings| {
            let mut listeners = settings.listeners.iter();
            listeners.all(|one| one.bind.unix_path().is_some())
        },
        "a listener on a port",
    ),
    (
        &[Key::SocketMode, Key::SocketOwner],
        |settings| {
            let mut listeners = settings.listeners.iter();
            listeners.all(|one| one.bind.unix_path().is_none())
        },
        "a listener on a Unix socket",
    ),
];

impl Settling<'_> {
    /// Sentences for the banner and for `yett check`.
    pub(super) fn warnings(&self, settings: &ServeSettings) -> Vec<String> {
        let mut warnings = Vec::new();
        for (keys, is_idle, without) in IDLE {
            for key in keys.iter().filter(|key| self.says(**key)) {
                if is_idle(settings) {
                    let name = key.row().id();
                    warnings.push(format!("{name} does nothing without {without}"));
                }
            }
        }
        warnings.extend(of_others(settings).into_iter().map(str::to_owned));
        warnings.extend(
            settings
                .routes
                .iter()
                .filter(|one| one.compression == Some(Compression::DangerAlways))
                .map(|one| {
                    format!(
                        "compress is danger_always for {}: pages of other sites can learn secrets from the \
                         length of its answers (BREACH)",
                        one.path
                    )
                }),
        );
        let believed = settings.head.proxies.trusts_hop(ClientAddr::Unix);
        let listeners = settings.listeners.iter();
        for one in listeners.filter(|one| one.bind.unix_path().is_some()) {
            let (bind, mode) = (&one.bind, one.permissions.mode);
            if socket::is_for_all(&one.permissions) {
                warnings.push(format!(
                    "everyone on this machine can connect to {bind}: its socket_mode is {mode:04o}"
                ));
            }
            if believed && socket::is_for_unnamed(&one.permissions) {
                warnings.push(format!(
                    "unix is trusted, and more than its owner can connect to {bind}, whose socket_mode is \
                     {mode:04o}: name the proxy's group as socket_owner, or say 0600"
                ));
            }
        }
        if let Some(admin) = &settings.admin
            && !admin.is_of_this_machine()
        {
            warnings.push(format!(
                "everyone who reaches the admin address {admin} can read /metrics and /status"
            ));
        }
        warnings
    }

    /// Whether somebody said something else than the default, or than off.
    fn says(&self, key: Key) -> bool {
        let default = key.row().default;
        let said = self.raw.list(key).iter();
        let mut said = said.filter(|said| choice::switch(&said.text) != Ok(false));
        said.any(|said| Some(said.text.as_str()) != default)
    }
}

fn has(settings: &ServeSettings, role: Role) -> bool {
    let is = |one: &Listen| one.role == role;
    settings.listeners.iter().any(is)
}

fn of_others(settings: &ServeSettings) -> Vec<&'static str> {
    let limits = &settings.limits;
    let head = &settings.head;
    let sentences = [
        (
            settings.tls.is_some() && !has(settings, Role::Serve(Wire::Tls)),
            "no listener speaks TLS: all are Unix sockets or say tls = false",
        ),
        (
            settings.compression.compression == Compression::DangerAlways,
            "compression is danger_always: pages of other sites can learn secrets from the length of \
             answers (BREACH)",
        ),
        (
            limits.max_spool < limits.max_body,
            "a body of max_body does not fit into max_spool",
        ),
        (
            limits.max_connections_per_address > Some(limits.max_connections),
            "max_connections_per_address does nothing above max_connections",
        ),
        (
            head.proxies.trusts_any_peer(),
            "danger_any_peer: whoever connects is believed what he says of the client's address and \
             scheme; nobody but the proxy may reach this server",
        ),
        (
            head.danger_underscores != UnderscoreNames::default(),
            "danger_underscore_headers: a proxy in front may set a header in one spelling and let a \
             client's other spelling pass",
        ),
    ];
    sentences
        .into_iter()
        .filter_map(|(is_so, sentence)| is_so.then_some(sentence))
        .collect()
}
