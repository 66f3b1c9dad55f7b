//! Connections over TLS: names, resumption, protocols, reloads, endings, time.

use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use yett_link::frame::{Kind, LAST};
use yett_link::request::RequestView;

use super::*;
use crate::conn::Protocol;
use crate::meters::Limit;
use crate::testing::h2_client::H2Client;
use crate::testing::{Client, FakeWorker, seconds, settle};
use crate::tls::UnknownName;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";

/// Asks for `/`, has it answered, and says what came.
async fn ask(worker: &mut FakeWorker, stream: &mut TlsStream<DuplexStream>) -> String {
    soon(stream.write_all(GET)).await.unwrap();
    let id = worker.request().await;
    worker.answer(id, "hello").await;
    let mut got = Vec::new();
    while !got.ends_with(b"hello") {
        let mut some = [0; 1024];
        let count = soon(stream.read(&mut some)).await.unwrap();
        assert!(
            count > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&got)
        );
        got.extend_from_slice(&some[..count]);
    }
    String::from_utf8(got).unwrap()
}

#[tokio::test(start_paused = true)]
async fn application_hears_of_https() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let mut stream = house.client().call(&bench, "example.org").await.unwrap();
    soon(stream.write_all(GET)).await.unwrap();
    let request = worker.expect(Kind::Request).await;
    let view = RequestView::parse(&request.payload).unwrap();
    assert_eq!(view.line.scheme, "https");
}

