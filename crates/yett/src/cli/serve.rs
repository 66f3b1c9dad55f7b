//! The flags of `serve`, `check` and `routes`: the same words for all three, so that a deployment's
//! command line is checked by putting another verb in front of it.
//!
//! Every value stays text here. `config` parses it together with the words of the environment and
//! the file, and names the flag in its error.

use crate::config::{
    Key, RawServe,
    key::{Row, TABLE},
};
use clap::{Arg, ArgAction, Args, Command};

/// One field for each row of [`TABLE`]; the ids of the arguments are the flags' names with `_`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The app: module:callable, or module. Without it, manage.py or yett.toml in the current
    /// folder decides.
    #[arg(value_name = "APP")]
    app: Option<String>,

    /// Where to listen: host:port (IPv6 in brackets), :port (every IPv4 address) or unix:/path. May
    /// be repeated.
    #[arg(short, long, value_name = "ADDRESS", help_heading = "Server")]
    bind: Vec<String>,
    /// The mode of Unix sockets: who may write may connect.
    #[arg(long, value_name = "MODE", help_heading = "Server")]
    socket_mode: Option<String>,
    /// The owner of Unix sockets: user, user:group or :group [default: who starts yett]
    #[arg(long, value_name = "OWNER", help_heading = "Server")]
    socket_owner: Option<String>,
    /// Serve a folder's files at a URL without asking the app. May be repeated.
    #[arg(
        long = "static",
        id = "static",
        value_name = "URL=DIR",
        help_heading = "Server"
    )]
    mounts: Vec<String>,
    /// How long browsers may keep static files without asking; those whose names say their content
    /// are kept for ever.
    #[arg(long, value_name = "DURATION", help_heading = "Static files")]
    static_max_age: Option<String>,
    /// Say the type of files with this extension. May be repeated.
    #[arg(long, value_name = "EXT=TYPE", help_heading = "Static files")]
    static_type: Vec<String>,
    /// How many static files are kept open or in memory.
    #[arg(long, value_name = "N", help_heading = "Static files")]
    static_open: Option<String>,
    /// How much of small static files is kept in memory; 0 means nothing.
    #[arg(long, value_name = "SIZE", help_heading = "Static files")]
    static_memory: Option<String>,
    /// The configuration file [default: yett.toml in the current folder, if there is one]
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    config: Option<String>,
    /// How long a stop or a reload waits for requests in flight.
    #[arg(long, value_name = "DURATION", help_heading = "Server")]
    graceful_timeout: Option<String>,
    /// How long a stop goes on taking connections while /readyz already says no, so that a load
    /// balancer has time to look elsewhere.
    #[arg(long, value_name = "DURATION", help_heading = "Server")]
    drain_delay: Option<String>,
    /// Tell health and metrics here: /livez, /readyz, /metrics, /status. A port alone means this
    /// machine alone [default: nowhere]
    #[arg(long, value_name = "ADDRESS", help_heading = "Server")]
    admin: Option<String>,
    /// A name with dots under which --admin may be asked. May be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    admin_hosts: Vec<String>,
    /// Write the process id into this file while the server runs.
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pid_file: Option<String>,

    /// Run the app in this folder, and look for manage.py and yett.toml there [default: the current
    /// folder]
    #[arg(long, value_name = "DIR", help_heading = "App and workers")]
    chdir: Option<String>,
    /// The Python interpreter: a path, or a name in PATH [default: the one beside yett, then the
    /// virtual environment's, then python3 in PATH]
    #[arg(long, value_name = "PYTHON", help_heading = "App and workers")]
    python: Option<String>,
    /// How to call the app: auto, wsgi or asgi.
    #[arg(long, value_name = "INTERFACE", help_heading = "App and workers")]
    interface: Option<String>,
    /// For development: load the app anew when its code changes, and show browsers why it does not
    /// load. =poll looks at the files instead of waiting for the system's word. With it the defaults
    /// are one worker, no timeout and a graceful timeout of 1s.
    #[arg(
        long,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        help_heading = "App and workers"
    )]
    reload: Option<String>,
    /// Worker processes; auto means one for each CPU that this process may use.
    #[arg(short, long, value_name = "N", help_heading = "App and workers")]
    workers: Option<String>,
    /// Threads in each worker, which take turns; of ASGI, of its loop's executor. auto means 4, or what
    /// Python thinks fit.
    #[arg(long, value_name = "N", help_heading = "App and workers")]
    threads: Option<String>,
    /// Requests that each worker of an ASGI app runs at once.
    #[arg(long, value_name = "N", help_heading = "App and workers")]
    concurrency: Option<String>,
    /// The event loop of ASGI workers: auto (uvloop if it is installed), asyncio or uvloop.
    #[arg(
        long = "loop",
        id = "loop",
        value_name = "LOOP",
        help_heading = "App and workers"
    )]
    event_loop: Option<String>,
    /// Tell an ASGI app of its workers' start and stop: auto (if it knows how), on or off.
    #[arg(long, value_name = "AUTO|ON|OFF", help_heading = "App and workers")]
    lifespan: Option<String>,
    /// Answer 504 when the app shows nothing of an answer for this long; a WSGI worker is then
    /// replaced, one of ASGI if its loop stands still. 0 means never.
    #[arg(long, value_name = "DURATION", help_heading = "App and workers")]
    timeout: Option<String>,
    /// How long the app may take to import, and then each worker to start.
    #[arg(long, value_name = "DURATION", help_heading = "App and workers")]
    start_timeout: Option<String>,
    /// Send this folder's files where the app names one with X-Sendfile or, as URL, with
    /// X-Accel-Redirect. May be repeated.
    #[arg(long, value_name = "URL=DIR", help_heading = "App and workers")]
    sendfile: Vec<String>,
    /// Replace a worker after so many requests; 0 means never.
    #[arg(long, value_name = "N", help_heading = "App and workers")]
    max_requests: Option<String>,
    /// Add up to so many requests to --max-requests, worker by worker, so that workers do not end together.
    #[arg(long, value_name = "N", help_heading = "App and workers")]
    max_requests_jitter: Option<String>,
    /// Replace a worker that has more resident memory than this; 0 means never.
    #[arg(long, value_name = "SIZE", help_heading = "App and workers")]
    max_rss: Option<String>,
    /// Whether the app is imported once, and workers are forked with it: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "App and workers")]
    preload: Option<String>,
    /// The same as --preload off: each worker imports the app for itself.
    #[arg(long, help_heading = "App and workers", conflicts_with = "preload")]
    no_preload: bool,

    /// How many requests may wait for a worker; the next one gets 503.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    queue: Option<String>,
    /// How long a request may wait for a worker; then it gets 503.
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    queue_timeout: Option<String>,
    /// How long a connection may stay quiet between requests; 0 closes it after each answer.
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    keep_alive: Option<String>,
    /// How long a request's line and headers may take; beyond it 408.
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    head_timeout: Option<String>,
    /// How long a request's body may pause, and over how long --min-rate is measured; beyond it 408.
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    body_timeout: Option<String>,
    /// How long a client may take nothing of its answer, and over how long --min-rate is measured; then
    /// it is cut.
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    send_timeout: Option<String>,
    /// How many bytes a second a client must send of a body and take of an answer; 0 means any.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    min_rate: Option<String>,
    /// How many connections may be open; further ones wait in the kernel.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    max_connections: Option<String>,
    /// How many of them one client address may have; further ones are closed at once. 0 means any.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    max_connections_per_address: Option<String>,
    /// The largest request line and headers; beyond it 431.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    max_head: Option<String>,
    /// The most headers of a request; beyond it 431.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    max_headers: Option<String>,
    /// The largest request body; beyond it 413.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    max_body: Option<String>,
    /// Where large request bodies are kept while they arrive, and answers that clients take slowly
    /// [default: the folder for temporary files]
    #[arg(long, value_name = "DIR", help_heading = "Limits")]
    spool_dir: Option<String>,
    /// How much room all of those have there together; beyond it a request gets 507, and an answer's
    /// application waits.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    max_spool: Option<String>,
    /// How many files they are there; beyond it likewise.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    max_spool_files: Option<String>,
    /// How much of one answer of a WSGI application is kept there while its client is slow, so that
    /// no thread waits for it; 0: nothing.
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    max_answer_spool: Option<String>,

    /// A certificate chain, as a PEM file; listeners then speak HTTPS. May be repeated: clients get
    /// the one for the name that they ask for, or the first.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_cert: Vec<String>,
    /// The private key of --tls-cert, as a PEM file; repeated in the same order. Without it each
    /// certificate's file holds its key too.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_key: Vec<String>,
    /// For development: make a certificate for this machine at each start; no browser trusts it.
    #[arg(
        long,
        value_name = "ON|OFF",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        help_heading = "TLS"
    )]
    tls_self_signed: Option<String>,
    /// The oldest version that is spoken: 1.2 or 1.3.
    #[arg(long, value_name = "VERSION", help_heading = "TLS")]
    tls_min_version: Option<String>,
    /// What a client gets that asks for a name which no certificate has: default (the first
    /// certificate) or refuse.
    #[arg(long, value_name = "DEFAULT|REFUSE", help_heading = "TLS")]
    tls_unknown_name: Option<String>,
    /// Whether clients show certificates of their own: off, optional or required.
    #[arg(long, value_name = "HOW", help_heading = "TLS")]
    tls_client_auth: Option<String>,
    /// The authorities whose client certificates are good, as a PEM file.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_client_ca: Option<String>,
    /// A revocation list for client certificates, as a PEM file. May be repeated.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_client_crl: Vec<String>,
    /// How long a handshake may take; then the connection is closed.
    #[arg(long, value_name = "DURATION", help_heading = "TLS")]
    tls_handshake_timeout: Option<String>,
    /// Whether HTTP/2 is spoken with clients that ask for it: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "Limits")]
    http2: Option<String>,
    /// How many requests of one HTTP/2 connection run at a time; the next one is refused.
    #[arg(long, value_name = "N", help_heading = "Limits")]
    http2_max_streams: Option<String>,
    /// Listen here in clear text, and send everybody to HTTPS. May be repeated.
    #[arg(long, value_name = "ADDRESS", help_heading = "TLS")]
    redirect_http: Vec<String>,
    /// The port that --redirect-http sends to [default: the first HTTPS listener's]
    #[arg(long, value_name = "PORT", help_heading = "TLS")]
    redirect_port: Option<String>,
    /// For how long browsers are to use HTTPS alone, such as 8760h; 0: nothing is said.
    #[arg(long, value_name = "DURATION", help_heading = "TLS")]
    hsts: Option<String>,
    /// Whether --hsts holds for all names below, too: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "TLS")]
    hsts_subdomains: Option<String>,
    /// Whether browsers may know of --hsts in advance: on or off. Hard to take back.
    #[arg(long, value_name = "ON|OFF", help_heading = "TLS")]
    hsts_preload: Option<String>,

    /// Whether the app's answers are compressed where the client takes it: on (but not where a page
    /// of another site could ask with the user's credentials), off or danger_always.
    #[arg(long, value_name = "MODE", help_heading = "Compression")]
    compression: Option<String>,
    /// The shortest body that is compressed.
    #[arg(long, value_name = "SIZE", help_heading = "Compression")]
    compression_min_size: Option<String>,
    /// Answers that are compressed while they are sent; further ones go as they are.
    #[arg(long, value_name = "N", help_heading = "Compression")]
    compression_max_encoders: Option<String>,
    /// Serve requests for this host alone (.example.com: and all below it); others get 421. May be
    /// repeated [default: the app decides]
    #[arg(long, value_name = "HOST", help_heading = "Trust")]
    allowed_host: Vec<String>,
    /// Whether every answer gets X-Content-Type-Options, Referrer-Policy, Cross-Origin-Opener-Policy
    /// and X-Frame-Options where it has none: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "Trust")]
    security_headers: Option<String>,
    /// Whether every request has an id, which its client, the app and the log are told: on (in
    /// X-Request-ID), off, or another header. A trusted proxy's own is taken over.
    #[arg(
        long,
        value_name = "ON|OFF|HEADER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        help_heading = "Log"
    )]
    request_id: Option<String>,
    /// Hand on this header although an underscore is in its name. May be repeated.
    #[arg(long, value_name = "NAME", help_heading = "Trust")]
    danger_underscore_header: Vec<String>,
    /// Believe what this peer says of the client: an address, a network, unix, private, or
    /// danger_any_peer. May be repeated [default: nobody is believed]
    #[arg(long, value_name = "WHOM", help_heading = "Trust")]
    trust_proxy: Vec<String>,
    /// By which headers trusted proxies speak: x-forwarded or forwarded.
    #[arg(long, value_name = "HEADERS", help_heading = "Trust")]
    proxy_headers: Option<String>,
    /// Whether trusted proxies say the host and the port too: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "Trust")]
    proxy_host: Option<String>,
    /// Whether every TCP connection begins with a PROXY header of a trusted proxy: on or off.
    #[arg(
        long,
        value_name = "ON|OFF",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        help_heading = "Trust"
    )]
    proxy_protocol: Option<String>,

    /// The largest message of a WebSocket's client; beyond it the WebSocket is closed with 1009.
    #[arg(long, value_name = "SIZE", help_heading = "WebSockets")]
    ws_max_message: Option<String>,
    /// How often a WebSocket's client is pinged; 0 means never.
    #[arg(long, value_name = "DURATION", help_heading = "WebSockets")]
    ws_ping_interval: Option<String>,
    /// How long a WebSocket's client may send nothing after a ping; 0 means for ever.
    #[arg(long, value_name = "DURATION", help_heading = "WebSockets")]
    ws_ping_timeout: Option<String>,
    /// Whether messages are compressed where the client offers it: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "WebSockets")]
    ws_deflate: Option<String>,

    /// Tell of each request that took longer than this in queue and app together; 0 means of none.
    #[arg(long, value_name = "DURATION", help_heading = "Log")]
    slow_request: Option<String>,
    /// Append access lines to this file instead of writing them to standard output; USR1 opens it
    /// anew.
    #[arg(long, value_name = "FILE", help_heading = "Log")]
    log_file: Option<String>,
    /// A field that JSON lines have; they have those that are named, in their order. May be
    /// repeated.
    #[arg(long, value_name = "FIELD", help_heading = "Log")]
    log_fields: Vec<String>,
    /// How log lines look: text, json, combined, or a template with fields in braces:
    /// '{client} "{method} {path}" {status}'.
    #[arg(long, value_name = "FORMAT", help_heading = "Log")]
    log_format: Option<String>,
    /// Whether each request writes a line: on or off.
    #[arg(long, value_name = "ON|OFF", help_heading = "Log")]
    access_log: Option<String>,
    /// The same as --access-log off.
    #[arg(long, help_heading = "Log", conflicts_with = "access_log")]
    no_access_log: bool,
}

