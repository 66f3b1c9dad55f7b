//! The one table of everything that can be set: its flag, its environment variable, its place in
//! `yett.toml`, the shape that a value has there, and its default.
//!
//! The command line, the reader of the environment, the reader of the file, `--help` and the tests
//! all go by this table, so a setting cannot exist in one of them and be forgotten in another.

/// One thing that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// `module:callable` or `module`.
    App,
    /// The configuration file.
    Config,
    /// The folder that the app runs in.
    Chdir,
    /// The Python interpreter.
    Python,
    /// WSGI or ASGI.
    Interface,
    /// Whether code is loaded anew when it changes, for development.
    Reload,
    /// Where to listen; a list.
    Bind,
    /// Folders served without the app; a list.
    Static,
    /// How long files may be kept without asking.
    StaticMaxAge,
    /// Types of files; a list.
    StaticType,
    /// Static files that are kept open or in memory.
    StaticOpen,
    /// Bytes of small static files that are kept in memory.
    StaticMemory,
    /// Folders whose files the app may name instead of a body; a list.
    Sendfile,
    /// Worker processes.
    Workers,
    /// Threads in each worker.
    Threads,
    /// Requests that a worker with an event loop runs at once.
    Concurrency,
    /// The event loop of ASGI workers.
    Loop,
    /// Whether the app is told of its workers' start and stop.
    Lifespan,
    /// How long a request may run in a worker.
    Timeout,
    /// How long a stop or a reload waits for requests in flight.
    GracefulTimeout,
    /// Requests after which a worker is replaced.
    MaxRequests,
    /// What is added to `MaxRequests` worker by worker, so that workers do not end together.
    MaxRequestsJitter,
    /// Resident memory above which a worker is replaced.
    MaxRss,
    /// Whether the app is imported once, before workers are forked.
    Preload,
    /// Requests that may wait for a worker.
    Queue,
    /// How long a request may wait for a worker.
    QueueTimeout,
    /// How long a stop still takes connections.
    DrainDelay,
    /// How long a quiet connection is kept.
    KeepAlive,
    /// How long a request's head may take.
    HeadTimeout,
    /// How long a request's body may pause.
    BodyTimeout,
    /// How long a client may take nothing of its answer.
    SendTimeout,
    /// Bytes a second of bodies and answers, at least.
    MinRate,
    /// Open connections.
    MaxConnections,
    /// Open connections of one address.
    MaxConnectionsPerAddress,
    /// The largest request head.
    MaxHead,
    /// The most headers of a request.
    MaxHeaders,
    /// The largest request body.
    MaxBody,
    /// Where large bodies are kept while they arrive.
    SpoolDir,
    /// How much room they have there together.
    MaxSpool,
    /// Certificates' files; a list.
    TlsCert,
    /// Their keys' files, in the same order; a list.
    TlsPrivate,
    /// Whether a certificate for development is made.
    TlsSelfSigned,
    /// The oldest version of TLS that is spoken.
    TlsMinVersion,
    /// What a client gets that asks for a name which no certificate has.
    TlsUnknownName,
    /// Whether clients show certificates of their own.
    TlsClientAuth,
    /// The authorities whose client certificates are good.
    TlsClientCa,
    /// Revocation lists for client certificates; a list.
    TlsClientCrl,
    /// How long a handshake may take.
    TlsHandshakeTimeout,
    /// Where clear text is listened for, to send everybody to HTTPS; a list.
    RedirectHttp,
    /// The port that they are sent to.
    RedirectPort,
    /// For how long browsers are to use HTTPS alone.
    Hsts,
    /// Whether that holds for all names below, too.
    HstsSubdomains,
    /// Whether browsers may know it in advance.
    HstsPreload,
    /// Whether HTTP/2 is spoken.
    Http2,
    /// Requests of one HTTP/2 connection that run at a time.
    Http2MaxStreams,
    /// Whether the app's answers are compressed.
    Compression,
    /// The shortest body that is compressed.
    CompressionMinSize,
    /// Answers that are compressed while they are sent.
    CompressionMaxEncoders,
    /// The hosts that are served; a list.
    AllowedHosts,
    /// Whether every answer gets headers that tell browsers to be careful.
    SecurityHeaders,
    /// Headers with an underscore that are not dropped; a list.
    DangerUnderscores,
    /// Whose word on the origin of a request counts; a list.
    TrustProxy,
    /// By which headers trusted proxies speak.
    ProxyHeaders,
    /// Whether they are believed what they say of the host.
    ProxyHost,
    /// Whether connections begin with a PROXY header.
    ProxyProtocol,
    /// The largest message of a WebSocket's client.
    WsMaxMessage,
    /// How often a WebSocket's client is pinged.
    WsPingInterval,
    /// How long a WebSocket's client may be silent after a ping.
    WsPingTimeout,
    /// Whether WebSockets' messages are compressed.
    WsDeflate,
    /// The file that holds the process id.
    PidFile,
    /// Where health and metrics are told.
    Admin,
    /// Names under which the admin address answers; a list.
    AdminHosts,
    /// Above which time a request is told as slow.
    SlowRequest,
    /// The file that the access log is written to.
    LogFile,
    /// What JSON lines hold; a list.
    LogFields,
    /// How log lines look.
    LogFormat,
    /// Whether each request writes a line. The last one: the table is as long as this says.
    AccessLog,
}

