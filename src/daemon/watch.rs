//! Which accounts this daemon serves.
//!
//! Of several daemons on one store, one serves an account. The right to serve is a lease as that of a run, under a name of
//! its own that no account can have, and is held from start to stop. A second daemon that finds all its accounts served
//! does not start; one that finds some served says at once whom it waits for, and goes on at once when that one is gone. Commands that run once are not kept out: of a run itself, the lease of the account decides.

use std::collections::BTreeMap;

use tracing::{info, warn};

use super::lease;
use crate::clock::Clock;
use crate::domain::id::AccountName;
use crate::domain::time::Timestamp;
use crate::engine::{LEASE_TTL, chain};
use crate::store::{Fence, LeaseAnswer, LeaseRequest, Store, StoreError};

/// How often a right is asked for, or renewed; a third of what it lasts.
const RENEWAL: std::time::Duration = std::time::Duration::from_secs(30);
/// How often whoever waits looks whether its time has come.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The right to serve accounts.
pub(super) struct Watch {
    holder: String,
    posts: BTreeMap<AccountName, Post>,
}

/// How things stand with one account.
struct Post {
    /// The right, while it is ours.
    held: Option<Fence>,
    /// When it was last asked for.
    asked: Timestamp,
    /// Who was told to have it; it is told once.
    told: Option<String>,
}

impl Watch {
    /// Serves nothing yet.
    pub(super) fn new() -> Self {
        Watch { holder: lease::holder(), posts: BTreeMap::new() }
    }

    /// Whether the account is served by this daemon.
    pub(super) fn serves(&self, account: &AccountName) -> bool {
        self.posts.get(account).is_some_and(|post| post.held.is_some())
    }

    /// Asks for the right to serve these accounts, renews what is held, and gives back what is not wanted any more. Asks
    /// the store only when it is time.
    pub(super) async fn keep<'a>(
        &mut self,
        accounts: impl Iterator<Item = &'a AccountName>,
        store: &dyn Store,
        clock: &dyn Clock,
    ) {
        let wanted: Vec<AccountName> = accounts.cloned().collect();
        let gone: Vec<AccountName> = self.posts.keys().filter(|name| !wanted.contains(name)).cloned().collect();
        for name in gone {
            self.leave(&name, store).await;
        }
        for name in wanted {
            let now = clock.now();
            let is_due = self.posts.get(&name).is_none_or(|post| {
                let pause = if post.held.is_some() { RENEWAL } else { PATIENCE };
                now.since(post.asked) >= pause || now < post.asked
            });
            if is_due {
                self.ask(name, store, now).await;
            }
        }
    }

    /// Who serves the accounts, when other daemons serve all of them.
    pub(super) fn shut_out(&self) -> Option<String> {
        let holders: Vec<&String> = self.posts.values().filter_map(|post| post.told.as_ref()).collect();
        let is_alone = self.posts.values().any(|post| post.held.is_some()) || holders.len() < self.posts.len();
        holders.first().filter(|_| !is_alone).map(|holder| lease::described(holder))
    }

    /// Gives back everything.
    pub(super) async fn end(&mut self, store: &dyn Store) {
        let names: Vec<AccountName> = self.posts.keys().cloned().collect();
        for name in names {
            self.leave(&name, store).await;
        }
    }

    async fn leave(&mut self, account: &AccountName, store: &dyn Store) {
        let Some(fence) = self.posts.remove(account).and_then(|post| post.held) else { return };
        if let Err(error) = store.release_lease(&fence).await {
            warn!(error = %chain(&error), "the right to serve account {account} could not be given back; it ends by itself");
        }
    }

    async fn ask(&mut self, account: AccountName, store: &dyn Store, now: Timestamp) {
        let answer = self.acquire(&account, store, now).await;
        let post = self.posts.entry(account.clone()).or_insert(Post { held: None, asked: now, told: None });
        post.asked = now;
        match answer {
            Ok(LeaseAnswer::Held(fence)) => {
                if post.told.take().is_some() {
                    info!(%account, "account {account} is served by this daemon from now on");
                }
                post.held = Some(fence);
            }
            Ok(LeaseAnswer::Busy { holder, .. }) => {
                post.held = None;
                if post.told.as_ref() != Some(&holder) {
                    let who = lease::described(&holder);
                    warn!(%account, "account {account} is served by another daemon, {who}");
                    post.told = Some(holder);
                }
            }
            // What is held lasts for a while; the next try is not far.
            Err(error) => warn!(%account, error = %chain(&error), "it is not known who serves account {account}"),
        }
    }

    /// Asks the store; the right of a process of this host that is no more is taken over at once.
    async fn acquire(
        &self,
        account: &AccountName,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<LeaseAnswer, StoreError> {
        let request = LeaseRequest {
            account: post_name(account),
            holder: self.holder.clone(),
            ttl: LEASE_TTL,
            dead_holder: None,
        };
        match store.acquire_lease(&request, now).await? {
            LeaseAnswer::Busy { holder, .. } if lease::is_dead(&holder) => {
                store.acquire_lease(&LeaseRequest { dead_holder: Some(holder), ..request }, now).await
            }
            answer => Ok(answer),
        }
    }
}

/// The daemon that serves an account, as people know it; none when that is no more.
///
/// # Errors
/// What the store says.
pub async fn server_of(store: &dyn Store, account: &AccountName, now: Timestamp) -> Result<Option<String>, StoreError> {
    let holder = store.lease_holder(&post_name(account), now).await?;
    Ok(holder.filter(|(holder, _)| !lease::is_dead(holder)).map(|(holder, _)| lease::described(&holder)))
}

/// The name under which the right to serve an account is kept. The configuration allows no blank in the name of an
/// account, so that no account can be called so.
fn post_name(account: &AccountName) -> AccountName {
    AccountName::new(format!("daemon of {account}"))
}
