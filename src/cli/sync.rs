//! `sync`: one cycle of every, or one, account.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::config::Account;
use crate::daemon::worker::{Finished, Job, was_stopped};
use crate::domain::account::Outcome;
use crate::domain::run::{AccountSummary, Bonds, Counts, RunRecord};
use crate::engine::{Purpose, Reach, StopFlag};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;
use super::progress::Bar;
use super::stop;

/// What to synchronize.
#[derive(Debug, Clone, clap::Args)]
pub struct SyncArgs {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// List everything instead of what changed since the last run
    #[arg(long)]
    pub full: bool,
}

/// Synchronizes once and answers with the run.
///
/// # Errors
/// An unknown account, a secret that cannot be read, and what the store says; everything else is told in the run.
pub async fn sync(args: &SyncArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let accounts = chosen(desk, args.account.as_deref())?;
    desk.check_secrets()?;
    let worker = desk.worker()?;
    let stop = stop::on_signals();
    let finished = {
        let bar = Bar::new(&desk.out, "synchronizing");
        let job = Job { accounts, reach: reach(args.full), purpose: Purpose::Carry, licences: BTreeMap::new() };
        worker.run(job, &bar, &stop).await.context("recording the run")?
    };
    answer(desk, &finished)?;
    Ok(ended(&finished, &stop, desk))
}

/// How a run ends. What a stop on request left undone is not a failure, and is told; an account that could not be
/// reached before the stop came still is one.
pub(super) fn ended(finished: &Finished, stop: &StopFlag, desk: &Desk) -> Exit {
    let accounts = &finished.record.accounts;
    let ended = not_stopped(accounts, stop);
    if ended.len() < accounts.len() {
        desk.out.remark("stopped on request before the end; the next run goes on from here");
    }
    Exit::of_accounts(ended)
}

/// The accounts that came to an end of their own.
fn not_stopped<'a>(accounts: &'a [AccountSummary], stop: &StopFlag) -> Vec<&'a AccountSummary> {
    accounts.iter().filter(|account| !(stop.is_stopped() && was_stopped(account))).collect()
}

/// Which part of the remote a flag asks for.
pub(super) fn reach(full: bool) -> Reach {
    if full { Reach::Full } else { Reach::Incremental }
}

/// The accounts that a command is about: the one named, else all that are not paused.
pub(super) fn chosen<'a>(desk: &'a Desk, name: Option<&str>) -> anyhow::Result<Vec<&'a Account>> {
    let accounts = &desk.config.accounts;
    let Some(name) = name else {
        let active: Vec<&Account> = accounts.iter().filter(|account| account.enabled).collect();
        if active.is_empty() {
            let what = if accounts.is_empty() { "no account is configured" } else { "every account is paused" };
            return Err(UsageError(format!("{what} in {}", desk.config.file.display())).into());
        }
        return Ok(active);
    };
    let account = account_called(desk, name)?;
    if !account.enabled {
        return Err(UsageError(format!("account {name} is paused (enabled = false)")).into());
    }
    Ok(vec![account])
}

/// The account of this name, paused or not.
pub(super) fn account_called<'a>(desk: &'a Desk, name: &str) -> anyhow::Result<&'a Account> {
    desk.config.account(name).ok_or_else(|| {
        let known: Vec<&str> = desk.config.accounts.iter().map(|account| account.name.as_str()).collect();
        let known = if known.is_empty() { "none is configured".to_owned() } else { known.join(", ") };
        UsageError(format!("there is no account {name:?}; known: {known}")).into()
    })
}

/// Answers with a run.
///
/// # Errors
/// What the stream says.
pub(super) fn answer(desk: &Desk, finished: &Finished) -> anyhow::Result<()> {
    tell(desk, finished, "From Google")
}

