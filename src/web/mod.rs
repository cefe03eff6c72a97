//! What the daemon serves over HTTP.
//!
//! | path | answer | asks for the password |
//! |---|---|---|
//! | `/healthz` | 200 while the daemon's loop goes round, else 503 | no |
//! | `/readyz` | every account's state as JSON; 503 while any is overdue | yes |
//! | `/metrics` | everything that is measured, for Prometheus | yes |
//!
//! The password is asked for when one is configured, which it has to be beyond loopback. The server follows the
//! configuration: another address is listened to at once, and one that cannot be had is tried again until it can. That it
//! cannot is told, and keeps nobody from synchronizing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use crate::clock::Entropy;
use crate::config::Web;
use crate::daemon::control::Control;
use crate::daemon::metrics::CONTENT_TYPE;
use crate::engine::chain;

mod guard;
mod password;

pub use password::{Password, PasswordError};

use guard::{Guard, Peer};

/// How long to wait before an address is tried again that could not be had.
const AGAIN: Duration = Duration::from_secs(30);
/// How many callers are listened to at a time; others are turned away.
const CALLERS_MAX: usize = 64;
/// How long a caller may take to say what it wants.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a caller may stay.
const VISIT: Duration = Duration::from_secs(60);

/// Where to listen, and what to ask of callers.
#[derive(Debug, Clone, PartialEq)]
pub struct Door {
    /// The address; `None` when it is closed.
    pub listen: Option<SocketAddr>,
    /// The password; `None` when nobody is asked.
    pub password: Option<Arc<Password>>,
}

impl Door {
    /// As the configuration says; reads the password.
    ///
    /// # Errors
    /// [`PasswordError`] when there is one that cannot be read or used.
    pub fn of(web: &Web) -> Result<Door, PasswordError> {
        let password = web.password.as_ref().filter(|_| web.listen.is_some());
        let password = password.map(|secret| Password::read(secret).map(Arc::new)).transpose()?;
        Ok(Door { listen: web.listen, password })
    }
}

/// Serves until the sender of doors is gone, each time at the newest door.
pub async fn serve(control: Arc<Control>, entropy: Arc<dyn Entropy>, mut doors: watch::Receiver<Door>) {
    loop {
        let door = doors.borrow_and_update().clone();
        let closed = match door.listen {
            None => doors.changed().await.is_err(),
            Some(address) => {
                let guard = Arc::new(Guard::new(door.password, entropy.as_ref()));
                serve_at(address, guard, &control, &mut doors).await
            }
        };
        if closed {
            return;
        }
    }
}

/// Serves one address until another one is wanted. Returns whether nobody wants any.
async fn serve_at(
    address: SocketAddr,
    guard: Arc<Guard>,
    control: &Arc<Control>,
    doors: &mut watch::Receiver<Door>,
) -> bool {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(cause) => {
            error!(error = %chain(&cause), "nothing is served on {address}: neither health nor metrics; trying again");
            return match tokio::time::timeout(AGAIN, doors.changed()).await {
                Ok(changed) => changed.is_err(),
                Err(_) => false,
            };
        }
    };
    let bound = listener.local_addr().unwrap_or(address);
    info!("health and metrics are served on http://{bound}/");
    let routes = routes(Arc::clone(control), guard);
    let room = Arc::new(Semaphore::new(CALLERS_MAX));
    let mut callers = JoinSet::new();
    loop {
        tokio::select! {
            changed = doors.changed() => {
                callers.shutdown().await;
                return changed.is_err();
            }
            Some(_) = callers.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(seat) = Arc::clone(&room).try_acquire_owned() else { continue };
                    let routes = routes.clone().layer(Extension(Peer(peer.ip())));
                    callers.spawn(async move {
                        let _seat = seat;
                        converse(stream, routes).await;
                    });
                }
                // There is no file descriptor left, or the caller has gone: waiting helps.
                Err(cause) => {
                    error!(error = %chain(&cause), "a caller on {bound} cannot be listened to");
                    if let Ok(changed) = tokio::time::timeout(Duration::from_secs(1), doors.changed()).await {
                        return changed.is_err();
                    }
                }
            },
        }
    }
}

/// Answers one caller, within limits of time. Whoever takes longer is cut off.
async fn converse(stream: TcpStream, routes: Router) {
    let visit = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    if let Ok(Err(cause)) = tokio::time::timeout(VISIT, visit).await {
        debug!(error = %chain(&cause), "a caller was not understood, or went away");
    }
}

fn routes(control: Arc<Control>, guard: Arc<Guard>) -> Router {
    let guarded = Router::new().route("/readyz", get(readiness)).route("/metrics", get(measured));
    let guarded = guarded.layer(axum::middleware::from_fn_with_state(guard, guard::admit));
    Router::new().route("/healthz", get(health)).merge(guarded).with_state(control)
}

async fn health(State(control): State<Arc<Control>>) -> (StatusCode, &'static str) {
    match control.is_alive() {
        true => (StatusCode::OK, "ok\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the daemon hangs\n"),
    }
}

async fn readiness(State(control): State<Arc<Control>>) -> Response {
    let readiness = match control.readiness().await {
        Ok(readiness) => readiness,
        Err(error) => return unavailable(&error),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_string(&readiness) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body + "\n").into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn measured(State(control): State<Arc<Control>>) -> Response {
    match control.measured().await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => unavailable(&error),
    }
}

/// The cause goes into the log; whoever asks learns only that there is one.
fn unavailable(error: &dyn std::error::Error) -> Response {
    error!(error = %chain(error), "a question over HTTP cannot be answered");
    (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read; the log says why\n").into_response()
}
