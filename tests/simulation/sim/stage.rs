//! Where a scenario plays: one store, one emulated Google with the accounts on it, a clock that is moved by hand, and the
//! process that synchronizes, which can die and start again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contactsync::clock::{Clock, ManualClock, SeededEntropy};
use contactsync::domain::id::{AccountName, RunId};
use contactsync::domain::pair::Promise;
use contactsync::domain::time::Timestamp;
use contactsync::emulator::settings::Settings;
use contactsync::emulator::{Config, Emulator, User};
use contactsync::engine::{self, Deps, LEASE_TTL, Licence, Order, Purpose, Reach, Report, Silent, StopFlag};
use contactsync::remotes::google::{Google, GoogleOptions, Mapping};
use contactsync::remotes::http::Transport;
use contactsync::remotes::oauth::{GrantError, GrantStore, OauthClient, RefreshSource};
use contactsync::remotes::token_cache::TokenCache;
use contactsync::store::{LeaseAnswer, LeaseRequest, Store};
use oauth2::TokenUrl;
use secrecy::SecretString;
use serde_json::Value;

use super::gated::{Gate, GatedStore, GatedTransport};
use super::in_process::InProcess;
use super::setting;

/// The clock of our machine: that of the world, or off by some time.
#[derive(Debug)]
pub struct SkewedClock {
    world: Arc<ManualClock>,
    ahead_micros: Mutex<i64>,
}

impl SkewedClock {
    /// Somebody sets the clock.
    pub fn set_ahead(&self, micros: i64) {
        *self.ahead_micros.lock().unwrap_or_else(PoisonError::into_inner) = micros;
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let ahead = *self.ahead_micros.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::from_micros(self.world.now().as_micros().saturating_add(ahead))
    }

    async fn sleep(&self, span: Duration) {
        self.world.advance(span);
    }
}

struct Kept(SecretString);

#[async_trait]
impl GrantStore for Kept {
    async fn load(&self) -> Result<Option<SecretString>, GrantError> {
        Ok(Some(self.0.clone()))
    }

    async fn save(&self, _: &SecretString) -> Result<(), GrantError> {
        Ok(())
    }
}

/// What is wanted of a run.
#[derive(Debug, Clone)]
pub struct Errand {
    /// What of the remote to read.
    pub reach: Reach,
    /// What a person has let through beforehand.
    pub licence: Licence,
}

impl Errand {
    /// A run as the schedule orders it.
    pub fn scheduled(reach: Reach) -> Self {
        Errand { reach, licence: Licence::Guarded }
    }
}

/// See the module.
pub struct Stage {
    /// The time that is.
    pub world: Arc<ManualClock>,
    /// The time that our machine believes.
    pub clock: Arc<SkewedClock>,
    /// Ids and jitter.
    pub entropy: Arc<SeededEntropy>,
    /// The service.
    pub emulator: Arc<Mutex<Emulator>>,
    /// The store, as users see it.
    pub store: Arc<dyn Store>,
    /// The promises, by the place of the account.
    pub promises: Vec<Promise>,
    /// The run that began last.
    last_run: Mutex<Option<RunId>>,
}

/// One start of the process that synchronizes.
pub struct Process {
    name: String,
    store: Arc<dyn Store>,
    remotes: Vec<Google>,
}