/// The same; `inward` is how people call what was done in the store.
///
/// # Errors
/// What the stream says.
pub(super) fn tell(desk: &Desk, finished: &Finished, inward: &str) -> anyhow::Result<()> {
    if desk.out.is_json() {
        desk.out.json(&run_json(&finished.record))?;
        return Ok(());
    }
    for account in &finished.record.accounts {
        desk.out.text(&account_lines(account, inward))?;
    }
    let RunRecord { run, accounts, .. } = &finished.record;
    if accounts.iter().any(AccountSummary::has_deeds) {
        desk.out.text(&format!("run {run}; `contactsync undo {run}` tells what taking it back comes to"))?;
    }
    Ok(())
}

/// A run as scripts read it.
pub(super) fn run_json(record: &RunRecord) -> Value {
    json!({"run": record.run, "accounts": record.accounts})
}

fn account_lines(account: &AccountSummary, inward: &str) -> String {
    let mut lines = vec![format!(
        "{}: {}. {inward}: {}. To Google: {}. {}.",
        account.account,
        verdict(account),
        counted(account.pulled),
        counted(account.pushed),
        many(account.calls, "call")
    )];
    if let Some(error) = &account.error {
        lines.push(format!("  {error}"));
    }
    lines.extend(bonds(account.links).map(|told| format!("  {told}")));
    if account.conflicts > 0 {
        let fields = if account.conflicts == 1 { "field was" } else { "fields were" };
        lines.push(format!(
            "  {} {fields} changed on both sides; `contactsync history` has the values of both",
            account.conflicts
        ));
    }
    if account.conflicts_waiting > 0 {
        let wait = if account.conflicts_waiting == 1 { "conflict waits" } else { "conflicts wait" };
        lines.push(format!("  {} {wait}: contactsync conflict list", account.conflicts_waiting));
    }
    if account.parked > 0 {
        let wait = if account.parked == 1 { "waits" } else { "wait" };
        lines.push(format!("  {} {wait} for a person; see `contactsync status`", account.parked));
    }
    lines.extend(account.failed.iter().map(|failure| format!("  {}: {}", failure.contact, failure.reason)));
    lines.extend(account.notices.iter().map(|notice| format!("  {notice}")));
    lines.join("\n")
}

/// What happened to the bonds between contacts and records; `None` when nothing did.
fn bonds(Bonds { linked, unlinked, joined, left }: Bonds) -> Option<String> {
    let told = [
        (linked, "found on both sides and linked"),
        (unlinked, "no longer kept equal"),
        (joined, "put into a group in Google"),
        (left, "taken out of a group in Google"),
    ];
    let told: Vec<String> =
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!told.is_empty()).then(|| format!("links and groups: {}", told.join(", ")))
}

fn verdict(account: &AccountSummary) -> &'static str {
    match account.outcome {
        Outcome::Done => "both sides are equal",
        Outcome::Parked => "something waits for a person",
        Outcome::Failed => "failed",
        Outcome::Unreachable => "not finished, try again later",
        Outcome::NoConsent => "consent is missing",
    }
}

fn counted(counts: Counts) -> String {
    if counts.total() == 0 {
        return "nothing".to_owned();
    }
    let parts = [(counts.created, "created"), (counts.updated, "updated"), (counts.deleted, "deleted")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::AccountName;
    use crate::engine::EngineError;

    fn unreachable(error: &str) -> AccountSummary {
        AccountSummary {
            outcome: Outcome::Unreachable,
            error: Some(error.to_owned()),
            ..AccountSummary::new(AccountName::new("a"))
        }
    }

    #[test]
    fn a_stop_excuses_only_the_accounts_that_it_kept_from_their_end() {
        let stopped = unreachable(&EngineError::Stopped.to_string());
        let down = unreachable("connection refused");
        let stop = StopFlag::default();
        let exit = |accounts: &[AccountSummary]| Exit::of_accounts(not_stopped(accounts, &stop));
        assert_eq!(exit(std::slice::from_ref(&stopped)), Exit::TryLater, "nobody asked");
        stop.stop();
        assert_eq!(exit(std::slice::from_ref(&stopped)), Exit::Done);
        assert_eq!(exit(&[stopped, down]), Exit::TryLater);
    }
}
