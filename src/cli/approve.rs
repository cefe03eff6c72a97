//! `approve`: lets through what a guard has parked, and carries it out at once.
//!
//! Approved is what the named run, or one before it, was the first to park, as long as it is still the same. What changed
//! since, and what later runs have parked, waits on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use crate::config::Account;
use crate::daemon::worker::Job;
use crate::domain::id::{AccountName, ContactId, LinkId, RunId};
use crate::domain::link::{Link, ParkedWhy};
use crate::engine::{Licence, Purpose, Reach};
use crate::store::{Store, StoreError};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::progress::Bar;
use super::stop;
use super::sync;

/// How many links are looked through at once.
const CHUNK: u32 = 500;

/// What to approve.
#[derive(Debug, Clone, clap::Args)]
pub struct ApproveArgs {
    /// The run that parked it; `contactsync status` names it
    #[arg(value_name = "RUN")]
    pub run: RunId,
}

/// What waits for a person in one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HeldBack {
    /// How many contacts a guard holds back.
    pub contacts: u64,
    /// The newest run that was the first to park any of them: approving it approves all.
    pub run: Option<RunId>,
    /// Contacts that the remote refuses for good, each with the reason.
    pub refused: Vec<(ContactId, String)>,
}

/// Carries out what was parked and answers with the run that did.
///
/// # Errors
/// An unknown run, and as `sync`.
pub async fn approve(args: &ApproveArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let Some(record) = desk.store.run(args.run).await.context("reading the run")? else {
        return Err(UsageError(format!(
            "there is no run {}; `contactsync status` names those that can be approved",
            args.run
        ))
        .into());
    };
    let mut accounts = Vec::new();
    let mut contacts = 0;
    for summary in &record.accounts {
        let held = held_back(desk.store.as_ref(), &summary.account, Some(args.run)).await.context("reading links")?;
        if held.contacts == 0 {
            continue;
        }
        contacts += held.contacts;
        match desk.config.account(summary.account.as_str()).filter(|account| account.enabled) {
            Some(account) => accounts.push(account),
            None => desk.out.warn(&format!("account {} is not active; what is parked there waits on", summary.account)),
        }
    }
    if accounts.is_empty() {
        return nothing(args.run, desk);
    }
    desk.out.remark(&format!("approved for {}", super::output::many(contacts, "contact")));
    carry_out(args.run, accounts, desk).await
}

fn nothing(run: RunId, desk: &Desk) -> anyhow::Result<Exit> {
    if desk.out.is_json() {
        desk.out.json(&serde_json::json!({ "run": run, "accounts": [] }))?;
    } else {
        desk.out.text(&format!("nothing is parked by run {run} or an earlier one"))?;
    }
    Ok(Exit::Done)
}

async fn carry_out(run: RunId, accounts: Vec<&Account>, desk: &Desk) -> anyhow::Result<Exit> {
    desk.check_secrets()?;
    let licences: BTreeMap<AccountName, Licence> =
        accounts.iter().map(|account| (account.name.clone(), Licence::Approved(run))).collect();
    let worker = desk.worker()?;
    let stop = stop::on_signals();
    let finished = {
        let bar = Bar::new(&desk.out, "carrying out");
        let job = Job { accounts, reach: Reach::Incremental, purpose: Purpose::Carry, licences };
        worker.run(job, &bar, &stop).await.context("recording the run")?
    };
    sync::answer(desk, &finished)?;
    Ok(sync::ended(&finished, &stop, desk))
}

/// What a guard holds back of an account; of this run and earlier ones, or of all.
pub(super) async fn held_back(
    store: &dyn Store,
    account: &AccountName,
    up_to: Option<RunId>,
) -> Result<HeldBack, StoreError> {
    let mut held = HeldBack::default();
    if store.link_counts(account).await?.parked == 0 {
        return Ok(held);
    }
    let ids: Vec<LinkId> = at_work(store, account).await?.into_iter().collect();
    for chunk in ids.chunks(CHUNK as usize) {
        let links = store.links(chunk).await?;
        held.refused.extend(links.iter().filter_map(refusal));
        let runs = links.iter().filter_map(parked_by).filter(|run| up_to.is_none_or(|up_to| *run <= up_to));
        for run in runs {
            held.contacts += 1;
            held.run = held.run.max(Some(run));
        }
    }
    Ok(held)
}

/// Whatever is parked is not settled, or its photo is due.
async fn at_work(store: &dyn Store, account: &AccountName) -> Result<BTreeSet<LinkId>, StoreError> {
    let mut found = BTreeSet::new();
    let mut after = None;
    loop {
        let ids = store.unsettled_links(account, after, CHUNK).await?;
        let Some(last) = ids.last() else { break };
        after = Some(*last);
        found.extend(ids);
    }
    after = None;
    loop {
        let ids = store.photo_links(account, after, CHUNK).await?;
        let Some(last) = ids.last() else { return Ok(found) };
        after = Some(*last);
        found.extend(ids);
    }
}

fn refusal(link: &Link) -> Option<(ContactId, String)> {
    let parked = link.parked.as_ref().filter(|parked| parked.why == ParkedWhy::Refused)?;
    Some((link.contact?, parked.reason.clone()))
}

fn parked_by(link: &Link) -> Option<RunId> {
    link.parked.as_ref().filter(|parked| parked.why == ParkedWhy::Guard)?.run
}
