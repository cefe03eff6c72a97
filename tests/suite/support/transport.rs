//! A transport that ends in the emulator, in the same process: no sockets, no waiting.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::clock::Clock;
use contactsync::emulator::Emulator;
use contactsync::emulator::reply::Outcome;
use contactsync::remotes::http::{Transport, TransportError};

/// Hands requests to an emulator.
pub struct InProcess {
    pub emulator: Arc<Mutex<Emulator>>,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let reply = self.emulator.lock().expect("the emulator is sound").handle(&request, self.clock.now());
        match reply.outcome {
            Outcome::Answer(response) => Ok(response),
            Outcome::Dropped | Outcome::Truncated { .. } => {
                Err(TransportError::Lost("the connection was closed".into()))
            }
        }
    }
}
