//! The emulator behind a real address: HTTP/1.1 on loopback, gzip where the client accepts it.
//!
//! All state sits behind one lock, held while a request is carried out and never while anything waits. A dropped
//! connection really is closed without a byte; a truncated answer really announces more than it sends.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _};

use super::reply::{Outcome, Reply, Unpacked};
use super::{Emulator, Ticket};
use crate::clock::Clock;

/// The largest request body: a batch of 200 contacts of 128 KB.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    emulator: Arc<Mutex<Emulator>>,
    stop: CancellationToken,
    task: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Clone)]
struct Shared {
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
}

/// Serves `emulator` on `address`; port 0 takes any free port. Time comes from `clock`.
///
/// # Errors
/// The address cannot be bound.
pub fn serve(address: SocketAddr, emulator: Emulator, clock: Arc<dyn Clock>) -> BoxFuture<'static, io::Result<Server>> {
    Box::pin(listen(address, emulator, clock))
}

async fn listen(address: SocketAddr, mut emulator: Emulator, clock: Arc<dyn Clock>) -> io::Result<Server> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    emulator.serve_photos_at(format!("http://{address}"));
    let emulator = Arc::new(Mutex::new(emulator));
    let shared = Shared { emulator: Arc::clone(&emulator), clock };
    let packing = CompressionLayer::new().compress_when(DefaultPredicate::new().and(may_be_packed));
    let router = Router::new().fallback(respond).with_state(shared).layer(packing);
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let task = tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
    Ok(Server { address, emulator, stop, task: Some(task) })
}

impl Server {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The emulator behind it, locked: do not hold the guard across an await.
    pub fn emulator(&self) -> MutexGuard<'_, Emulator> {
        lock(&self.emulator)
    }

    /// The emulator behind it, to be kept.
    pub fn shared(&self) -> Arc<Mutex<Emulator>> {
        Arc::clone(&self.emulator)
    }

    /// Stops listening and waits until open requests are answered. Idle connections are closed.
    ///
    /// # Errors
    /// The accept loop failed.
    pub async fn stop(mut self) -> io::Result<()> {
        self.stop.cancel();
        match self.task.take() {
            Some(task) => task.await.unwrap_or_else(|error| Err(io::Error::other(error))),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn lock(emulator: &Mutex<Emulator>) -> MutexGuard<'_, Emulator> {
    // A panic of one request leaves the others a state worth looking at.
    emulator.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn respond(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let request = Request::from_parts(parts, body);
    let (reply, ticket) = {
        let mut emulator = lock(&shared.emulator);
        let ticket = emulator.begin(&request);
        (emulator.handle_announced(&request, ticket, shared.clock.now()), ticket)
    };
    let _on_its_way = ticket.map(|ticket| OnItsWay { ticket, emulator: Arc::clone(&shared.emulator) });
    if !reply.after.is_zero() {
        shared.clock.sleep(reply.after).await;
    }
    send(reply)
}

fn may_be_packed(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<Unpacked>().is_none()
}

/// Takes the ticket of a mutation back, also when the client goes away early.
struct OnItsWay {
    ticket: Ticket,
    emulator: Arc<Mutex<Emulator>>,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        lock(&self.emulator).end(self.ticket);
    }
}

fn send(reply: Reply) -> Response<Body> {
    match reply.outcome {
        Outcome::Answer(response) => response.map(Body::from),
        // An error before the first piece of the body reaches the connection before the head does: nothing is sent.
        Outcome::Dropped => Response::new(broken(Vec::new())),
        Outcome::Truncated { response, sent } => {
            let (mut parts, body) = response.into_parts();
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            // Compression would hide the announced length.
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
            Response::from_parts(parts, broken(vec![body.slice(..sent.min(body.len()))]))
        }
    }
}

/// A body that sends `pieces` and then breaks the connection.
fn broken(pieces: Vec<Bytes>) -> Body {
    let mut pieces = pieces.into_iter();
    let mut has_paused = pieces.len() == 0;
    Body::from_stream(stream::poll_fn(move |context| {
        if let Some(piece) = pieces.next() {
            return Poll::Ready(Some(Ok(piece)));
        }
        // One pause lets the connection flush what it has; an error would discard it.
        if !std::mem::replace(&mut has_paused, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))))
    }))
}
