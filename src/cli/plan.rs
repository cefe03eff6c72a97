//! `plan`: what `sync` would do, and why.
//!
//! The plan is made by the code that synchronizes, on a copy of the store: the account is read, what was seen is merged
//! into the copy, and what would be sent is written down instead of sent. The copy is thrown away; one that a killed
//! process left behind is thrown away by the next plan. Nothing is written at Google or in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use crate::config::Config;
use crate::daemon::worker::{Finished, Job};
use crate::domain::id::AccountName;
use crate::domain::policy::Winner;
use crate::engine::operation::{BeforeAfter, BothSides, OperationKind};
use crate::engine::{Operation, Purpose, Reach, StopFlag};
use crate::store::grant::SealingKey;
use crate::store::{SealedGrant, Store};

use super::brief::briefs;
use super::desk::{Desk, open_database};
use super::exit::Exit;
use super::plan_id::{Part, PlanId};
use super::progress::Bar;
use super::scratch::Scratch;
use super::stop;
use super::sync::{chosen, ended, reach};

/// What to plan.
#[derive(Debug, Clone, clap::Args)]
pub struct PlanArgs {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// List everything instead of what changed since the last run
    #[arg(long)]
    pub full: bool,
}

/// A plan as scripts read it.
#[derive(Serialize)]
struct Plan<'a> {
    plan: &'a str,
    accounts: Vec<Planned<'a>>,
}

/// What is planned for one account.
#[derive(Serialize)]
pub(super) struct Planned<'a> {
    account: &'a AccountName,
    operations: &'a [Operation],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notices: &'a [String],
}

/// Plans and answers with the plan.
///
/// # Errors
/// As `sync`, and when the store cannot be copied.
pub async fn plan(args: &PlanArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let accounts = chosen(desk, args.account.as_deref())?;
    desk.check_secrets()?;
    let reach = reach(args.full);
    let job = Job { accounts, reach, purpose: Purpose::Preview, licences: BTreeMap::new() };
    let stop = stop::on_signals();
    let finished = preview(desk, job, &stop).await?;
    let id = plan_id(&finished, args.account.as_deref(), reach);
    answer(desk, &finished, &id.to_string())?;
    Ok(ended(&finished, &stop, desk))
}

/// The id of a plan.
pub(super) fn plan_id(finished: &Finished, account: Option<&str>, reach: Reach) -> PlanId {
    let none = BTreeSet::new();
    let parts = finished.operations.iter().map(|(account, operations)| Part {
        account,
        operations,
        new_groups: finished.new_groups.get(account).unwrap_or(&none),
    });
    PlanId::of(parts, account, reach)
}

/// Finds out what a run would do, on a copy of the store.
pub(super) async fn preview(desk: &Desk, job: Job<'_>, stop: &StopFlag) -> anyhow::Result<Finished> {
    let scratch = Scratch::new(&desk.config.store.path, desk.entropy.next_u64()).context("making a scratch folder")?;
    desk.database.copy_to(&scratch.database()).await.context("copying the store")?;
    let copy = open_database(&scratch.database(), desk.entropy.as_ref()).await?;
    let mut config = desk.config.clone();
    let missing = scratch.stand_in_key(&mut config);
    let finished = preview_on(desk, &config, Arc::new(copy.clone()), job, stop).await;
    copy.close().await;
    let finished = finished?;
    keep_first_grants(desk).await?;
    if let Some(key) = missing {
        keep_key(desk, &scratch.key(), &key).await?;
    }
    Ok(finished)
}

async fn preview_on(
    desk: &Desk,
    config: &Config,
    copy: Arc<dyn Store>,
    job: Job<'_>,
    stop: &StopFlag,
) -> anyhow::Result<Finished> {
    let worker = desk.worker_on(config, copy)?;
    let bar = Bar::new(&desk.out, "planning");
    worker.run(job, &bar, stop).await.context("planning")
}

/// A key that was drawn for the preview is kept only when something was sealed with it: a consent that the vendor
/// replaced while it was used.
async fn keep_key(desk: &Desk, drawn: &Path, place: &Path) -> anyhow::Result<()> {
    let key = SealingKey::load(drawn).context("the key that seals grants")?;
    let is_in_use = |grant: &SealedGrant| key.open(&grant.account, &grant.sealed).is_ok();
    if grants(desk).await?.iter().any(is_in_use) {
        std::fs::rename(drawn, place).context("keeping the key that seals grants")?;
    }
    Ok(())
}