impl ServeArgs {
    /// What was said. Every field is named, so a new flag that is forgotten here does not compile.
    pub(super) fn words(self) -> RawServe {
        let Self {
            app,
            bind,
            socket_mode,
            socket_owner,
            mounts,
            static_max_age,
            static_type,
            static_open,
            static_memory,
            config,
            graceful_timeout,
            drain_delay,
            admin,
            admin_hosts,
            pid_file,
            chdir,
            python,
            interface,
            reload,
            workers,
            threads,
            concurrency,
            event_loop,
            lifespan,
            timeout,
            start_timeout,
            sendfile,
            max_requests,
            max_requests_jitter,
            max_rss,
            preload,
            no_preload,
            queue,
            queue_timeout,
            keep_alive,
            head_timeout,
            body_timeout,
            send_timeout,
            min_rate,
            max_connections,
            max_connections_per_address,
            max_head,
            max_headers,
            max_body,
            spool_dir,
            max_spool,
            max_spool_files,
            max_answer_spool,
            tls_cert,
            tls_key,
            tls_self_signed,
            tls_min_version,
            tls_unknown_name,
            tls_client_auth,
            tls_client_ca,
            tls_client_crl,
            tls_handshake_timeout,
            http2,
            http2_max_streams,
            redirect_http,
            redirect_port,
            hsts,
            hsts_subdomains,
            hsts_preload,
            compression,
            compression_min_size,
            compression_max_encoders,
            allowed_host,
            security_headers,
            request_id,
            danger_underscore_header,
            trust_proxy,
            proxy_headers,
            proxy_host,
            proxy_protocol,
            ws_max_message,
            ws_ping_interval,
            ws_ping_timeout,
            ws_deflate,
            slow_request,
            log_file,
            log_fields,
            log_format,
            access_log,
            no_access_log,
        } = self;
        let single = [
            (Key::App, app),
            (Key::Config, config),
            (Key::SocketMode, socket_mode),
            (Key::SocketOwner, socket_owner),
            (Key::GracefulTimeout, graceful_timeout),
            (Key::DrainDelay, drain_delay),
            (Key::Admin, admin),
            (Key::PidFile, pid_file),
            (Key::Chdir, chdir),
            (Key::Python, python),
            (Key::StaticMaxAge, static_max_age),
            (Key::StaticOpen, static_open),
            (Key::StaticMemory, static_memory),
            (Key::Interface, interface),
            (Key::Reload, reload),
            (Key::Workers, workers),
            (Key::Threads, threads),
            (Key::Concurrency, concurrency),
            (Key::Loop, event_loop),
            (Key::Lifespan, lifespan),
            (Key::Timeout, timeout),
            (Key::StartTimeout, start_timeout),
            (Key::MaxRequests, max_requests),
            (Key::MaxRequestsJitter, max_requests_jitter),
            (Key::MaxRss, max_rss),
            (
                Key::Preload,
                preload.or_else(|| no_preload.then(|| "off".to_owned())),
            ),
            (Key::Queue, queue),
            (Key::QueueTimeout, queue_timeout),
            (Key::KeepAlive, keep_alive),
            (Key::HeadTimeout, head_timeout),
            (Key::BodyTimeout, body_timeout),
            (Key::SendTimeout, send_timeout),
            (Key::MinRate, min_rate),
            (Key::MaxConnections, max_connections),
            (Key::MaxConnectionsPerAddress, max_connections_per_address),
            (Key::MaxHead, max_head),
            (Key::MaxHeaders, max_headers),
            (Key::MaxBody, max_body),
            (Key::SpoolDir, spool_dir),
            (Key::MaxSpool, max_spool),
            (Key::MaxSpoolFiles, max_spool_files),
            (Key::MaxAnswerSpool, max_answer_spool),
            (Key::TlsSelfSigned, tls_self_signed),
            (Key::TlsMinVersion, tls_min_version),
            (Key::TlsUnknownName, tls_unknown_name),
            (Key::TlsClientAuth, tls_client_auth),
            (Key::TlsClientCa, tls_client_ca),
            (Key::TlsHandshakeTimeout, tls_handshake_timeout),
            (Key::Http2, http2),
            (Key::Http2MaxStreams, http2_max_streams),
            (Key::RedirectPort, redirect_port),
            (Key::Hsts, hsts),
            (Key::HstsSubdomains, hsts_subdomains),
            (Key::HstsPreload, hsts_preload),
            (Key::Compression, compression),
            (Key::CompressionMinSize, compression_min_size),
            (Key::CompressionMaxEncoders, compression_max_encoders),
            (Key::SecurityHeaders, security_headers),
            (Key::RequestId, request_id),
            (Key::ProxyHeaders, proxy_headers),
            (Key::ProxyHost, proxy_host),
            (Key::ProxyProtocol, proxy_protocol),
            (Key::WsMaxMessage, ws_max_message),
            (Key::WsPingInterval, ws_ping_interval),
            (Key::WsPingTimeout, ws_ping_timeout),
            (Key::WsDeflate, ws_deflate),
            (Key::SlowRequest, slow_request),
            (Key::LogFile, log_file),
            (Key::LogFormat, log_format),
            (
                Key::AccessLog,
                access_log.or_else(|| no_access_log.then(|| "off".to_owned())),
            ),
        ];
        let single = single
            .into_iter()
            .filter_map(|(key, word)| Some((key, word?)));
        let binds = bind.into_iter().map(|word| (Key::Bind, word));
        let mounts = mounts.into_iter().map(|word| (Key::Static, word));
        let types = static_type.into_iter().map(|word| (Key::StaticType, word));
        let sendfile = sendfile.into_iter().map(|word| (Key::Sendfile, word));
        let listed = |key: Key, words: Vec<String>| words.into_iter().map(move |word| (key, word));
        let files = listed(Key::TlsCert, tls_cert)
            .chain(listed(Key::TlsPrivate, tls_key))
            .chain(listed(Key::TlsClientCrl, tls_client_crl))
            .chain(listed(Key::RedirectHttp, redirect_http));
        let hosts = listed(Key::AdminHosts, admin_hosts);
        let fields = listed(Key::LogFields, log_fields);
        let trust = listed(Key::AllowedHosts, allowed_host)
            .chain(listed(Key::DangerUnderscores, danger_underscore_header))
            .chain(listed(Key::TrustProxy, trust_proxy));
        let lists = binds
            .chain(mounts)
            .chain(types)
            .chain(sendfile)
            .chain(trust)
            .chain(files)
            .chain(hosts)
            .chain(fields);
        RawServe::from_flags(single.chain(lists))
    }
}

/// Adds each setting's default and variable to the help of a subcommand's flags, from [`TABLE`].
pub(super) fn explain_settings(command: Command) -> Command {
    command.mut_args(
        |arg| match TABLE.iter().find(|row| row.id() == arg.get_id().as_str()) {
            Some(row) => explained(arg, row),
            None => arg,
        },
    )
}

fn explained(arg: Arg, row: &Row) -> Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default = row
        .default
        .map(|default| format!(" [default: {default}]"))
        .unwrap_or_default();
    // "Set", not clap's own default: a word that nobody said must not hide the variable's or the
    // file's word.
    let action = if row.key.is_list() {
        ArgAction::Append
    } else {
        ArgAction::Set
    };
    // No space after "env:", so that the help is not wrapped there.
    let help = format!("{help}{default} [env:{}]", row.variable());
    // "-1" is a wrong number, and `config` says so better than "unexpected argument".
    arg.help(help)
        .action(action)
        .allow_negative_numbers(row.key != Key::App)
}
