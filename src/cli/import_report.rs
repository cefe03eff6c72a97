//! What an import comes to, told to people and to programs: before anything is written, and after.

use std::path::Path;

use serde::Serialize;

use crate::contacts::import::{Example, FailedRow, Fate, ImportReport, Kept, Match, Tally};
use crate::domain::contact::{Card, Kind};
use crate::domain::diff;
use crate::domain::entry::Body;
use crate::domain::field::Field;
use crate::domain::id::ImportId;
use crate::formats::{self, Columns, Origin};

use super::brief::brief;
use super::desk::Desk;

/// How many rows, differences and warnings are shown to people; `--json` has all of them.
const SHOWN: usize = 10;

/// An import as scripts read it.
#[derive(Serialize)]
struct Answer<'a> {
    import: Option<ImportId>,
    created: u64,
    updated: u64,
    unchanged: u64,
    failed: &'a [FailedRow],
    skip_file: Option<String>,
    kept: &'a [Kept],
    warnings: &'a [FailedRow],
    deals: Tally,
    activities: Tally,
    notes: Tally,
    matched: u64,
    /// The first of them, before anything is written.
    #[serde(skip_serializing_if = "<[Match]>::is_empty")]
    matches: &'a [Match],
}

/// Shows people the first rows as they come in, and the first that are in the store already.
pub(super) fn tell_preview(desk: &Desk, report: &ImportReport) -> anyhow::Result<()> {
    if desk.out.is_json() || report.examples.is_empty() {
        return Ok(());
    }
    let mut lines = vec!["The first rows as they come in:".to_owned()];
    report.examples.iter().for_each(|example| lines.extend(example_lines(example)));
    if report.matched > 0 {
        let rows = if report.matched == 1 { "1 row is" } else { &format!("{} rows are", report.matched) };
        lines.push(format!("{rows} of contacts that are there already:"));
        lines.extend(report.matches.iter().map(match_line));
        let more = report.matched.saturating_sub(report.matches.len() as u64);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    desk.out.text(&lines.join("\n"))?;
    desk.out.text("\n")?;
    Ok(())
}

fn example_lines(Example { line, card, entries, fate }: &Example) -> Vec<String> {
    let fate = match fate {
        Fate::Created => "new",
        Fate::Updated(_) => "there already, takes something in:",
        Fate::Unchanged => "there already, and says all of it:",
    };
    let kind = match card.kind() {
        Kind::Person => "person",
        Kind::Organization => "organization",
    };
    let mut lines = vec![format!("  line {line}: {fate} {kind} {}", card.display_name())];
    let blank = Card::blank(card.kind());
    for change in diff::changes(&blank, card) {
        // The name stands above already.
        if change.field != Field::Name {
            lines.push(format!("      {}: {}", change.field, brief(&change.after)));
        }
    }
    lines.extend(entries.iter().map(|body| format!("      {}", entry_line(body))));
    lines
}

fn entry_line(body: &Body) -> String {
    let Body::Deal(deal) = body else { return format!("{}: {}", body.kind().as_str(), body.title()) };
    let value = deal.value.as_ref().map(|value| format!(", {value}")).unwrap_or_default();
    let close = deal.expected_close.map(|day| format!(", expected to close on {day}")).unwrap_or_default();
    format!("deal: {}{value}, {}, {}{close}", deal.title, deal.stage, deal.status.as_str())
}

fn match_line(Match { line, contact, name, takes }: &Match) -> String {
    let takes: Vec<String> = takes.iter().map(ToString::to_string).collect();
    let what = if takes.is_empty() { "nothing new".to_owned() } else { format!("takes {}", takes.join(", ")) };
    format!("  line {line}: {name} ({contact}): {what}")
}

/// Answers with what an import did, or would do.
pub(super) fn tell(
    desk: &Desk,
    import: Option<ImportId>,
    report: &ImportReport,
    skip_file: Option<&Path>,
) -> anyhow::Result<()> {
    if desk.out.is_json() {
        desk.out.json(&Answer {
            import,
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            failed: &report.failed,
            // A name that is no text is told as well as it can be.
            skip_file: skip_file.map(|path| path.display().to_string()),
            kept: &report.kept,
            warnings: &report.warnings,
            deals: report.deals,
            activities: report.activities,
            notes: report.notes,
            matched: report.matched,
            matches: &report.matches,
        })?;
        return Ok(());
    }
    let would_be = if import.is_some() { "" } else { "would be " };
    let mut lines = vec![summary(report, would_be)];
    lines.extend(beside(report, would_be));
    let rows = report.failed.iter().map(|row| format!("  line {}: {}", row.line, row.reason)).collect();
    lines.extend(first_of(rows, ["row that could not be used", "rows that could not be used"]));
    let kept = report
        .kept
        .iter()
        .map(|kept| {
            format!(
                "  line {}: {} has {} = {}, the file says {}",
                kept.line, kept.contact, kept.field, kept.store, kept.file
            )
        })
        .collect();
    let why = "not taken, because the store has another one";
    lines.extend(first_of(kept, [&format!("value that was {why}"), &format!("values that were {why}")]));
    let warnings = report.warnings.iter().map(|row| format!("  line {}: {}", row.line, row.reason)).collect();
    lines.extend(first_of(warnings, ["oddity", "oddities"]));
    lines.extend(skip_file.map(|path| format!("The rows that could not be used are in {}", path.display())));
    lines.extend(
        import.map(|id| format!("import {id}; `contactsync import undo {id}` tells what taking it back comes to")),
    );
    desk.out.text(&lines.join("\n"))?;
    Ok(())
}

/// Shows people where each column goes; the answer to programs stays as the contract says.
pub(super) fn tell_columns(desk: &Desk, columns: Option<&Columns>) -> anyhow::Result<()> {
    let Some(columns) = columns else { return Ok(()) };
    for heading in columns.unmatched() {
        desk.out.warn(&format!("the map names the column {heading:?}, which the file does not have"));
    }
    if desk.out.is_json() {
        return Ok(());
    }
    let why = |origin| match origin {
        Origin::Map => "the map says so",
        Origin::Heading => "its heading",
        Origin::Content => "what its cells look like",
        Origin::Unknown => "unknown, so kept as it is",
    };
    let row =
        |column: &formats::Column| [column.heading.clone(), column.target.to_string(), why(column.origin).to_owned()];
    desk.out.table(["COLUMN", "GOES TO", "BECAUSE OF"], columns.iter().map(row).collect())?;
    desk.out.text("\n")?;
    Ok(())
}

fn summary(report: &ImportReport, would_be: &str) -> String {
    let ImportReport { created, updated, unchanged, failed, .. } = report;
    if created + updated + unchanged == 0 && failed.is_empty() {
        return "the file holds no contacts".to_owned();
    }
    let contacts = if *created == 1 { "contact" } else { "contacts" };
    let (are, rows) = (if *unchanged == 1 { "is" } else { "are" }, if failed.len() == 1 { "row" } else { "rows" });
    format!(
        "{created} {contacts} {would_be}created, {updated} updated; {unchanged} {are} there already, {} {rows} could not \
         be used",
        failed.len()
    )
}

/// What came in beside contacts.
fn beside(report: &ImportReport, would_be: &str) -> Option<String> {
    let tallies = [(report.deals, "deal"), (report.activities, "activity"), (report.notes, "note")];
    let told: Vec<String> = tallies
        .into_iter()
        .filter(|(Tally { created, unchanged }, _)| created + unchanged > 0)
        .map(|(Tally { created, unchanged }, what)| {
            let (is, what) = (if unchanged == 1 { "is" } else { "are" }, several(created, what));
            format!("{created} {what} {would_be}created, {unchanged} {is} there already")
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn several(count: u64, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => what.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{what}s"),
    }
}

/// The first lines under their number; what they are is said for one and for several.
fn first_of(lines: Vec<String>, [one, several]: [&str; 2]) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    let mut shown = Vec::new();
    if !lines.is_empty() {
        shown.push(format!("{} {}:", lines.len(), if lines.len() == 1 { one } else { several }));
    }
    shown.extend(lines.into_iter().take(SHOWN));
    if more > 0 {
        shown.push(format!("  and {more} more; --json lists all"));
    }
    shown
}
