//! `status`: how each account is doing.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::config::Account;
use crate::daemon::lease;
use crate::daemon::watch::server_of;
use crate::domain::account::{AccountState, Outcome};
use crate::domain::budget::Budget;
use crate::domain::id::{AccountName, ContactId, RunId};
use crate::domain::run::RunRecord;
use crate::domain::time::Timestamp;
use crate::remotes::google::units_of_writes;

use super::approve::held_back;
use super::desk::Desk;
use super::exit::Exit;
use super::output::many;

/// How many refused contacts are told to people.
const REFUSED_MAX: usize = 5;
/// How many runs are looked through for the time of the last one.
const RUNS_MAX: u32 = 1000;

/// One account.
#[derive(Debug, Serialize)]
struct Row {
    account: String,
    email: String,
    enabled: bool,
    last_run: Option<RunId>,
    last_run_at: Option<Timestamp>,
    last_outcome: Option<Outcome>,
    last_error: Option<String>,
    /// What the last run told of work that waits for a person, each with its cure.
    notices: Vec<String>,
    /// When both sides were last proven equal.
    last_good: Option<Timestamp>,
    /// How long ago the full listing began that the change token descends from, in seconds.
    token_age_s: Option<u64>,
    linked: u64,
    /// Contacts that the next run has work with.
    waiting: u64,
    /// Contacts whose work waits for a person.
    parked: u64,
    /// How many of those a guard holds back.
    parked_by_guard: u64,
    /// How many of them ask who is who.
    questions: u64,
    /// Contacts that Google refuses for good, until they are edited.
    refused: Vec<Refused>,
    /// The run to be approved, to let through all that a guard holds back.
    approve: Option<RunId>,
    conflicts: u64,
    /// Who works on the account right now.
    working: Option<String>,
    /// The daemon that serves the account; without one its schedule rules nothing.
    daemon: Option<String>,
    next_run: Option<Timestamp>,
    /// What was left of the request budget after the last run.
    quota_left: Option<Budget>,
    /// How long the work that waits will take at the present rate, in seconds.
    remaining_s: Option<u64>,
}

/// A contact that Google refuses.
#[derive(Debug, Serialize)]
struct Refused {
    contact: ContactId,
    reason: String,
}

/// Shows how each account is doing.
///
/// # Errors
/// What the store or the stream says.
pub async fn status(desk: &Desk) -> anyhow::Result<Exit> {
    let runs = desk.store.runs(RUNS_MAX).await.context("reading the runs")?;
    let mut rows = Vec::new();
    for account in &desk.config.accounts {
        rows.push(row(account, &runs, desk).await?);
    }
    if desk.out.is_json() {
        desk.out.json(&serde_json::json!({ "accounts": rows }))?;
    } else if rows.is_empty() {
        desk.out.remark("no account is configured");
    } else {
        let header = [
            "ACCOUNT",
            "STATE",
            "LAST GOOD RUN",
            "TOKEN AGE",
            "LINKED",
            "WAITING",
            "PARKED",
            "CONFLICTS",
            "QUOTA LEFT",
            "NEXT RUN",
        ];
        let now = desk.clock.now();
        desk.out.table(header, rows.iter().map(|row| cells(row, now)).collect())?;
        for row in &rows {
            if let Some(run) = row.approve.filter(|_| !row.tells_of_the_guard()) {
                let (account, count) = (&row.account, many(row.parked_by_guard, "contact"));
                desk.out.text(&format!(
                    "{account}: a guard holds back {count}; `contactsync plan` shows them, `contactsync approve {run}` lets \
                     them through"
                ))?;
            }
            if row.questions > 0 {
                let (account, count) = (&row.account, many(row.questions, "contact"));
                desk.out.text(&format!(
                    "{account}: {count} may exist on the other side already; `contactsync match list` shows which, \
                     `contactsync match show ID` with whom"
                ))?;
            }
            for sentence in pace(row, now) {
                desk.out.text(&format!("{}: {sentence}", row.account))?;
            }
            if row.conflicts > 0 {
                let wait = if row.conflicts == 1 { "conflict waits" } else { "conflicts wait" };
                desk.out.text(&format!("{}: {} {wait}: contactsync conflict list", row.account, row.conflicts))?;
            }
            for Refused { contact, reason } in row.refused.iter().take(REFUSED_MAX) {
                desk.out.text(&format!(
                    "{}: contact {contact} is refused until it is edited: {reason}; `contactsync explain {contact}` says more",
                    row.account
                ))?;
            }
            if let Some(more) = row.refused.len().checked_sub(REFUSED_MAX).filter(|more| *more > 0) {
                desk.out.text(&format!("{}: and {more} more; --json has all of them", row.account))?;
            }
            for notice in &row.notices {
                desk.out.text(&format!("{}: {notice}", row.account))?;
            }
            if let Some(error) = &row.last_error {
                desk.out.remark(&format!("{}: {error}", row.account));
            }
        }
    }
    Ok(Exit::Done)
}

