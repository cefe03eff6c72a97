//! `import`: contacts of a file go into the store.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::contacts::import::{Effect, FailedRow, ImportReport, Importer, Kept};
use crate::domain::id::ImportId;
use crate::formats::limits::MAX_FILE_BYTES;
use crate::formats::{self, ColumnMap, Columns, Origin, Rejected};

use super::desk::Desk;
use super::exit::{Exit, UsageError, named_file};
use super::progress::Bar;
use super::skip_file;
use super::take_back;

/// How many rows, differences and warnings are shown to people; `--json` has all of them.
const SHOWN: usize = 10;

/// What to import, and how.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ImportArgs {
    /// The file: CSV, XLSX, XLS or vCard; the format is told by its content
    #[arg(value_name = "FILE", required = true)]
    pub file: Option<PathBuf>,

    /// Read columns as this file says
    ///
    /// It is a TOML file with a section `[columns]` and lines such as "Tel. Zentrale" = "phone.main", "Kunde seit" =
    /// "custom.Customer since" or "Internal" = "ignore". --dry-run shows where each column goes; the message about a
    /// place that is none lists all there are.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,

    /// Only tell what would be done, and where each column goes
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask; needed without a terminal unless --dry-run is given
    #[arg(long, short = 'y')]
    pub yes: bool,

    #[command(subcommand)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub command: Option<ImportCommand>,
}

/// What to do with an import that was made.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ImportCommand {
    /// Take an import back, as far as nothing has changed since
    ///
    /// What it made goes to the bin, what it changed gets its former values. Without --yes it tells what that comes to and
    /// writes nowhere
    Undo(take_back::UndoImport),
}

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
}

/// Imports a file and answers with what came of it.
///
/// # Errors
/// A file that cannot be read at all, a map that is wrong, no consent to write, and what the store says.
pub async fn import(args: &ImportArgs, desk: &Desk) -> anyhow::Result<Exit> {
    match (&args.command, &args.file) {
        (Some(ImportCommand::Undo(undo)), _) => take_back::undo_import(undo, desk).await,
        (None, Some(file)) => import_file(file, args, desk).await,
        (None, None) => Err(UsageError("name the file to import".to_owned()).into()),
    }
}

async fn import_file(file: &Path, args: &ImportArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let asks = !args.yes && !args.dry_run;
    if asks && !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(UsageError("without a terminal, import needs --yes or --dry-run".to_owned()).into());
    }
    let bytes = read(file).map_err(|error| named_file("read", file, error))?;
    let map = args.map.as_deref().map(read_map).transpose()?;
    if args.dry_run || asks {
        let (report, preview) = take_in(file, desk, &bytes, map.as_ref(), None).await?;
        tell_columns(desk, preview.columns.as_ref())?;
        if args.dry_run || !consents(&report)? {
            tell(desk, None, &report, None)?;
            return Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Unfinished });
        }
    }
    let import = ImportId::new(desk.clock.now(), desk.entropy.next_u128());
    let (report, rejected) = take_in(file, desk, &bytes, map.as_ref(), Some(import)).await?;
    let skip_file = write_skip_file(file, desk, &rejected)?;
    tell(desk, Some(import), &report, skip_file.as_deref())?;
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Unfinished })
}

/// What could not be used, with what the skip file needs to be read again.
struct Skipped {
    columns: Option<Columns>,
    rows: Vec<Rejected>,
}

async fn take_in(
    path: &Path,
    desk: &Desk,
    bytes: &[u8],
    map: Option<&ColumnMap>,
    import: Option<ImportId>,
) -> anyhow::Result<(ImportReport, Skipped)> {
    let name = path.display().to_string();
    let file = formats::open(&name, bytes, map).map_err(|error| anyhow::Error::new(UsageError(error.to_string())))?;
    let mut skipped = Skipped { columns: file.columns().cloned(), rows: Vec::new() };
    let importer = Importer {
        store: desk.store.as_ref(),
        clock: desk.clock.as_ref(),
        entropy: desk.entropy.as_ref(),
        effect: if import.is_some() { Effect::Write } else { Effect::Preview },
        home: desk.config.store.region,
    };
    let id = import.unwrap_or_else(|| ImportId::new(desk.clock.now(), 0));
    let what = if import.is_some() { "importing" } else { "reading" };
    let bar = Bar::new(&desk.out, what);
    let report = importer
        .import(id, file.items(), |row| skipped.rows.push(row), |done| bar.advance(what, done, 0))
        .await
        .context("storing contacts")?;
    Ok((report, skipped))
}

/// Reads a file; of one that is too large, a little more than is accepted, so that it is refused for what it is.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_map(path: &Path) -> anyhow::Result<ColumnMap> {
    let text = std::fs::read_to_string(path).map_err(|error| named_file("read", path, error))?;
    ColumnMap::parse(&path.display().to_string(), &text)
        .map_err(|error| anyhow::Error::new(UsageError(error.to_string())))
}

/// Asks on the terminal.
fn consents(report: &ImportReport) -> anyhow::Result<bool> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{}\nImport? [y/N] ", summary(report, "would be "))?;
    terminal.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Writes down the rows that could not be used. The contacts are in the store already, so that this fails is no reason to
/// keep silent about them.
fn write_skip_file(file: &Path, desk: &Desk, skipped: &Skipped) -> anyhow::Result<Option<PathBuf>> {
    if skipped.rows.is_empty() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    formats::write_skip_file(&mut bytes, skipped.columns.as_ref(), &skipped.rows).context("writing the skip file")?;
    let extension = if skipped.columns.is_some() { "csv" } else { "vcf" };
    match skip_file::write(file, extension, &bytes) {
        Ok(path) => Ok(Some(path)),
        Err((path, error)) => {
            desk.out.warn(&format!("the rows that could not be used are not in {}: {error}", path.display()));
            Ok(None)
        }
    }
}

/// Writes a file that only its owner may read: it holds personal data. One that is there keeps its mode.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    // One that is there already may be for everybody.
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    file.write_all(bytes)
}

fn tell(desk: &Desk, import: Option<ImportId>, report: &ImportReport, skip_file: Option<&Path>) -> anyhow::Result<()> {
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
        })?;
        return Ok(());
    }
    let mut lines = vec![summary(report, if import.is_some() { "" } else { "would be " })];
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
fn tell_columns(desk: &Desk, columns: Option<&Columns>) -> anyhow::Result<()> {
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
