//! Counts what leaves the process, whatever comes of it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::metrics::Metrics;
use crate::remotes::http::{MethodName, Transport, TransportError};

/// A transport that counts its requests by method and status.
pub struct Counted {
    inner: Arc<dyn Transport>,
    metrics: Arc<Metrics>,
}

impl Counted {
    /// Counts what goes through `inner`.
    pub fn new(inner: Arc<dyn Transport>, metrics: Arc<Metrics>) -> Self {
        Counted { inner, metrics }
    }
}

#[async_trait]
impl Transport for Counted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let method = request.extensions().get::<MethodName>().map_or("other", |name| name.0);
        let _flight = self.metrics.flight();
        let answer = self.inner.send(request).await;
        super::pulse::answered();
        self.metrics.called(method, answer.as_ref().ok().map(Response::status));
        answer
    }
}
