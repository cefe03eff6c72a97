//! What no careful client does although the service answers it: violations, besides the overlap of mutations.
//!
//! - A create is sent again while the first one may have happened: its answer was lost, and nobody has waited and looked.
//! - Full listings follow each other too soon, without a dead token, a failed call or a person who asked for one; or
//!   there are many of them, whatever the reason.
//! - An answer is asked for that cannot be used: a listing with sync tokens without `metadata` tells no deletions, a
//!   batch of creates without a mask no names.
//! - Where the settings insist on it, answers are not taken packed.
//!
//! Masks of updates are judged where the update is carried out, in `google`. A test that runs strictly fails when
//! anything was noted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::call::Call;
use super::fault::FaultKind;
use super::google::Route;
use super::settings::{GzipAgents, Settings};
use crate::domain::time::Timestamp;

/// How long a lost create may still turn up.
const DOUBT: Duration = Duration::from_secs(600);
/// After how long nobody waits for an answer any more.
const PATIENCE_MS: u64 = 30_000;
/// How many full listings there may be in the time that is to lie between two, whatever the reason.
const PULLS_MAX: usize = 6;
/// How long lost creates, and listings, are remembered.
const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// What does not say who a person is: data of clients differs from try to try, and the rest belongs to the service.
const NOT_CONTENT: [&str; 5] = ["clientData", "etag", "memberships", "metadata", "resourceName"];

/// What the client knows of a call after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// What the service answered.
    Answer,
    /// That nothing was done.
    Refusal,
    /// Nothing: it may have happened.
    Nothing,
}

/// What the client hears under a fault.
pub fn heard(fault: &FaultKind) -> Heard {
    match fault {
        FaultKind::Status(400..=499) | FaultKind::MinuteQuota | FaultKind::StorageQuota => Heard::Refusal,
        FaultKind::Answer { status: 400..=499, .. } => Heard::Refusal,
        FaultKind::Delay(ms) if *ms < PATIENCE_MS => Heard::Answer,
        FaultKind::Status(_)
        | FaultKind::Answer { .. }
        | FaultKind::Delay(_)
        | FaultKind::Drop
        | FaultKind::DropAfter
        | FaultKind::StatusAfter(_)
        | FaultKind::HalfApplied
        | FaultKind::Truncate
        | FaultKind::ApplyLate(_)
        | FaultKind::OneOf(_) => Heard::Nothing,
    }
}

/// A person who may have been created.
#[derive(Debug)]
struct Doubtful {
    content: String,
    since: Timestamp,
    /// Whether a listing was read to its end since.
    has_looked: bool,
}

#[derive(Debug, Default)]
struct Conduct {
    /// When first pages of full listings were delivered lately.
    pulls: Vec<Timestamp>,
    /// Whether another one is in order: a token is dead, a call failed, or somebody asked.
    may_pull: bool,
    doubtful: Vec<Doubtful>,
}

/// What is remembered of a call until its outcome is known.
#[derive(Debug)]
pub struct Note {
    account: String,
    kind: NoteKind,
}

#[derive(Debug)]
enum NoteKind {
    Creates(Vec<String>),
    FirstPage,
    /// A listing that goes on from a page or sync token.
    Continuation,
    Other,
}

/// The conduct of the clients, per account.
#[derive(Debug, Default)]
pub struct Manners(BTreeMap<String, Conduct>);

impl Manners {
    /// The next full listing of the account is in order, however soon.
    pub fn expect_full_pull(&mut self, account: &str) {
        self.0.entry(account.to_owned()).or_default().may_pull = true;
    }

    /// What is wrong with making this call now.
    pub fn judge(
        &mut self,
        account: &str,
        route: &Route,
        call: &Call,
        now: Timestamp,
        settings: &Settings,
    ) -> Vec<String> {
        let conduct = self.0.entry(account.to_owned()).or_default();
        let mut complaints = Vec::new();
        if route.is_full_pull(call) {
            complaints.extend(conduct.pull_too_soon(now, Duration::from_secs(settings.full_pulls_apart_s)));
        }
        let people = created(route, call);
        complaints.extend(people.iter().filter_map(|content| conduct.blind_retry(content, now)));
        complaints.extend(useless_answer(route, call));
        if settings.gzip_agents == GzipAgents::Named && !call.takes_gzip {
            complaints.push("takes no packed answers: Accept-Encoding or User-Agent lacks gzip".to_owned());
        }
        complaints
    }

