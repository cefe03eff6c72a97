//! What Google's refusals mean.

use http::Method;
use serde_json::{Value, json};

use super::super::errors::{Exhaustion, Refusal, Verdict, judge};
use super::super::request::{About, Call};
use super::fixtures::recorded;
use crate::domain::id::RemoteId;
use crate::remotes::RemoteError;
use crate::remotes::quota::Metric;

fn call(about: About<'_>) -> Call<'_> {
    Call { verb: Method::POST, about, ..Call::get("people.x", "/v1/x?".to_owned()) }
}

/// A verdict in one word, with what matters of it.
fn word(code: u16, body: &str, about: About<'_>) -> String {
    match judge(&Refusal::read(code, body.as_bytes()), &call(about)) {
        Verdict::Unauthenticated => "unauthenticated".to_owned(),
        Verdict::Quota(Metric::Reads) => "quota of reads".to_owned(),
        Verdict::Quota(Metric::Writes) => "quota of writes".to_owned(),
        Verdict::Quota(Metric::Unknown) => "quota".to_owned(),
        Verdict::Exhausted(Exhaustion::Storage) => "exhausted".to_owned(),
        Verdict::Exhausted(Exhaustion::Day) => "exhausted for the day".to_owned(),
        Verdict::Busy => "busy".to_owned(),
        Verdict::Failed => "failed".to_owned(),
        Verdict::Final(error) => match error {
            RemoteError::TokenExpired => "token expired".to_owned(),
            RemoteError::Stale { items } => format!("stale {items:?}"),
            RemoteError::Missing { .. } => "missing".to_owned(),
            RemoteError::Exists { .. } => "exists".to_owned(),
            RemoteError::NoConsent { .. } => "no consent".to_owned(),
            RemoteError::NotSetUp { .. } => "not set up".to_owned(),
            RemoteError::Full { .. } => "full".to_owned(),
            RemoteError::Refused { items, .. } => format!("refused {:?}", items.keys().collect::<Vec<_>>()),
            other => format!("{other:?}"),
        },
    }
}

fn error(code: u16, status: &str, message: &str, details: Value) -> String {
    json!({"error": {"code": code, "message": message, "status": status, "details": details}}).to_string()
}

fn reason(reason: &str, metadata: Value) -> Value {
    json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        "metadata": metadata}])
}

const EXPIRED: &str = "Sync token is expired. Clear local cache and retry call without the sync token.";
const STALE: &str =
    "Request person.etag is different than the current person.etag. Clear local cache and get the latest person.";

