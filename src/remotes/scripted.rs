//! A transport for tests: answers by script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use super::http::{Transport, TransportError};

/// One scripted outcome.
pub(super) enum Reply {
    /// An answer with a JSON body.
    Json(u16, Value),
    /// An answer with any body.
    Raw(u16, &'static str),
    /// An answer with a header.
    Header(u16, &'static str, &'static str),
    /// No answer.
    Lost,
    /// No connection.
    NotSent,
}

/// Answers in the order of the script; an exhausted script fails the test.
pub(super) struct Scripted {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Scripted { replies: Mutex::new(replies.into_iter().collect()), requests: Mutex::default() }
    }

    /// What was asked so far: verb and address behind the host, and the body.
    pub(super) fn asked(&self) -> Vec<(String, String)> {
        let requests = self.requests.lock().expect("lock");
        let line = |request: &Request<Bytes>| {
            let address = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let body = String::from_utf8(request.body().to_vec()).expect("text");
            (format!("{} {address}", request.method()), body)
        };
        requests.iter().map(line).collect()
    }

    /// A header of the request with this number.
    pub(super) fn header(&self, number: usize, name: &str) -> Option<String> {
        let requests = self.requests.lock().expect("lock");
        requests[number].headers().get(name).map(|value| value.to_str().expect("text").to_owned())
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let asked = format!("{} {}", request.method(), request.uri());
        self.requests.lock().expect("lock").push(request);
        let reply = self.replies.lock().expect("lock").pop_front();
        let answer = |status: u16| Response::builder().status(status);
        let answer = match reply.unwrap_or_else(|| panic!("nothing is scripted for {asked}")) {
            Reply::Json(status, body) => answer(status).body(body.to_string().into()),
            Reply::Raw(status, body) => answer(status).body(Bytes::from_static(body.as_bytes())),
            Reply::Header(status, name, value) => answer(status).header(name, value).body(Bytes::new()),
            Reply::Lost => return Err(TransportError::Lost("cut".into())),
            Reply::NotSent => return Err(TransportError::NotSent("no route".into())),
        };
        Ok(answer.expect("answer"))
    }
}
