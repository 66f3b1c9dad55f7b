//! One request and its answer on a fresh connection: HTTP/1.1, one status that counts, a body that
//! never outgrows its bound. `Content-Type` is not judged: issuers vary, and the parser decides.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_ENCODING, HOST, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::JwksError;
use crate::endpoint::Endpoint;

const ACCEPTED: &str = "application/jwk-set+json, application/json";
const AGENT: &str = concat!("yett/", env!("CARGO_PKG_VERSION"));

/// Longest head of an answer, in bytes, and most fields in it.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_FIELDS: usize = 100;

/// Asks for the set and returns the body of the answer: at most `longest` bytes.
pub(crate) async fn exchange<S>(
    stream: S,
    endpoint: &Endpoint,
    longest: usize,
) -> Result<Vec<u8>, JwksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(LONGEST_HEAD)
        .max_headers(MOST_FIELDS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(http)?;
    let request = request(endpoint);
    let answer = async {
        let answer = sender.send_request(request).await.map_err(http)?;
        read(answer, longest).await
    };
    // The connection moves the bytes. What fails in it also comes out of the answer, so its own end
    // says nothing; and its end is not the answer's, of which a part may still be on the way.
    let connection = async {
        let _ended = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = connection => never,
    }
}

fn request(endpoint: &Endpoint) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = endpoint.target.clone();
    let headers = request.headers_mut();
    headers.insert(HOST, endpoint.authority.clone());
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    request
}

async fn read(answer: Response<Incoming>, longest: usize) -> Result<Vec<u8>, JwksError> {
    if answer.status() != StatusCode::OK {
        return Err(JwksError::Status(answer.status().as_u16()));
    }
    if let Some(encoding) = answer.headers().get(CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(JwksError::Encoded);
    }
    let mut body = answer.into_body();
    let too_long = || JwksError::TooLong { longest };
    // What `Content-Length` announces, before any of it is read.
    let announced = usize::try_from(body.size_hint().lower()).map_err(|_| too_long())?;
    if announced > longest {
        return Err(too_long());
    }
    let mut read = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(http)?.into_data() else {
            continue;
        };
        if data.len() > longest.saturating_sub(read.len()) {
            return Err(too_long());
        }
        read.extend_from_slice(&data);
    }
    Ok(read)
}

fn http(error: hyper::Error) -> JwksError {
    JwksError::Http(Arc::new(error))
}
