//! `forget`: what is known of an account that is configured no more is removed, and its replica retired.

use anyhow::Context;
use serde::Serialize;

use crate::daemon::lease;
use crate::domain::id::{AccountName, ReplicaId};
use crate::store::{Commit, Write};

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
    let holder = desk.store.lease_holder(&account, desk.clock.now()).await.context("reading the account's lease")?;
    if let Some((holder, expires)) = holder.filter(|(holder, _)| !lease::is_dead(holder)) {
        let holder = lease::described(&holder);
        desk.out.warn(&format!("account {name} is worked on by {holder} until {expires}; nothing is forgotten yet"));
        return Ok(Exit::TryLater);
    }
    let links = desk.store.link_counts(&account).await.context("counting the account's links")?.bound;
    let replica = ReplicaId::google(&account);
    let writes = vec![Write::ForgetAccount(account, replica)];
    desk.store.commit(Commit { fence: None, writes }).await.context("forgetting the account")?;
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
