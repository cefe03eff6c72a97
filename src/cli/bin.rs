//! `bin`: contacts that were deleted, since when, and by whom.

use anyhow::Context as _;
use serde::Serialize;

use crate::contacts::bin::{Binned, bin};
use crate::domain::contact::Kind;
use crate::domain::id::{ContactId, RunId};
use crate::domain::time::Timestamp;

use super::desk::Desk;
use super::duplicates::kind;
use super::exit::Exit;

/// What to do with the bin.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BinArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub which: Which,

    #[command(subcommand)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub command: Option<BinCommand>,
}

/// What to do with the bin, by name.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum BinCommand {
    /// List the contacts in the bin, the last one first
    List(Which),
}

/// Which contacts of the bin to show.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Which {
    /// Only of this kind: person or organization
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,

    /// List at most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

#[derive(Serialize)]
struct Row<'b> {
    id: ContactId,
    kind: Kind,
    name: String,
    deleted: Timestamp,
    who: &'b str,
    what: &'b str,
    merged_into: Option<ContactId>,
    run: Option<RunId>,
}

impl<'b> From<&'b Binned> for Row<'b> {
    fn from(binned: &'b Binned) -> Self {
        let card = &binned.contact.card;
        Row {
            id: binned.contact.id,
            kind: card.kind(),
            name: card.display_name(),
            deleted: binned.since,
            who: &binned.who,
            what: &binned.what,
            merged_into: binned.into,
            run: binned.run,
        }
    }
}

/// Shows what is in the bin.
///
/// # Errors
/// What the store or the stream says.
pub async fn show(args: &BinArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let which = match &args.command {
        Some(BinCommand::List(which)) => which,
        None => &args.which,
    };
    let limit = which.limit.unwrap_or(usize::MAX);
    let binned = bin(&*desk.store, which.kind, limit).await.context("reading the bin")?;
    let rows: Vec<Row<'_>> = binned.iter().map(Row::from).collect();
    if desk.out.is_json() {
        desk.out.json(&rows)?;
        return Ok(Exit::Done);
    }
    let cells = rows.iter().map(|row| {
        let (id, kind) = (row.id.to_string(), row.kind.as_str().to_owned());
        [row.deleted.to_string(), kind, id, row.name.clone(), row.who.to_owned(), row.what.to_owned()]
    });
    desk.out.table(["SINCE", "KIND", "ID", "NAME", "WHO", "WHAT"], cells.collect())?;
    if let Some(row) = rows.first() {
        let word = row.kind.as_str();
        desk.out
            .remark(&format!("`contactsync {word} restore {}` brings one back; nothing goes away by itself", row.id));
    }
    Ok(Exit::Done)
}
