//! `forget`: what is known of an account that is configured no more is removed, and its replica retired.

use anyhow::Context;
use serde::Serialize;

use crate::daemon::{lease, watch};
use crate::domain::id::{AccountName, ReplicaId};
use crate::engine::LEASE_TTL;
use crate::store::{Commit, Fence, LeaseAnswer, LeaseRequest, Write};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;

/// What to forget.
#[derive(Debug, Clone, clap::Args)]
pub struct ForgetArgs {
    /// The account, as it was called in the configuration
    pub account: String,
}

#[derive(Serialize)]
struct Forgotten<'a> {
    account: &'a str,
    /// Contacts that were linked.
    links: u64,
}

/// Removes what is known of an account. Contacts and their history stay, in the store and in Google.
///
/// # Errors
/// An account that is configured still, or that nothing is known of; what the store says.
pub async fn forget(args: &ForgetArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let name = args.account.as_str();
    if desk.config.account(name).is_some() {
        let text = format!("account {name} is configured; take it out of {} first", desk.config.file.display());
        return Err(UsageError(text).into());
    }
    let account = AccountName::new(name);
    if desk.store.account(&account).await.context("reading the account's state")?.is_none() {
        return Err(UsageError(format!("nothing is known of an account {name:?}")).into());
    }
    let server = watch::server_of(desk.store.as_ref(), &account, desk.clock.now()).await;
    if let Some(server) = server.context("looking for a daemon")? {
        desk.out.warn(&format!("account {name} is served by {server}, which has not read its configuration again yet"));
        return Ok(Exit::TryLater);
    }
    // The versions of all contacts are rewritten: nobody may work on any account meanwhile.
    let mut fences = Vec::new();
    let others = desk.config.accounts.iter().map(|configured| configured.name.clone());
    let free = take_leases(others.chain([account.clone()]), &mut fences, desk).await;
    let forgotten = match free {
        Ok(Freedom::Given) => carry_out(account, fences.last(), desk).await,
        Ok(Freedom::Refused(why)) => {
            desk.out.warn(&format!("{why}; nothing is forgotten yet"));
            Ok(None)
        }
        Err(error) => Err(error),
    };
    for fence in &fences {
        desk.store.release_lease(fence).await.context("giving back a lease")?;
    }
    let Some(links) = forgotten? else { return Ok(Exit::TryLater) };
    if desk.out.is_json() {
        desk.out.json(&Forgotten { account: name, links })?;
    } else {
        desk.out.text(&format!(
            "Account {name} is forgotten, with its links to {}. No contact is changed anywhere.",
            many(links, "contact")
        ))?;
    }
    Ok(Exit::Done)
}

/// Whether all accounts are free to be rewritten.
enum Freedom {
    Given,
    Refused(String),
}

/// Takes the leases of these accounts, in order, and looks whether everything is carried over that is to be. `fences` gets
/// what was taken, also when the rest is refused.
async fn take_leases(
    accounts: impl Iterator<Item = AccountName>,
    fences: &mut Vec<Fence>,
    desk: &Desk,
) -> anyhow::Result<Freedom> {
    for account in accounts {
        let (holder, now) = (lease::holder(), desk.clock.now());
        let request = LeaseRequest { account: account.clone(), holder, ttl: LEASE_TTL, dead_holder: None };
        match desk.store.acquire_lease(&request, now).await.context("taking a lease")? {
            LeaseAnswer::Held(fence) => fences.push(fence),
            LeaseAnswer::Busy { holder, expires } => {
                let holder = lease::described(&holder);
                return Ok(Freedom::Refused(format!("account {account} is worked on by {holder} until {expires}")));
            }
        }
        // What came from the forgotten account and has not reached the others yet would look as if it had.
        let is_other = desk.config.account(account.as_str()).is_some();
        let counts = desk.store.link_counts(&account).await.context("counting an account's links")?;
        if is_other && counts.unsettled > 0 {
            return Ok(Freedom::Refused(format!("account {account} is not equal yet; run `contactsync sync` first")));
        }
    }
    Ok(Freedom::Given)
}

/// Forgets the account; returns how many contacts were linked.
async fn carry_out(account: AccountName, fence: Option<&Fence>, desk: &Desk) -> anyhow::Result<Option<u64>> {
    let links = desk.store.link_counts(&account).await.context("counting the account's links")?.bound;
    let replica = ReplicaId::google(&account);
    let commit = Commit { fence: fence.cloned(), writes: vec![Write::ForgetAccount(account, replica)] };
    desk.store.commit(commit).await.context("forgetting the account")?;
    Ok(Some(links))
}