    /// What to remember of the call.
    pub fn note(&self, account: &str, route: &Route, call: &Call) -> Note {
        let has = |name: &str| call.parameter(name).is_some_and(|text| !text.is_empty());
        let kind = match route {
            Route::Create | Route::BatchCreate => NoteKind::Creates(created(route, call)),
            Route::Connections if has("pageToken") || has("syncToken") => NoteKind::Continuation,
            Route::Connections if route.is_full_pull(call) => NoteKind::FirstPage,
            _ => NoteKind::Other,
        };
        Note { account: account.to_owned(), kind }
    }

    /// What became of the call.
    pub fn learn(&mut self, note: Note, status: u16, heard: Heard, now: Timestamp) {
        let conduct = self.0.entry(note.account).or_default();
        match (note.kind, heard) {
            (NoteKind::Creates(people), Heard::Nothing) => {
                conduct.doubtful.retain(|doubtful| now.since(doubtful.since) < MEMORY);
                let doubtful = people.into_iter().map(|content| Doubtful { content, since: now, has_looked: false });
                conduct.doubtful.extend(doubtful);
            }
            (NoteKind::FirstPage, Heard::Answer) if status == 200 => {
                conduct.pulls.retain(|pull| now.since(*pull) < MEMORY);
                conduct.pulls.push(now);
                conduct.may_pull = false;
                conduct.looked();
            }
            (NoteKind::Continuation, Heard::Answer) if status == 200 => conduct.looked(),
            // The token is worth nothing any more: the client has to begin anew.
            (NoteKind::Continuation, Heard::Answer | Heard::Refusal) if matches!(status, 400 | 404 | 410) => {
                conduct.may_pull = true;
            }
            _ => {}
        }
        // A run that meets trouble cannot keep what it has listed.
        conduct.may_pull |= heard != Heard::Answer || status == 429 || status >= 500;
    }
}

impl Conduct {
    fn pull_too_soon(&self, now: Timestamp, apart: Duration) -> Option<String> {
        let since = now.since(*self.pulls.last()?);
        if !self.may_pull && since < apart {
            return Some(format!("a full listing {} s after the last one, and nobody asked for it", since.as_secs()));
        }
        let count = self.pulls.iter().filter(|pull| now.since(**pull) < apart).count();
        (count >= PULLS_MAX).then(|| format!("a full listing after {count} others in {} s", apart.as_secs()))
    }

    fn blind_retry(&mut self, content: &str, now: Timestamp) -> Option<String> {
        let place = self.doubtful.iter().position(|doubtful| doubtful.content == content)?;
        let doubtful = self.doubtful.swap_remove(place);
        let waited = now.since(doubtful.since);
        (waited < DOUBT || !doubtful.has_looked).then(|| {
            let looked = if doubtful.has_looked { "after" } else { "without" };
            format!("a create again {} s after its answer was lost, {looked} a listing", waited.as_secs())
        })
    }

    fn looked(&mut self) {
        self.doubtful.iter_mut().for_each(|doubtful| doubtful.has_looked = true);
    }
}

/// The contents of the people that a call creates.
fn created(route: &Route, call: &Call) -> Vec<String> {
    let people: Vec<Value> = match route {
        Route::Create => serde_json::from_slice(&call.body).into_iter().collect(),
        Route::BatchCreate => {
            let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            let contacts = body.get("contacts").and_then(Value::as_array);
            contacts.into_iter().flatten().filter_map(|contact| contact.get("contactPerson").cloned()).collect()
        }
        _ => Vec::new(),
    };
    people.into_iter().filter_map(content).collect()
}

fn content(person: Value) -> Option<String> {
    let Value::Object(mut members) = person else { return None };
    members.retain(|name, _| !NOT_CONTENT.contains(&name.as_str()));
    Some(Value::Object(members).to_string())
}

/// An answer that the client cannot use.
fn useless_answer(route: &Route, call: &Call) -> Option<String> {
    let names = |text: Option<&str>, field: &str| text.is_some_and(|text| text.split(',').any(|path| path == field));
    let wants_token = call.parameter("requestSyncToken") == Some("true");
    match route {
        Route::Connections if wants_token && !names(call.parameter("personFields"), "metadata") => {
            Some("a listing with sync tokens without metadata tells no deletions".to_owned())
        }
        Route::BatchCreate => {
            let body: Map<String, Value> = serde_json::from_slice(&call.body).unwrap_or_default();
            let mask = body.get("readMask").and_then(Value::as_str).unwrap_or_default();
            mask.is_empty().then(|| "creates without a read mask: their names are never told".to_owned())
        }
        _ => None,
    }
}
