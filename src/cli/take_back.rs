//! `import undo`, and `undo` of a merge: takes back what was done to the store under one id, as far as nothing has changed
//! since.
//!
//! Without `--yes` it only tells what that comes to, and writes nowhere. What it does are edits of the store; the next run
//! carries them to the accounts, where the guards apply.

use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;

use crate::contacts::import::Effect;
use crate::contacts::take_back::{Deed, EntryStep, Skipped, Step, TakeBack, TakenBack};
use crate::domain::history::Action;
use crate::domain::id::{ContactId, EntryId, ImportId};
use crate::engine::Operation;
use crate::engine::operation::{BeforeAfter, OperationKind, Side};

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::output::many;
use super::plan;

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
    contact: Option<ContactId>,
    name: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Skipped> for Left<'a> {
    fn from(skipped: &'a Skipped) -> Self {
        Left { contact: skipped.contact, name: &skipped.name, reason: &skipped.reason }
    }
}

/// An entry that changes, as scripts read it.
#[derive(Serialize)]
struct EntryLine<'a> {
    op: &'static str,
    kind: &'static str,
    entry: EntryId,
    title: String,
    #[serde(skip)]
    from: &'a EntryStep,
}

impl<'a> From<&'a EntryStep> for EntryLine<'a> {
    fn from(step: &'a EntryStep) -> Self {
        let op = match step.action {
            Action::Deleted => "delete",
            Action::Restored => "restore",
            _ => "update",
        };
        let EntryStep { entry, .. } = step;
        EntryLine { op, kind: entry.body.kind().as_str(), entry: entry.id, title: entry.body.title(), from: step }
    }
}

/// How many contacts change, by what becomes of them.
struct Counted {
    deleted: u64,
    restored: u64,
    updated: u64,
}

impl Counted {
    fn of(taken_back: &TakenBack) -> Self {
        let count = |wanted: Action| taken_back.steps.iter().filter(|step| step.action == wanted).count() as u64;
        Counted { deleted: count(Action::Deleted), restored: count(Action::Restored), updated: count(Action::Edited) }
    }

    fn total(&self) -> u64 {
        self.deleted + self.restored + self.updated
    }

    fn told(&self, entries: usize) -> String {
        let restored = if self.restored > 0 { format!("{} restored, ", self.restored) } else { String::new() };
        let entries = match entries {
            0 => String::new(),
            count => format!("; {count} deals, activities and notes follow"),
        };
        format!("{} deleted, {restored}{} changed back{entries}", many(self.deleted, "contact"), self.updated)
    }
}

/// Takes an import back, or tells what that comes to.
///
/// # Errors
/// An import that nobody knows, and what the store says.
pub async fn undo_import(args: &UndoImport, desk: &Desk) -> anyhow::Result<Exit> {
    let asked =
        Asked { deed: Deed::Import(args.import), yes: args.yes, command: format!("import undo {}", args.import) };
    let unknown = || {
        UsageError(format!(
            "there is no import {}, or it changed nothing; `import` ends with its id, and `contactsync history` names \
             imports",
            args.import
        ))
    };
    take_back(&asked, desk).await?.ok_or_else(|| unknown().into())
}

/// What is asked to be taken back.
pub struct Asked {
    /// What it is.
    pub deed: Deed,
    /// Whether it is carried out.
    pub yes: bool,
    /// The command that carries it out, without `--yes`.
    pub command: String,
}

impl Asked {
    fn id(&self) -> String {
        match self.deed {
            Deed::Import(import) => import.to_string(),
            Deed::Run(run) => run.to_string(),
        }
    }

    fn word(&self) -> &'static str {
        match self.deed {
            Deed::Import(_) => "import",
            Deed::Run(_) => "run",
        }
    }
}

