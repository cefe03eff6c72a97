//! A transport that ends in the emulator, in the same process: no sockets, no waiting. What the emulator notes about the
//! manners of clients it notes here, too: a call is announced, steps aside once so that a second one which ought to wait
//! can overtake it, and is under way until its answer is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::clock::Clock;
use contactsync::emulator::reply::Outcome;
use contactsync::emulator::{Emulator, Ticket};
use contactsync::remotes::http::{REQUEST_TIMEOUT, Transport, TransportError};

/// Hands requests to an emulator.
pub struct InProcess {
    pub emulator: Arc<Mutex<Emulator>>,
    pub clock: Arc<dyn Clock>,
}

impl InProcess {
    fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the ticket of a call back, also when the caller dies in it.
struct UnderWay<'a> {
    transport: &'a InProcess,
    ticket: Option<Ticket>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.transport.emulator().end(ticket);
        }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let ticket = self.emulator().begin(&request);
        let _under_way = UnderWay { transport: self, ticket };
        step_aside().await;
        let reply = self.emulator().handle_announced(&request, ticket, self.clock.now());
        if !reply.after.is_zero() {
            self.clock.sleep(reply.after.min(REQUEST_TIMEOUT)).await;
        }
        match reply.outcome {
            Outcome::Answer(response) if reply.after < REQUEST_TIMEOUT => Ok(response),
            Outcome::Answer(_) => Err(TransportError::Lost("no answer in time".into())),
            Outcome::Dropped | Outcome::Truncated { .. } => {
                Err(TransportError::Lost("the connection was closed".into()))
            }
        }
    }
}

/// Lets others go first, once.
async fn step_aside() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
