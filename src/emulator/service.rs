//! How one call is served: the fault it may meet, the door, the quota, the method, the counters, and what a careful
//! client would not have done.

use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::account::Account;
use super::admission;
use super::call::Call;
use super::counters::{Counted, Units};
use super::failure::Failure;
use super::fault::{self, FaultKind};
use super::google::{self, Answer, Route};
use super::manners::{self, Heard};
use super::oauth::{self, Endpoint};
use super::picture;
use super::reply::{self, Outcome, Reply};
use super::world::{Extent, World};
use super::{Emulator, LateRequest};

/// Whether a mutation arrived while another one of the same user was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// It had the way to itself, or nobody announced it.
    Alone,
    /// It did.
    Overlapping,
}

/// What a call is for.
pub(super) enum Target {
    OAuth(Endpoint),
    Api(Route),
    /// The host of photos, which wants no credentials.
    Photo,
}

impl Target {
    fn name(&self) -> &'static str {
        match self {
            Target::OAuth(endpoint) => endpoint.name(),
            Target::Api(route) => route.name(),
            Target::Photo => "photos.download",
        }
    }

    /// Its name, and for listings also whether they are full or not.
    fn names(&self, call: &Call) -> Vec<&'static str> {
        let variant = match self {
            Target::Api(route) => route.variant(call),
            Target::OAuth(_) | Target::Photo => None,
        };
        std::iter::once(self.name()).chain(variant).collect()
    }

    fn route(&self) -> Option<&Route> {
        match self {
            Target::OAuth(_) | Target::Photo => None,
            Target::Api(route) => Some(route),
        }
    }
}

/// A call carried out.
#[derive(Default)]
pub(super) struct Done {
    response: Response<Bytes>,
    items: usize,
    account: Option<String>,
    refusal: Option<String>,
    /// What it took from the quotas; nothing when it was not let in.
    units: Units,
    /// What a careful client would have done otherwise.
    complaints: Vec<String>,
}

impl Emulator {
    pub(super) fn serve(&mut self, target: &Target, call: Call, traffic: Traffic) -> Reply {
        let received = call.body.len();
        let is_full_pull = target.route().is_some_and(|route| route.is_full_pull(&call));
        let account = self.caller(&call);
        let fault = self.faults.draw(&target.names(&call), account.as_deref(), &self.dice);
        let fault = self.collide(traffic).or(fault);
        let heard = fault.as_ref().map_or(Heard::Answer, manners::heard);
        let known = account.as_deref().zip(target.route());
        let mut complaints = match known {
            Some((account, route)) => self.manners.judge(account, route, &call, self.now, &self.settings),
            None => Vec::new(),
        };
        let note = known.map(|(account, route)| self.manners.note(account, route, &call));
        let (mut reply, done) = self.suffer(fault, target, call);
        reply.after = reply.after.saturating_add(self.held_back(traffic));
        let (status, sent) = match &reply.outcome {
            Outcome::Answer(response) => (response.status().as_u16(), response.body().len()),
            Outcome::Truncated { response, sent } => (response.status().as_u16(), *sent),
            Outcome::Dropped => (0, 0),
        };
        if let Some(note) = note {
            self.manners.learn(note, status, heard, self.now);
        }
        let account = account.or_else(|| done.as_ref().and_then(|done| done.account.clone()));
        let done = done.unwrap_or_default();
        self.counters.count(&Counted {
            account: account.as_deref(),
            method: target.name(),
            items: done.items,
            is_full_pull,
            units: done.units,
            received,
            sent,
            status,
        });
        let whose = account.as_deref().unwrap_or("-");
        complaints.extend(done.complaints);
        for complaint in complaints {
            self.counters.violation(format!("{whose} {}: {complaint}", target.name()));
        }
        if let Some(refusal) = done.refusal {
            self.counters.refusal(format!("{whose} {}: {refusal}", target.name()));
        }
        reply
    }

    /// What contention makes of a mutation that overlaps with another one.
    fn collide(&self, traffic: Traffic) -> Option<FaultKind> {
        let permille = self.settings.overlaps.aborted_permille;
        (traffic == Traffic::Overlapping && self.dice.strikes(permille)).then_some(FaultKind::Status(409))
    }

    fn held_back(&self, traffic: Traffic) -> Duration {
        let more = match traffic {
            Traffic::Alone => 0,
            Traffic::Overlapping => self.settings.overlaps.delay_ms,
        };
        Duration::from_millis(self.settings.latency_ms.saturating_add(more))
    }

