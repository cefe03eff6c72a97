//! The control API under `/control/`: the user's hands, the clock, the switches, the faults and the counters, as JSON.
//!
//! It needs no credentials, for it is bound to loopback like everything else here. The manual page `docs/sandbox.md`
//! lists every route with an example.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use super::account::MemberFate;
use super::blob;
use super::call::Call;
use super::fault::Fault;
use super::reply;
use super::settings::{Feed, Settings};
use super::user::{FormerName, MergeTrace, ReturnName};
use super::{ControlError, Emulator, User};

enum Refusal {
    /// No such route.
    Nowhere,
    /// A body or parameter that does not fit.
    BadRequest(String),
    /// The action did not happen.
    Action(ControlError),
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        Refusal::Action(error)
    }
}

type Outcome = Result<Value, Refusal>;

/// Carries out a control call. Its time is the emulator's.
pub fn answer(emulator: &mut Emulator, call: &Call) -> Response<Bytes> {
    let (status, body) = match carry_out(emulator, call) {
        Ok(body) => (200, body),
        Err(Refusal::Nowhere) => (404, json!({ "error": "no such control route" })),
        Err(Refusal::BadRequest(text)) => (400, json!({ "error": text })),
        Err(Refusal::Action(error)) => {
            let status = if matches!(error, ControlError::Refused { .. }) { 409 } else { 404 };
            (status, json!({ "error": error.to_string() }))
        }
    };
    reply::with_body(status, "application/json; charset=UTF-8", body.to_string())
}

fn carry_out(emulator: &mut Emulator, call: &Call) -> Outcome {
    let path = call.path.strip_prefix("/control/").unwrap_or_default();
    let decoded: Vec<String> = path.split('/').map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match (call.verb.as_str(), parts.as_slice()) {
        ("POST", ["reset"]) => {
            emulator.reset();
            Ok(json!({}))
        }
        ("GET", ["clock"]) => Ok(json!({ "now": emulator.now().to_string() })),
        ("POST", ["clock"]) => advance(emulator, &object(call)?),
        ("GET", ["settings"]) => Ok(json!(emulator.settings())),
        ("PATCH", ["settings"]) => patch_settings(emulator, &object(call)?),
        ("GET", ["faults"]) => Ok(json!(emulator.faults().pending())),
        ("POST", ["faults"]) => push_faults(emulator, call),
        ("DELETE", ["faults"]) => {
            emulator.faults_mut().clear();
            Ok(json!({}))
        }
        ("GET", ["counters"]) => {
            let mut body = json!(emulator.counters());
            body["total"] = json!(emulator.counters().total());
            Ok(body)
        }
        ("DELETE", ["counters"]) => {
            emulator.reset_counters();
            Ok(json!({}))
        }
        ("POST", ["service-accounts"]) => {
            let account = serde_json::from_value(json_body(call)?)
                .map_err(|error| Refusal::BadRequest(format!("this is no service account: {error}")))?;
            emulator.register_service_account(account).map_err(Refusal::BadRequest)?;
            Ok(json!({}))
        }
        ("GET", ["accounts"]) => accounts(emulator),
        ("POST", ["accounts", email, "expect-full-pull"]) => {
            emulator.hands(email)?;
            emulator.expect_full_pull(email);
            Ok(json!({}))
        }
        (_, ["accounts", email, rest @ ..]) => {
            let mut user = emulator.hands(email)?;
            on_account(&mut user, call, rest)
        }
        _ => Err(Refusal::Nowhere),
    }
}

fn on_account(user: &mut User<'_>, call: &Call, parts: &[&str]) -> Outcome {
    match (call.verb.as_str(), parts) {
        ("GET", []) => Ok(user.summary()),
        ("GET", ["people"]) => Ok(Value::Array(user.people())),
        ("GET", ["trash"]) => Ok(Value::Array(user.trash())),
        ("GET", ["groups"]) => Ok(Value::Array(user.groups())),
        ("POST", ["people"]) => create(user, call),
        ("GET", ["people", name]) => Ok(user.person(name)?),
        ("PATCH", ["people", name]) => Ok(user.edit(name, &Value::Object(object(call)?))?),
        ("DELETE", ["people", name]) => done(user.delete(name)),
        ("POST", ["people", name, action]) => on_person(user, name, action, &object(call)?),
        ("PUT", ["people", name, "profile"]) => Ok(user.link_profile(name, &Value::Object(object(call)?))?),
        ("GET", ["people", name, "photo"]) => Ok(json!({ "photoBytes": STANDARD.encode(user.photo(name)?) })),
        ("PUT", ["people", name, "photo"]) => {
            let bytes = blob::decode(text(&object(call)?, "photoBytes")?);
            let bytes = bytes.ok_or_else(|| Refusal::BadRequest("photoBytes must be base64".to_owned()))?;
            Ok(user.set_photo(name, &bytes)?)
        }
        ("DELETE", ["people", name, "photo"]) => Ok(user.remove_photo(name)?),
        ("PUT", ["people", name, "labels", group]) => Ok(user.label(name, group)?),
        ("DELETE", ["people", name, "labels", group]) => Ok(user.unlabel(name, group)?),
        ("POST", ["groups"]) => Ok(user.create_group(text(&object(call)?, "name")?)?),
        ("PATCH", ["groups", id]) => Ok(user.rename_group(id, text(&object(call)?, "name")?)?),
        ("DELETE", ["groups", id]) => {
            let is_trash = call.parameter("deleteContacts") == Some("true");
            done(user.delete_group(id, if is_trash { MemberFate::Trash } else { MemberFate::Keep }))
        }
        ("POST", ["revoke-grant"]) => {
            user.revoke_grant();
            Ok(json!({}))
        }
        ("POST", ["grant"]) => Ok(json!({ "refresh_token": user.grant() })),
        ("POST", ["access-token"]) => Ok(json!({ "access_token": user.access_token() })),
        ("POST", ["expire-access-tokens"]) => {
            user.expire_access_tokens();
            Ok(json!({}))
        }
        ("POST", ["expire-sync-tokens"]) => {
            user.expire_sync_tokens();
            Ok(json!({}))
        }
        _ => Err(Refusal::Nowhere),
    }
}

