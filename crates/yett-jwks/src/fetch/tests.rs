use super::*;
use crate::testing::{Certificate, Server, Then, ok, set, settings};
use crate::{JwksClient, Loopback, Trust};

/// What a client that trusts `certificate` fetches from `https://localhost:PORT/jwks.json`.
async fn fetch_tls(server: &Server, certificate: &Certificate) -> Result<Vec<u8>, JwksError> {
    let url = format!("https://localhost:{}/jwks.json", server.address.port());
    fetch(JwksSettings {
        trust: Trust::Only(certificate.pem().into_bytes()),
        ..settings(&url)
    })
    .await
}

/// What a client fetches by plain http.
async fn fetch_plain(server: &Server) -> Result<Vec<u8>, JwksError> {
    fetch(plain(server)).await
}

fn plain(server: &Server) -> JwksSettings {
    settings(&format!("http://{}/jwks.json", server.address))
}

async fn fetch(settings: JwksSettings) -> Result<Vec<u8>, JwksError> {
    let settings = JwksSettings {
        loopback: Loopback::Allowed,
        ..settings
    };
    let source = Source::Issuer(Box::new(Issuer::new(&settings).unwrap()));
    source.fetch(settings.timeout).await
}

async fn check(words: &[u8], then: Then) -> Result<Vec<u8>, JwksError> {
    fetch_plain(&Server::plain(words, then).await).await
}

