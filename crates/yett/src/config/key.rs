//! The one table of everything that can be set: its flag, its place in `yett.toml`, the shape of its
//! value, and what holds if nobody says anything. Its environment variable is the flag in capitals.
//!
//! It is long because there is so much, and nothing in it could be left out: a row is what a user
//! writes, and no two are made alike. The command line, the reader of the environment, the reader of
//! the file, `--help` and the tests all go by it, and the enum is made of the same lines, so a setting
//! cannot exist in one of them and be forgotten in another.

/// What a value is, and how it may be written in `yett.toml`. Flags and variables are always text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A string, checked further when it is settled.
    Text,
    /// A list of such strings: the flag repeats, the variable is separated by commas. In the file a list,
    /// or a string in each of several tables.
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
    /// `true`, `false` or "danger_always".
    SwitchOrDanger,
    /// `true`, `false` or a string, checked further when it is settled.
    SwitchOrText,
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
            Self::SwitchOrDanger => "true, false or \"danger_always\"",
            Self::SwitchOrText => "true, false or a plain string",
        }
    }

    /// Whether it is `true` or `false`, or a word.
    pub(crate) const fn is_switch(self) -> bool {
        matches!(
            self,
            Self::Switch | Self::SwitchOrPoll | Self::SwitchOrDanger | Self::SwitchOrText
        )
    }

    /// The one word that may stand in a value's place.
    pub(crate) const fn word(self) -> Option<&'static str> {
        match self {
            Self::WholeOrAuto => Some("auto"),
            Self::SwitchOrPoll => Some("poll"),
            Self::SwitchOrDanger => Some("danger_always"),
            _ => None,
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
    /// The table of `yett.toml` that holds it, or `None` if it cannot stand in the file.
    pub(crate) table: Option<&'static str>,
    /// Its name in that table.
    pub(crate) name: &'static str,
    /// What a value may be.
    pub(crate) shape: Shape,
    /// What holds if nobody says anything, in the words a user would write. `None`: decided from
    /// the surroundings.
    pub(crate) default: Option<&'static str>,
}

impl Row {
    /// The flag without its dashes, in small letters with underscores: what clap calls the argument.
    pub(crate) fn id(&self) -> String {
        let bare = self.flag.trim_start_matches('-');
        bare.replace('-', "_").to_lowercase()
    }

    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("YETT_{}", self.id().to_uppercase())
    }
}

impl Key {
    /// The table's row for this key.
    pub(crate) fn row(self) -> &'static Row {
        // Always found: both are made of the same lines.
        TABLE.get(self as usize).unwrap_or(&TABLE[0])
    }

    /// Whether the setting is a list.
    pub(crate) fn is_list(self) -> bool {
        self.row().shape == Shape::Texts
    }
}