/// What a value may be in `yett.toml`. Flags and variables are always text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A string, checked further when it is settled.
    Text,
    /// A list of such strings.
    Texts,
    /// A string with a unit, such as "30s".
    Duration,
    /// A string with a unit, such as "100MiB".
    Size,
    /// An integer.
    Whole,
    /// An integer or "auto".
    WholeOrAuto,
    /// `true` or `false`.
    Switch,
    /// `true`, `false` or "poll".
    SwitchOrPoll,
}

impl Shape {
    /// What an error message says was expected.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "a plain string",
            Self::Texts => "a list of plain strings",
            Self::Duration => "a duration with its unit, such as \"30s\"",
            Self::Size => "a size with its unit, such as \"100MiB\"",
            Self::Whole => "a whole number",
            Self::WholeOrAuto => "a whole number or \"auto\"",
            Self::Switch => "true or false",
            Self::SwitchOrPoll => "true, false or \"poll\"",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The setting.
    pub(crate) key: Key,
    /// Its flag with the dashes, or the name of the positional argument.
    pub(crate) flag: &'static str,
    /// Its environment variable.
    pub(crate) variable: &'static str,
    /// The table of `yett.toml` that holds it, or `None` if it cannot stand in the file.
    pub(crate) table: Option<&'static str>,
    /// Its name in that table.
    pub(crate) name: &'static str,
    /// What a value may be in the file.
    pub(crate) shape: Shape,
    /// What holds if nobody says anything, in the words a user would write. `None`: decided from
    /// the surroundings.
    pub(crate) default: Option<&'static str>,
}

impl Key {
    /// The table's row for this key.
    pub(crate) fn row(self) -> &'static Row {
        // Always found: `every_key_has_one_row_in_the_order_of_the_enum` holds the table to it.
        TABLE
            .iter()
            .find(|row| row.key == self)
            .unwrap_or(&TABLE[0])
    }

    /// Whether the setting is a list: its flag repeats, its variable is separated by commas.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::Bind
                | Self::Static
                | Self::StaticType
                | Self::Sendfile
                | Self::TlsCert
                | Self::TlsPrivate
                | Self::TlsClientCrl
                | Self::RedirectHttp
                | Self::AdminHosts
                | Self::LogFields
                | Self::AllowedHosts
                | Self::DangerUnderscores
                | Self::TrustProxy
        )
    }
}

/// Shorthand for the table below: flag, variable, (table, name), shape, default.
const fn row(
    key: Key,
    words: (&'static str, &'static str),
    file: (Option<&'static str>, &'static str),
    shape: Shape,
    default: Option<&'static str>,
) -> Row {
    let (flag, variable) = words;
    let (table, name) = file;
    Row {
        key,
        flag,
        variable,
        table,
        name,
        shape,
        default,
    }
}

