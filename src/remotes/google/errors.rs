//! What Google's refusals mean.
//!
//! Nothing in them can be relied on alone: the body may be HTML of a front end, details may be missing, and the
//! `status` of one and the same refusal differs between reports. So a refusal is read defensively, in this order:
//! status code, the machine-readable reason, the status text, words of the message. The one table is [`judge`].
//!
//! Source: People API reference and the error reports of other clients (read 2026-11).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::remotes::RemoteError;
use crate::remotes::error::ItemError;
use crate::remotes::quota::Metric;

use super::request::{About, Call};
use super::wire::text;

/// The most characters of a message that are kept.
const MESSAGE_CHARS_MAX: usize = 200;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    code: u16,
    /// `error` of the body; `Null` when the body is not Google's JSON.
    error: Value,
    /// The body speaks of a full address book, in whatever form.
    full: bool,
}

/// What to make of a refusal.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The access token is not accepted.
    Unauthenticated,
    /// A budget is used up. Nothing was carried out.
    Quota(Metric),
    /// Something that takes long to recover is used up. Nothing was carried out.
    Exhausted(Exhaustion),
    /// Another write was going on. Nothing was carried out.
    Busy,
    /// The server failed; nobody knows whether anything was carried out.
    Failed,
    /// It is final.
    Final(RemoteError),
}

/// What takes long to recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhaustion {
    /// The storage behind the API.
    Storage,
    /// The budget of a day.
    Day,
}

impl Refusal {
    /// Reads an answer.
    pub(super) fn read(code: u16, body: &[u8]) -> Self {
        let body_json: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = match &body_json {
            // Batches over HTTP and some front ends wrap the object into a list.
            Value::Array(list) => list.first().and_then(|first| first.get("error")).cloned(),
            object => object.get("error").cloned(),
        };
        let full = String::from_utf8_lossy(body).contains("MY_CONTACTS_OVERFLOW_COUNT");
        Refusal { code, error: error.filter(Value::is_object).unwrap_or_default(), full }
    }

    /// The refusal in a few words, for people: no body, no values.
    pub(super) fn summary(&self) -> String {
        match self.status() {
            Some(status) => format!("HTTP {} {status}", self.code),
            None => format!("HTTP {}", self.code),
        }
    }

    /// The HTTP status.
    pub(super) fn code(&self) -> u16 {
        self.code
    }

    fn status(&self) -> Option<&str> {
        text(&self.error, "status")
    }

    fn message(&self) -> &str {
        text(&self.error, "message").unwrap_or_default()
    }

    fn says(&self, words: &str) -> bool {
        self.message().to_lowercase().contains(words)
    }

    fn details(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let list = self.error.get("details").and_then(Value::as_array).into_iter().flatten();
        list.filter(move |detail| text(detail, "@type").is_some_and(|name| name.ends_with(kind)))
    }

    /// Machine-readable reasons, of the present and of the former kind.
    fn has_reason(&self, reasons: &[&str]) -> bool {
        let legacy = self.error.get("errors").and_then(Value::as_array).into_iter().flatten();
        let mut given = self.details("google.rpc.ErrorInfo").chain(legacy).filter_map(|one| text(one, "reason"));
        given.any(|reason| reasons.contains(&reason))
    }

    fn is_stale(&self) -> bool {
        is_stale(self.message())
    }

    fn is_expired_token(&self) -> bool {
        self.code == 410 || self.has_reason(&["EXPIRED_SYNC_TOKEN"]) || self.says("sync token")
    }

    fn is_quota(&self) -> bool {
        const REASONS: [&str; 6] = [
            "RATE_LIMIT_EXCEEDED",
            "RESOURCE_EXHAUSTED",
            "userRateLimitExceeded",
            "rateLimitExceeded",
            "quotaExceeded",
            "dailyLimitExceeded",
        ];
        let named = self.has_reason(&REASONS) || self.says("request rate higher than configured");
        self.code == 429 || (self.code == 403 && named)
    }

    /// What is used up, when waiting for the next minute will not do.
    fn exhaustion(&self) -> Option<Exhaustion> {
        let daily = |limit: &str| limit.contains("PerDay") || limit.contains("Daily");
        let limit = self.details("google.rpc.ErrorInfo").filter_map(|info| info.pointer("/metadata/quota_limit"));
        let mut limits = limit.filter_map(Value::as_str);
        let storage = self.details("google.rpc.QuotaFailure").next().is_some()
            && self.details("google.rpc.ErrorInfo").next().is_none();
        if limits.any(daily) || self.has_reason(&["dailyLimitExceeded"]) {
            return Some(Exhaustion::Day);
        }
        (storage || self.says("fbs quota")).then_some(Exhaustion::Storage)
    }

    fn metric(&self) -> Metric {
        let mut metrics =
            self.details("google.rpc.ErrorInfo").filter_map(|info| info.pointer("/metadata/quota_metric"));
        match metrics.next().and_then(Value::as_str) {
            Some(metric) if metric.contains("write") => Metric::Writes,
            Some(metric) if metric.contains("read") => Metric::Reads,
            _ if self.says("read requests") => Metric::Reads,
            _ if self.says("write requests") => Metric::Writes,
            _ => Metric::Unknown,
        }
    }

