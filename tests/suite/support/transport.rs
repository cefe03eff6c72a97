//! Transports around another one: they leave something out of answers, or let users act while a call is under way.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use contactsync::remotes::http::{Transport, TransportError};
use futures_util::future::BoxFuture;

/// Leaves the identity token out of answers, as for a consent that does not cover it.
pub struct Anonymous {
    pub inner: Arc<dyn Transport>,
}

#[async_trait]
impl Transport for Anonymous {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let answer = self.inner.send(request).await?;
        Ok(answer.map(|body| match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(serde_json::Value::Object(mut object)) if object.contains_key("id_token") => {
                object.remove("id_token");
                serde_json::Value::Object(object).to_string().into()
            }
            _ => body,
        }))
    }
}

/// What waits for its moment.
pub type Act = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Lets somebody act while a call is under way.
pub struct Interrupting {
    pub inner: Arc<dyn Transport>,
    /// The first call whose address contains this.
    pub address: &'static str,
    pub act: Mutex<Option<Act>>,
}

#[async_trait]
impl Transport for Interrupting {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let is_it = request.uri().path().contains(self.address);
        let act = if is_it { self.act.lock().expect("nobody panics here").take() } else { None };
        let answer = self.inner.send(request).await;
        if let Some(act) = act {
            act().await;
        }
        answer
    }
}
