//! The emulator's promises, one file per subject, through [`Emulator::handle`] in this process.

mod batches;
mod control;
mod envelope;
mod faults;
mod groups;
mod listing;
mod manners;
mod oauth;
mod people;
mod propagation;
mod quotas;
mod recorded;
mod server;
mod switches;
mod sync;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::reply::{Outcome, Reply};
use super::{Config, Emulator, User};
use crate::domain::time::Timestamp;

const EMAIL: &str = "sales@acme.example";
const OTHER: &str = "support@acme.example";

/// A client of the emulator that knows HTTP and nothing else.
struct Kit {
    emulator: Emulator,
    now: Timestamp,
    token: String,
}

impl Kit {
    fn new() -> Self {
        Kit::with(Config::new(7, &[EMAIL, OTHER]))
    }

    fn with(config: Config) -> Self {
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().expect("a time");
        let mut kit = Kit { emulator: Emulator::new(config), now, token: String::new() };
        kit.token = kit.fresh_token(EMAIL);
        kit.emulator.reset_counters();
        kit
    }

    fn fresh_token(&mut self, email: &str) -> String {
        let refresh = self.emulator.refresh_token(email).expect("a refresh token").to_owned();
        let (status, body) = self.refresh(&refresh);
        assert_eq!(status, 200, "{body}");
        text(&body["access_token"]).to_owned()
    }

    fn refresh(&mut self, refresh_token: &str) -> (u16, Value) {
        self.form(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token),
                ("client_id", "sandbox.apps.example"),
                ("client_secret", "sandbox-secret"),
            ],
        )
    }

    fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(body.into());
        parsed(&self.send(&request.expect("a request")))
    }

    fn send(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        self.reply(request).response().expect("a complete answer").clone()
    }

    fn reply(&mut self, request: &Request<Bytes>) -> Reply {
        self.emulator.handle(request, self.now)
    }

    fn request(&self, verb: &str, path: &str, body: Option<&Value>) -> Request<Bytes> {
        let request = Request::builder()
            .method(verb)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        request.body(body.map(Value::to_string).unwrap_or_default().into()).expect("a request")
    }

    fn call(&mut self, verb: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(verb, path, body.as_ref());
        parsed(&self.send(&request))
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.call("GET", path, None)
    }

    fn post(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, Some(body))
    }

    /// The body of a call that must succeed.
    fn ok(&mut self, verb: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.call(verb, path, body);
        assert_eq!(status, 200, "{verb} {path}: {answer}");
        answer
    }

    /// The error of a call that must fail with `status`.
    fn refused(&mut self, status: u16, verb: &str, path: &str, body: Option<Value>) -> Value {
        let (actual, answer) = self.call(verb, path, body);
        assert_eq!(actual, status, "{verb} {path}: {answer}");
        answer["error"].clone()
    }

    fn create(&mut self, given_name: &str) -> Value {
        self.ok("POST", "/v1/people:createContact", Some(json!({ "names": [{ "givenName": given_name }] })))
    }

    /// Creates a contact and answers its resource name.
    fn add(&mut self, given_name: &str) -> String {
        name_of(&self.create(given_name))
    }

    fn update(&mut self, person: &Value, mask: &str, fields: Value) -> (u16, Value) {
        let mut body = fields;
        body["etag"] = person["etag"].clone();
        let path = format!("/v1/{}:updateContact?updatePersonFields={mask}", text(&person["resourceName"]));
        self.call("PATCH", &path, Some(body))
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    fn user(&mut self) -> User<'_> {
        self.emulator.user(EMAIL, self.now).expect("the account")
    }
}

fn parsed(response: &Response<Bytes>) -> (u16, Value) {
    let body = serde_json::from_slice(response.body())
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(response.body()).into_owned()));
    (response.status().as_u16(), body)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn name_of(person: &Value) -> String {
    text(&person["resourceName"]).to_owned()
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().map(|list| list.iter().map(name_of).collect()).unwrap_or_default()
}

fn is_dropped(reply: &Reply) -> bool {
    matches!(reply.outcome, Outcome::Dropped)
}