    /// What is said about single items of a batch: by place for creates, by name for updates.
    fn items(&self, about: About<'_>) -> BTreeMap<usize, ItemError> {
        let details =
            self.details("ContactsErrorDetails").filter_map(|detail| detail.get("contactErrors")?.as_object());
        details.flatten().filter_map(|(key, status)| Some((place(key, about)?, item_error(status)?))).collect()
    }
}

fn is_stale(message: &str) -> bool {
    let message = message.to_lowercase();
    ["is different than the current person", "request must set person.etag", "etag is outdated"]
        .iter()
        .any(|words| message.contains(words))
}

fn place(key: &str, about: About<'_>) -> Option<usize> {
    match about {
        About::Creation(count) => key.parse().ok().filter(|place| *place < count),
        About::Persons(ids) => ids.iter().position(|id| id.as_str() == key),
        _ => None,
    }
}

/// What the status of one item says; `None` when it says that all is well.
pub(super) fn item_error(status: &Value) -> Option<ItemError> {
    let message = text(status, "message").unwrap_or_default();
    // Numbers of google.rpc.Code: 0 is OK, 5 is NOT_FOUND.
    match status.get("code").and_then(Value::as_u64).unwrap_or(0) {
        0 => None,
        _ if is_stale(message) => Some(ItemError::Stale),
        5 => Some(ItemError::Missing),
        _ => Some(ItemError::Refused(shown(message))),
    }
}

/// The table.
pub(super) fn judge(refusal: &Refusal, call: &Call<'_>) -> Verdict {
    let method = call.method;
    let items = refusal.items(call.about);
    match refusal.code {
        // A full address book is refused in more than one way, and no waiting makes room.
        400..=499 if refusal.full => Verdict::Final(RemoteError::Full { method }),
        401 => Verdict::Unauthenticated,
        400..=499 if refusal.has_reason(&["EXPIRED_SYNC_TOKEN"]) => Verdict::Final(RemoteError::TokenExpired),
        // Of a listing that goes on, any bad request may mean a dead token: what it says then is not established.
        400 | 410 if matches!(call.about, About::Continuation) => Verdict::Final(RemoteError::TokenExpired),
        400..=499 if !items.is_empty() => Verdict::Final(about_items(refusal, method, items)),
        400..=499 if refusal.is_stale() => Verdict::Final(RemoteError::Stale { items: only_item(call) }),
        400 | 410 if refusal.is_expired_token() => Verdict::Final(RemoteError::TokenExpired),
        403 | 429 if refusal.is_quota() => {
            refusal.exhaustion().map_or_else(|| Verdict::Quota(refusal.metric()), Verdict::Exhausted)
        }
        403 => forbidden(refusal, call),
        // The front end answers 404 in HTML to addresses that are none; that proves nothing about a contact.
        404 if refusal.error.is_object() => Verdict::Final(RemoteError::Missing { method }),
        404 => refused(refusal, call, "there is no such method; is google.api_url right?".to_owned()),
        409 if refusal.status() == Some("ALREADY_EXISTS") || refusal.says("already exists") => {
            Verdict::Final(RemoteError::Exists { method })
        }
        409 => Verdict::Busy,
        408 | 499 => Verdict::Failed,
        400..=498 => refused(refusal, call, shown(refusal.message())),
        _ => Verdict::Failed,
    }
}

fn forbidden(refusal: &Refusal, call: &Call<'_>) -> Verdict {
    let scopes = refusal.has_reason(&["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"]);
    let switched_off = refusal.has_reason(&["SERVICE_DISABLED", "accessNotConfigured"]);
    if scopes || refusal.says("insufficient authentication scopes") {
        return Verdict::Final(RemoteError::NoConsent { reason: "the consent does not cover contacts".to_owned() });
    }
    if switched_off || refusal.says("has not been used in project") {
        let reason = "the People API is switched off in the project of the OAuth client; enable it in the Google Cloud \
                      console (APIs & Services, Library, People API) and wait a few minutes";
        return Verdict::Final(RemoteError::NotSetUp { reason: reason.to_owned() });
    }
    refused(refusal, call, shown(refusal.message()))
}

fn refused(refusal: &Refusal, call: &Call<'_>, message: String) -> Verdict {
    let message = if message.is_empty() { refusal.summary() } else { message };
    let items = only_item(call).into_iter().map(|place| (place, ItemError::Refused(message.clone()))).collect();
    Verdict::Final(RemoteError::Refused { method: call.method, message, items })
}

/// The item that is meant when the call has only one.
fn only_item(call: &Call<'_>) -> Vec<usize> {
    match call.about {
        About::Creation(1) => vec![0],
        About::Persons(ids) if ids.len() == 1 => vec![0],
        _ => Vec::new(),
    }
}

fn about_items(refusal: &Refusal, method: &'static str, items: BTreeMap<usize, ItemError>) -> RemoteError {
    if items.values().all(|item| *item == ItemError::Stale) {
        return RemoteError::Stale { items: items.into_keys().collect() };
    }
    RemoteError::Refused { method, message: shown(refusal.message()), items }
}

/// The message as it may be shown and stored: short, and without what looks like somebody's address.
fn shown(message: &str) -> String {
    let words = message.split(' ').map(|word| match word.find('@') {
        // `@type` and the like begin with the sign; addresses have it inside.
        Some(place) if place > 0 => "…",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS_MAX).collect()
}
