//! From a configured account to one engine run: lease, client, run, summary.
//!
//! One [`Worker`] serves the one-shot commands and the daemon alike, so there is one way of doing a run. It keeps the
//! client of each account, and with it the access token and the request budget, for as long as it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use oauth2::TokenUrl;
use secrecy::SecretString;
use tracing::{Instrument as _, info, info_span, warn};

use super::lease;
use super::selection::{self, NoSelection};
use super::vault::Vault;
use crate::clock::{Clock, Entropy};
use crate::config::{self, Account, FieldTarget, GrantSource};
use crate::domain::account::Outcome;
use crate::domain::field::Field;
use crate::domain::id::{AccountName, ContactId, RunId};
use crate::domain::pair::Organizations;
use crate::domain::run::{AccountSummary, Fault, RunRecord};
use crate::engine::{
    self, Deps, EngineError, LEASE_TTL, Licence, Operation, Order, Progress, Purpose, Reach, StopFlag, chain,
};
use crate::remotes::consent::{ConsentAddresses, ConsentClient};
use crate::remotes::google::{Google, GoogleOptions, Mapping, Target};
use crate::remotes::http::Transport;
use crate::remotes::oauth::{OauthClient, RefreshSource};
use crate::remotes::service_account::{ServiceAccountSource, ServiceIdentity};
use crate::remotes::token_cache::{TokenCache, TokenSource};
use crate::store::grant::SealingKey;
use crate::store::{Commit, LeaseAnswer, LeaseRequest, Store, StoreError, Write};

/// What runs are made with.
pub struct Worker {
    store: Arc<dyn Store>,
    settling: Arc<tokio::sync::Mutex<()>>,
    grants: Arc<dyn Store>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: Arc<SealingKey>,
    google: config::Google,
    holder: String,
    clients: Mutex<BTreeMap<AccountName, Arc<Google>>>,
}

/// What a worker is made of.
pub struct Parts {
    /// Where the contacts are.
    pub store: Arc<dyn Store>,
    /// Held by whichever run brings what it saw into that store.
    pub settling: Arc<tokio::sync::Mutex<()>>,
    /// Where grants are kept: the same store, but for a preview, which works on a copy.
    pub grants: Arc<dyn Store>,
    /// How requests leave the process.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
    /// What seals grants at rest.
    pub key: Arc<SealingKey>,
    /// Where Google is, and how it knows us.
    pub google: config::Google,
}

/// What is wanted of a run over several accounts.
pub struct Job<'a> {
    /// The accounts, in order.
    pub accounts: Vec<&'a Account>,
    /// Which part of the remote to read.
    pub reach: Reach,
    /// What to do.
    pub purpose: Purpose,
    /// What a person has let through, by account; where there is nothing, the guard decides.
    pub licences: BTreeMap<AccountName, Licence>,
}

/// What a run over several accounts did or would do.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The numbers, account by account.
    pub record: RunRecord,
    /// The operations of each account; empty unless the purpose was a preview.
    pub operations: BTreeMap<AccountName, Vec<Operation>>,
    /// The groups that would be made in each account; empty unless the purpose was a preview.
    pub new_groups: BTreeMap<AccountName, BTreeSet<String>>,
}