/// Makes the enum and the table. A line says: flag, table and name in `yett.toml`, shape, default.
macro_rules! settings {
    ($(
        $(#[$doc:meta])+
        $key:ident: $flag:literal $(in $table:literal $name:literal)?, $shape:ident $(= $default:literal)?;
    )+) => {
        /// One thing that can be set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Key {
            $($(#[$doc])+ $key,)+
        }

        /// Everything that can be set, in the order of the enum.
        pub(crate) static TABLE: [Row; [$(Key::$key),+].len()] = [$(Row {
            key: Key::$key,
            flag: $flag,
            table: [$(Some($table),)? None][0],
            name: [$($name,)? ""][0],
            shape: Shape::$shape,
            default: [$(Some($default),)? None][0],
        }),+];
    };
}

settings! {
    /// `module:callable` or `module`.
    App: "APP" in "app" "app", Text;
    /// The configuration file.
    Config: "--config", Text;
    /// The folder that the app runs in.
    Chdir: "--chdir" in "app" "chdir", Text;
    /// The Python interpreter.
    Python: "--python" in "app" "python", Text;
    /// WSGI or ASGI.
    Interface: "--interface" in "app" "interface", Text = "auto";
    /// Whether code is loaded anew when it changes, for development.
    Reload: "--reload" in "app" "reload", SwitchOrPoll = "off";
    /// Where to listen; a list.
    Bind: "--bind" in "listener" "bind", Texts = "127.0.0.1:8000";
    /// Who may connect to a Unix socket: its mode.
    SocketMode: "--socket-mode" in "listener" "socket_mode", Text = "0660";
    /// Its owner.
    SocketOwner: "--socket-owner" in "listener" "socket_owner", Text;
    /// Folders served without the app; a list.
    Static: "--static", Texts;
    /// How long files may be kept without asking. Long enough that the pages of one visit ask once, short
    /// enough that nobody has to empty a cache: WhiteNoise's choice.
    StaticMaxAge: "--static-max-age" in "static" "max_age", Duration = "60s";
    /// Types of files; a list.
    StaticType: "--static-type" in "static" "types", Texts;
    /// Static files that are kept open or in memory.
    StaticOpen: "--static-open" in "static" "open", Whole = "1024";
    /// Bytes of small static files that are kept in memory.
    StaticMemory: "--static-memory" in "static" "memory", Size = "32MiB";
    /// Folders whose files the app may name instead of a body; a list.
    Sendfile: "--sendfile" in "app" "sendfile", Texts;
    /// Worker processes.
    Workers: "--workers" in "app" "workers", WholeOrAuto = "auto";
    /// Threads in each worker.
    Threads: "--threads" in "app" "threads", WholeOrAuto = "auto";
    /// Requests that a worker with an event loop runs at once.
    Concurrency: "--concurrency" in "app" "concurrency", Whole = "1000";
    /// The event loop of ASGI workers.
    Loop: "--loop" in "app" "loop", Text = "auto";
    /// Whether the app is told of its workers' start and stop.
    Lifespan: "--lifespan" in "app" "lifespan", Text = "auto";
    /// How long the app may show nothing for a request.
    Timeout: "--timeout" in "app" "timeout", Duration = "30s";
    /// How long the app may take to import, and then each worker to start.
    StartTimeout: "--start-timeout" in "app" "start_timeout", Duration = "2m";
    /// How long a stop or a reload waits for requests in flight.
    GracefulTimeout: "--graceful-timeout" in "server" "graceful_timeout", Duration = "30s";
    /// Requests after which a worker is replaced.
    MaxRequests: "--max-requests" in "app" "max_requests", Whole = "0";
    /// What is added to `MaxRequests` worker by worker, so that workers do not end together.
    MaxRequestsJitter: "--max-requests-jitter" in "app" "max_requests_jitter", Whole = "0";
    /// Resident memory above which a worker is replaced.
    MaxRss: "--max-rss" in "app" "max_rss", Size = "0";
    /// Whether the app is imported once, before workers are forked.
    Preload: "--preload" in "app" "preload", Switch = "on";
    /// Requests that may wait for a worker.
    Queue: "--queue" in "app" "queue", Whole = "1024";
    /// How long a request may wait for a worker.
    QueueTimeout: "--queue-timeout" in "app" "queue_timeout", Duration = "30s";
    /// How long a stop still takes connections.
    DrainDelay: "--drain-delay" in "server" "drain_delay", Duration = "0";
    /// How long a quiet connection is kept.
    KeepAlive: "--keep-alive" in "server" "keep_alive", Duration = "75s";
    /// How long a request's head may take.
    HeadTimeout: "--head-timeout" in "server" "head_timeout", Duration = "20s";
    /// How long a request's body may pause.
    BodyTimeout: "--body-timeout" in "server" "body_timeout", Duration = "30s";
    /// How long a client may take nothing of its answer.
    SendTimeout: "--send-timeout" in "server" "send_timeout", Duration = "1m";
    /// Bytes a second of bodies and answers, at least.
    MinRate: "--min-rate" in "server" "min_rate", Size = "500B";
    /// Open connections.
    MaxConnections: "--max-connections" in "server" "max_connections", Whole = "10000";
    /// Open connections of one address.
    MaxConnectionsPerAddress: "--max-connections-per-address" in "server" "max_connections_per_address", Whole = "0";
    /// The largest request head.
    MaxHead: "--max-head" in "server" "max_head", Size = "64KiB";
    /// The most headers of a request.
    MaxHeaders: "--max-headers" in "server" "max_headers", Whole = "128";
    /// The largest request body.
    MaxBody: "--max-body" in "server" "max_body", Size = "100MiB";
    /// Where large bodies are kept while they arrive.
    SpoolDir: "--spool-dir" in "server" "spool_dir", Text;
    /// How much room they have there together.
    MaxSpool: "--max-spool" in "server" "max_spool", Size = "4GiB";
    /// How many files they are.
    MaxSpoolFiles: "--max-spool-files" in "server" "max_spool_files", Whole = "4096";
    /// How much of one answer is kept there for a slow client.
    MaxAnswerSpool: "--max-answer-spool" in "server" "max_answer_spool", Size = "64MiB";
    /// Certificates' files; a list.
    TlsCert: "--tls-cert" in "tls.certificate" "cert", Texts;
    /// Their keys' files, in the same order; a list.
    TlsPrivate: "--tls-key" in "tls.certificate" "key", Texts;
    /// Whether a certificate for development is made.
    TlsSelfSigned: "--tls-self-signed" in "tls" "self_signed", Switch = "off";
    /// The oldest version of TLS that is spoken.
    TlsMinVersion: "--tls-min-version" in "tls" "min_version", Text = "1.2";
    /// What a client gets that asks for a name which no certificate has.
    TlsUnknownName: "--tls-unknown-name" in "tls" "unknown_name", Text = "default";
    /// Whether clients show certificates of their own.
    TlsClientAuth: "--tls-client-auth" in "tls" "client_auth", Text = "off";
    /// The authorities whose client certificates are good.
    TlsClientCa: "--tls-client-ca" in "tls" "client_ca", Text;
    /// Revocation lists for client certificates; a list.
    TlsClientCrl: "--tls-client-crl" in "tls" "client_crl", Texts;
    /// How long a handshake may take.
    TlsHandshakeTimeout: "--tls-handshake-timeout" in "tls" "handshake_timeout", Duration = "10s";
    /// Where clear text is listened for, to send everybody to HTTPS; a list.
    RedirectHttp: "--redirect-http" in "tls" "redirect_http", Texts;
    /// The port that they are sent to.
    RedirectPort: "--redirect-port" in "tls" "redirect_port", Whole;
    /// For how long browsers are to use HTTPS alone.
    Hsts: "--hsts" in "tls" "hsts", Duration = "0";
    /// Whether that holds for all names below, too.
    HstsSubdomains: "--hsts-subdomains" in "tls" "hsts_subdomains", Switch = "off";
    /// Whether browsers may know it in advance.
    HstsPreload: "--hsts-preload" in "tls" "hsts_preload", Switch = "off";
    /// Whether HTTP/2 is spoken.
    Http2: "--http2" in "server" "http2", Switch = "on";
    /// Requests of one HTTP/2 connection that run at a time.
    Http2MaxStreams: "--http2-max-streams" in "server" "http2_max_streams", Whole = "128";
    /// Whether the app's answers are compressed.
    Compression: "--compression" in "compression" "mode", Text = "on";
    /// The shortest body that is compressed.
    CompressionMinSize: "--compression-min-size" in "compression" "min_size", Size = "1KiB";
    /// Answers that are compressed while they are sent.
    CompressionMaxEncoders: "--compression-max-encoders" in "compression" "max_encoders", Whole = "64";
    /// The hosts that are served; a list.
    AllowedHosts: "--allowed-host" in "server" "allowed_hosts", Texts;
    /// Whether every answer gets headers that tell browsers to be careful.
    SecurityHeaders: "--security-headers" in "server" "security_headers", Switch = "off";
    /// Whether requests have ids, and in which header.
    RequestId: "--request-id" in "server" "request_id", SwitchOrText = "off";
    /// Headers with an underscore that are not dropped; a list.
    DangerUnderscores: "--danger-underscore-header" in "server" "danger_underscore_headers", Texts;
    /// Whose word on the origin of a request counts; a list.
    TrustProxy: "--trust-proxy" in "proxy" "trust", Texts;
    /// By which headers trusted proxies speak.
    ProxyHeaders: "--proxy-headers" in "proxy" "headers", Text = "x-forwarded";
    /// Whether they are believed what they say of the host.
    ProxyHost: "--proxy-host" in "proxy" "host", Switch = "off";
    /// Whether connections begin with a PROXY header.
    ProxyProtocol: "--proxy-protocol" in "listener" "proxy_protocol", Switch = "off";
    /// The largest message of a WebSocket's client.
    WsMaxMessage: "--ws-max-message" in "websocket" "max_message", Size = "16MiB";
    /// How often a WebSocket's client is pinged.
    WsPingInterval: "--ws-ping-interval" in "websocket" "ping_interval", Duration = "20s";
    /// How long a WebSocket's client may be silent after a ping.
    WsPingTimeout: "--ws-ping-timeout" in "websocket" "ping_timeout", Duration = "20s";
    /// Whether WebSockets' messages are compressed.
    WsDeflate: "--ws-deflate" in "websocket" "deflate", Switch = "on";
    /// The file that holds the process id.
    PidFile: "--pid-file" in "server" "pid_file", Text;
    /// Where health and metrics are told.
    Admin: "--admin" in "admin" "bind", Text;
    /// Names under which the admin address answers; a list.
    AdminHosts: "--admin-hosts" in "admin" "hosts", Texts;
    /// Above which time a request is told as slow.
    SlowRequest: "--slow-request" in "log" "slow_request", Duration = "0";
    /// The file that the access log is written to.
    LogFile: "--log-file" in "log" "file", Text;
    /// What JSON lines hold; a list.
    LogFields: "--log-fields" in "log" "fields", Texts;
    /// How log lines look.
    LogFormat: "--log-format" in "log" "format", Text = "text";
    /// Whether each request writes a line.
    AccessLog: "--access-log" in "log" "access", Switch = "on";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_finds_its_own_row() {
        for row in &TABLE {
            assert_eq!(row.key.row().key, row.key);
        }
    }

    #[test]
    fn the_variable_is_the_flag_in_capitals() {
        let check = |key: Key, variable: &str| assert_eq!(key.row().variable(), variable);
        check(Key::App, "YETT_APP");
        check(Key::MaxRequestsJitter, "YETT_MAX_REQUESTS_JITTER");
        check(Key::Http2MaxStreams, "YETT_HTTP2_MAX_STREAMS");
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
