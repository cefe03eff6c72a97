//! The vendors' services as programs of our own: Google's People API with its authorization server.
//!
//! [`Emulator`] is a pure state machine: a request and the time go in, a reply comes out. It has no clock, no sockets
//! and no threads; everything random follows from the seed. [`server`] puts it behind a real address; the simulator
//! and most tests call [`Emulator::handle`] in their own process.
//!
//! A request passes these stations: `call` takes it apart; [`fault`] may strike; [`oauth`] says who is calling and
//! [`quota`] whether it may still; `strict` checks the body against `schema`; a method in `google` works on one
//! `account`, where a change gets its place in the `history` of its object and in the log of `changes`; `person` and
//! `group` write the answer; [`counters`] note what happened. [`User`] and the `/control/` addresses do what the user
//! would do in the web UI.
//!
//! It is written from the vendor's documents and from reports of other clients, and shares no type with our own client:
//! one misreading must not hide in both. Where the documents are silent it refuses, in strict mode, what a careful
//! client does not send; [`settings`] holds a switch for what is known to vary.

mod account;
mod admission;
mod blob;
mod call;
mod changes;
mod contact;
mod control;
pub mod counters;
mod etag;
mod failure;
pub mod fault;
mod google;
mod group;
mod history;
mod listing;
mod mask;
pub mod oauth;
mod partial;
mod person;
mod picture;
pub mod quota;
pub mod reply;
mod schema;
pub mod server;
pub mod settings;
mod shape;
mod strict;
mod tokens;
mod user;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};

use account::Account;
use call::Call;
use counters::{Counted, Counters, Units};
use failure::Failure;
use fault::{FaultKind, Faults};
use google::{Answer, Route};
use oauth::{Client, Endpoint, Grants, Standing};
use quota::Quotas;
use reply::{Outcome, Reply};
use settings::Settings;
use world::{Dice, Extent, World};

pub use account::MemberFate;
pub use user::{ControlError, FormerName, MergeTrace, ReturnName, User};

use crate::domain::time::Timestamp;

/// Where the real service serves photos.
const PHOTO_HOST: &str = "https://lh3.googleusercontent.com";

/// What an emulator starts with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything random follows from it.
    pub seed: u64,
    /// The addresses of the accounts.
    pub accounts: Vec<String>,
    /// The id of the OAuth client.
    pub client_id: String,
    /// The secret of the OAuth client.
    pub client_secret: String,
    /// The switches.
    pub settings: Settings,
}

impl Config {
    /// Accounts with these addresses, strict, without delays.
    pub fn new(seed: u64, accounts: &[&str]) -> Self {
        Config {
            seed,
            accounts: accounts.iter().map(|email| (*email).to_owned()).collect(),
            client_id: "sandbox.apps.example".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            settings: Settings::default(),
        }
    }
}

/// A mutation on its way, from [`Emulator::begin`] to [`Emulator::end`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

#[derive(Debug)]
struct LateRequest {
    due: Timestamp,
    call: Call,
}

/// The emulator.
#[derive(Debug)]
pub struct Emulator {
    config: Config,
    settings: Settings,
    dice: Dice,
    offset: Duration,
    now: Timestamp,
    accounts: BTreeMap<String, Account>,
    grants: Grants,
    faults: Faults,
    counters: Counters,
    quotas: Quotas,
    late: Vec<LateRequest>,
    in_flight: BTreeMap<Ticket, (String, &'static str)>,
    tickets: u64,
    photo_host: String,
}

enum Target {
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

    fn units(&self) -> Units {
        match self {
            Target::OAuth(_) | Target::Photo => Units::default(),
            Target::Api(route) => route.units(),
        }
    }
}

/// A call carried out.
struct Done {
    response: Response<Bytes>,
    items: usize,
    account: Option<String>,
    refusal: Option<String>,
}

impl Emulator {
    /// An emulator with empty accounts, each of which has granted access once.
    pub fn new(config: Config) -> Self {
        let dice = Dice::new(config.seed);
        let client = Client { id: config.client_id.clone(), secret: config.client_secret.clone() };
        let mut grants = Grants::new(client);
        let mut accounts = BTreeMap::new();
        for email in &config.accounts {
            let email = email.to_lowercase();
            let number = 100_000_000_000_000_000 + dice.bits() % 900_000_000_000_000_000;
            grants.grant(&email, &dice);
            accounts.insert(email.clone(), Account::new(&email, number, Timestamp::EPOCH));
        }
        Emulator {
            settings: config.settings.clone(),
            config,
            dice,
            offset: Duration::ZERO,
            now: Timestamp::EPOCH,
            accounts,
            grants,
            faults: Faults::default(),
            counters: Counters::default(),
            quotas: Quotas::default(),
            late: Vec::new(),
            in_flight: BTreeMap::new(),
            tickets: 0,
            photo_host: PHOTO_HOST.to_owned(),
        }
    }