impl Worker {
    /// A worker under a holder's name of its own.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, settling, grants, transport, clock, entropy, key, google } = parts;
        let holder = lease::holder();
        Worker { store, settling, grants, transport, clock, entropy, key, google, holder, clients: Mutex::default() }
    }

    /// Where the contacts are.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Runs over the accounts, one after the other. What goes wrong with one is told in its summary, and the others go
    /// on. Nothing of it is logged here: a command answers with the summaries, the daemon logs them.
    ///
    /// # Errors
    /// [`StoreError`] when the run itself cannot be recorded.
    pub async fn run(&self, job: Job<'_>, progress: &dyn Progress, stop: &StopFlag) -> Result<Finished, StoreError> {
        let run = RunId::new(self.clock.now(), self.entropy.next_u128());
        let mut record = RunRecord { run, begun: self.clock.now(), ended: None, accounts: Vec::new() };
        let (mut operations, mut new_groups) = (BTreeMap::new(), BTreeMap::new());
        let mut newborn = BTreeSet::new();
        self.note(job.purpose, &record).await?;
        for account in &job.accounts {
            if stop.is_stopped() {
                record.accounts.push(not_begun(account));
                continue;
            }
            let span = info_span!("sync.run", run.id = %run, account = %account.name);
            let report = self.run_account(account, &job, run, newborn, progress, stop).instrument(span).await;
            newborn = report.newborn;
            operations.insert(account.name.clone(), report.operations);
            new_groups.insert(account.name.clone(), report.new_groups);
            record.accounts.push(report.summary);
            self.note(job.purpose, &record).await?;
        }
        record.ended = Some(self.clock.now());
        self.note(job.purpose, &record).await?;
        Ok(Finished { record, operations, new_groups })
    }

    /// Records how far the run has come; a preview leaves no trace.
    async fn note(&self, purpose: Purpose, record: &RunRecord) -> Result<(), StoreError> {
        if purpose == Purpose::Preview {
            return Ok(());
        }
        let writes = vec![Write::Run(Box::new(record.clone()))];
        self.store.commit(Commit { fence: None, writes }).await.map(|_| ())
    }

    async fn run_account(
        &self,
        account: &Account,
        job: &Job<'_>,
        run: RunId,
        newborn: BTreeSet<ContactId>,
        progress: &dyn Progress,
        stop: &StopFlag,
    ) -> engine::Report {
        let failed = |outcome, error: String| {
            let mut summary = AccountSummary::new(account.name.clone());
            summary.outcome = outcome;
            summary.error = Some(error);
            engine::Report::of_nothing(summary, newborn.clone())
        };
        let promise = match selection::promise(account, self.store.as_ref()).await {
            Ok(promise) => promise,
            Err(NoSelection { outcome, fault, sentence }) => {
                let mut report = failed(outcome, sentence);
                report.summary.fault = fault;
                return report;
            }
        };
        let google = match self.client(account) {
            Ok(google) => google,
            Err((outcome, error)) => return failed(outcome, error),
        };
        let (lease, fence) = match self.lease(account, job.purpose).await {
            Ok(LeaseAnswer::Held(fence)) => (self.lease_request(account), fence),
            Ok(LeaseAnswer::Busy { holder, expires }) => {
                let error = format!(
                    "account {} is worked on by {}; its lease ends at {expires} unless renewed",
                    account.name,
                    lease::described(&holder)
                );
                return failed(Outcome::Unreachable, error);
            }
            Err(error) => return failed(Outcome::Unreachable, chain(&error)),
        };
        let deps = Deps {
            store: self.store.as_ref(),
            settling: self.settling.as_ref(),
            remote: google.as_ref(),
            clock: self.clock.as_ref(),
            entropy: self.entropy.as_ref(),
            progress,
            stop,
        };
        let order = Order {
            promise: &promise,
            email: &account.email,
            settings: &account.settings_digest(&promise.pairs),
            reach: job.reach,
            purpose: job.purpose,
            run,
            lease,
            fence: fence.clone(),
            licence: job.licences.get(&account.name).unwrap_or(&Licence::Guarded),
            newborn: newborn.clone(),
        };
        let mut report = engine::run_account(deps, order).await;
        self.name_place(account, &mut report.summary);
        if let Err(error) = self.store.release_lease(&fence).await {
            warn!(error = %chain(&error), "the lease of account {} could not be given back; it ends by itself", account.name);
        }
        report
    }

    /// Says where the configuration names the OAuth client, when that is what is wrong.
    fn name_place(&self, account: &Account, summary: &mut AccountSummary) {
        let is_client = !matches!(account.grant, GrantSource::ServiceAccount(_));
        if let Some(error) = summary.error.as_mut().filter(|_| is_client && summary.fault == Some(Fault::Setup)) {
            error.push_str(&format!(" ({})", self.google.place_of_client()));
        }
    }

    fn lease_request(&self, account: &Account) -> LeaseRequest {
        LeaseRequest { account: account.name.clone(), holder: self.holder.clone(), ttl: LEASE_TTL, dead_holder: None }
    }

    /// Asks for the lease; that of a process of this host which is no more is taken over at once. On the copy that a
    /// preview works on, nobody else works.
    async fn lease(&self, account: &Account, purpose: Purpose) -> Result<LeaseAnswer, StoreError> {
        let request = self.lease_request(account);
        let answer = self.store.acquire_lease(&request, self.clock.now()).await?;
        match answer {
            LeaseAnswer::Busy { holder, .. } if purpose == Purpose::Preview || lease::is_dead(&holder) => {
                info!("taking over account {} from {}", account.name, lease::described(&holder));
                let request = LeaseRequest { dead_holder: Some(holder), ..request };
                self.store.acquire_lease(&request, self.clock.now()).await
            }
            other => Ok(other),
        }
    }

    /// The client of an account, made when it is first needed; nothing is called.
    ///
    /// # Errors
    /// One sentence about a secret that cannot be read, or a field map that contradicts itself.
    pub fn client_of(&self, account: &Account) -> Result<Arc<Google>, String> {
        self.client(account).map_err(|(_, error)| error)
    }

    /// Whether the account's consent is there and accepted; the token that this brings is used by the next run.
    ///
    /// # Errors
    /// One sentence about what is in the way.
    pub async fn check_consent(&self, account: &Account) -> Result<(), String> {
        self.client_of(account)?.check_consent().await.map_err(|error| chain(&error))
    }

    /// The client of an account, made when it is first needed.
    fn client(&self, account: &Account) -> Result<Arc<Google>, (Outcome, String)> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&account.name) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.connect(account)?);
        clients.insert(account.name.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// The vault with the refresh token of an account.
    pub fn vault(&self, account: &Account) -> Vault {
        let file = match &account.grant {
            GrantSource::RefreshToken(secret) => Some(secret.clone()),
            GrantSource::Store | GrantSource::ServiceAccount(_) => None,
        };
        let (grants, key) = (Arc::clone(&self.grants), Arc::clone(&self.key));
        Vault::new(account.name.clone(), file, grants, key, Arc::clone(&self.clock), Arc::clone(&self.entropy))
    }

    /// The application that users consent to.
    fn oauth_client(&self) -> Result<OauthClient, String> {
        let secret: SecretString = self.google.read_client_secret().map_err(|error| chain(&error))?;
        let token_url = TokenUrl::new(self.google.token_url.to_string()).map_err(|error| chain(&error))?;
        Ok(OauthClient { id: self.google.client_id.clone().unwrap_or_default(), secret, token_url })
    }

    /// What asks the user of an account for consent.
    ///
    /// # Errors
    /// One sentence about a secret that cannot be read, or an address that is none.
    pub fn consent_client(&self, account: &Account) -> Result<ConsentClient, String> {
        let addresses =
            ConsentAddresses { auth_url: self.google.auth_url.clone(), revoke_url: self.google.revoke_url.clone() };
        let (transport, clock) = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        ConsentClient::new(account.name.clone(), self.oauth_client()?, addresses, transport, clock)
            .map_err(|error| chain(&error))
    }

    /// A client of an account with access tokens from elsewhere than its vault.
    ///
    /// # Errors
    /// One sentence about a field map that contradicts itself.
    pub fn client_with(&self, account: &Account, tokens: Arc<dyn TokenSource>) -> Result<Google, String> {
        self.google_of(account, tokens).map_err(|(_, error)| error)
    }

    fn connect(&self, account: &Account) -> Result<Google, (Outcome, String)> {
        if let GrantSource::ServiceAccount(secret) = &account.grant {
            return self.google_of(account, self.service_account(account, secret)?);
        }
        let client = self.oauth_client().map_err(|error| (Outcome::Failed, error))?;
        let (transport, clock) = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        let vault = Arc::new(self.vault(account));
        let source = RefreshSource::new(account.name.clone(), client, transport, vault, clock);
        self.google_of(account, Arc::new(source))
    }

    fn service_account(
        &self,
        account: &Account,
        secret: &config::Secret,
    ) -> Result<Arc<dyn TokenSource>, (Outcome, String)> {
        let failed = |error: &dyn std::error::Error| (Outcome::Failed, chain(error));
        let config::ServiceKey { client_email, client_id, key_id, private_key } =
            config::ServiceKey::read(secret).map_err(|error| failed(&error))?;
        let identity = ServiceIdentity { client_email, client_id, key_id, private_key };
        let (user, token_url) = (account.email.clone(), self.google.token_url.clone());
        let (transport, clock) = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        let source = ServiceAccountSource::new(identity, user, token_url, transport, clock);
        Ok(Arc::new(source.map_err(|error| failed(&error))?))
    }

    fn google_of(&self, account: &Account, tokens: Arc<dyn TokenSource>) -> Result<Google, (Outcome, String)> {
        let failed = |error: &dyn std::error::Error| (Outcome::Failed, chain(error));
        let tokens = Arc::new(TokenCache::new(tokens, Arc::clone(&self.clock)));
        let options = GoogleOptions {
            api_url: self.google.api_url.clone(),
            account: account.name.clone(),
            vouched: matches!(account.grant, GrantSource::ServiceAccount(_)).then(|| account.email.clone()),
            mapping: mapping(account).map_err(|error| failed(&error))?,
            reads_per_minute: self.google.reads_per_minute,
            writes_per_minute: self.google.writes_per_minute,
        };
        let (transport, clock) = (Arc::clone(&self.transport), Arc::clone(&self.clock));
        Ok(Google::new(options, transport, tokens, clock, Arc::clone(&self.entropy)))
    }
}

/// Whether a stop on request, and nothing else, kept an account from its end.
pub fn was_stopped(summary: &AccountSummary) -> bool {
    let stopped = EngineError::Stopped;
    summary.outcome == stopped.outcome() && summary.error.as_deref() == Some(stopped.to_string().as_str())
}

/// The summary of an account whose turn a stop on request came before.
fn not_begun(account: &Account) -> AccountSummary {
    AccountSummary {
        outcome: EngineError::Stopped.outcome(),
        error: Some(EngineError::Stopped.to_string()),
        ..AccountSummary::new(account.name.clone())
    }
}

/// The field map of an account as the client wants it.
fn mapping(account: &Account) -> Result<Mapping, crate::remotes::google::MappingError> {
    let mut rules: Vec<(Field, Target)> = account
        .fields
        .iter()
        .map(|(field, target)| {
            let target = match target {
                FieldTarget::Off => Target::Off,
                FieldTarget::UserDefined(key) => Target::UserDefined(key.clone()),
            };
            (field.clone(), target)
        })
        .collect();
    if account.organizations == Organizations::Off && !account.fields.contains_key(&Field::Organization) {
        rules.push((Field::Organization, Target::Off));
    }
    Mapping::new(rules)
}
