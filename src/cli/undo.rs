//! `undo`: takes back what a run did, on both sides, as far as nothing has changed since.
//!
//! Without `--yes` it only tells what that comes to, and writes nowhere. With it, the inverse is carried out by a run of
//! its own, which can be undone like any other.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::config::Account;
use crate::contacts::take_back::Deed;
use crate::daemon::worker::Job;
use crate::domain::id::{AccountName, RunId};
use crate::domain::run::RunRecord;
use crate::engine::{Licence, Purpose, Reach};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::plan;
use super::progress::Bar;
use super::stop;
use super::sync;
use super::take_back::{Asked, take_back};

/// What to undo.
#[derive(Debug, Clone, clap::Args)]
pub struct UndoArgs {
    /// The run; `sync` and `history` name it
    #[arg(value_name = "RUN")]
    pub run: RunId,

    /// Carry it out instead of telling what it comes to
    #[arg(long)]
    pub yes: bool,
}

/// Takes a run back, or tells what that comes to.
///
/// # Errors
/// An unknown run, one that has not finished, and as `sync`.
pub async fn undo(args: &UndoArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let Some(record) = desk.store.run(args.run).await.context("reading the run")? else {
        return Err(UsageError(format!("there is no run {}; `contactsync history` names runs", args.run)).into());
    };
    if record.accounts.is_empty() {
        // A merge, or another command that worked on the store alone.
        return undo_in_store(args, desk).await;
    }
    refuse_unfinished(&record, desk).await?;
    let accounts = still_active(&record, desk)?;
    desk.check_secrets()?;
    let licences: BTreeMap<AccountName, Licence> =
        accounts.iter().map(|account| (account.name.clone(), Licence::Undoing(args.run))).collect();
    let job =
        |purpose| Job { accounts: accounts.clone(), reach: Reach::Incremental, purpose, licences: licences.clone() };
    let stop = stop::on_signals();
    if args.yes {
        let worker = desk.worker()?;
        let finished = {
            let bar = Bar::new(&desk.out, "taking back");
            worker.run(job(Purpose::Carry), &bar, &stop).await.context("recording the run")?
        };
        sync::tell(desk, &finished, "In the store")?;
        return Ok(sync::ended(&finished, &stop, desk));
    }
    let finished = plan::preview(desk, job(Purpose::Preview), &stop).await?;
    if desk.out.is_json() {
        desk.out.json(&json!({ "undo": args.run, "accounts": plan::planned(&finished) }))?;
    } else {
        plan::tell(desk, &finished)?;
        let has_work = finished.operations.values().any(|operations| !operations.is_empty());
        let finished_all = finished.record.accounts.iter().all(|account| account.error.is_none());
        match (has_work, finished_all) {
            (true, _) => desk.out.text(&format!("`contactsync undo {} --yes` carries this out", args.run))?,
            (false, true) => desk.out.text("there is nothing to take back")?,
            (false, false) => {}
        }
    }
    Ok(sync::ended(&finished, &stop, desk))
}

async fn undo_in_store(args: &UndoArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let asked = Asked { deed: Deed::Run(args.run), yes: args.yes, command: format!("undo {}", args.run) };
    let unknown = || UsageError(format!("run {} changed nothing", args.run));
    take_back(&asked, desk).await?.ok_or_else(|| unknown().into())
}

/// A run that goes on may still do more. One that was cut off will not.
async fn refuse_unfinished(record: &RunRecord, desk: &Desk) -> anyhow::Result<()> {
    if record.ended.is_some() {
        return Ok(());
    }
    for summary in &record.accounts {
        let now = desk.clock.now();
        let holder = desk.store.lease_holder(&summary.account, now).await.context("reading a lease")?;
        if holder.is_some_and(|(holder, _)| !crate::daemon::lease::is_dead(&holder)) {
            bail!("run {} has not finished yet", record.run);
        }
    }
    Ok(())
}

/// The accounts that the run worked on, as far as they are still configured.
fn still_active<'d>(record: &RunRecord, desk: &'d Desk) -> anyhow::Result<Vec<&'d Account>> {
    let mut accounts = Vec::new();
    for summary in &record.accounts {
        match desk.config.account(summary.account.as_str()).filter(|account| account.enabled) {
            Some(account) => accounts.push(account),
            None => desk.out.warn(&format!("account {} is not active; its part stays as it is", summary.account)),
        }
    }
    if accounts.is_empty() {
        bail!("none of the accounts that run {} worked on is active", record.run);
    }
    Ok(accounts)
}
