//! Bounds, and what single routes, WebSockets and compression have of their own.

use super::{Key, Limits, Settling, choice, mount, non_zero, quoted, size, whole};
use std::time::Duration;
use yett_edge::CompressionSettings;
use yett_edge::Http2Settings;
use yett_edge::WebSocketSettings;
use yett_edge::rules::RouteRule;
use yett_edge::rules::RouteRules;

/// A head travels to a worker in one frame of at most 1 MiB, in which its path stands twice, once
/// with up to three bytes for each of its own.
const LARGEST_HEAD: u64 = 200 << 10;

/// What the scanner of heads has room for.
const MOST_HEADERS: u64 = 256;

/// More than one process can have files open on most systems.
const MOST_CONNECTIONS: u64 = 1_000_000;
/// More than any disk has; a larger one is a slip.
const LARGEST_BODY: u64 = 1 << 50;

impl Settling<'_> {
    pub(super) fn limits(&mut self) -> Option<Limits> {
        let around = self.around;
        let queue = self.one(Key::Queue, |text| whole(text, 1, 1_000_000));
        let queue_timeout = self.duration(Key::QueueTimeout, Duration::from_millis(1), 1);
        let keep_alive = self.duration(Key::KeepAlive, Duration::ZERO, 1);
        let instant = Duration::from_millis(1);
        let head_timeout = self.duration(Key::HeadTimeout, instant, 1);
        let body_timeout = self.duration(Key::BodyTimeout, instant, 1);
        let send_timeout = self.duration(Key::SendTimeout, instant, 1);
        let min_rate = self.one(Key::MinRate, |text| size(text, 0, 1 << 30));
        let max_connections =
            self.one(Key::MaxConnections, |text| whole(text, 1, MOST_CONNECTIONS));
        let max_per_address = self.one(Key::MaxConnectionsPerAddress, |text| {
            whole(text, 0, MOST_CONNECTIONS)
        });
        let max_headers = self.one(Key::MaxHeaders, |text| whole(text, 1, MOST_HEADERS));
        let max_spool = self.one(Key::MaxSpool, |text| size(text, 0, 1 << 50));
        let max_spool_files = self.one(Key::MaxSpoolFiles, |text| whole(text, 2, MOST_CONNECTIONS));
        let max_answer_spool = self.one(Key::MaxAnswerSpool, |text| size(text, 0, 1 << 50));
        let max_head = self.one(Key::MaxHead, |text| size(text, 1 << 10, LARGEST_HEAD));
        let max_body = self.one(Key::MaxBody, |text| size(text, 1, LARGEST_BODY));
        let spool_dir = self.folder(Key::SpoolDir, &around.temporary);
        Some(Limits {
            queue: non_zero(queue?)?,
            queue_timeout: queue_timeout?,
            keep_alive: keep_alive?,
            head_timeout: head_timeout?,
            body_timeout: body_timeout?,
            send_timeout: send_timeout?,
            min_rate: min_rate?,
            max_connections: non_zero(max_connections?)?,
            max_connections_per_address: non_zero(max_per_address?),
            max_head: usize::try_from(max_head?).ok()?,
            max_headers: usize::try_from(max_headers?).ok()?,
            max_body: max_body?,
            spool_dir: spool_dir?,
            max_spool: max_spool?,
            max_spool_files: max_spool_files?,
            max_answer_spool: max_answer_spool?,
        })
    }

    /// The outer `None` only if an error was pushed.
    pub(super) fn http2(&mut self) -> Option<Option<Http2Settings>> {
        let spoken = self.one(Key::Http2, choice::switch);
        let max_streams = self.one(Key::Http2MaxStreams, |text| whole(text, 1, 1000));
        let max_streams = u32::try_from(max_streams?).ok()?;
        Some(spoken?.then_some(Http2Settings { max_streams }))
    }

    pub(super) fn compression(&mut self) -> Option<CompressionSettings> {
        let compression = self.one(Key::Compression, choice::compression);
        let min_size = self.one(Key::CompressionMinSize, |text| size(text, 0, 1 << 30));
        let encoders = self.one(Key::CompressionMaxEncoders, |text| whole(text, 0, 100_000));
        Some(CompressionSettings {
            compression: compression?,
            min_size: min_size?,
            max_encoders: usize::try_from(encoders?).ok()?,
        })
    }

    pub(super) fn routes(&mut self) -> RouteRules {
        let raw = self.raw;
        let mut rules: Vec<RouteRule> = Vec::new();
        for rule in raw.rules() {
            let Some(said) = &rule.path else { continue };
            let path = self.keep(&said.place, mount::prefix(&said.text));
            let max_body = rule
                .max_body
                .as_ref()
                .map(|said| self.keep(&said.place, size(&said.text, 0, LARGEST_BODY)));
            let compression = rule
                .compress
                .as_ref()
                .map(|said| self.keep(&said.place, choice::compression(&said.text)));
            let Some(path) = path else { continue };
            if rules.iter().any(|rule| rule.path == path) {
                let wrong = format!("{} has two routes", quoted(&path));
                self.refuse(&said.place, wrong, "each path once");
                continue;
            }
            rules.push(RouteRule {
                path,
                max_body: max_body.flatten(),
                compression: compression.flatten(),
            });
        }
        RouteRules::new(rules)
    }

    pub(super) fn websocket(&mut self) -> Option<WebSocketSettings> {
        let max_message = self.one(Key::WsMaxMessage, |text| {
            size(text, 1 << 10, WebSocketSettings::LARGEST_MESSAGE)
        });
        let ping_interval = self.duration(Key::WsPingInterval, Duration::ZERO, 24);
        let ping_timeout = self.duration(Key::WsPingTimeout, Duration::ZERO, 24);
        let deflate = self.one(Key::WsDeflate, choice::deflate);
        let unless_zero = |time: Duration| (!time.is_zero()).then_some(time);
        Some(WebSocketSettings {
            max_message: max_message?,
            ping_interval: unless_zero(ping_interval?),
            ping_timeout: unless_zero(ping_timeout?),
            deflate: deflate?,
        })
    }
}