#[tokio::test]
async fn set_comes_over_tls() {
    let certificate = Certificate::new(&["localhost"]);
    let body = set(&["a"]);
    let mut server = Server::tls(&certificate, ok(&body), Then::StaySilent).await;
    assert_eq!(fetch_tls(&server, &certificate).await.unwrap(), body);
    let port = server.address.port();
    assert_eq!(
        server.request().await,
        format!(
            "GET /jwks.json HTTP/1.1\r\nhost: localhost:{port}\r\n\
             accept: application/jwk-set+json, application/json\r\n\
             user-agent: yett/{}\r\nconnection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[tokio::test]
async fn set_comes_over_tls_from_an_ip_address() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let server = Server::tls(&certificate, ok(&set(&["a"])), Then::HangUp).await;
    let fetched = fetch(JwksSettings {
        trust: Trust::Only(certificate.pem().into_bytes()),
        ..settings(&format!("https://{}/", server.address))
    });
    assert_eq!(fetched.await.unwrap(), set(&["a"]));
}

#[tokio::test]
async fn client_over_real_tls_hands_out_the_keys() {
    let certificate = Certificate::new(&["localhost"]);
    let server = Server::tls(&certificate, ok(&set(&["a", "b"])), Then::HangUp).await;
    let url = format!("https://localhost:{}/", server.address.port());
    let client = JwksClient::new(JwksSettings {
        trust: Trust::Only(certificate.pem().into_bytes()),
        loopback: Loopback::Allowed,
        ..settings(&url)
    })
    .unwrap();
    assert!(client.keys().await.unwrap().contains("b"));
}

#[tokio::test]
async fn wrong_certificate_is_refused() {
    let trusted = Certificate::new(&["localhost"]);
    for (what, shown) in [
        ("unknown", Certificate::new(&["localhost"])),
        ("other name", Certificate::new(&["issuer.example"])),
        ("expired", Certificate::expired(&["localhost"])),
    ] {
        let server = Server::tls(&shown, ok(&set(&["a"])), Then::HangUp).await;
        // The latter two are trusted as such: what is wrong is the name, or the time.
        let trusted = if what == "unknown" { &trusted } else { &shown };
        let error = fetch_tls(&server, trusted).await.unwrap_err();
        assert!(matches!(error, JwksError::Tls(_)), "{what}: {error:?}");
        assert_eq!(server.requests(), 0, "{what}: nothing was asked");
    }
}

#[tokio::test]
async fn certificate_that_the_system_does_not_know_is_refused() {
    let shown = Certificate::new(&["localhost"]);
    let server = Server::tls(&shown, ok(&set(&["a"])), Then::HangUp).await;
    let other = Certificate::new(&["localhost"]).pem();
    let fetched = fetch(JwksSettings {
        trust: Trust::SystemAnd(other.into_bytes()),
        ..settings(&format!("https://localhost:{}/", server.address.port()))
    });
    assert!(matches!(fetched.await, Err(JwksError::Tls(_))));
}

#[tokio::test]
async fn plain_answer_where_tls_was_meant_is_refused() {
    let certificate = Certificate::new(&["localhost"]);
    let server = Server::plain(ok(&set(&["a"])), Then::HangUp).await;
    let settings = JwksSettings {
        trust: Trust::Only(certificate.pem().into_bytes()),
        timeout: Duration::from_millis(200),
        ..settings(&format!("https://localhost:{}/", server.address.port()))
    };
    assert!(fetch(settings).await.is_err());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn name_that_resolves_to_this_machine_is_refused() {
    let settings = JwksSettings {
        trust: Trust::Only(Certificate::new(&["x.example"]).pem().into_bytes()),
        ..settings("https://issuer.example/")
    };
    // As if the name server had said so.
    let mut issuer = Issuer::new(&settings).unwrap();
    issuer.endpoint.host = crate::endpoint::Host::Name("localhost".into());
    let error = issuer.fetch().await.unwrap_err();
    assert!(
        matches!(error, JwksError::AddressRefused(ip) if ip.is_loopback()),
        "{error:?}"
    );
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let mut aim = Server::plain(ok(&set(&["evil"])), Then::HangUp).await;
    for status in [301, 302, 303, 307, 308] {
        let words = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: http://{}/secret\r\nContent-Length: 0\r\n\r\n",
            aim.address
        );
        let error = check(words.as_bytes(), Then::HangUp).await.unwrap_err();
        assert!(matches!(error, JwksError::Status(told) if told == status));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    assert_eq!(aim.requests(), 0);
    // And the aim would have been heard.
    fetch_plain(&aim).await.unwrap();
    aim.request().await;
}

#[tokio::test]
async fn only_status_200_counts() {
    for status in [201, 203, 204, 206, 304, 400, 401, 404, 429, 500, 503] {
        let words = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        let error = check(words.as_bytes(), Then::HangUp).await.unwrap_err();
        assert!(
            matches!(error, JwksError::Status(told) if told == status),
            "{status}"
        );
    }
}

#[tokio::test]
async fn content_type_is_not_judged() {
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/jwk-set+json\r\n",
    ] {
        let words = format!("HTTP/1.1 200 OK\r\n{kind}Content-Length: 2\r\n\r\n{{}}");
        assert_eq!(
            check(words.as_bytes(), Then::StaySilent).await.unwrap(),
            b"{}"
        );
    }
}

#[tokio::test]
async fn body_may_end_with_its_length_its_chunks_or_the_connection() {
    for (words, then) in [
        ("Content-Length: 2\r\n\r\n{}", Then::StaySilent),
        (
            "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            Then::StaySilent,
        ),
        ("\r\n{}", Then::HangUp),
    ] {
        let words = format!("HTTP/1.1 200 OK\r\n{words}");
        assert_eq!(check(words.as_bytes(), then).await.unwrap(), b"{}");
    }
}

#[tokio::test]
async fn body_beyond_the_bound_is_refused() {
    let many = "a".repeat(11);
    for words in [
        // Refused for what it announces: the body never comes.
        "Content-Length: 11\r\n\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\n6\r\naaaaaa\r\n0\r\n\r\n".to_owned(),
        format!("\r\n{many}"),
    ] {
        let words = format!("HTTP/1.1 200 OK\r\n{words}");
        let server = Server::plain(words, Then::StaySilent).await;
        let settings = JwksSettings {
            longest_body: 10,
            ..plain(&server)
        };
        let error = fetch(settings).await.unwrap_err();
        assert!(
            matches!(error, JwksError::TooLong { longest: 10 }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn body_as_long_as_the_bound_is_taken() {
    let server = Server::plain(ok(b"0123456789"), Then::StaySilent).await;
    let settings = JwksSettings {
        longest_body: 10,
        ..plain(&server)
    };
    assert_eq!(fetch(settings).await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn head_beyond_its_bound_is_refused() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(20_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: a\r\n".repeat(101));
    for words in [long, many] {
        let error = check(words.as_bytes(), Then::StaySilent).await.unwrap_err();
        assert!(matches!(error, JwksError::Http(_)), "{error:?}");
    }
}

#[tokio::test]
async fn answer_that_breaks_off_is_refused() {
    for words in [
        "",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "not HTTP at all\r\n\r\n",
    ] {
        let error = check(words.as_bytes(), Then::HangUp).await.unwrap_err();
        assert!(matches!(error, JwksError::Http(_)), "{words:?} {error:?}");
    }
}

#[tokio::test]
async fn compressed_body_is_refused() {
    let words = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}";
    let error = check(words.as_bytes(), Then::HangUp).await.unwrap_err();
    assert!(matches!(error, JwksError::Encoded));
}

#[tokio::test]
async fn slow_issuer_times_out() {
    let silences = [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ];
    let after = Duration::from_millis(30);
    for words in silences {
        let server = Server::plain(words, Then::StaySilent).await;
        let settings = JwksSettings {
            timeout: after,
            ..plain(&server)
        };
        let error = fetch(settings).await.unwrap_err();
        assert!(
            matches!(error, JwksError::Timeout { after: told } if told == after),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn issuer_that_is_silent_in_the_handshake_times_out() {
    let certificate = Certificate::new(&["localhost"]);
    // Takes the connection (the system does) and never reads.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = JwksSettings {
        trust: Trust::Only(certificate.pem().into_bytes()),
        timeout: Duration::from_millis(30),
        ..settings(&format!("https://{}/", listener.local_addr().unwrap()))
    };
    assert!(matches!(
        fetch(settings).await,
        Err(JwksError::Timeout { .. })
    ));
}

#[tokio::test]
async fn closed_port_is_a_failed_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(
        fetch(settings(&url)).await,
        Err(JwksError::Connect(_))
    ));
}
