//! One HTTP request in, one answer out: the only door to the network.
//!
//! A [`Transport`] neither retries nor follows redirects nor judges a status: whoever calls it knows whether a request
//! may be sent twice. What it does tell is whether a failed request can have reached the other side.

use std::error::Error;
use std::sync::Once;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// How long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take, from the first byte sent to the last one read.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, unpacked; a page of 1,000 contacts is about two megabytes.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// What servers see of us. Google packs its answers only for clients that name gzip here.
///
/// Source: "Performance Tips" of Google's APIs (read 2026-11).
const USER_AGENT: &str = concat!("contactsync/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// What the remote calls the method of a request; goes along as an extension of the request, for those who count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodName(pub &'static str);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Nothing reached the other side.
    #[error("the request was not sent")]
    NotSent(#[source] Box<dyn Error + Send + Sync>),
    /// The request was sent, or part of it, and no full answer came.
    #[error("the answer was lost")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
}

/// Sends HTTP requests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request, once, and returns the answer whatever its status.
    ///
    /// # Errors
    /// [`TransportError`], which says whether the request can have had an effect.
    ///
    /// # Cancellation
    /// Dropping it leaves open whether the request had an effect.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// An address that requests must not be sent to.
#[derive(Debug, thiserror::Error)]
#[error("{scheme} is not safe for {host}; use https")]
struct PlainText {
    scheme: String,
    host: String,
}

/// The answer is larger than anybody needs.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
struct TooLarge;

/// HTTP over TLS, with the proxies that the environment names.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// A transport with a pool of connections of its own.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new() -> Result<Self, reqwest::Error> {
        install_crypto();
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .gzip(true)
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(ReqwestTransport { client })
    }
}

/// Makes ring the one cryptography of the process; whoever came first wins.
fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Somebody else in the process may have installed one already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        refuse_plain_text(request.uri()).map_err(|cause| TransportError::NotSent(Box::new(cause)))?;
        let request = reqwest::Request::try_from(request).map_err(not_sent)?;
        let mut answer = self.client.execute(request).await.map_err(judge)?;
        let mut copy = Response::new(Bytes::new());
        *copy.status_mut() = answer.status();
        *copy.headers_mut() = answer.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(TransportError::Lost(Box::new(TooLarge)));
            }
            body.extend_from_slice(&chunk);
        }
        *copy.body_mut() = body.into();
        Ok(copy)
    }
}

/// Tokens and contacts travel only encrypted, but to this very machine.
fn refuse_plain_text(uri: &http::Uri) -> Result<(), PlainText> {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let loopback = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        scheme => Err(PlainText { scheme: scheme.unwrap_or("nothing").to_owned(), host: host.to_owned() }),
    }
}

/// Addresses can hold tokens of a listing, so they stay out of errors.
fn judge(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() { not_sent(error) } else { lost(error) }
}

fn not_sent(error: reqwest::Error) -> TransportError {
    TransportError::NotSent(Box::new(error.without_url()))
}

fn lost(error: reqwest::Error) -> TransportError {
    TransportError::Lost(Box::new(error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_for_loopback_only() {
        for (address, safe) in [
            ("https://people.googleapis.com/v1/people/me", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]:8080/x", true),
            ("http://localhost/x", true),
            ("http://people.googleapis.com/x", false),
            ("http://127.0.0.1.example.org/x", false),
            ("ftp://127.0.0.1/x", false),
            ("/x", false),
        ] {
            assert_eq!(refuse_plain_text(&address.parse().expect("address")).is_ok(), safe, "{address}");
        }
    }

    fn request(port: u16) -> Request<Bytes> {
        Request::get(format!("http://127.0.0.1:{port}/")).body(Bytes::new()).expect("request")
    }

    #[tokio::test]
    async fn a_refused_connection_was_not_sent_and_a_cut_answer_is_lost() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let transport = ReqwestTransport::new().expect("transport");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
        let port = listener.local_addr().expect("address").port();
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("connection");
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.expect("request");
            let text = String::from_utf8_lossy(&request[..read]).to_lowercase();
            assert!(text.contains("accept-encoding: gzip") && text.contains("(gzip)"), "{text}");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await.expect("answer");
        };
        let (answer, ()) = tokio::join!(transport.send(request(port)), server);
        assert!(matches!(answer, Err(TransportError::Lost(_))), "{answer:?}");
        drop(listener);
        let answer = transport.send(request(port)).await;
        assert!(matches!(answer, Err(TransportError::NotSent(_))), "{answer:?}");
    }
}
