//! `import undo`: takes back what an import did, as far as nothing has changed since.
//!
//! Without `--yes` it only tells what that comes to, and writes nowhere. What it does are edits of the store; the next run
//! carries them to the accounts, where the guards apply.

use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;

use crate::contacts::import::Effect;
use crate::contacts::undo_import::{ImportUndo, Skipped, Step, TakenBack};
use crate::domain::id::{ContactId, ImportId};
use crate::engine::Operation;
use crate::engine::operation::{BeforeAfter, OperationKind, Side};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;
use super::plan;

const REASON: &str = "as it was before the import";

/// Which import to take back.
#[derive(Debug, Clone, clap::Args)]
pub struct UndoImport {
    /// The import; `import` ended with its id, and `history` names it
    #[arg(value_name = "IMPORT")]
    pub import: ImportId,

    /// Carry it out instead of telling what it comes to
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Something that stays as it is, as scripts read it.
#[derive(Serialize)]
struct Left<'a> {
    contact: ContactId,
    name: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Skipped> for Left<'a> {
    fn from(skipped: &'a Skipped) -> Self {
        Left { contact: skipped.contact, name: &skipped.name, reason: &skipped.reason }
    }
}

/// Takes an import back, or tells what that comes to.
///
/// # Errors
/// An import that nobody knows, and what the store says.
pub async fn undo(args: &UndoImport, desk: &Desk) -> anyhow::Result<Exit> {
    let effect = if args.yes { Effect::Write } else { Effect::Preview };
    let undo =
        ImportUndo { store: desk.store.as_ref(), clock: desk.clock.as_ref(), entropy: desk.entropy.as_ref(), effect };
    let taken_back = undo.take_back(args.import).await.context("taking the import back")?;
    let taken_back = taken_back.ok_or_else(|| {
        UsageError(format!(
            "there is no import {}, or it changed nothing; `import` ends with its id, and `contactsync history` names \
             imports",
            args.import
        ))
    })?;
    if desk.out.is_json() {
        answer_json(args, &taken_back, desk)?;
    } else {
        answer(args, &taken_back, desk)?;
    }
    Ok(Exit::Done)
}

fn answer_json(args: &UndoImport, taken_back: &TakenBack, desk: &Desk) -> anyhow::Result<()> {
    let left: Vec<Left<'_>> = taken_back.skipped.iter().map(Left::from).collect();
    let operations: Vec<Operation> = taken_back.steps.iter().map(operation).collect();
    let (deleted, updated) = counted(taken_back);
    desk.out.json(&match args.yes {
        true => json!({ "import": args.import, "deleted": deleted, "updated": updated, "skipped": left }),
        false => json!({ "undo": args.import, "operations": operations, "skipped": left }),
    })?;
    Ok(())
}

fn answer(args: &UndoImport, taken_back: &TakenBack, desk: &Desk) -> anyhow::Result<()> {
    let (deleted, updated) = counted(taken_back);
    if !args.yes {
        for step in &taken_back.steps {
            desk.out.text(&plan::lines(&operation(step)))?;
        }
    }
    for Skipped { contact, name, reason } in &taken_back.skipped {
        desk.out.text(&format!("  {name} ({contact}): {reason}; that is left as it is"))?;
    }
    let changes = format!("{} deleted, {updated} changed back", many(deleted, "contact"));
    desk.out.text(&match (args.yes, deleted + updated) {
        (_, 0) => "there is nothing to take back".to_owned(),
        (true, _) => format!("{changes}; the next run carries that to the accounts"),
        (false, _) => format!("`contactsync import undo {} --yes` carries this out: {changes}", args.import),
    })?;
    Ok(())
}

fn counted(taken_back: &TakenBack) -> (u64, u64) {
    let deleted = taken_back.steps.iter().filter(|step| step.is_deletion()).count();
    (deleted as u64, (taken_back.steps.len() - deleted) as u64)
}

/// A step as a plan tells it.
fn operation(step: &Step) -> Operation {
    let op = if step.is_deletion() { OperationKind::Delete } else { OperationKind::Update };
    let mut operation = Operation::new(op, Side::Store, &step.contact.card, REASON).about(Some(step.contact.id), None);
    operation.fields = step
        .fields
        .iter()
        .map(|change| (change.field.to_string(), BeforeAfter::new(change.before.clone(), change.after.clone())))
        .collect();
    operation
}
