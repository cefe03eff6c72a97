//! The vendors' services as programs of our own: Google's People API with its authorization server.
//!
//! [`Emulator`] is a pure state machine: a request and the time go in, a reply comes out. It has no clock, no sockets
//! and no threads; everything random follows from the seed. [`server`] puts it behind a real address; the simulator
//! and most tests call [`Emulator::handle`] in their own process.
//!
//! A request passes these stations: `call` takes it apart; [`fault`] may strike; [`oauth`] says who is calling and
//! [`quota`] whether it may still; `strict` checks the body against `schema`; a method in `google` works on one
//! `account`, where a change gets its place in the `history` of its object and in the log of `changes`; `person` and
//! `group` write the answer; [`counters`] note what happened, and `manners` what a careful client would not have done. [`User`] and the `/control/` addresses do what the user
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
mod manners;
mod mask;
pub mod oauth;
mod partial;
mod person;
mod picture;
pub mod quota;
pub mod reply;
mod schema;
pub mod server;
mod service;
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
use http::{Method, Request};

use account::Account;
use call::Call;
use counters::Counters;
use fault::Faults;
use google::Route;
use manners::Manners;
use oauth::{Client, Grants, Standing};
use quota::Quotas;
use reply::Reply;
use service::{Target, Traffic};
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
struct Flight {
    account: String,
    method: &'static str,
    traffic: Traffic,
}

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
    manners: Manners,
    late: Vec<LateRequest>,
    in_flight: BTreeMap<Ticket, Flight>,
    tickets: u64,
    photo_host: String,
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
            manners: Manners::default(),
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
        self.handle_announced(request, None, now)
    }

    /// Answers `request`, which [`Emulator::begin`] gave this ticket.
    pub fn handle_announced(&mut self, request: &Request<Bytes>, ticket: Option<Ticket>, now: Timestamp) -> Reply {
        self.tick(now);
        let traffic = ticket.and_then(|ticket| self.in_flight.get(&ticket)).map_or(Traffic::Alone, |own| own.traffic);
        let call = Call::read(request);
        let packs = self.settings.gzip_agents == settings::GzipAgents::Any || call.takes_gzip;
        let reply = self.reply(call, traffic).dated(self.now);
        if packs { reply } else { reply.unpacked() }
    }

    fn reply(&mut self, call: Call, traffic: Traffic) -> Reply {
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
        self.serve(&target, call, traffic)
    }

    /// Announces that `request` has begun to arrive; [`Emulator::end`] takes the ticket when its answer has left. Two
    /// mutations of one user under way at a time are a violation, since the service wants them one after another.
    /// What else comes of it the settings say.
    pub fn begin(&mut self, request: &Request<Bytes>) -> Option<Ticket> {
        let call = Call::read(request);
        let route = google::route(&call.verb, &call.path).filter(Route::is_write)?;
        let account = self.caller(&call)?;
        let method = route.name();
        let other = self.in_flight.values().find(|other| other.account == account).map(|other| other.method);
        if let Some(other) = other {
            self.counters.violation(format!("{account} {method}: sent while {other} was under way"));
        }
        let traffic = if other.is_some() { Traffic::Overlapping } else { Traffic::Alone };
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.in_flight.insert(ticket, Flight { account, method, traffic });
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

    /// A person has asked for a full listing of this account: the next one is no violation, however soon it comes.
    pub fn expect_full_pull(&mut self, email: &str) {
        self.manners.expect_full_pull(&email.to_lowercase());
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
}
