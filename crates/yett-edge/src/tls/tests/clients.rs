//! Clients with certificates of their own: who is let in, and what the application hears of them.

use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use yett_gate::{Arrival, ClientAddr, Scheme, ServerAddr};
use yett_jwt::UnixSeconds;

use super::*;
use crate::reread::Reread;
use crate::tls::{ClientCertificates, ClientTrust, Handshake, TlsErrors};

/// A house whose server asks for certificates of its own authority.
fn asking(asks: fn(ClientTrust) -> ClientCertificates) -> (House, TlsSettings) {
    let house = House::new();
    std::fs::write(house.path("ca.pem"), house.authority.pem()).unwrap();
    let mut settings = house.settings();
    settings.clients = asks(ClientTrust {
        authorities: house.path("ca.pem"),
        revoked: Vec::new(),
    });
    (house, settings)
}

/// Whether a client with this certificate gets to speak.
async fn is_let_in(bench: &Bench, house: &House, own: Option<&Pair>) -> bool {
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let caller = Caller::with(house.authority.roots(), versions, own);
        let Ok(mut stream) = caller.call(bench, "example.org").await else {
            return false;
        };
        // In TLS 1.3 the server's no comes behind the client's side of the handshake.
        soon(stream.write_all(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"))
            .await
            .unwrap();
        let mut some = [0; 1024];
        match soon(stream.read(&mut some)).await {
            Ok(count) if count > 0 => {}
            _ => return false,
        }
    }
    true
}

#[tokio::test(start_paused = true)]
async fn only_a_good_certificate_is_let_in_where_one_is_required() {
    let (house, settings) = asking(ClientCertificates::Required);
    let bench = bench(settings);
    let good = house.authority.client("alice", Years::Now);
    let past = house.authority.client("bob", Years::Past);
    let early = house.authority.client("carol", Years::Future);
    // One for servers is none for clients.
    let server = house.authority.server(&["example.org"]);
    let stranger = Authority::new("test").client("mallory", Years::Now);
    assert!(is_let_in(&bench, &house, Some(&good)).await);
    for bad in [
        Some(&past),
        Some(&early),
        Some(&server),
        Some(&stranger),
        None,
    ] {
        assert!(!is_let_in(&bench, &house, bad).await);
    }
}

#[tokio::test(start_paused = true)]
async fn no_certificate_is_let_in_where_one_is_optional_and_a_bad_one_is_not() {
    let (house, settings) = asking(ClientCertificates::Optional);
    let bench = bench(settings);
    let stranger = Authority::new("test").client("mallory", Years::Now);
    assert!(is_let_in(&bench, &house, None).await);
    assert!(!is_let_in(&bench, &house, Some(&stranger)).await);
}

/// Writes a list of the authority's with these serial numbers, which holds until 2080, and makes it
/// count.
fn revoke(house: &House, settings: &mut TlsSettings, serials: &[u64]) {
    let revoked = serials.iter().map(|serial| rcgen::RevokedCertParams {
        serial_number: rcgen::SerialNumber::from(*serial),
        revocation_time: rcgen::date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 1, 1),
        next_update: rcgen::date_time_ymd(2080, 1, 1),
        crl_number: rcgen::SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&house.authority.0).unwrap();
    std::fs::write(house.path("ca.crl"), pem("X509 CRL", list.der())).unwrap();
    settings.clients = ClientCertificates::Required(ClientTrust {
        authorities: house.path("ca.pem"),
        revoked: vec![house.path("ca.crl")],
    });
}

#[tokio::test(start_paused = true)]
async fn resumed_session_is_let_in_as_long_as_its_certificate_and_the_list_hold() {
    let (house, mut settings) = asking(ClientCertificates::Required);
    let listed = settings.clone();
    revoke(&house, &mut settings, &[]);
    let alice = house.authority.client("alice", Years::Now);
    let year = |year| rcgen::date_time_ymd(year, 6, 1).unix_timestamp();
    // Without a list it is the certificate's own time, to 2090, that ends first.
    for (settings, last) in [(settings, 2079), (listed, 2089)] {
        for versions in [&BOTH[..1], &BOTH[1..]] {
            let tls = Tls::load(settings.clone()).unwrap();
            let caller = Caller::with(house.authority.roots(), versions, Some(&alice));
            let call = async |now: i64| {
                let (near, far) = tokio::io::duplex(64 * 1024);
                let name = ServerName::try_from("example.org").unwrap();
                let connector = TlsConnector::from(Arc::new(caller.config.clone()));
                let far = Reread::new(bytes::Bytes::new(), far);
                let (connected, secured) = tokio::join!(
                    connector.connect(name, near),
                    tls.secure(far, || UnixSeconds::new(now))
                );
                let mut connected = connected.unwrap();
                let (mut stream, _) = match secured {
                    Ok(secured) => secured,
                    Err(error) => {
                        let end = soon(connected.read(&mut [0])).await;
                        assert_eq!(end.ok(), Some(0), "it ends in order");
                        return Err(error.to_string());
                    }
                };
                // Tickets of TLS 1.3 come behind the handshake.
                soon(stream.write_all(b"x")).await.unwrap();
                soon(connected.read_exact(&mut [0])).await.unwrap();
                Ok::<_, String>(connected.get_ref().1.handshake_kind())
            };
            assert_eq!(call(year(2026)).await, Ok(Some(HandshakeKind::Full)));
            assert_eq!(call(year(last)).await, Ok(Some(HandshakeKind::Resumed)));
            let error = call(year(last + 1)).await.unwrap_err();
            assert!(error.contains("resumed session"), "{error}");
            let counts = tls.counts();
            assert_eq!((counts.full, counts.resumed), (1, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn withdrawn_certificate_is_not_let_in_once_the_list_says_so() {
    let (house, mut settings) = asking(ClientCertificates::Required);
    let alice = house.authority.client("alice", Years::Now);
    revoke(&house, &mut settings, &[]);
    let tls = Arc::new(Tls::load(settings.clone()).unwrap());
    let bench = Bench::new(EdgeSettings {
        tls: Some(Arc::clone(&tls)),
        ..EdgeSettings::default()
    });
    // One caller, so that its session could be resumed.
    let caller = Caller::with(house.authority.roots(), &BOTH[..1], Some(&alice));
    assert!(caller.call(&bench, "example.org").await.is_ok());
    revoke(&house, &mut settings, &[0x0abc]);
    tls.reload().unwrap();
    assert!(caller.call(&bench, "example.org").await.is_err());
    assert!(!is_let_in(&bench, &house, Some(&alice)).await);
}

#[test]
fn authority_that_is_none_is_said_at_the_start() {
    let (house, mut settings) = asking(ClientCertificates::Required);
    let load = |settings: &TlsSettings| -> Result<Tls, TlsErrors> { Tls::load(settings.clone()) };
    assert!(load(&settings).is_ok());
    std::fs::write(house.path("ca.pem"), "nothing").unwrap();
    settings.clients = ClientCertificates::Required(ClientTrust {
        authorities: house.path("ca.pem"),
        revoked: vec![house.path("missing.crl"), house.path("ca.pem")],
    });
    let error = load(&settings).unwrap_err().to_string();
    for part in [
        "3 mistakes",
        "cannot read",
        "missing.crl",
        "there is no usable revocation list in",
        "there is no certificate in",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_certificate_says_is_known_of_the_connection() {
    let (house, settings) = asking(ClientCertificates::Optional);
    let tls = Tls::load(settings).unwrap();
    let alice = house.authority.client("alice", Years::Now);
    let caller = Caller::with(house.authority.roots(), &BOTH[1..], Some(&alice));
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from("example.org").unwrap();
    let connector = TlsConnector::from(Arc::new(caller.config.clone()));
    let (connected, accepted) = tokio::join!(
        connector.connect(name, near),
        tls.accept(far, ClientAddr::Unix)
    );
    assert!(connected.is_ok());
    let Handshake::Done(_, session) = accepted else {
        panic!("no session");
    };
    assert_eq!(session.version, 0x0304);
    assert_eq!(session.server_name.as_deref(), Some("example.org"));
    assert!(session.cipher.starts_with("TLS_"), "{}", session.cipher);
    let own = std::fs::read_to_string(house.path("own.pem")).unwrap();
    assert_eq!(&*session.server_certificate, own);
    let client = session.client.as_ref().unwrap();
    assert_eq!(client.chain, alice.certificate);
    assert!(
        client.subject.starts_with("CN=alice,O=Fish & Chips"),
        "{}",
        client.subject
    );
    assert!(client.issuer.starts_with("CN=test"), "{}", client.issuer);
    assert_eq!(client.serial, "0ABC");
    assert_eq!(client.not_after, "Jan  1 00:00:00 2090 GMT");
    let arrival = Arrival::new(ClientAddr::Unix, ServerAddr::Unix, Scheme::Http);
    assert_eq!(arrival.over_tls(session).scheme(), Scheme::Https);
}
