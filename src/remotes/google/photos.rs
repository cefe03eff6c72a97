//! Photos: uploaded and removed by calls of their own, and fetched from the address that a contact names.
//!
//! That address is on another host, which wants no credentials and is sent none. It comes out of an answer, so it is
//! looked at before anything is sent there: Google's host of pictures over https, or the very place where the API is,
//! which is what the sandbox serves.
//!
//! Source: People API reference, `people.updateContactPhoto` and `people.deleteContactPhoto` (read 2026-11).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::domain::id::RemoteId;
use crate::domain::photo;
use crate::remotes::http::{MethodName, TransportError};
use crate::remotes::retry::{READS, RetrySchedule};
use crate::remotes::{Record, RemoteError};

use super::client::Google;
use super::people::{PERSON_FIELDS, SOURCE, decode, unreadable};
use super::request::{About, Call, PHOTO, add_parameter, path_of};
use super::wire;

const DOWNLOAD: &str = "the download of a photo";
/// The largest photo that is taken; what Google serves at this size has a few hundred kilobytes.
const DOWNLOAD_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The domain under which Google serves pictures.
const PICTURES: &str = "googleusercontent.com";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    person: Option<Value>,
}

impl Google {
    /// people.updateContactPhoto. Asks for the whole contact in the answer: it has a new revision, which may also hold
    /// what somebody else has edited meanwhile.
    pub(super) async fn update_photo(&self, id: &RemoteId, bytes: &[u8]) -> Result<Record, RemoteError> {
        const METHOD: &str = "people.updateContactPhoto";
        let path = format!("/v1/{}:updateContactPhoto?prettyPrint=false", path_of(id.as_str()));
        let body = json!({
            "photoBytes": STANDARD.encode(bytes), "personFields": PERSON_FIELDS, "sources": [SOURCE],
        });
        self.write_photo(METHOD, Method::PATCH, path, Some(body), id).await
    }

    /// people.deleteContactPhoto. The whole contact is asked for, for the same reason.
    pub(super) async fn delete_photo(&self, id: &RemoteId) -> Result<Record, RemoteError> {
        const METHOD: &str = "people.deleteContactPhoto";
        let mut path = format!("/v1/{}:deleteContactPhoto?prettyPrint=false", path_of(id.as_str()));
        add_parameter(&mut path, "personFields", PERSON_FIELDS);
        add_parameter(&mut path, "sources", SOURCE);
        self.write_photo(METHOD, Method::DELETE, path, None, id).await
    }

    async fn write_photo(
        &self,
        method: &'static str,
        verb: Method,
        path: String,
        body: Option<Value>,
        id: &RemoteId,
    ) -> Result<Record, RemoteError> {
        let ids = [id.clone()];
        let call = Call { method, verb, path, body, cost: PHOTO, about: About::Persons(&ids) };
        let answer: Answer = decode(method, self.write(&call).await.map_err(|failure| failure.error)?)?;
        let person = answer.person.ok_or_else(|| unreadable(method, "an answer without the contact"))?;
        wire::contact(&person).map_err(|error| unreadable(method, &error.to_string()))
    }

    /// Fetches the photo at an address, in the size that contacts have.
    pub(super) async fn fetch_photo(&self, address: &str) -> Result<Bytes, RemoteError> {
        let url = self.place_of(address)?;
        let mut schedule = RetrySchedule::new(READS);
        loop {
            let error = match self.download_once(&url).await {
                Ok(bytes) => return Ok(bytes),
                Err(error @ (RemoteError::Lost { .. } | RemoteError::Unreachable { .. })) => error,
                Err(error) => return Err(error),
            };
            let Some(wait) = schedule.next_wait(self.entropy.as_ref()) else { return Err(error) };
            self.clock.sleep(wait).await;
        }
    }