/// Takes something back, or tells what that comes to; `None` when nobody knows it.
///
/// # Errors
/// What the store or the stream says.
pub async fn take_back(asked: &Asked, desk: &Desk) -> anyhow::Result<Option<Exit>> {
    let effect = if asked.yes { Effect::Write } else { Effect::Preview };
    let undo =
        TakeBack { store: desk.store.as_ref(), clock: desk.clock.as_ref(), entropy: desk.entropy.as_ref(), effect };
    let taken_back = undo.take_back(asked.deed).await.with_context(|| format!("taking the {} back", asked.word()))?;
    let Some(taken_back) = taken_back else { return Ok(None) };
    if desk.out.is_json() {
        answer_json(asked, &taken_back, desk)?;
    } else {
        answer(asked, &taken_back, desk)?;
    }
    Ok(Some(Exit::Done))
}

fn answer_json(asked: &Asked, taken_back: &TakenBack, desk: &Desk) -> anyhow::Result<()> {
    let left: Vec<Left<'_>> = taken_back.skipped.iter().map(Left::from).collect();
    let operations: Vec<Operation> = taken_back.steps.iter().map(|step| operation(asked, step)).collect();
    let entries: Vec<EntryLine<'_>> = taken_back.entries.iter().map(EntryLine::from).collect();
    let Counted { deleted, restored, updated } = Counted::of(taken_back);
    let entries_count = entries.len();
    desk.out.json(&match (asked.yes, asked.deed) {
        (false, _) => json!({ "undo": asked.id(), "operations": operations, "entries": entries, "skipped": left }),
        (true, Deed::Import(import)) => json!({
            "import": import, "run": taken_back.run, "deleted": deleted, "restored": restored, "updated": updated,
            "entries": entries_count, "skipped": left
        }),
        // As every run: its own id, and what it did in the accounts, which is nothing.
        (true, Deed::Run(undone)) => json!({
            "run": taken_back.run, "undo": undone, "accounts": [], "deleted": deleted, "restored": restored,
            "updated": updated, "entries": entries_count, "skipped": left
        }),
    })?;
    Ok(())
}

fn answer(asked: &Asked, taken_back: &TakenBack, desk: &Desk) -> anyhow::Result<()> {
    let counted = Counted::of(taken_back);
    if !asked.yes {
        for step in &taken_back.steps {
            desk.out.text(&plan::lines(&operation(asked, step)))?;
        }
        for line in taken_back.entries.iter().map(EntryLine::from) {
            let entry = &line.from.entry;
            desk.out.text(&format!("  {} {} {} {}", line.op, line.kind, entry.id, line.title))?;
        }
    }
    for Skipped { contact, name, reason } in &taken_back.skipped {
        let id = contact.map(|id| format!(" ({id})")).unwrap_or_default();
        desk.out.text(&format!("  {name}{id}: {reason}; that is left as it is"))?;
    }
    let changes = counted.told(taken_back.entries.len());
    desk.out.text(&match (asked.yes, counted.total() + taken_back.entries.len() as u64) {
        (_, 0) => "there is nothing to take back".to_owned(),
        (true, _) => {
            let id = taken_back.run.map(|run| format!("run {run}: ")).unwrap_or_default();
            format!("{id}{changes}; the next run carries that to the accounts")
        }
        (false, _) => format!("`contactsync {} --yes` carries this out: {changes}", asked.command),
    })?;
    Ok(())
}

/// A step as a plan tells it.
fn operation(asked: &Asked, step: &Step) -> Operation {
    let op = match step.action {
        Action::Deleted => OperationKind::Delete,
        Action::Restored => OperationKind::Create,
        _ => OperationKind::Update,
    };
    let reason = format!("as it was before the {}", asked.word());
    let mut operation = Operation::new(op, Side::Store, &step.contact.card, reason).about(Some(step.contact.id), None);
    operation.fields = step
        .fields
        .iter()
        .map(|change| (change.field.to_string(), BeforeAfter::new(change.before.clone(), change.after.clone())))
        .collect();
    operation
}