#[test]
fn refusals_are_told_apart() {
    let none = || json!([]);
    let expired = || reason("EXPIRED_SYNC_TOKEN", json!({}));
    let one = [RemoteId::new("people/c1")];
    let reads = json!({"quota_metric": "people.googleapis.com/critical_read_requests", "quota_limit": "PerMinute"});
    let daily = json!({"quota_metric": "people.googleapis.com/daily_write", "quota_limit": "DailyWritesPerUser"});
    let legacy = json!({"error": {"code": 403, "message": "x", "errors": [{"reason": "userRateLimitExceeded"}]}});
    let source_etag =
        "Request person.metadata.sources.etag is different than the current person.metadata.sources.etag.";
    for (what, code, body, about, expected) in [
        (
            "expired, by reason",
            400,
            error(400, "INVALID_ARGUMENT", EXPIRED, expired()),
            About::Continuation,
            "token expired",
        ),
        (
            "expired, by words",
            400,
            error(400, "FAILED_PRECONDITION", EXPIRED, none()),
            About::Continuation,
            "token expired",
        ),
        ("expired, as guides say", 410, error(410, "", "Gone", none()), About::Continuation, "token expired"),
        (
            "a dead page",
            400,
            error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", none()),
            About::Continuation,
            "token expired",
        ),
        (
            "a bad first page",
            400,
            error(400, "INVALID_ARGUMENT", "Invalid personFields mask path", none()),
            About::FullListing,
            "refused []",
        ),
        ("stale", 400, error(400, "FAILED_PRECONDITION", STALE, none()), About::Persons(&one), "stale [0]"),
        (
            "stale, by source",
            400,
            error(400, "FAILED_PRECONDITION", source_etag, none()),
            About::Persons(&one),
            "stale [0]",
        ),
        ("stale, as once reported", 403, error(403, "", STALE, none()), About::Persons(&one), "stale [0]"),
        (
            "without etag",
            400,
            error(400, "INVALID_ARGUMENT", "Request must set person.etag or person.metadata.sources.etag", none()),
            About::Persons(&one),
            "stale [0]",
        ),
        (
            "stale group",
            409,
            error(409, "ABORTED", "Contact group etag is outdated. Get the latest.", none()),
            About::Other,
            "stale []",
        ),
        (
            "taken group name",
            409,
            error(409, "ALREADY_EXISTS", "Contact group name already exists", none()),
            About::Other,
            "exists",
        ),
        ("contention", 409, error(409, "ABORTED", "The operation was aborted.", none()), About::Other, "busy"),
        ("token", 401, error(401, "UNAUTHENTICATED", "x", none()), About::Other, "unauthenticated"),
        (
            "scope",
            403,
            error(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", none()),
            About::Other,
            "no consent",
        ),
        (
            "switched off",
            403,
            error(403, "PERMISSION_DENIED", "x", reason("SERVICE_DISABLED", none())),
            About::Other,
            "not set up",
        ),
        (
            "forbidden",
            403,
            error(403, "PERMISSION_DENIED", "The caller does not have permission", none()),
            About::Other,
            "refused []",
        ),
        (
            "minute of reads",
            429,
            error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", reason("RATE_LIMIT_EXCEEDED", reads)),
            About::Other,
            "quota of reads",
        ),
        (
            "day",
            429,
            error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", reason("RATE_LIMIT_EXCEEDED", daily)),
            About::Other,
            "exhausted for the day",
        ),
        ("quota without details", 429, "<html>".to_owned(), About::Other, "quota"),
        ("quota of old", 403, legacy.to_string(), About::Other, "quota"),
        (
            "full",
            429,
            error(429, "RESOURCE_EXHAUSTED", "MY_CONTACTS_OVERFLOW_COUNT", none()),
            About::Creation(1),
            "full",
        ),
        (
            "gone",
            404,
            error(404, "NOT_FOUND", "Requested entity was not found.", none()),
            About::Persons(&one),
            "missing",
        ),
        (
            "no such address",
            404,
            "<html>The requested URL was not found".to_owned(),
            About::Persons(&one),
            "refused [0]",
        ),
        (
            "singleton",
            400,
            error(400, "INVALID_ARGUMENT", "Cannot have more than one person.names per source.", none()),
            About::Creation(1),
            "refused [0]",
        ),
        ("trouble", 500, error(500, "INTERNAL", "Internal error encountered.", none()), About::Other, "failed"),
        ("front end", 502, "<html>".to_owned(), About::Other, "failed"),
        ("moved", 302, String::new(), About::Other, "failed"),
    ] {
        assert_eq!(word(code, &body, about), expected, "{what}");
    }
}

#[test]
fn a_batch_names_its_bad_items() {
    let ids = [RemoteId::new("people/c1"), RemoteId::new("people/c2"), RemoteId::new("people/c3")];
    let details = |kind: &str, errors: Value| {
        let details =
            json!([{"@type": format!("type.googleapis.com/google.people.v1.{kind}"), "contactErrors": errors}]);
        error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", details)
    };
    let stale = json!({"code": 9, "message": STALE});
    let bad = json!({"code": 3, "message": "Invalid value for somebody@example.org"});
    let updates = |errors| details("BatchUpdateContactsErrorDetails", errors);
    let persons = About::Persons(&ids);
    assert_eq!(word(400, &updates(json!({"people/c3": stale, "people/c2": stale})), persons), "stale [1, 2]");
    assert_eq!(word(400, &updates(json!({"people/c1": bad, "people/c2": stale})), persons), "refused [0, 1]");
    let creates = details("BatchCreateContactsErrorDetails", json!({"1": bad, "7": bad}));
    assert_eq!(word(400, &creates, About::Creation(3)), "refused [1]");
    let refusal = Refusal::read(400, updates(json!({"people/c1": bad})).as_bytes());
    let Verdict::Final(error) = judge(&refusal, &call(persons)) else { panic!("final") };
    assert!(!format!("{error:?}").contains("somebody"), "{error:?}");
}

#[test]
fn recorded_refusals_are_understood() {
    let one = [RemoteId::new("people/c1")];
    for (file, code, expected) in
        [("errors/400-etag-mismatch.json", 400, "stale [0]"), ("errors/429-fbs-quota.json", 429, "exhausted")]
    {
        let Some(body) = recorded(file) else { return };
        assert_eq!(word(code, &body, About::Persons(&one)), expected, "{file}");
    }
    let Some(observed) = recorded("errors/observed-messages.json") else { return };
    let observed: Vec<Value> = serde_json::from_str(&observed).expect("a list");
    for seen in observed {
        let code = u16::try_from(seen["http"].as_u64().expect("a status")).expect("a status");
        let message = seen["message"].as_str().expect("a message");
        let details = seen.get("details_seen").cloned().unwrap_or(json!([]));
        let word = word(code, &error(code, "", message, details), About::Persons(&one));
        let expected = match message {
            _ if message.starts_with("Sync token") => "token expired",
            _ if message.contains("is different than") => "stale [0]",
            _ if code == 503 => "failed",
            _ => "refused [0]",
        };
        assert_eq!(word, expected, "{message}");
    }
}