    async fn download_once(&self, url: &Url) -> Result<Bytes, RemoteError> {
        let unreachable = |cause| RemoteError::Unreachable { method: DOWNLOAD, cause };
        let request = Request::get(url.as_str())
            .header(ACCEPT, "image/jpeg,image/png")
            .extension(MethodName(DOWNLOAD))
            .body(Bytes::new());
        let request = request.map_err(|cause| unreachable(Box::new(cause)))?;
        self.count_call();
        let answer = self.transport.send(request).await.map_err(|error| match error {
            TransportError::NotSent(cause) => unreachable(cause),
            TransportError::Lost(cause) => lost("no full answer".to_owned(), Some(cause)),
        })?;
        match answer.status() {
            // Somebody between us and the host asks to sign in, most likely.
            status if status.is_success() && is_page(answer.headers()) => {
                Err(RemoteError::Missing { method: DOWNLOAD })
            }
            status if status.is_success() => judge(answer.into_body()),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
                Err(RemoteError::Missing { method: DOWNLOAD })
            }
            // Pictures need no consent, so that it is asked for is no word about this one.
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED) => {
                Err(failed(status))
            }
            status if status.is_server_error() => Err(failed(status)),
            status => Err(refused(format!("the host of photos answers HTTP {}", status.as_u16()))),
        }
    }

    /// The address to ask, or a refusal to ask it.
    fn place_of(&self, address: &str) -> Result<Url, RemoteError> {
        let strange = || refused("its address is none of Google's hosts of pictures; it was not asked".to_owned());
        let mut url: Url = address.parse().map_err(|_| strange())?;
        let host = url.host_str().unwrap_or_default();
        let is_pictures = host == PICTURES || host.strip_suffix(PICTURES).is_some_and(|rest| rest.ends_with('.'));
        let is_googles = url.scheme() == "https" && is_pictures && url.port().is_none();
        let is_apis = Url::parse(self.base()).is_ok_and(|api| api.origin() == url.origin());
        if !(is_googles || is_apis) || !url.username().is_empty() || url.password().is_some() {
            return Err(strange());
        }
        let path = sized(url.path());
        url.set_path(&path);
        url.set_query(None);
        Ok(url)
    }
}

/// The path with the size asked for: a suffix of the last part, or a part of its own. Without one Google serves 100
/// pixels.
fn sized(path: &str) -> String {
    let size = format!("s{}", photo::PIXELS_MAX);
    let is_size = |part: &str| {
        part.strip_prefix('s').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| is_size(part)) {
        return parts.iter().map(|part| if is_size(part) { size.as_str() } else { part }).collect::<Vec<_>>().join("/");
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    format!("{folder}/{name}={size}")
}

/// Whether an answer is a page to be read, and no file.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html")
}

fn judge(bytes: Bytes) -> Result<Bytes, RemoteError> {
    if bytes.len() > DOWNLOAD_BYTES_MAX {
        return Err(refused(format!("it has {} bytes; at most {DOWNLOAD_BYTES_MAX} are taken", bytes.len())));
    }
    match photo::picture(&bytes) {
        Some(_) => Ok(bytes),
        None => Err(refused("what is served at its address is no JPEG or PNG picture".to_owned())),
    }
}

fn refused(message: String) -> RemoteError {
    RemoteError::Refused { method: DOWNLOAD, message, items: std::collections::BTreeMap::new() }
}

fn failed(status: StatusCode) -> RemoteError {
    lost(format!("HTTP {}", status.as_u16()), None)
}

fn lost(detail: String, cause: Option<Box<dyn std::error::Error + Send + Sync>>) -> RemoteError {
    RemoteError::Lost { method: DOWNLOAD, detail, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_gets_the_size() {
        for (path, expected) in [
            ("/contacts/abc=s100", "/contacts/abc=s720"),
            ("/contacts/abc=s100-c-k", "/contacts/abc=s720"),
            ("/contacts/abc", "/contacts/abc=s720"),
            ("/-x/A/s100/photo.jpg", "/-x/A/s720/photo.jpg"),
            ("/-x/sam/photo.jpg", "/-x/sam/photo.jpg=s720"),
        ] {
            assert_eq!(sized(path), expected);
        }
    }
}