fn on_person(user: &mut User<'_>, name: &str, action: &str, body: &Map<String, Value>) -> Outcome {
    let is_set = |member: &str| body.get(member) == Some(&Value::Bool(true));
    match action {
        "restore" => {
            let as_name = if is_set("fresh_name") { ReturnName::Fresh } else { ReturnName::Same };
            Ok(user.restore(name, as_name)?)
        }
        "merge" => {
            let others = body.get("others").and_then(Value::as_array).into_iter().flatten();
            let others: Vec<&str> = others.filter_map(Value::as_str).collect();
            if others.is_empty() {
                return Err(Refusal::BadRequest("others names nobody".to_owned()));
            }
            let trace = if is_set("previous_names") { MergeTrace::PreviousNames } else { MergeTrace::None };
            Ok(user.merge(name, &others, trace)?)
        }
        "rename" => {
            let former = if is_set("old_name_leads") { FormerName::Leads } else { FormerName::Gone };
            let tombstone = if is_set("tombstone") { Feed::Shown } else { Feed::Hidden };
            Ok(user.rename(name, former, tombstone)?)
        }
        "bump-etag" => Ok(user.bump_etag(name)?),
        "rotate-photo" => Ok(user.rotate_photo(name)?),
        _ => Err(Refusal::Nowhere),
    }
}

/// One person, or a list of people; a list stops at the first that is refused.
fn create(user: &mut User<'_>, call: &Call) -> Outcome {
    match json_body(call)? {
        Value::Array(people) => {
            let created = people.iter().map(|person| user.create(person)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::Array(created))
        }
        person => Ok(user.create(&person)?),
    }
}

fn accounts(emulator: &mut Emulator) -> Outcome {
    let emails: Vec<String> = emulator.emails().map(str::to_owned).collect();
    let mut list = Vec::with_capacity(emails.len());
    for email in emails {
        list.push(emulator.hands(&email)?.summary());
    }
    Ok(Value::Array(list))
}

fn advance(emulator: &mut Emulator, body: &Map<String, Value>) -> Outcome {
    let ms = body.get("advance_ms").and_then(Value::as_u64);
    let ms = ms.ok_or_else(|| Refusal::BadRequest("advance_ms must be a number of milliseconds".to_owned()))?;
    emulator.advance(Duration::from_millis(ms));
    Ok(json!({ "now": emulator.now().to_string() }))
}

fn patch_settings(emulator: &mut Emulator, patch: &Map<String, Value>) -> Outcome {
    let mut value = json!(emulator.settings());
    merge(&mut value, &Value::Object(patch.clone()));
    let settings: Settings = serde_json::from_value(value).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    *emulator.settings_mut() = settings;
    Ok(json!(emulator.settings()))
}

/// RFC 7396, but `null` stays: it is the value of optional switches.
fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

fn push_faults(emulator: &mut Emulator, call: &Call) -> Outcome {
    let body = json_body(call)?;
    let list = if body.is_array() { body } else { json!([body]) };
    let faults: Vec<Fault> = serde_json::from_value(list).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    for fault in faults {
        emulator.faults_mut().push(fault);
    }
    Ok(json!(emulator.faults().pending()))
}

fn json_body(call: &Call) -> Outcome {
    serde_json::from_slice(&call.body).map_err(|error| Refusal::BadRequest(error.to_string()))
}

/// The body as an object; no body is an empty one.
fn object(call: &Call) -> Result<Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    match json_body(call)? {
        Value::Object(map) => Ok(map),
        _ => Err(Refusal::BadRequest("the body must be an object".to_owned())),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| Refusal::BadRequest(format!("{name} must be a text")))
}

fn done(result: Result<(), ControlError>) -> Outcome {
    result?;
    Ok(json!({}))
}

/// Addresses may come with an encoded `@`.
fn decode(part: &str) -> String {
    let plus = part.replace('+', "%2B");
    url::form_urlencoded::parse(format!("p={plus}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}