async fn row(account: &Account, runs: &[RunRecord], desk: &Desk) -> anyhow::Result<Row> {
    let name = &account.name;
    let (store, now) = (&desk.store, desk.clock.now());
    let state = store.account(name).await.context("reading the account's state")?;
    let counts = store.link_counts(name).await.context("counting the account's links")?;
    let holder = store.lease_holder(name, now).await.context("reading the account's lease")?;
    let held = held_back(store.as_ref(), name, None).await.context("reading what is parked")?;
    let state = state.unwrap_or_else(|| AccountState::new(name.clone()));
    let (waiting, budget) = (counts.unsettled.saturating_sub(counts.parked), state.budget);
    let last = state.last_run.and_then(|id| runs.iter().find(|run| run.run == id));
    Ok(Row {
        account: name.to_string(),
        email: account.email.clone(),
        enabled: account.enabled,
        last_run: state.last_run,
        last_run_at: last.map(|run| run.ended.unwrap_or(run.begun)),
        last_outcome: state.last_outcome,
        last_error: state.last_error,
        notices: last.map(|run| waiting_notices(run, name)).unwrap_or_default(),
        last_good: state.proven_equal,
        token_age_s: state.contacts.map(|cursor| now.since(cursor.lineage).as_secs()),
        linked: counts.bound,
        // Every open intent and everything that is parked belongs to a link that is not settled.
        waiting,
        parked: counts.parked,
        parked_by_guard: held.contacts,
        questions: counts.questions,
        approve: held.run,
        refused: held.refused.into_iter().map(|(contact, reason)| Refused { contact, reason }).collect(),
        conflicts: counts.conflicts,
        // A process that was killed leaves its lease behind; nobody works there.
        working: holder.map(|(holder, _)| holder).filter(|holder| !lease::is_dead(holder)),
        daemon: server_of(store.as_ref(), name, now).await.context("reading who serves the account")?,
        next_run: account.enabled.then(|| account.schedule.next_after(now)).flatten(),
        remaining_s: (waiting > 0)
            .then(|| budget.as_ref().map(|budget| remaining(budget, waiting, now).as_secs()))
            .flatten(),
        quota_left: budget,
    })
}

/// What a run that left something to a person told of it.
fn waiting_notices(run: &RunRecord, account: &AccountName) -> Vec<String> {
    let summary = run.accounts.iter().find(|summary| summary.account == *account);
    let Some(summary) = summary.filter(|summary| summary.outcome == Outcome::Parked) else { return Vec::new() };
    summary.notices.clone()
}

impl Row {
    /// Whether what the last run told says already how to let through what a guard holds back.
    fn tells_of_the_guard(&self) -> bool {
        self.notices.iter().any(|notice| notice.contains("contactsync approve"))
    }
}

/// How long so many contacts take to be written, as far as the budget goes.
fn remaining(budget: &Budget, contacts: u64, now: Timestamp) -> Duration {
    budget.writes.time_for(units_of_writes(contacts), now)
}

/// What is to be said about the pace: a pause, a lower rate, and how long what waits will take.
fn pace(row: &Row, now: Timestamp) -> Vec<String> {
    let Some(budget) = &row.quota_left else { return Vec::new() };
    let mut told = Vec::new();
    let pause = budget.writes.paused_until.since(now);
    if pause > Duration::ZERO {
        told.push(format!("Google refused to write more for now; it is tried again in {}", span(pause)));
    }
    if budget.writes.is_slowed_down() {
        let (rate, configured) = (budget.writes.per_minute / 1000, budget.writes.configured / 1000);
        told.push(format!(
            "slowed down to {rate} of {configured} writes a minute, since Google refused some; it recovers"
        ));
    }
    if let Some(seconds) = row.remaining_s.filter(|seconds| *seconds >= 60) {
        told.push(format!("what waits takes about {}", span(Duration::from_secs(seconds))));
    }
    told
}

fn cells(row: &Row, now: Timestamp) -> [String; 10] {
    let state = match (row.enabled, &row.working, row.last_outcome) {
        (false, _, _) => "paused",
        (true, Some(_), _) => "working",
        (true, None, None) => "never run",
        (true, None, Some(Outcome::Done)) => "ok",
        (true, None, Some(Outcome::Parked)) => "waits for a person",
        (true, None, Some(Outcome::Failed)) => "failed",
        (true, None, Some(Outcome::Unreachable)) => "will try again",
        (true, None, Some(Outcome::NoConsent)) => "no consent",
    };
    [
        row.account.clone(),
        state.to_owned(),
        row.last_good.map_or_else(|| "never".to_owned(), |time| format!("{} ago", span(now.since(time)))),
        row.token_age_s.map_or_else(|| "none".to_owned(), |age| span(Duration::from_secs(age))),
        row.linked.to_string(),
        row.waiting.to_string(),
        row.parked.to_string(),
        row.conflicts.to_string(),
        row.quota_left.as_ref().map(|budget| quota(budget, now)).unwrap_or_default(),
        match (row.next_run, &row.daemon) {
            (None, _) => "never".to_owned(),
            (Some(_), None) => "no daemon runs".to_owned(),
            (Some(time), Some(_)) => format!("in {}", span(time.since(now))),
        },
    ]
}

/// What can be written at once, and how fast that fills up again.
fn quota(budget: &Budget, now: Timestamp) -> String {
    format!("{} writes, {} a minute", budget.writes.units_at(now), budget.writes.per_minute / 1000)
}

/// A span as people say it: its two largest units.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_two_largest_units() {
        for (seconds, told) in [(0, "0s"), (59, "59s"), (61, "1m 1s"), (3_720, "1h 2m"), (7 * 86_400 + 3_600, "7d 1h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }
}
