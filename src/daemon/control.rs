//! What the daemon tells those who ask from outside: whether it lives, how its accounts are, and what was measured.
//!
//! The service writes down what it sees; whoever asks reads it here, together with what the store says, so that an account
//! that another daemon serves is told of just as well. Nothing in here names a contact.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::metrics::{AccountGauges, Metrics};
use super::silence::{News, Silence, Waits};
use crate::clock::Clock;
use crate::config::Account;
use crate::domain::account::{AccountState, Outcome};
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};

/// The loop looks at the clock every second. One that has not for so long hangs.
const HEARTBEATS_MISSED: Duration = Duration::from_secs(60);

/// The daemon as others see it.
pub struct Control {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// The files of the store.
    files: Vec<PathBuf>,
    board: Mutex<Board>,
}

struct Board {
    /// When the loop last went round.
    beat: Instant,
    accounts: BTreeMap<AccountName, Post>,
}

/// What is known of an active account.
struct Post {
    silence: Silence,
    outcome: Option<Outcome>,
    is_running: bool,
}

/// How all active accounts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether none of them is overdue.
    pub ready: bool,
    /// Each of them, by name.
    pub accounts: Vec<AccountHealth>,
}

/// How one account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountHealth {
    /// Its name.
    pub account: AccountName,
    /// How its last run ended; `None` while it has never run.
    pub outcome: Option<Outcome>,
    /// When both sides were last proven equal.
    pub last_good: Option<Timestamp>,
    /// Whether that is too long ago: three intervals of the schedule.
    pub overdue: bool,
    /// Whether a run goes on.
    pub running: bool,
}

impl Control {
    /// Of a daemon that has not started yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>, files: Vec<PathBuf>) -> Self {
        let board = Board { beat: Instant::now(), accounts: BTreeMap::new() };
        Control { store, clock, metrics, files, board: Mutex::new(board) }
    }

    /// What is measured.
    pub fn counters(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Whether the daemon's loop goes round.
    pub fn is_alive(&self) -> bool {
        self.board().beat.elapsed() < HEARTBEATS_MISSED
    }

    /// How the accounts are.
    ///
    /// # Errors
    /// What the store says.
    pub async fn readiness(&self) -> Result<Readiness, StoreError> {
        self.refresh().await?;
        let now = self.clock.now();
        let health = |(account, post): (&AccountName, &Post)| AccountHealth {
            account: account.clone(),
            outcome: post.outcome,
            last_good: post.silence.equal(),
            overdue: post.silence.is_late(now),
            running: post.is_running,
        };
        let accounts: Vec<AccountHealth> = self.board().accounts.iter().map(health).collect();
        Ok(Readiness { ready: accounts.iter().all(|account| !account.overdue), accounts })
    }

    /// Everything that is measured, as text.
    ///
    /// # Errors
    /// What the store says.
    pub async fn measured(&self) -> Result<String, StoreError> {
        let now = self.clock.now();
        let mut gauges = Vec::new();
        for health in self.readiness().await?.accounts {
            let state = self.store.account(&health.account).await?;
            let state = state.unwrap_or_else(|| AccountState::new(health.account.clone()));
            let counts = self.store.link_counts(&health.account).await?;
            gauges.push(AccountGauges {
                account: health.account.to_string(),
                links: counts.bound,
                outbox_depth: counts.unsettled + counts.intents,
                conflicts: counts.conflicts,
                parked: counts.parked,
                questions: counts.questions,
                quota_left: state.budget.map(|budget| (budget.reads.units_at(now), budget.writes.units_at(now))),
                change_token_age: state.contacts.map(|cursor| now.since(cursor.lineage)),
                since_equal: health.last_good.map(|equal| now.since(equal)),
                is_overdue: health.overdue,
                is_running: health.running,
            });
        }
        let sizes = self.files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len());
        Ok(self.metrics.encode(&gauges, sizes.sum()))
    }

    /// The loop went round.
    pub(super) fn beat(&self) {
        self.board().beat = Instant::now();
    }

    /// Cares for these accounts from now on, and for no other.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn follow(&self, accounts: &[&Account]) -> Result<(), StoreError> {
        let now = self.clock.now();
        {
            let mut board = self.board();
            board.accounts.retain(|name, _| accounts.iter().any(|account| account.name == *name));
            for account in accounts {
                self.metrics.knows(&account.name.to_string());
                let enter = || Post {
                    silence: Silence::new(account.schedule.clone(), None, now),
                    outcome: None,
                    is_running: false,
                };
                board
                    .accounts
                    .entry(account.name.clone())
                    .or_insert_with(enter)
                    .silence
                    .follow(account.schedule.clone(), now);
            }
        }
        self.refresh().await
    }

    /// A run of the account begins.
    pub(super) fn begins(&self, account: &AccountName) {
        if let Some(post) = self.board().accounts.get_mut(account) {
            post.is_running = true;
        }
    }

    /// A run of the account ended.
    pub(super) async fn ended(&self, account: &AccountName, waits: Waits) {
        let read = self.refresh().await;
        if let Err(error) = read {
            tracing::warn!(%account, error = %crate::engine::chain(&error), "the state of account {account} cannot be read");
        }
        if let Some(post) = self.board().accounts.get_mut(account) {
            post.is_running = false;
            post.silence.heard(waits);
        }
    }

    /// What is to be said of silences, and was not said before.
    pub(super) fn news(&self) -> Vec<(AccountName, News)> {
        let now = self.clock.now();
        let mut board = self.board();
        let news = board.accounts.iter_mut().map(|(account, post)| (account.clone(), post.silence.news(now)));
        news.filter(|(_, news)| *news != News::None).collect()
    }

    /// One line for the service manager: how many accounts are how.
    pub(super) fn line(&self) -> String {
        let now = self.clock.now();
        let mut by_word: BTreeMap<&'static str, usize> = BTreeMap::new();
        for post in self.board().accounts.values() {
            *by_word.entry(word(post, now)).or_insert(0) += 1;
        }
        by_word.into_iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }

    /// Takes over what the store says of each account.
    pub(super) async fn refresh(&self) -> Result<(), StoreError> {
        let states = self.store.accounts().await?;
        let mut board = self.board();
        for state in states {
            if let Some(post) = board.accounts.get_mut(&state.name) {
                post.outcome = state.last_outcome;
                post.silence.is_equal_since(state.proven_equal);
            }
        }
        Ok(())
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn word(post: &Post, now: Timestamp) -> &'static str {
    match post.outcome {
        _ if post.is_running => "at work",
        Some(Outcome::NoConsent) => "without consent",
        _ if post.silence.is_late(now) => "overdue",
        Some(Outcome::Done) => "equal",
        Some(Outcome::Parked) => "waiting for a person",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Unreachable) => "unfinished",
        None => "not yet synchronized",
    }
}
