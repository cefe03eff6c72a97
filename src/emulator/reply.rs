//! What comes back for a request: an answer, nothing at all, or an answer that breaks off.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use super::call::Call;
use super::failure::Failure;
use super::partial;
use crate::domain::time::Timestamp;

/// A reply and how long it is held back.
#[derive(Debug)]
pub struct Reply {
    /// How long the sender waits before sending; the emulator itself never waits.
    pub after: Duration,
    /// What is sent.
    pub outcome: Outcome,
}

/// Marks an answer that is not to be packed.
#[derive(Debug, Clone, Copy)]
pub struct Unpacked;

/// What is sent.
#[derive(Debug)]
pub enum Outcome {
    /// A complete answer.
    Answer(Response<Bytes>),
    /// Nothing: the connection is closed. Whether the request was carried out, the caller cannot know.
    Dropped,
    /// The first `sent` bytes of the body of an answer that announces all of it; then the connection is closed.
    Truncated {
        /// The whole answer.
        response: Response<Bytes>,
        /// How many bytes of its body are sent.
        sent: usize,
    },
}

impl Reply {
    /// An answer without delay.
    pub fn answer(response: Response<Bytes>) -> Self {
        Reply { after: Duration::ZERO, outcome: Outcome::Answer(response) }
    }

    /// A closed connection.
    pub fn dropped() -> Self {
        Reply { after: Duration::ZERO, outcome: Outcome::Dropped }
    }

    /// Says when it was made, by the emulator's clock.
    #[must_use]
    pub fn dated(mut self, now: Timestamp) -> Self {
        let text = now.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let response = match &mut self.outcome {
            Outcome::Answer(response) | Outcome::Truncated { response, .. } => response,
            Outcome::Dropped => return self,
        };
        if let Ok(date) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(header::DATE, date);
        }
        self
    }

    /// Forbids to pack it, whatever the client accepts.
    #[must_use]
    pub fn unpacked(mut self) -> Self {
        if let Outcome::Answer(response) | Outcome::Truncated { response, .. } = &mut self.outcome {
            response.extensions_mut().insert(Unpacked);
        }
        self
    }

    /// The answer, where there is a complete one.
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match &self.outcome {
            Outcome::Answer(response) => Some(response),
            Outcome::Dropped | Outcome::Truncated { .. } => None,
        }
    }
}

/// An answer with a body of type `content_type`.
pub fn with_body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert(header::SERVER, HeaderValue::from_static("ESF"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    headers.insert(header::VARY, HeaderValue::from_static("X-Origin, Referer, Origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::X_XSS_PROTECTION, HeaderValue::from_static("0"));
    response
}

/// A JSON answer of the API: cut down to `fields`, and indented unless `prettyPrint` says otherwise.
pub fn json(status: u16, body: &Value, call: &Call) -> Response<Bytes> {
    const TYPE: &str = "application/json; charset=UTF-8";
    let cut = call.parameter("fields").filter(|_| status == 200).and_then(|fields| partial::select(body, fields));
    let body = cut.as_ref().unwrap_or(body);
    // INVARIANT: a JSON value always has a text.
    let text = match call.parameter("prettyPrint") {
        Some("false") => serde_json::to_string(body),
        _ => serde_json::to_string_pretty(body),
    }
    .unwrap_or_default();
    with_body(status, TYPE, text)
}

/// The answer for a refused call.
pub fn failure(failure: &Failure, call: &Call) -> Response<Bytes> {
    let mut response = json(failure.http(), &failure.envelope(call.error_format()), call);
    if let Some((name, value)) = failure.header()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// A page for people, as front ends send it.
pub fn html(status: u16, title: &str, text: &str) -> Response<Bytes> {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{title}</title>\n<p><b>{status}.</b> {text}\n"
    );
    with_body(status, "text/html; charset=UTF-8", page)
}

/// The page for an address nobody serves.
pub fn nowhere(path: &str) -> Response<Bytes> {
    let shown: String = path.chars().filter(|c| !"<>&\"".contains(*c)).take(200).collect();
    html(404, "Error 404 (Not Found)!!1", &format!("The requested URL {shown} was not found on this server."))
}
