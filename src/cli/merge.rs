//! `person merge` and `organization merge`: two contacts that are the same become one.
//!
//! It tells what that comes to, field by field and record by record. On a terminal it asks then; elsewhere nothing is written
//! without `--yes`.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::contacts::merge::{MergePlan, MergeRequest, RecordsIn};
use crate::domain::contact::Kind;
use crate::domain::field::Field;
use crate::domain::id::{ContactId, RemoteId, RunId};
use crate::domain::pair::{Direction, InStore};

use super::brief::briefs;
use super::consent;
use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;
use super::whom;

/// Which two contacts become one.
#[derive(Debug, Clone, clap::Args)]
pub struct MergeArgs {
    /// The one whose values win, by id or name
    #[arg(value_name = "KEEP")]
    pub keep: String,

    /// The other one, by id or name
    #[arg(value_name = "OTHER")]
    pub other: String,

    /// Take a field from the other one, such as job_title=other; repeat it for more
    ///
    /// Of fields with several values both have their share anyway; it decides about their labels and which comes first
    #[arg(long, value_name = "FIELD=other")]
    pub take: Vec<Take>,

    /// Do not ask; without a terminal and without this it only tells what it comes to
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// A field that is taken from the other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take(Field);

impl FromStr for Take {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let field = text.strip_suffix("=other").ok_or_else(|| UsageError(format!("{text:?}: expected FIELD=other")))?;
        field.parse().map(Take).map_err(|error| UsageError(format!("{error}")))
    }
}

#[derive(Serialize)]
struct Named {
    id: ContactId,
    name: String,
}

#[derive(Serialize)]
struct FieldLine<'p> {
    field: &'p Field,
    keep: &'p Value,
    other: &'p Value,
    result: &'p Value,
    lost: &'p Option<Value>,
}

#[derive(Serialize)]
struct Plan<'p> {
    keep: Named,
    other: Named,
    survivor: ContactId,
    fields: Vec<FieldLine<'p>>,
    people: u64,
    entries: u64,
    records: Vec<RecordLine>,
}

/// What becomes of the records of the two in one account.
#[derive(Serialize)]
struct RecordLine {
    account: String,
    stays: Option<RemoteId>,
    goes: Option<RemoteId>,
    told: String,
}

#[derive(Serialize)]
struct Answer {
    run: RunId,
    survivor: ContactId,
    gone: ContactId,
}

/// Merges two contacts, or tells what that comes to.
///
/// # Errors
/// What the store, the editor or the stream says.
pub async fn merge(args: &MergeArgs, kind: Kind, desk: &Desk) -> anyhow::Result<Exit> {
    let from_other: BTreeSet<Field> = args.take.iter().map(|take| take.0.clone()).collect();
    let request = MergeRequest {
        kind,
        keep: whom::find(kind, &args.keep, desk).await?,
        other: whom::find(kind, &args.other, desk).await?,
        from_other,
        home: desk.config.store.region,
    };
    let editor = desk.editor();
    let plan = editor.plan_merge(&request).await?;
    if !args.yes {
        tell_plan(&plan, args, kind, desk)?;
        let asks = !desk.out.is_json() && consent::can_ask();
        if !asks || !consent::consents("Merge?")? {
            return Ok(Exit::Done);
        }
    }
    let merged = editor.merge(&request).await?;
    if desk.out.is_json() {
        desk.out.json(&Answer { run: merged.run, survivor: merged.survivor.id, gone: merged.gone })?;
    } else {
        let name = merged.survivor.card.display_name();
        desk.out.text(&format!(
            "merged into {} {} {name}; `contactsync undo {}` takes it back",
            kind.as_str(),
            merged.survivor.id,
            merged.run
        ))?;
    }
    Ok(Exit::Done)
}

fn tell_plan(plan: &MergePlan, args: &MergeArgs, kind: Kind, desk: &Desk) -> anyhow::Result<()> {
    if desk.out.is_json() {
        let [keep, other] =
            [&plan.keep, &plan.other].map(|contact| Named { id: contact.id, name: contact.card.display_name() });
        let fields = plan.united.fields.iter();
        let fields = fields.map(|outcome| FieldLine {
            field: &outcome.field,
            keep: &outcome.keep,
            other: &outcome.other,
            result: &outcome.result,
            lost: &outcome.lost,
        });
        let (survivor, people, entries) = (plan.survivor, plan.people, plan.entries);
        let (fields, records) = (fields.collect(), records(plan, desk));
        desk.out.json(&Plan { keep, other, survivor, fields, people, entries, records })?;
        return Ok(());
    }
    let rows = plan.united.fields.iter().map(|outcome| {
        let [keep, other] = briefs([&outcome.keep, &outcome.other]);
        let [result, _] = briefs([&outcome.result, &Value::Null]);
        let lost = if outcome.lost.is_some() { "a value stays in the history only" } else { "" };
        [outcome.field.to_string(), keep, other, result, lost.to_owned()]
    });
    desk.out.table(["FIELD", "KEEP", "OTHER", "RESULT", ""], rows.collect())?;
    if plan.people > 0 {
        desk.out.text(&format!("{} get the organization that stays", many(plan.people, "person")))?;
    }
    if plan.entries > 0 {
        desk.out.text(&format!("{} deals, activities, notes and relations follow", plan.entries))?;
    }
    if plan.survivor != plan.keep.id {
        let text = format!(
            "{} is linked with a record in Google and {} is not: it is the one that stays, with the values above",
            plan.survivor, plan.keep.id
        );
        desk.out.text(&text)?;
    }
    for line in records(plan, desk) {
        desk.out.text(&format!("{}: {}", line.account, line.told))?;
    }
    let takes: String = args.take.iter().map(|take| format!(" --take {:?}", format!("{}=other", take.0))).collect();
    let (word, keep, other) = (kind.as_str(), plan.keep.id, plan.other.id);
    desk.out.text(&format!("`contactsync {word} merge {keep} {other}{takes} --yes` carries this out"))?;
    Ok(())
}

fn records(plan: &MergePlan, desk: &Desk) -> Vec<RecordLine> {
    let line = |records: &RecordsIn| {
        let account = desk.config.account(records.account.as_str());
        let told = match account {
            Some(account) if account.direction == Direction::FromRemote => {
                "nothing is written to an account that is only read".to_owned()
            }
            Some(account) => told(records, account.delete.in_store),
            None => "the account is not configured; its records stay as they are".to_owned(),
        };
        let RecordsIn { account, survivors, losers } = records.clone();
        RecordLine { account: account.to_string(), stays: survivors, goes: losers, told }
    };
    plan.records.iter().map(line).collect()
}

/// What the next run makes of the records of the two.
fn told(records: &RecordsIn, in_store: InStore) -> String {
    let goes = match in_store {
        InStore::Propagate => "is deleted",
        InStore::Unlink => "stays in Google by itself, as deletions in the store leave records alone",
        InStore::TrashGroup => "is put into the trash group",
    };
    match (&records.survivors, &records.losers) {
        (Some(stays), Some(gone)) => format!("{stays} gets the values of both, {gone} {goes}"),
        (Some(stays), None) => format!("{stays} gets the values of both"),
        (None, Some(gone)) => format!("{gone} {goes}, and one of the contact that stays is made"),
        (None, None) => "a record is being made".to_owned(),
    }
}
