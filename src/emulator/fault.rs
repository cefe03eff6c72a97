//! Scripted trouble: which call it hits, how often, and what it does.
//!
//! Faults are tried in the order they were pushed; the first that matches a call and strikes is the one that happens.
//! A fault of limited times goes away when it is used up.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::failure::{Code, Failure};
use super::quota::{self, Metric};
use super::reply;
use super::world::Dice;

/// What happens to the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// This HTTP status; nothing is carried out. 502 comes as a page, the others in the envelope.
    Status(u16),
    /// 429 for the quota per minute and user; nothing is carried out.
    MinuteQuota,
    /// 429 of the storage behind the service, which may last for hours; nothing is carried out.
    StorageQuota,
    /// Any answer; nothing is carried out.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The media type.
        content_type: String,
        /// The body.
        body: String,
    },
    /// The connection is closed; nothing is carried out.
    Drop,
    /// The call is carried out, then the connection is closed.
    DropAfter,
    /// The call is carried out, then this status is sent.
    StatusAfter(u16),
    /// The first half of a batch is carried out, then a 500 is sent. A single call is carried out.
    HalfApplied,
    /// The call is carried out; the answer breaks off in its middle.
    Truncate,
    /// The answer is held back for so many milliseconds.
    Delay(u64),
    /// The connection is closed, and the call is carried out so many milliseconds later.
    ApplyLate(u64),
    /// One of these, drawn anew each time; nothing when there is none.
    OneOf(Vec<FaultKind>),
}

impl FaultKind {
    /// What really happens.
    fn drawn(&self, dice: &Dice) -> Option<FaultKind> {
        match self {
            FaultKind::OneOf(kinds) => kinds.get(dice.below(kinds.len()))?.drawn(dice),
            kind => Some(kind.clone()),
        }
    }
}

/// One scripted fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it hits, such as `people.batchCreateContacts` or `oauth.token`; `contactGroups.*` for a family, `*`
    /// for all. `people.connections.list:full` is the first page of a full listing only,
    /// `people.connections.list:delta` a listing with a sync token; `contactGroups.list` has the same two.
    #[serde(default = "any_method")]
    pub method: String,
    /// The account it hits; without one, all.
    #[serde(default)]
    pub account: Option<String>,
    /// How many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many it hits; `None` until it is removed.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How often it strikes a matching call, in a thousand.
    #[serde(default = "always")]
    pub permille: u16,
    /// What it does.
    pub kind: FaultKind,
}

#[expect(clippy::unnecessary_wraps, reason = "the default of an optional member")]
fn once() -> Option<u32> {
    Some(1)
}

fn always() -> u16 {
    1000
}

fn any_method() -> String {
    "*".to_owned()
}

impl Fault {
    /// A fault that hits the next call of `method` once.
    pub fn once(method: &str, kind: FaultKind) -> Self {
        Fault { method: method.to_owned(), account: None, skip: 0, times: Some(1), permille: 1000, kind }
    }

    fn matches(&self, names: &[&str], account: Option<&str>) -> bool {
        let is_method = |name: &&str| match self.method.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => **name == self.method,
        };
        names.iter().any(is_method) && self.account.as_deref().is_none_or(|wanted| account == Some(wanted))
    }
}

/// The script.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault behind those already there.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What is still to come.
    pub fn pending(&self) -> &[Fault] {
        &self.0
    }

    /// The trouble that a call runs into, if any; `names` are the names its method goes by.
    pub fn draw(&mut self, names: &[&str], account: Option<&str>, dice: &Dice) -> Option<FaultKind> {
        for index in 0..self.0.len() {
            let fault = &mut self.0[index];
            if !fault.matches(names, account) || !dice.strikes(fault.permille) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            let kind = fault.kind.drawn(dice);
            match &mut fault.times {
                Some(0 | 1) => {
                    self.0.remove(index);
                }
                Some(times) => *times -= 1,
                None => {}
            }
            return kind;
        }
        None
    }
}

/// The answer with a bare HTTP status.
pub fn status(status: u16, call: &Call) -> Response<Bytes> {
    let (code, text) = match status {
        400 => (Code::InvalidArgument, "Request contains an invalid argument."),
        401 => (Code::Unauthenticated, "Request had invalid authentication credentials."),
        403 => (Code::PermissionDenied, "The caller does not have permission."),
        404 => (Code::NotFound, "Requested entity was not found."),
        409 => (Code::Aborted, "The operation was aborted."),
        429 => return minute_quota(call),
        502 => {
            let text = "The server encountered a temporary error and could not complete your request.";
            return reply::html(502, "Error 502 (Server Error)!!1", text);
        }
        503 => (Code::Unavailable, "The service is currently unavailable."),
        504 => (Code::DeadlineExceeded, "Deadline expired before operation could complete."),
        _ => (Code::Internal, "Internal error encountered."),
    };
    reply::failure(&Failure::new(code, text).with_http(status), call)
}

/// The 429 of the quota per minute and user.
pub fn minute_quota(call: &Call) -> Response<Bytes> {
    reply::failure(&quota::exceeded(Metric::CriticalReads, 90), call)
}

/// The 429 of the storage behind the service.
pub fn storage_quota(call: &Call) -> Response<Bytes> {
    reply::failure(&quota::exceeded(Metric::Storage, 0), call)
}
