//! `plan`: what `sync` would do, and why.
//!
//! The plan is made by the code that synchronizes, on a copy of the store: the account is read, what was seen is merged
//! into the copy, and what would be sent is written down instead of sent. The copy is thrown away. Nothing is written
//! at Google or in the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;

use crate::daemon::worker::{Finished, Job};
use crate::domain::digest::Digest;
use crate::domain::id::AccountName;
use crate::engine::operation::OperationKind;
use crate::engine::{Operation, Purpose};

use super::brief::brief;
use super::desk::{Desk, open_database};
use super::exit::Exit;
use super::progress::Bar;
use super::stop;
use super::sync::{chosen, reach};

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
    plan: String,
    accounts: Vec<Planned<'a>>,
}

#[derive(Serialize)]
struct Planned<'a> {
    account: &'a AccountName,
    operations: &'a [Operation],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notices: &'a [String],
}

/// A copy of the store that goes away when it is dropped.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new(beside: &Path, nonce: u64) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let parent = beside.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = parent.join(format!(".contactsync-plan-{nonce:016x}"));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Scratch { folder })
    }

    fn database(&self) -> PathBuf {
        self.folder.join("contacts.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A copy that stays behind is private and harmless.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Plans and answers with the plan.
///
/// # Errors
/// As `sync`, and when the store cannot be copied.
pub async fn plan(args: &PlanArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let accounts = chosen(desk, args.account.as_deref())?;
    desk.check_secrets()?;
    let scratch = Scratch::new(&desk.config.store.path, desk.entropy.next_u64()).context("making a scratch folder")?;
    let database = open_database(&desk.config.store.path, desk.entropy.as_ref()).await?;
    database.copy_to(&scratch.database()).await.context("copying the store")?;
    database.close().await;
    let copy = open_database(&scratch.database(), desk.entropy.as_ref()).await?;
    let finished = {
        let worker = desk.worker_on(Arc::new(copy))?;
        let bar = Bar::new(&desk.out, "planning");
        let job = Job { accounts, reach: reach(args.full), purpose: Purpose::Preview, licences: BTreeMap::new() };
        worker.run(job, &bar, &stop::on_signals()).await.context("planning")?
    };
    answer(desk, &finished)?;
    Ok(Exit::of_accounts(&finished.record.accounts))
}

fn answer(desk: &Desk, finished: &Finished) -> anyhow::Result<()> {
    let planned = finished.record.accounts.iter().map(|summary| Planned {
        account: &summary.account,
        operations: finished.operations.get(&summary.account).map_or(&[], Vec::as_slice),
        error: summary.error.as_deref(),
        notices: &summary.notices,
    });
    let mut plan = Plan { plan: String::new(), accounts: planned.collect() };
    // The same plan has the same id, whoever makes it.
    let text = serde_json::to_string(&plan.accounts).context("writing the plan")?;
    plan.plan = Digest::of_bytes(text.as_bytes()).to_string().chars().take(26).collect();
    if desk.out.is_json() {
        desk.out.json(&plan)?;
        return Ok(());
    }
    for account in &plan.accounts {
        desk.out.text(&heading(account))?;
        for operation in account.operations {
            desk.out.text(&lines(operation))?;
        }
    }
    desk.out.text(&format!("plan {}", plan.plan))?;
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
fn lines(operation: &Operation) -> String {
    let Operation { op, side, name, reason, .. } = operation;
    let mut lines = vec![format!("  {} {:8} {name}  ({reason})", side.as_str(), op.as_str())];
    // What a new contact says is no change that anybody has to agree with; --json has it.
    if *op != OperationKind::Create {
        lines.extend(
            operation
                .fields
                .iter()
                .map(|(field, values)| format!("      {field}: {} -> {}", brief(&values.before), brief(&values.after))),
        );
    }
    lines.join("\n")
}