/// Everything that can be set.
pub(crate) static TABLE: [Row; Key::AccessLog as usize + 1] = [
    row(
        Key::App,
        ("APP", "YETT_APP"),
        (Some("app"), "app"),
        Shape::Text,
        None,
    ),
    row(
        Key::Config,
        ("--config", "YETT_CONFIG"),
        (None, ""),
        Shape::Text,
        None,
    ),
    row(
        Key::Chdir,
        ("--chdir", "YETT_CHDIR"),
        (Some("app"), "chdir"),
        Shape::Text,
        None,
    ),
    row(
        Key::Python,
        ("--python", "YETT_PYTHON"),
        (Some("app"), "python"),
        Shape::Text,
        None,
    ),
    row(
        Key::Interface,
        ("--interface", "YETT_INTERFACE"),
        (Some("app"), "interface"),
        Shape::Text,
        Some("auto"),
    ),
    row(
        Key::Reload,
        ("--reload", "YETT_RELOAD"),
        (Some("app"), "reload"),
        Shape::SwitchOrPoll,
        Some("off"),
    ),
    row(
        Key::Bind,
        ("--bind", "YETT_BIND"),
        (Some("listener"), "bind"),
        Shape::Text,
        Some("127.0.0.1:8000"),
    ),
    row(
        Key::Static,
        ("--static", "YETT_STATIC"),
        (None, ""),
        Shape::Text,
        None,
    ),
    row(
        Key::StaticMaxAge,
        ("--static-max-age", "YETT_STATIC_MAX_AGE"),
        (Some("static"), "max_age"),
        Shape::Duration,
        Some("60s"),
    ),
    row(
        Key::StaticType,
        ("--static-type", "YETT_STATIC_TYPE"),
        (Some("static"), "types"),
        Shape::Texts,
        None,
    ),
    row(
        Key::StaticOpen,
        ("--static-open", "YETT_STATIC_OPEN"),
        (Some("static"), "open"),
        Shape::Whole,
        Some("1024"),
    ),
    row(
        Key::StaticMemory,
        ("--static-memory", "YETT_STATIC_MEMORY"),
        (Some("static"), "memory"),
        Shape::Size,
        Some("32MiB"),
    ),
    row(
        Key::Sendfile,
        ("--sendfile", "YETT_SENDFILE"),
        (Some("app"), "sendfile"),
        Shape::Texts,
        None,
    ),
    row(
        Key::Workers,
        ("--workers", "YETT_WORKERS"),
        (Some("app"), "workers"),
        Shape::WholeOrAuto,
        Some("auto"),
    ),
    row(
        Key::Threads,
        ("--threads", "YETT_THREADS"),
        (Some("app"), "threads"),
        Shape::WholeOrAuto,
        Some("auto"),
    ),
    row(
        Key::Concurrency,
        ("--concurrency", "YETT_CONCURRENCY"),
        (Some("app"), "concurrency"),
        Shape::Whole,
        Some("1000"),
    ),
    row(
        Key::Loop,
        ("--loop", "YETT_LOOP"),
        (Some("app"), "loop"),
        Shape::Text,
        Some("auto"),
    ),
    row(
        Key::Lifespan,
        ("--lifespan", "YETT_LIFESPAN"),
        (Some("app"), "lifespan"),
        Shape::Text,
        Some("auto"),
    ),
    row(
        Key::Timeout,
        ("--timeout", "YETT_TIMEOUT"),
        (Some("app"), "timeout"),
        Shape::Duration,
        Some("30s"),
    ),
    row(
        Key::GracefulTimeout,
        ("--graceful-timeout", "YETT_GRACEFUL_TIMEOUT"),
        (Some("server"), "graceful_timeout"),
        Shape::Duration,
        Some("30s"),
    ),
    row(
        Key::MaxRequests,
        ("--max-requests", "YETT_MAX_REQUESTS"),
        (Some("app"), "max_requests"),
        Shape::Whole,
        Some("0"),
    ),
    row(
        Key::MaxRequestsJitter,
        ("--max-requests-jitter", "YETT_MAX_REQUESTS_JITTER"),
        (Some("app"), "max_requests_jitter"),
        Shape::Whole,
        Some("0"),
    ),
    row(
        Key::MaxRss,
        ("--max-rss", "YETT_MAX_RSS"),
        (Some("app"), "max_rss"),
        Shape::Size,
        Some("0"),
    ),
    row(
        Key::Preload,
        ("--preload", "YETT_PRELOAD"),
        (Some("app"), "preload"),
        Shape::Switch,
        Some("on"),
    ),
    row(
        Key::Queue,
        ("--queue", "YETT_QUEUE"),
        (Some("app"), "queue"),
        Shape::Whole,
        Some("1024"),
    ),
    row(
        Key::QueueTimeout,
        ("--queue-timeout", "YETT_QUEUE_TIMEOUT"),
        (Some("app"), "queue_timeout"),
        Shape::Duration,
        Some("30s"),
    ),
    row(
        Key::DrainDelay,
        ("--drain-delay", "YETT_DRAIN_DELAY"),
        (Some("server"), "drain_delay"),
        Shape::Duration,
        Some("0"),
    ),
    row(
        Key::KeepAlive,
        ("--keep-alive", "YETT_KEEP_ALIVE"),
        (Some("server"), "keep_alive"),
        Shape::Duration,
        Some("75s"),
    ),
    row(
        Key::HeadTimeout,
        ("--head-timeout", "YETT_HEAD_TIMEOUT"),
        (Some("server"), "head_timeout"),
        Shape::Duration,
        Some("20s"),
    ),
    row(
        Key::BodyTimeout,
        ("--body-timeout", "YETT_BODY_TIMEOUT"),
        (Some("server"), "body_timeout"),
        Shape::Duration,
        Some("30s"),
    ),
    row(
        Key::SendTimeout,
        ("--send-timeout", "YETT_SEND_TIMEOUT"),
        (Some("server"), "send_timeout"),
        Shape::Duration,
        Some("1m"),
    ),
    row(
        Key::MinRate,
        ("--min-rate", "YETT_MIN_RATE"),
        (Some("server"), "min_rate"),
        Shape::Size,
        Some("500B"),
    ),
    row(
        Key::MaxConnections,
        ("--max-connections", "YETT_MAX_CONNECTIONS"),
        (Some("server"), "max_connections"),
        Shape::Whole,
        Some("10000"),
    ),
    row(
        Key::MaxConnectionsPerAddress,
        (
            "--max-connections-per-address",
            "YETT_MAX_CONNECTIONS_PER_ADDRESS",
        ),
        (Some("server"), "max_connections_per_address"),
        Shape::Whole,
        Some("0"),
    ),
    row(
        Key::MaxHead,
        ("--max-head", "YETT_MAX_HEAD"),
        (Some("server"), "max_head"),
        Shape::Size,
        Some("64KiB"),
    ),
    row(
        Key::MaxHeaders,
        ("--max-headers", "YETT_MAX_HEADERS"),
        (Some("server"), "max_headers"),
        Shape::Whole,
        Some("128"),
    ),
    row(
        Key::MaxBody,
        ("--max-body", "YETT_MAX_BODY"),
        (Some("server"), "max_body"),
        Shape::Size,
        Some("100MiB"),
    ),
    row(
        Key::SpoolDir,
        ("--spool-dir", "YETT_SPOOL_DIR"),
        (Some("server"), "spool_dir"),
        Shape::Text,
        None,
    ),
    row(
        Key::MaxSpool,
        ("--max-spool", "YETT_MAX_SPOOL"),
        (Some("server"), "max_spool"),
        Shape::Size,
        Some("4GiB"),
    ),
    row(
        Key::TlsCert,
        ("--tls-cert", "YETT_TLS_CERT"),
        (Some("tls.certificate"), "cert"),
        Shape::Text,
        None,
    ),
    row(
        Key::TlsPrivate,
        ("--tls-key", "YETT_TLS_KEY"),
        (Some("tls.certificate"), "key"),
        Shape::Text,
        None,
    ),
    row(
        Key::TlsSelfSigned,
        ("--tls-self-signed", "YETT_TLS_SELF_SIGNED"),
        (Some("tls"), "self_signed"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        Key::TlsMinVersion,
        ("--tls-min-version", "YETT_TLS_MIN_VERSION"),
        (Some("tls"), "min_version"),
        Shape::Text,
        Some("1.2"),
    ),
    row(
        Key::TlsUnknownName,
        ("--tls-unknown-name", "YETT_TLS_UNKNOWN_NAME"),
        (Some("tls"), "unknown_name"),
        Shape::Text,
        Some("default"),
    ),
    row(
        Key::TlsClientAuth,
        ("--tls-client-auth", "YETT_TLS_CLIENT_AUTH"),
        (Some("tls"), "client_auth"),
        Shape::Text,
        Some("off"),
    ),
    row(
        Key::TlsClientCa,
        ("--tls-client-ca", "YETT_TLS_CLIENT_CA"),
        (Some("tls"), "client_ca"),
        Shape::Text,
        None,
    ),
    row(
        Key::TlsClientCrl,
        ("--tls-client-crl", "YETT_TLS_CLIENT_CRL"),
        (Some("tls"), "client_crl"),
        Shape::Texts,
        None,
    ),
    row(
        Key::TlsHandshakeTimeout,
        ("--tls-handshake-timeout", "YETT_TLS_HANDSHAKE_TIMEOUT"),
        (Some("tls"), "handshake_timeout"),
        Shape::Duration,
        Some("10s"),
    ),
    row(
        Key::RedirectHttp,
        ("--redirect-http", "YETT_REDIRECT_HTTP"),
        (Some("tls"), "redirect_http"),
        Shape::Texts,
        None,
    ),
    row(
        Key::RedirectPort,
        ("--redirect-port", "YETT_REDIRECT_PORT"),
        (Some("tls"), "redirect_port"),
        Shape::Whole,
        None,
    ),
    row(
        Key::Hsts,
        ("--hsts", "YETT_HSTS"),
        (Some("tls"), "hsts"),
        Shape::Duration,
        Some("0"),
    ),
    row(
        Key::HstsSubdomains,
        ("--hsts-subdomains", "YETT_HSTS_SUBDOMAINS"),
        (Some("tls"), "hsts_subdomains"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        Key::HstsPreload,
        ("--hsts-preload", "YETT_HSTS_PRELOAD"),
        (Some("tls"), "hsts_preload"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        Key::Http2,
        ("--http2", "YETT_HTTP2"),
        (Some("server"), "http2"),
        Shape::Switch,
        Some("on"),
    ),
    row(
        Key::Http2MaxStreams,
        ("--http2-max-streams", "YETT_HTTP2_MAX_STREAMS"),
        (Some("server"), "http2_max_streams"),
        Shape::Whole,
        Some("128"),
    ),
    row(
        Key::Compression,
        ("--compression", "YETT_COMPRESSION"),
        (Some("compression"), "mode"),
        Shape::Text,
        Some("on"),
    ),
    row(
        Key::CompressionMinSize,
        ("--compression-min-size", "YETT_COMPRESSION_MIN_SIZE"),
        (Some("compression"), "min_size"),
        Shape::Size,
        Some("1KiB"),
    ),
    row(
        Key::CompressionMaxEncoders,
        (
            "--compression-max-encoders",
            "YETT_COMPRESSION_MAX_ENCODERS",
        ),
        (Some("compression"), "max_encoders"),
        Shape::Whole,
        Some("64"),
    ),
    row(
        Key::AllowedHosts,
        ("--allowed-host", "YETT_ALLOWED_HOST"),
        (Some("server"), "allowed_hosts"),
        Shape::Texts,
        None,
    ),
    row(
        Key::SecurityHeaders,
        ("--security-headers", "YETT_SECURITY_HEADERS"),
        (Some("server"), "security_headers"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        Key::DangerUnderscores,
        (
            "--danger-underscore-header",
            "YETT_DANGER_UNDERSCORE_HEADER",
        ),
        (Some("server"), "danger_underscore_headers"),
        Shape::Texts,
        None,
    ),
    row(
        Key::TrustProxy,
        ("--trust-proxy", "YETT_TRUST_PROXY"),
        (Some("proxy"), "trust"),
        Shape::Texts,
        None,
    ),
    row(
        Key::ProxyHeaders,
        ("--proxy-headers", "YETT_PROXY_HEADERS"),
        (Some("proxy"), "headers"),
        Shape::Text,
        Some("x-forwarded"),
    ),
    row(
        Key::ProxyHost,
        ("--proxy-host", "YETT_PROXY_HOST"),
        (Some("proxy"), "host"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        // In the file it stands in its listener, and is read there.
        Key::ProxyProtocol,
        ("--proxy-protocol", "YETT_PROXY_PROTOCOL"),
        (None, "proxy_protocol"),
        Shape::Switch,
        Some("off"),
    ),
    row(
        Key::WsMaxMessage,
        ("--ws-max-message", "YETT_WS_MAX_MESSAGE"),
        (Some("websocket"), "max_message"),
        Shape::Size,
        Some("16MiB"),
    ),
    row(
        Key::WsPingInterval,
        ("--ws-ping-interval", "YETT_WS_PING_INTERVAL"),
        (Some("websocket"), "ping_interval"),
        Shape::Duration,
        Some("20s"),
    ),
    row(
        Key::WsPingTimeout,
        ("--ws-ping-timeout", "YETT_WS_PING_TIMEOUT"),
        (Some("websocket"), "ping_timeout"),
        Shape::Duration,
        Some("20s"),
    ),
    row(
        Key::WsDeflate,
        ("--ws-deflate", "YETT_WS_DEFLATE"),
        (Some("websocket"), "deflate"),
        Shape::Switch,
        Some("on"),
    ),
    row(
        Key::PidFile,
        ("--pid-file", "YETT_PID_FILE"),
        (Some("server"), "pid_file"),
        Shape::Text,
        None,
    ),
    row(
        Key::Admin,
        ("--admin", "YETT_ADMIN"),
        (Some("admin"), "bind"),
        Shape::Text,
        None,
    ),
    row(
        Key::AdminHosts,
        ("--admin-hosts", "YETT_ADMIN_HOSTS"),
        (Some("admin"), "hosts"),
        Shape::Texts,
        None,
    ),
    row(
        Key::SlowRequest,
        ("--slow-request", "YETT_SLOW_REQUEST"),
        (Some("log"), "slow_request"),
        Shape::Duration,
        Some("0"),
    ),
    row(
        Key::LogFile,
        ("--log-file", "YETT_LOG_FILE"),
        (Some("log"), "file"),
        Shape::Text,
        None,
    ),
    row(
        Key::LogFields,
        ("--log-fields", "YETT_LOG_FIELDS"),
        (Some("log"), "fields"),
        Shape::Texts,
        None,
    ),
    row(
        Key::LogFormat,
        ("--log-format", "YETT_LOG_FORMAT"),
        (Some("log"), "format"),
        Shape::Text,
        Some("text"),
    ),
    row(
        Key::AccessLog,
        ("--access-log", "YETT_ACCESS_LOG"),
        (Some("log"), "access"),
        Shape::Switch,
        Some("on"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_has_one_row_in_the_order_of_the_enum() {
        let keys: Vec<Key> = TABLE.iter().map(|row| row.key).collect();
        let once: BTreeSet<Key> = keys.iter().copied().collect();
        assert_eq!(once.len(), TABLE.len());
        assert!(
            keys.is_sorted(),
            "a key that the table forgets would break the order's count"
        );
        assert_eq!(
            TABLE[TABLE.len() - 1].key as usize + 1,
            TABLE.len(),
            "the enum has a key without a row"
        );
    }

    #[test]
    fn the_variable_is_the_flag_in_capitals() {
        for row in &TABLE {
            let expected = format!(
                "YETT_{}",
                row.flag
                    .trim_start_matches("--")
                    .replace('-', "_")
                    .to_uppercase()
            );
            assert_eq!(row.variable, expected);
        }
    }

    #[test]
    fn names_in_a_table_of_the_file_are_unique() {
        let names: BTreeSet<_> = TABLE
            .iter()
            .filter_map(|row| Some((row.table?, row.name)))
            .collect();
        assert_eq!(
            names.len(),
            TABLE.iter().filter(|row| row.table.is_some()).count()
        );
    }
}