    /// Forgets everything but the configuration and the time; refresh tokens are those of the beginning again.
    pub fn reset(&mut self) {
        let fresh = Emulator::new(self.config.clone());
        let (offset, now) = (self.offset, self.now);
        let photo_host = std::mem::take(&mut self.photo_host);
        *self = fresh;
        (self.offset, self.now, self.photo_host) = (offset, now, photo_host);
    }

    /// Answers `request`, which arrives at `now`. Time never runs backwards: an earlier `now` counts as the last one.
    pub fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Reply {
        self.tick(now);
        let reply = self.reply(Call::read(request));
        reply.dated(self.now)
    }

    fn reply(&mut self, call: Call) -> Reply {
        if call.path.starts_with("/control/") {
            return Reply::answer(control::answer(self, &call));
        }
        let target = match oauth::endpoint(&call.verb, &call.path) {
            Some(endpoint) => Target::OAuth(endpoint),
            None if call.verb == Method::GET && google::named_photo(&call.path).is_some() => Target::Photo,
            None => match google::route(&call.verb, &call.path) {
                Some(route) => Target::Api(route),
                None => {
                    self.counters.refusal(format!("- {} {}: nobody serves this", call.verb, call.path));
                    return Reply::answer(reply::nowhere(&call.path));
                }
            },
        };
        self.serve(&target, call)
    }

    /// Announces that `request` has begun to arrive; [`Emulator::end`] takes the ticket when its answer has left. Two
    /// mutations of one user under way at a time are a violation, since the service wants them one after another.
    /// Callers without simulated latency need not announce anything.
    pub fn begin(&mut self, request: &Request<Bytes>) -> Option<Ticket> {
        let call = Call::read(request);
        let route = google::route(&call.verb, &call.path).filter(Route::is_write)?;
        let account = self.caller(&call)?;
        let overlapped = self.in_flight.values().find(|(other, _)| *other == account).map(|(_, method)| *method);
        if let Some(other) = overlapped {
            self.counters.violation(format!("{account}: {} while {other} was under way", route.name()));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.in_flight.insert(ticket, (account, route.name()));
        Some(ticket)
    }

    /// Takes a ticket back.
    pub fn end(&mut self, ticket: Ticket) {
        self.in_flight.remove(&ticket);
    }

    /// From now on, addresses of new photos begin with `host`, a URL without a slash at its end.
    pub fn serve_photos_at(&mut self, host: String) {
        self.photo_host = host;
    }

    /// The time of the emulator: the latest it was told, with the offset.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves the emulator's clock ahead of the one it is told by `span` more.
    pub fn advance(&mut self, span: Duration) {
        self.offset = self.offset.saturating_add(span);
        self.now = self.now.plus(span);
    }

    /// The switches.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The switches, to be changed.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The scripted faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The scripted faults, to be changed.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// What was asked so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Begins counting anew.
    pub fn reset_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// The id and secret of the OAuth client.
    pub fn client(&self) -> &Client {
        self.grants.client()
    }

    /// The addresses of the accounts, in order.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// A refresh token of the account that works; `None` after a revocation.
    pub fn refresh_token(&self, email: &str) -> Option<&str> {
        self.grants.refresh_token(&email.to_lowercase())
    }

    /// Registers a service account.
    ///
    /// # Errors
    /// One sentence about a key that is none.
    pub fn register_service_account(&mut self, account: oauth::ServiceAccount) -> Result<(), String> {
        self.grants.delegations_mut().register(account)
    }

    /// The hands of the user of `email`, at `now`.
    ///
    /// # Errors
    /// [`ControlError::UnknownAccount`].
    pub fn user(&mut self, email: &str, now: Timestamp) -> Result<User<'_>, ControlError> {
        self.tick(now);
        self.hands(email)
    }