impl Stage {
    /// A stage on a store.
    pub fn new(store: Arc<dyn Store>, promises: Vec<Promise>, service: &Settings) -> Self {
        let world = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_507_200_000_000)));
        let emails: Vec<&str> = (0..promises.len()).map(|place| setting::account(place).1).collect();
        let mut emulator = Emulator::new(Config::new(3, &emails));
        *emulator.settings_mut() = service.clone();
        Stage {
            clock: Arc::new(SkewedClock { world: Arc::clone(&world), ahead_micros: Mutex::new(0) }),
            world,
            entropy: Arc::new(SeededEntropy::new(11)),
            emulator: Arc::new(Mutex::new(emulator)),
            store,
            promises,
            last_run: Mutex::new(None),
        }
    }

    /// The run that began last.
    pub fn last_run(&self) -> Option<RunId> {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service.
    pub fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in the web UI of an account.
    pub fn by_hand<T>(&self, account: usize, act: impl FnOnce(&mut User<'_>) -> T) -> T {
        let now = self.tick();
        act(&mut self.emulator().user(setting::account(account).1, now).expect("the account"))
    }

    /// A live record of an account, as it is at this moment.
    pub fn person(&self, account: usize, name: &str) -> Option<Value> {
        let now = self.world.now();
        self.emulator().user(setting::account(account).1, now).ok()?.person(name).ok()
    }

    /// Time goes on a little, so that no two edits happen at once.
    pub fn tick(&self) -> Timestamp {
        self.world.advance(Duration::from_secs(1));
        self.world.now()
    }

    /// A process that sees store and service through a gate.
    pub fn start(&self, number: u32, gate: &Arc<dyn Gate>) -> Process {
        let store = Arc::new(GatedStore { inner: Arc::clone(&self.store), gate: Arc::clone(gate) });
        let remotes = self.promises.iter().enumerate().map(|(place, promise)| {
            let inner: Arc<dyn Transport> =
                Arc::new(InProcess { emulator: Arc::clone(&self.emulator), clock: self.world.clone() });
            let transport: Arc<dyn Transport> = Arc::new(GatedTransport { inner, gate: Arc::clone(gate) });
            self.client(&promise.account, setting::account(place).1, transport)
        });
        Process { name: format!("process-{number}"), store, remotes: remotes.collect() }
    }

    fn client(&self, account: &AccountName, email: &str, transport: Arc<dyn Transport>) -> Google {
        let (id, secret, token) = {
            let emulator = self.emulator();
            let client = emulator.client();
            let token = emulator.refresh_token(email).expect("a refresh token").to_owned();
            (client.id.clone(), client.secret.clone(), token)
        };
        let oauth = OauthClient {
            id,
            secret: SecretString::from(secret),
            token_url: TokenUrl::new("http://127.0.0.1/token".to_owned()).expect("an address"),
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let grants = Arc::new(Kept(SecretString::from(token)));
        let source = RefreshSource::new(account.clone(), oauth, transport.clone(), grants, clock.clone());
        let tokens = Arc::new(TokenCache::new(Arc::new(source), clock.clone()));
        let options = GoogleOptions {
            api_url: "http://127.0.0.1".parse().expect("an address"),
            account: account.clone(),
            vouched: None,
            mapping: Mapping::default(),
            reads_per_minute: 60_000,
            writes_per_minute: 60_000,
        };
        Google::new(options, transport, tokens, clock, self.entropy.clone())
    }

    /// One run of one account by a process, with the name that it had; `None` when somebody else has the lease. `dead` are processes that are known to
    /// have died.
    pub async fn run(
        &self,
        process: &Process,
        account: usize,
        errand: &Errand,
        dead: &[String],
    ) -> Option<(RunId, Report)> {
        let promise = &self.promises[account];
        let holder = self.store.lease_holder(&promise.account, self.clock.now()).await.expect("an answer");
        let lease = LeaseRequest {
            account: promise.account.clone(),
            holder: process.name.clone(),
            ttl: LEASE_TTL,
            dead_holder: holder.map(|(name, _)| name).filter(|name| dead.contains(name)),
        };
        let answer = process.store.acquire_lease(&lease, self.clock.now()).await.expect("an answer");
        let LeaseAnswer::Held(fence) = answer else { return None };
        if errand.reach == Reach::Full {
            self.emulator().expect_full_pull(setting::account(account).1);
        }
        let stop = StopFlag::default();
        let settling = tokio::sync::Mutex::new(());
        let deps = Deps {
            settling: &settling,
            store: process.store.as_ref(),
            remote: &process.remotes[account],
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
            progress: &Silent,
            stop: &stop,
        };
        let run = RunId::new(self.clock.now(), contactsync::clock::Entropy::next_u128(self.entropy.as_ref()));
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
        let order = Order {
            promise,
            email: setting::account(account).1,
            settings: "one",
            reach: errand.reach,
            purpose: Purpose::Carry,
            run,
            lease,
            fence: fence.clone(),
            licence: &errand.licence,
            newborn: BTreeSet::new(),
        };
        let report = engine::run_account(deps, order).await;
        process.store.release_lease(&fence).await.expect("released");
        Some((run, report))
    }
}

impl Process {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client of an account.
    pub fn remote(&self, account: usize) -> &Google {
        &self.remotes[account]
    }
}
