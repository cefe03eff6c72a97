//! Requests to the People API: what one is made of, what it costs, and how it is spelled.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use crate::domain::id::RemoteId;
use crate::remotes::quota::Cost;

/// A read.
///
/// Source of all costs: "Read and Manage Contacts", quotas (second hand, read 2026-11); where nothing is published the
/// dearer assumption counts.
pub(super) const READ: Cost = Cost { reads: 1, writes: 0 };
/// The write of one contact, which Google reads again for the answer.
pub(super) const WRITE: Cost = Cost { reads: 1, writes: 1 };
/// A batch of creates or updates, whatever its size.
pub(super) const WRITE_BATCH: Cost = Cost { reads: 6, writes: 6 };
/// The deletion of one contact, and anything about groups.
pub(super) const DELETE: Cost = Cost { reads: 0, writes: 1 };
/// Anything about one photo.
pub(super) const PHOTO: Cost = Cost { reads: 0, writes: 1 };
/// A batch of deletions.
pub(super) const DELETE_BATCH: Cost = Cost { reads: 0, writes: 10 };

/// The fewest creates or updates, and the fewest deletions, for which a batch costs less than single calls.
pub(super) const WRITE_BATCH_FROM: usize = 7;
pub(super) const DELETE_BATCH_FROM: usize = 11;

/// How many contacts one call creates or updates at the most.
const BATCH_CONTACTS: u64 = 200;

/// Units of the write budget that so many changed contacts take, at the least.
pub fn units_of_writes(contacts: u64) -> u64 {
    let batches = contacts.div_ceil(BATCH_CONTACTS);
    contacts.min(batches.saturating_mul(u64::from(WRITE_BATCH.writes)))
}

/// Addresses longer than this are sent as the body of a POST that stands for a GET.
const ADDRESS_BYTES_MAX: usize = 6_000;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call<'c> {
    /// Its name in Google's reference.
    pub(super) method: &'static str,
    pub(super) verb: Method,
    /// Path and query, as they are sent.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) cost: Cost,
    pub(super) about: About<'c>,
}

/// What a call is about; decides what a refusal means.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'c> {
    /// The first page of a full listing of contacts.
    FullListing,
    /// A listing that goes on from a page or change token.
    Continuation,
    /// So many new contacts.
    Creation(usize),
    /// These contacts.
    Persons(&'c [RemoteId]),
    /// Anything else.
    Other,
}

impl Call<'_> {
    /// A read of something.
    pub(super) fn get(method: &'static str, path: String) -> Self {
        Call { method, verb: Method::GET, path, body: None, cost: READ, about: About::Other }
    }

    /// The HTTP request.
    ///
    /// # Errors
    /// When the base address or the token cannot be part of a request.
    pub(super) fn request(&self, base: &str, token: &SecretString) -> Result<Request<Bytes>, http::Error> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))?;
        bearer.set_sensitive(true);
        // Google words labels and names in the language asked for; one language keeps answers comparable.
        let request = Request::builder().header(AUTHORIZATION, bearer).header(ACCEPT_LANGUAGE, "en");
        let request = request.header(ACCEPT, "application/json");
        if let Some(body) = &self.body {
            let request = request.method(&self.verb).uri(format!("{base}{}", self.path));
            return request.header(CONTENT_TYPE, "application/json").body(body.to_string().into());
        }
        match self.path.split_once('?') {
            Some((path, query)) if self.path.len() > ADDRESS_BYTES_MAX && self.verb == Method::GET => request
                .method(Method::POST)
                .uri(format!("{base}{path}"))
                .header("X-HTTP-Method-Override", "GET")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(query.to_owned().into()),
            _ => request.method(&self.verb).uri(format!("{base}{}", self.path)).body(Bytes::new()),
        }
    }
}

/// Adds a query parameter to a path that has some already.
pub(super) fn add_parameter(path: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = write!(path, "&{name}={}", form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>());
}

/// A resource name as part of a path: its slashes have to stay slashes.
pub(super) fn path_of(resource: &str) -> String {
    let encode = |segment: &str| form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>();
    resource.split('/').map(encode).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_names_keep_their_slashes_and_nothing_else() {
        assert_eq!(path_of("people/c1152921504606846977"), "people/c1152921504606846977");
        assert_eq!(path_of("people/c1?x=1:y"), "people/c1%3Fx%3D1%3Ay");
    }

    #[test]
    fn long_reads_travel_in_the_body() {
        let mut call = Call::get("people.getBatchGet", "/v1/people:batchGet?a=1".to_owned());
        let request = call.request("http://x", &"token".into()).expect("request");
        assert_eq!(
            (request.method(), request.uri().to_string().as_str()),
            (&Method::GET, "http://x/v1/people:batchGet?a=1")
        );
        (0..400).for_each(|_| add_parameter(&mut call.path, "resourceNames", "people/c1"));
        let request = call.request("http://x", &"token".into()).expect("request");
        assert_eq!(
            (request.method(), request.uri().to_string().as_str()),
            (&Method::POST, "http://x/v1/people:batchGet")
        );
        assert_eq!(request.headers()["X-HTTP-Method-Override"], "GET");
        assert!(request.body().starts_with(b"a=1&resourceNames=people%2Fc1&"));
        assert!(!format!("{request:?}").contains("token"), "the token must not be printed");
    }
}