    /// The hands of a user at the present time.
    fn hands(&mut self, email: &str) -> Result<User<'_>, ControlError> {
        let email = email.to_lowercase();
        let Some(account) = self.accounts.get_mut(&email) else {
            return Err(ControlError::UnknownAccount { email });
        };
        let world = World {
            now: self.now,
            settings: &self.settings,
            dice: &self.dice,
            extent: Extent::Whole,
            photo_host: &self.photo_host,
        };
        Ok(User::new(account, &mut self.grants, world))
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = self.now.max(now.plus(self.offset));
        let mut due: Vec<LateRequest> = self.late.extract_if(.., |late| late.due <= self.now).collect();
        due.sort_by_key(|late| late.due);
        for late in due {
            if let Some(route) = google::route(&late.call.verb, &late.call.path) {
                self.carry_out(&Target::Api(route), &late.call, Extent::Whole);
            }
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        match self.grants.standing(call.bearer.as_deref()?, self.now) {
            Standing::Valid { account, .. } => Some(account),
            Standing::Expired | Standing::Unknown => None,
        }
    }

    fn serve(&mut self, target: &Target, call: Call) -> Reply {
        let received = call.body.len();
        let is_full_pull = matches!(target, Target::Api(route) if route.is_full_pull(&call));
        let account = self.caller(&call);
        let fault = self.faults.draw(&target.names(&call), account.as_deref(), &self.dice);
        let (mut reply, done) = self.suffer(fault, target, call);
        reply.after = reply.after.saturating_add(Duration::from_millis(self.settings.latency_ms));
        let (status, sent) = match &reply.outcome {
            Outcome::Answer(response) => (response.status().as_u16(), response.body().len()),
            Outcome::Truncated { response, sent } => (response.status().as_u16(), *sent),
            Outcome::Dropped => (0, 0),
        };
        let account = account.or_else(|| done.as_ref().and_then(|done| done.account.clone()));
        self.counters.count(&Counted {
            account: account.as_deref(),
            method: target.name(),
            items: done.as_ref().map_or(0, |done| done.items),
            is_full_pull,
            units: target.units(),
            received,
            sent,
            status,
        });
        if let Some(refusal) = done.and_then(|done| done.refusal) {
            let text = format!("{} {}: {refusal}", account.as_deref().unwrap_or("-"), target.name());
            self.counters.refusal(text);
        }
        reply
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
            FaultKind::Delay(ms) => {
                let done = self.carry_out(target, &call, Extent::Whole);
                let outcome = Outcome::Answer(done.response.clone());
                (Reply { after: Duration::from_millis(ms), outcome }, Some(done))
            }
        }
    }

    fn carry_out(&mut self, target: &Target, call: &Call, extent: Extent) -> Done {
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
        let (account, result) = match admission::admit(route, call, &self.grants, &world) {
            Err(failure) => (None, Err(failure)),
            Ok(caller) => {
                let pulls = u64::from(route.is_full_pull(call));
                let charged =
                    self.quotas.charge(&caller.account, route.units(), pulls, &self.settings.quotas, self.now);
                let answer = charged.and_then(|()| match self.accounts.get_mut(&caller.account) {
                    Some(account) => google::answer(route, account, call, &caller, &world),
                    None => Err(Failure::not_found()),
                });
                (Some(caller.account), answer)
            }
        };
        Done::answered(account, result, call)
    }

    /// Answers with a photo, to whoever knows its address. A token has no business at that host.
    fn download(&mut self, call: &Call) -> Done {
        if call.bearer.is_some() {
            self.counters.violation("a token was sent to the host of photos".to_owned());
        }
        let found = google::named_photo(&call.path).and_then(|(name, size)| {
            let photo = self.accounts.values().find_map(|account| account.photos.get(name))?;
            Some(picture::served(photo, size))
        });
        match found {
            Some(bytes) => Done::photo(reply::with_body(200, "image/jpeg", bytes)),
            None => Done {
                refusal: Some("there is no photo of this address".to_owned()),
                ..Done::photo(reply::nowhere(&call.path))
            },
        }
    }
}

impl Done {
    fn photo(response: Response<Bytes>) -> Self {
        Done { response, items: 1, account: None, refusal: None }
    }

    fn granted(granted: oauth::Granted) -> Self {
        let status = granted.response.status();
        let refusal = (status.is_client_error() || status.is_server_error())
            .then(|| String::from_utf8_lossy(granted.response.body()).into_owned());
        Done { response: granted.response, items: 0, account: granted.account, refusal }
    }

    fn answered(account: Option<String>, result: Result<Answer, Failure>, call: &Call) -> Self {
        match result {
            Ok(answer) => {
                Done { response: reply::json(200, &answer.body, call), items: answer.items, account, refusal: None }
            }
            Err(failure) => Done {
                response: reply::failure(&failure, call),
                items: 0,
                account,
                refusal: Some(failure.explanation()),
            },
        }
    }
}