#[tokio::test(start_paused = true)]
async fn each_name_gets_its_certificate_and_others_get_the_first() {
    let house = House::new();
    let settings = TlsSettings::new(vec![
        house.source("a", &["a.example.org"]),
        house.source("b", &["b.example.org", "*.wild.example.org"]),
    ]);
    let bench = bench(settings);
    for (asked, expected) in [
        ("a.example.org", "a.example.org"),
        ("b.example.org", "b.example.org"),
        ("one.wild.example.org", "b.example.org"),
    ] {
        let stream = house.client().call(&bench, asked).await.unwrap();
        assert!(shown(&stream)[0].contains(expected), "{asked}");
    }
    // A wildcard stands for one label alone, and the parent itself is another name.
    for asked in ["x.one.wild.example.org", "wild.example.org", "other.org"] {
        let refused = house.client().call(&bench, asked).await.unwrap_err();
        assert!(
            refused.to_string().contains("not valid for name"),
            "{refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_name_is_refused_where_that_is_asked_for() {
    let house = House::new();
    let mut settings = house.settings();
    settings.unknown_name = UnknownName::Refuse;
    let bench = bench(settings);
    assert!(house.client().call(&bench, "example.org").await.is_ok());
    for asked in ["other.org", "127.0.0.1"] {
        let refused = house.client().call(&bench, asked).await.unwrap_err();
        assert!(refused.to_string().contains("AccessDenied"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_knows_rsa_alone_gets_the_rsa_certificate() {
    let house = House::new();
    let folder = house.folder.path();
    let names = ["example.org"];
    let rsa = house.authority.server_of(&names, Years::Now, RSA);
    let settings = TlsSettings::new(vec![house.source("ec", &names), rsa.write(folder, "rsa")]);
    let bench = bench(settings);
    let mut caller = house.client();
    let stream = caller.call(&bench, "example.org").await.unwrap();
    let (certificate, _) = rsa.der();
    assert_ne!(
        stream.get_ref().1.peer_certificates().unwrap()[0],
        certificate
    );
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        matches!(
            suite.suite(),
            rustls::CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    caller.config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(house.authority.roots())
        .with_no_client_auth();
    let stream = caller.call(&bench, "example.org").await;
    // TLS 1.2 says in its suites which kind of key it wants, and in its schemes both.
    if let Ok(stream) = stream {
        assert_eq!(
            stream.get_ref().1.peer_certificates().unwrap()[0],
            certificate
        );
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_are_resumed_in_both_versions_and_over_a_renewal() {
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let house = House::new();
        let settings = house.settings();
        let tls = Arc::new(Tls::load(settings).unwrap());
        let bench = Bench::new(EdgeSettings {
            tls: Some(Arc::clone(&tls)),
            ..EdgeSettings::default()
        });
        let mut worker = bench.worker(1).await;
        let caller = Caller::with(house.authority.roots(), versions, None);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut stream = caller.call(&bench, "example.org").await.unwrap();
            // Tickets of TLS 1.3 come behind the handshake.
            ask(&mut worker, &mut stream).await;
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(expected));
        }
        house.source("own", &["example.org"]);
        tls.reload().unwrap();
        let stream = caller.call(&bench, "example.org").await.unwrap();
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed));
        settle().await;
        let counts = tls.counts();
        assert_eq!((counts.full, counts.resumed, counts.failed), (1, 2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_speaks_no_protocol_of_ours_is_refused() {
    let house = House::new();
    let bench = bench(house.settings());
    let caller = house.client().offering(&["http/1.1", "spdy/3"]);
    let stream = caller.call(&bench, "example.org").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let caller = house.client().offering(&["spdy/3"]);
    let refused = caller.call(&bench, "example.org").await.unwrap_err();
    assert!(
        refused.to_string().contains("NoApplicationProtocol"),
        "{refused}"
    );
    // Who offers nothing speaks HTTP/1.1.
    let stream = house.client().call(&bench, "example.org").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
}

#[tokio::test(start_paused = true)]
async fn old_version_is_refused_where_only_the_new_one_is_spoken() {
    let house = House::new();
    let mut settings = house.settings();
    settings.min_version = super::super::MinVersion::Tls13;
    let bench = bench(settings);
    let old = Caller::with(house.authority.roots(), &BOTH[..1], None);
    let refused = old.call(&bench, "example.org").await.unwrap_err();
    assert!(refused.to_string().contains("ProtocolVersion"), "{refused}");
    assert!(house.client().call(&bench, "example.org").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn key_exchange_is_safe_from_quantum_computers_where_the_client_can() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
    let mut caller = house.client();
    caller.config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(house.authority.roots())
        .with_no_client_auth();
    assert!(caller.call(&bench, "example.org").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn open_connection_outlives_a_reload_and_new_ones_get_the_new_certificate() {
    let house = House::new();
    let tls = Arc::new(Tls::load(house.settings()).unwrap());
    let bench = Bench::new(EdgeSettings {
        tls: Some(Arc::clone(&tls)),
        ..EdgeSettings::default()
    });
    let mut worker = bench.worker(1).await;
    let mut open = house.client().call(&bench, "example.org").await.unwrap();
    let old = tls.certificates()[0].fingerprint.clone();
    house.source("own", &["example.org"]);
    assert_ne!(tls.reload().unwrap()[0].fingerprint, old);
    assert!(
        ask(&mut worker, &mut open)
            .await
            .starts_with("HTTP/1.1 200 OK")
    );
    let fresh = house.client().call(&bench, "example.org").await.unwrap();
    assert_ne!(
        fresh.get_ref().1.peer_certificates(),
        open.get_ref().1.peer_certificates()
    );
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_told_so_in_plain_http() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut client = Client::new(bench.connect_raw());
    client.get("/secret").await;
    assert_eq!(
        client.answer().await,
        "HTTP/1.1 400 Bad Request | This port speaks HTTPS: use https:// in the address."
    );
    assert_eq!(client.rest().await, "");
    assert_eq!(bench.told_records().await, ["- - 400 client 53"]);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_neither_get_an_alert() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut stream = bench.connect_raw();
    soon(stream.write_all(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00"))
        .await
        .unwrap();
    let mut got = Vec::new();
    soon(stream.read_to_end(&mut got)).await.unwrap();
    // A fatal alert (RFC 8446 section 6).
    assert_eq!((got[0], got[5]), (21, 2));
    assert_eq!(bench.told_records().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn handshake_has_its_time_and_no_more() {
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let house = House::new();
        let bench = bench(house.settings());
        let mut stream = bench.connect_raw();
        soon(stream.write_all(begun)).await.unwrap();
        bench.clock.pass(Duration::from_millis(9_900)).await;
        assert_eq!(bench.met(Limit::TlsHandshake), 0);
        bench.clock.pass(Duration::from_millis(200)).await;
        assert_eq!(bench.met(Limit::TlsHandshake), 1);
        let mut got = Vec::new();
        soon(stream.read_to_end(&mut got)).await.unwrap();
        assert!(got.is_empty());
    }
    // One that is in time is served afterwards, however long ago it began.
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let mut stream = house.client().call(&bench, "example.org").await.unwrap();
    bench.clock.pass(seconds(9)).await;
    assert!(ask(&mut worker, &mut stream).await.contains("hello"));
    assert_eq!(bench.met(Limit::TlsHandshake), 0);
}

#[tokio::test(start_paused = true)]
async fn handshake_that_does_not_go_on_makes_room_for_others() {
    for begun in [&b""[..], b"\x16\x03\x01"] {
        let house = House::new();
        let bench = bench(house.settings());
        let mut stream = bench.connect_raw();
        soon(stream.write_all(begun)).await.unwrap();
        bench.clock.pass(seconds(2)).await;
        let _asker = bench.services().crowd().ask();
        let mut got = Vec::new();
        soon(stream.read_to_end(&mut got)).await.unwrap();
        assert!(got.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_says_nothing_behind_its_handshake_makes_room_for_others() {
    for protocol in ["http/1.1", "h2"] {
        let house = House::new();
        let bench = bench(house.settings());
        let caller = house.client().offering(&[protocol]);
        let mut stream = caller.call(&bench, "example.org").await.unwrap();
        settle().await;
        bench.clock.pass(seconds(2)).await;
        let _asker = bench.services().crowd().ask();
        // It may be let go without the end that TLS has.
        let _cut = soon(stream.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn stop_ends_handshakes_at_once() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut stream = bench.connect_raw();
    soon(stream.write_all(b"\x16\x03\x01")).await.unwrap();
    settle().await;
    bench.stop();
    let mut got = Vec::new();
    soon(stream.read_to_end(&mut got)).await.unwrap();
    assert!(got.is_empty());
}

#[tokio::test(start_paused = true)]
async fn last_answer_ends_with_a_close_notify() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let mut stream = house.client().call(&bench, "example.org").await.unwrap();
    let last = b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n";
    soon(stream.write_all(last)).await.unwrap();
    let id = worker.request().await;
    worker.answer(id, "bye").await;
    let mut got = Vec::new();
    // Without it rustls would say that the end came unexpectedly.
    soon(stream.read_to_end(&mut got)).await.unwrap();
    assert!(got.ends_with(b"bye"));
}

#[tokio::test(start_paused = true)]
async fn head_and_body_go_in_one_record() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let config = Arc::new(house.client().config);
    let name = ServerName::try_from("example.org").unwrap();
    let mut client = rustls::ClientConnection::new(config, name).unwrap();
    let mut stream = bench.connect_raw();
    while client.is_handshaking() {
        exchange(&mut client, &mut stream).await;
    }
    let mut sent = Vec::new();
    std::io::Write::write_all(&mut client.writer(), GET).unwrap();
    client.write_tls(&mut sent).unwrap();
    soon(stream.write_all(&sent)).await.unwrap();
    let id = worker.request().await;
    // What came until now are the tickets.
    let mut before = vec![0; 64 * 1024];
    let _tickets = soon(stream.read(&mut before)).await.unwrap();
    worker.answer(id, "hello").await;
    let mut got = vec![0; 64 * 1024];
    let count = soon(stream.read(&mut got)).await.unwrap();
    // One record (RFC 8446 section 5.1), as long as all that came.
    let length = usize::from(u16::from_be_bytes([got[3], got[4]]));
    assert_eq!((got[0], length + 5), (23, count));
}

/// Sends what the client has, and takes what comes.
async fn exchange(client: &mut rustls::ClientConnection, stream: &mut DuplexStream) {
    let mut out = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut out).unwrap();
    }
    soon(stream.write_all(&out)).await.unwrap();
    if client.is_handshaking() {
        let mut some = vec![0; 64 * 1024];
        let count = soon(stream.read(&mut some)).await.unwrap();
        client.read_tls(&mut &some[..count]).unwrap();
        client.process_new_packets().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_takes_nothing_of_its_answer_is_cut() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let near = bench.connect_raw_with_room(2048);
    let name = ServerName::try_from("example.org").unwrap();
    let connector = TlsConnector::from(Arc::new(house.client().config));
    let mut stream = soon(connector.connect(name, near)).await.unwrap();
    soon(stream.write_all(GET)).await.unwrap();
    let id = worker.request().await;
    // More than the pipe holds, and less than TLS keeps.
    worker.answer(id, &"x".repeat(30_000)).await;
    bench.clock.pass(seconds(50)).await;
    bench.clock.pass(seconds(30)).await;
    let mut got = Vec::new();
    let cut = soon(stream.read_to_end(&mut got)).await;
    assert!(cut.is_err(), "an end that is none is not told as one");
    assert!(got.len() < 30_000);
}

#[tokio::test(start_paused = true)]
async fn client_that_offers_http2_speaks_it_and_its_scheme_is_https() {
    let house = House::new();
    let bench = bench(house.settings());
    let mut worker = bench.worker(1).await;
    let caller = house.client().offering(&["http/1.1", "h2"]);
    let stream = caller.call(&bench, "example.org").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut client = H2Client::new(stream).await;
    // What the client says of the scheme decides nothing.
    let arriving = client.get("/").await;
    let frame = worker.expect(Kind::Request).await;
    let id = frame.exchange.get();
    assert!(worker.begin(id).await);
    let view = RequestView::parse(&frame.payload).unwrap();
    assert_eq!(view.line.scheme, "https");
    worker.answer(id, "ok").await;
    assert_eq!(arriving.answer().await, "200 | ok");
}

#[tokio::test(start_paused = true)]
async fn http2_that_is_off_is_not_agreed_on() {
    let house = House::new();
    let bench = bench(TlsSettings {
        protocols: vec![Protocol::Http1],
        ..house.settings()
    });
    let caller = house.client().offering(&["h2", "http/1.1"]);
    let stream = caller.call(&bench, "example.org").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test(start_paused = true)]
async fn hsts_is_said_over_tls_to_what_is_no_request_too_and_never_in_clear_text() {
    let house = House::new();
    let bench = Bench::new(EdgeSettings {
        tls: Some(Arc::new(Tls::load(house.settings()).unwrap())),
        hsts: Some(http::HeaderValue::from_static("max-age=60")),
        ..EdgeSettings::default()
    });
    let mut stream = house.client().call(&bench, "example.org").await.unwrap();
    soon(stream.write_all(b"no request\r\n\r\n")).await.unwrap();
    let mut got = vec![0; 1024];
    let count = soon(stream.read(&mut got)).await.unwrap();
    let head = String::from_utf8(got[..count].to_vec()).unwrap();
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    let hsts = "\r\nstrict-transport-security: max-age=60\r\n";
    assert!(head.contains(hsts), "{head}");
    // RFC 6797 section 7.2.
    let mut client = bench.connect();
    client.get("/").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    assert!(!head.contains("strict-transport-security"), "{head}");
}

#[tokio::test(start_paused = true)]
async fn hsts_is_said_over_tls_alone_and_the_applications_own_word_stays() {
    let house = House::new();
    let hsts = Some(http::HeaderValue::from_static("max-age=60"));
    let own = "strict-transport-security: max-age=1\r\n";
    for (tls, said, expected) in [
        (
            true,
            None,
            Some("strict-transport-security: max-age=60\r\n"),
        ),
        (true, Some("max-age=1"), Some(own)),
        (false, None, None),
    ] {
        let settings = EdgeSettings {
            tls: tls.then(|| Arc::new(Tls::load(house.settings()).unwrap())),
            hsts: hsts.clone(),
            ..EdgeSettings::default()
        };
        let bench = Bench::new(settings);
        let mut worker = bench.worker(1).await;
        let answer = async |worker: &mut FakeWorker| {
            let id = worker.request().await;
            let said = said.map(|said| ("Strict-Transport-Security", said));
            let fields: Vec<_> = said.into_iter().collect();
            worker.head(id, "200 OK", &fields, b"hello", LAST).await;
        };
        let head = if tls {
            let mut stream = house.client().call(&bench, "example.org").await.unwrap();
            soon(stream.write_all(GET)).await.unwrap();
            answer(&mut worker).await;
            let mut got = vec![0; 1024];
            let count = soon(stream.read(&mut got)).await.unwrap();
            String::from_utf8(got[..count].to_vec()).unwrap()
        } else {
            let mut client = bench.connect();
            client.get("/").await;
            answer(&mut worker).await;
            client.head().await
        };
        match expected {
            Some(expected) => assert!(head.contains(expected), "{head}"),
            None => assert!(!head.contains("strict-transport"), "{head}"),
        }
        assert_eq!(
            head.matches("strict-transport").count(),
            expected.iter().count()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_is_sent_to_https_with_host_and_target_unchanged() {
    let bench = Bench::new(EdgeSettings::default()).redirecting(443);
    let mut client = bench.connect();
    for (target, host, expected) in [
        (
            "/a%20b?c=%2F",
            "Example.org:80",
            "https://example.org/a%20b?c=%2F",
        ),
        ("/", "[::1]", "https://[::1]/"),
        ("http://x.org/y", "x.org", "https://x.org/y"),
    ] {
        let ask = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        client.send(ask).await;
        let head = client.head().await;
        assert!(
            head.starts_with("HTTP/1.1 308 Permanent Redirect\r\n"),
            "{head}"
        );
        assert!(
            head.contains(&format!("location: {expected}\r\n")),
            "{head}"
        );
        client.until("over https.\n").await;
    }
    for bad in [
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut client = bench.connect();
        client.send(bad).await;
        assert_eq!(client.status().await, 400);
    }
    let bench = Bench::new(EdgeSettings::default()).redirecting(8443);
    let mut client = bench.connect();
    client.get("//evil.org/%2e").await;
    assert_eq!(client.status().await, 400);
    client = bench.connect();
    client.get("//evil.org/").await;
    let head = client.head().await;
    assert!(
        head.contains("location: https://x:8443//evil.org/\r\n"),
        "{head}"
    );
}
