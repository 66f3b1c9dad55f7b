//! What tests share: scripted issuers for the client, real ones for the fetch, certificates and
//! sets made here.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use yett_jwt::Algorithm;

use crate::fetch::Source;
use crate::{JwksClient, JwksError, JwksSettings};

/// A set with one key for each id: the elliptic curve key of RFC 7517 appendix A.1.
pub(crate) fn set(kids: &[&str]) -> Vec<u8> {
    let keys: Vec<String> = kids
        .iter()
        .map(|kid| {
            format!(
                r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}}"#
            )
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into_bytes()
}

pub(crate) fn settings(url: &str) -> JwksSettings {
    JwksSettings::new(url, [Algorithm::Es256])
}

/// What a scripted issuer does for one fetch.
#[derive(Clone)]
pub(crate) enum Act {
    Answer(Vec<u8>),
    Fail,
    AnswerAfter(Duration, Vec<u8>),
    Silence,
    Panic,
}

/// An issuer that plays its acts one after the other, and the last one for ever.
#[derive(Clone)]
pub(crate) struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    fetches: Arc<Mutex<u32>>,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self {
            acts: Arc::new(Mutex::new(acts.into_iter().collect())),
            fetches: Arc::default(),
        }
    }

    /// How many fetches began.
    pub(crate) fn fetches(&self) -> u32 {
        *self.fetches.lock().unwrap()
    }

    /// A client of this issuer, with every default.
    pub(crate) fn client(&self) -> JwksClient {
        let settings = settings("https://issuer.example/jwks.json");
        JwksClient::over(Source::Script(self.clone()), settings)
    }

    pub(crate) async fn fetch(&self) -> Result<Vec<u8>, JwksError> {
        *self.fetches.lock().unwrap() += 1;
        let act = {
            let mut acts = self.acts.lock().unwrap();
            if acts.len() > 1 {
                acts.pop_front().unwrap()
            } else {
                acts.front().unwrap().clone()
            }
        };
        match act {
            Act::Answer(body) => Ok(body),
            Act::Fail => Err(JwksError::Status(503)),
            Act::AnswerAfter(time, body) => {
                tokio::time::sleep(time).await;
                Ok(body)
            }
            Act::Silence => std::future::pending().await,
            Act::Panic => panic!("as the test wants it"),
        }
    }
}

/// A certificate that vouches for itself, with its key; both made now.
pub(crate) struct Certificate {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Certificate {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::from(params(names))
    }

    /// One whose time is over.
    pub(crate) fn expired(names: &[&str]) -> Self {
        let mut params = params(names);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        Self::from(params)
    }

    fn from(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }

    pub(crate) fn pem(&self) -> String {
        let body = STANDARD.encode(self.certificate.der());
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![self.certificate.der().clone()],
                PrivateKeyDer::from(key),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

/// An issuer on a real socket of 127.0.0.1. To every request it says the same words, and then stays
/// silent with the connection open unless it is to hang up.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: mpsc::UnboundedReceiver<String>,
}

/// What a server does once it has said its words.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    HangUp,
    StaySilent,
}

impl Server {
    pub(crate) async fn plain(words: impl Into<Vec<u8>>, then: Then) -> Self {
        Self::start(None, words.into(), then).await
    }

    pub(crate) async fn tls(
        certificate: &Certificate,
        words: impl Into<Vec<u8>>,
        then: Then,
    ) -> Self {
        Self::start(Some(certificate.acceptor()), words.into(), then).await
    }

    async fn start(tls: Option<TlsAcceptor>, words: Vec<u8>, then: Then) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, words, heard) = (tls.clone(), words.clone(), heard.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &words, then, &heard).await,
                        // A client that does not like the certificate goes away here.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &words, then, &heard).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// The head of the next request that came.
    pub(crate) async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }

    /// How many requests came and were not read yet.
    pub(crate) fn requests(&self) -> usize {
        self.requests.len()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    words: &[u8],
    then: Then,
    heard: &mpsc::UnboundedSender<String>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    heard.send(String::from_utf8(head).ok()?).ok()?;
    stream.write_all(words).await.ok()?;
    stream.flush().await.ok()?;
    if matches!(then, Then::StaySilent) {
        // Until the client hangs up.
        stream.read_u8().await.ok()?;
    }
    stream.shutdown().await.ok()
}

/// An answer with status 200, a length and a body.
pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
