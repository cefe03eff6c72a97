//! `import`: contacts of a file go into the store.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::contacts::import::{Effect, ImportReport, Importer};
use crate::domain::entry::deal::Currency;
use crate::domain::id::ImportId;
use crate::formats::limits::MAX_FILE_BYTES;
use crate::formats::{self, ColumnMap, Columns, Rejected, Remark};

use super::consent;
use super::desk::Desk;
use super::exit::{Exit, UsageError, named_file};
use super::import_report::{tell, tell_columns, tell_preview};
use super::progress::Bar;
use super::skip_file;
use super::take_back;

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

    /// The currency of deals whose value has none, such as EUR
    #[arg(long, value_name = "CURRENCY")]
    pub currency: Option<Currency>,

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
    if asks && !consent::can_ask() {
        return Err(UsageError("without a terminal, import needs --yes or --dry-run".to_owned()).into());
    }
    let bytes = read(file).map_err(|error| named_file("read", file, error))?;
    let map = args.map.as_deref().map(read_map).transpose()?;
    if args.dry_run || asks {
        let (report, preview) = take_in(file, args, desk, &bytes, map.as_ref(), None).await?;
        preview.remarks.iter().for_each(|remark| desk.out.warn(&remark.to_string()));
        tell_columns(desk, preview.columns.as_ref())?;
        tell_preview(desk, &report)?;
        // Programs get one answer, which is that of the import itself once somebody has consented.
        if args.dry_run || !desk.out.is_json() {
            tell(desk, None, &report, None)?;
        }
        if args.dry_run {
            return Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Unfinished });
        }
        if !consent::consents("Import?")? {
            if desk.out.is_json() {
                tell(desk, None, &report, None)?;
            }
            desk.out.remark("nothing was imported");
            return Ok(Exit::Done);
        }
    }
    let import = ImportId::new(desk.clock.now(), desk.entropy.next_u128());
    let (report, rejected) = take_in(file, args, desk, &bytes, map.as_ref(), Some(import)).await?;
    if args.yes {
        rejected.remarks.iter().for_each(|remark| desk.out.warn(&remark.to_string()));
    }
    let skip_file = write_skip_file(file, desk, &rejected)?;
    tell(desk, Some(import), &report, skip_file.as_deref())?;
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Unfinished })
}

/// What could not be used, with what the skip file needs to be read again.
struct Skipped {
    columns: Option<Columns>,
    rows: Vec<Rejected>,
    remarks: Vec<Remark>,
}

async fn take_in(
    path: &Path,
    args: &ImportArgs,
    desk: &Desk,
    bytes: &[u8],
    map: Option<&ColumnMap>,
    import: Option<ImportId>,
) -> anyhow::Result<(ImportReport, Skipped)> {
    let name = path.display().to_string();
    let file = formats::open(&name, bytes, map).map_err(|error| anyhow::Error::new(UsageError(error.to_string())))?;
    let total = file.rows();
    let mut skipped = Skipped { columns: file.columns().cloned(), rows: Vec::new(), remarks: file.remarks().to_vec() };
    let importer = Importer {
        store: desk.store.as_ref(),
        clock: desk.clock.as_ref(),
        entropy: desk.entropy.as_ref(),
        effect: if import.is_some() { Effect::Write } else { Effect::Preview },
        home: desk.config.store.region,
        currency: args.currency,
    };
    let id = import.unwrap_or_else(|| ImportId::new(desk.clock.now(), 0));
    let what = if import.is_some() { "importing" } else { "reading" };
    let bar = Bar::new(&desk.out, what);
    let report = importer
        .import(id, file.items(), |row| skipped.rows.push(row), |done| bar.advance(what, done, total))
        .await
        .context("storing contacts")?;
    skipped.rows.sort_by_key(|row| row.line);
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