/// A consent that the vendor replaced while there was no store yet: the old one may be worth nothing by now, so this alone
/// makes a store.
async fn keep_first_grants(desk: &Desk) -> anyhow::Result<()> {
    let grants = grants(desk).await?;
    if !desk.is_stand_in() || grants.is_empty() {
        return Ok(());
    }
    let path = &desk.config.store.path;
    desk.out.warn(&format!("Google replaced the consent; to keep it, the store {} is made", path.display()));
    let database = open_database(path, desk.entropy.as_ref()).await?;
    for grant in &grants {
        database.put_grant(grant).await.context("keeping a consent")?;
    }
    database.close().await;
    Ok(())
}

async fn grants(desk: &Desk) -> anyhow::Result<Vec<SealedGrant>> {
    let mut grants = Vec::new();
    for account in &desk.config.accounts {
        grants.extend(desk.store.grant(&account.name).await.context("reading consents")?);
    }
    Ok(grants)
}

/// A plan, account by account, as scripts read it.
pub(super) fn planned(finished: &Finished) -> Vec<Planned<'_>> {
    let accounts = finished.record.accounts.iter().map(|summary| Planned {
        account: &summary.account,
        operations: finished.operations.get(&summary.account).map_or(&[], Vec::as_slice),
        error: summary.error.as_deref(),
        notices: &summary.notices,
    });
    accounts.collect()
}

fn answer(desk: &Desk, finished: &Finished, id: &str) -> anyhow::Result<()> {
    if desk.out.is_json() {
        desk.out.json(&Plan { plan: id, accounts: planned(finished) })?;
        return Ok(());
    }
    tell(desk, finished)?;
    // Where nothing could be planned, there is nothing to apply.
    if planned(finished).iter().any(|account| account.error.is_none() || !account.operations.is_empty()) {
        desk.out.text(&format!("plan {id}"))?;
    }
    Ok(())
}

/// Tells a plan to people.
///
/// # Errors
/// What the stream says.
pub(super) fn tell(desk: &Desk, finished: &Finished) -> anyhow::Result<()> {
    for account in &planned(finished) {
        desk.out.text(&heading(account))?;
        for operation in account.operations {
            desk.out.text(&lines(operation))?;
        }
    }
    Ok(())
}

fn heading(account: &Planned<'_>) -> String {
    let mut lines = vec![match account.operations.len() {
        0 if account.error.is_none() => format!("{}: no contact has to change", account.account),
        0 => format!("{}: no plan", account.account),
        1 => format!("{}: 1 operation", account.account),
        count => format!("{}: {count} operations", account.account),
    }];
    lines.extend(account.error.map(|error| format!("  {error}")));
    lines.extend(account.notices.iter().map(|notice| format!("  {notice}")));
    lines.join("\n")
}

/// An operation in lines: what, on which side, why; and the fields that change.
pub(super) fn lines(operation: &Operation) -> String {
    let Operation { op, side, name, reason, .. } = operation;
    let mut lines = vec![format!("  {} {:8} {name}  ({reason})", side.as_str(), op.as_str())];
    // What a new contact says is no change that anybody has to agree with; --json has it.
    if *op != OperationKind::Create {
        lines.extend(operation.fields.iter().map(|(field, values)| format!("      {field}: {}", change(values))));
    }
    lines.join("\n")
}

/// What becomes of a value; of one that both sides had changed, whose is taken.
fn change(values: &BeforeAfter) -> String {
    let Some(BothSides { store, google, taken }) = &values.conflict else {
        let [before, after] = briefs([&values.before, &values.after]);
        return format!("{before} -> {after}");
    };
    let [store, google] = briefs([store, google]);
    let outcome = match taken {
        Winner::Store => "the store's is taken",
        Winner::Remote => "Google's is taken",
        Winner::Hold => "each side keeps its own until you decide",
    };
    format!("store {store} | Google {google} -> {outcome}")
}