    /// Carries out a call under a fault, or without one.
    fn suffer(&mut self, fault: Option<FaultKind>, target: &Target, call: Call) -> (Reply, Option<Done>) {
        let Some(fault) = fault else {
            let done = self.carry_out(target, &call, Extent::Whole);
            return (Reply::answer(done.response.clone()), Some(done));
        };
        let refuse = |response| (Reply::answer(response), None);
        match fault {
            FaultKind::Status(status) => refuse(fault::status(status, &call)),
            FaultKind::MinuteQuota => refuse(fault::minute_quota(&call)),
            FaultKind::StorageQuota => refuse(fault::storage_quota(&call)),
            FaultKind::Answer { status, content_type, body } => refuse(reply::with_body(status, &content_type, body)),
            FaultKind::Drop => (Reply::dropped(), None),
            FaultKind::ApplyLate(ms) => {
                let due = self.now.plus(Duration::from_millis(ms));
                self.late.push(LateRequest { due, call });
                (Reply::dropped(), None)
            }
            FaultKind::DropAfter => (Reply::dropped(), Some(self.carry_out(target, &call, Extent::Whole))),
            FaultKind::StatusAfter(status) => {
                let done = self.carry_out(target, &call, Extent::Whole);
                (Reply::answer(fault::status(status, &call)), Some(done))
            }
            FaultKind::HalfApplied => {
                let done = self.carry_out(target, &call, Extent::Half);
                (Reply::answer(fault::status(500, &call)), Some(done))
            }
            FaultKind::Truncate => {
                let done = self.carry_out(target, &call, Extent::Whole);
                let (response, sent) = (done.response.clone(), done.response.body().len() / 2);
                (Reply { after: Duration::ZERO, outcome: Outcome::Truncated { response, sent } }, Some(done))
            }
            // The dice have been thrown by then.
            FaultKind::OneOf(_) => refuse(fault::status(500, &call)),
            FaultKind::Delay(ms) => {
                let done = self.carry_out(target, &call, Extent::Whole);
                let outcome = Outcome::Answer(done.response.clone());
                (Reply { after: Duration::from_millis(ms), outcome }, Some(done))
            }
        }
    }

    pub(super) fn carry_out(&mut self, target: &Target, call: &Call, extent: Extent) -> Done {
        let photo_host = &self.photo_host;
        let world = World { now: self.now, settings: &self.settings, dice: &self.dice, extent, photo_host };
        let route = match target {
            Target::Api(route) => route,
            Target::Photo => return self.download(call),
            Target::OAuth(endpoint) => {
                let accounts: Vec<&Account> = self.accounts.values().collect();
                let granted = match endpoint {
                    Endpoint::Authorize => oauth::authorize(&mut self.grants, &accounts, call, &world),
                    Endpoint::Token => oauth::token(&mut self.grants, &accounts, call, &world),
                    Endpoint::Revoke => oauth::revoke(&mut self.grants, call),
                };
                return Done::granted(granted);
            }
        };
        let caller = match admission::admit(route, call, &self.grants, &world) {
            Err(failure) => return Done::answered(None, Units::default(), Err(failure), call),
            Ok(caller) => caller,
        };
        let pulls = u64::from(route.is_full_pull(call));
        let charged = self.quotas.charge(&caller.account, route.units(), pulls, &self.settings.quotas, self.now);
        let units = if charged.is_ok() { route.units() } else { Units::default() };
        let answer = charged.and_then(|()| match self.accounts.get_mut(&caller.account) {
            Some(account) => google::answer(route, account, call, &caller, &world),
            None => Err(Failure::not_found()),
        });
        Done::answered(Some(caller.account), units, answer, call)
    }

    /// Answers with a photo, to whoever knows its address. A token has no business at that host.
    fn download(&self, call: &Call) -> Done {
        let complaint = call.bearer.is_some().then(|| "a token was sent to the host of photos".to_owned());
        let complaints = complaint.into_iter().collect();
        let found = google::named_photo(&call.path).and_then(|(name, size)| {
            let photo = self.accounts.values().find_map(|account| account.photos.get(name))?;
            Some(picture::served(photo, size))
        });
        match found {
            Some(bytes) => {
                let response = reply::with_body(200, "image/jpeg", bytes);
                Done { response, items: 1, complaints, ..Done::default() }
            }
            None => Done {
                response: reply::nowhere(&call.path),
                refusal: Some("there is no photo of this address".to_owned()),
                complaints,
                ..Done::default()
            },
        }
    }
}

impl Done {
    fn granted(granted: oauth::Granted) -> Self {
        let status = granted.response.status();
        let refusal = (status.is_client_error() || status.is_server_error())
            .then(|| String::from_utf8_lossy(granted.response.body()).into_owned());
        Done { response: granted.response, account: granted.account, refusal, ..Done::default() }
    }

    fn answered(account: Option<String>, units: Units, result: Result<Answer, Failure>, call: &Call) -> Self {
        match result {
            Ok(answer) => Done {
                response: reply::json(200, &answer.body, call),
                items: answer.items,
                account,
                refusal: None,
                units,
                complaints: answer.complaints,
            },
            Err(failure) => Done {
                response: reply::failure(&failure, call),
                account,
                refusal: Some(failure.explanation()),
                units,
                ..Done::default()
            },
        }
    }
}
