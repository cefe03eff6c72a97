//! `export`: the store as a file.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::contacts::show::Shown;
use crate::domain::contact::Contact;
use crate::formats::{self, ExportRecord, Separator, WriteError};
use crate::store::{ContactQuery, DeletedContacts};

use super::desk::Desk;
use super::exit::{Exit, UsageError, named_file};
use super::import::write_private;
use super::output::many;

/// How many contacts are read at a time.
const PAGE: u32 = 1000;

/// What to export, and whereto.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The format; without it the file's extension decides (jsonl, json, csv, vcf, xlsx), and stdout gets JSON Lines
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,

    /// What stands between the cells of a CSV file; spreadsheets of many countries expect semicolons
    #[arg(long, value_enum)]
    pub separator: Option<CsvSeparator>,

    /// The file; stdout when it is left out
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// The formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// JSON Lines, persons and organizations mixed
    Json,
    /// CSV
    Csv,
    /// vCard 4.0
    Vcard,
    /// An Excel workbook
    Xlsx,
}

/// What stands between the cells of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CsvSeparator {
    /// A comma, as it is without this flag
    Comma,
    /// A semicolon
    Semicolon,
    /// A tab
    Tab,
}

impl From<CsvSeparator> for Separator {
    fn from(separator: CsvSeparator) -> Self {
        match separator {
            CsvSeparator::Comma => Separator::Comma,
            CsvSeparator::Semicolon => Separator::Semicolon,
            CsvSeparator::Tab => Separator::Tab,
        }
    }
}

impl ExportArgs {
    /// The format that was asked for, else the one of the file's extension; on stdout JSON Lines.
    ///
    /// # Errors
    /// An extension that stands for no format.
    pub fn chosen_format(&self) -> Result<ExportFormat, UsageError> {
        let (format, file) = match (self.format, &self.file) {
            (Some(format), _) => return Ok(format),
            (None, None) => return Ok(ExportFormat::Json),
            (None, Some(file)) => (file.extension().and_then(|extension| extension.to_str()), file),
        };
        match format.map(str::to_ascii_lowercase).as_deref() {
            Some("json" | "jsonl" | "ndjson") => Ok(ExportFormat::Json),
            Some("csv") => Ok(ExportFormat::Csv),
            Some("vcf" | "vcard") => Ok(ExportFormat::Vcard),
            Some("xlsx") => Ok(ExportFormat::Xlsx),
            _ => Err(UsageError(format!(
                "the name {} tells no format: end it with .jsonl, .json, .csv, .vcf or .xlsx, or say --format json, csv, \
                 vcard or xlsx",
                file.display()
            ))),
        }
    }
}

/// Exports every living contact, to a file or to stdout.
///
/// # Errors
/// What the store, the format or the file says.
pub async fn export(args: &ExportArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let format = args.chosen_format()?;
    if args.separator.is_some() && format != ExportFormat::Csv {
        return Err(UsageError("--separator is for CSV; add --format csv or end the name with .csv".to_owned()).into());
    }
    let separator = args.separator.map(Separator::from).unwrap_or_default();
    let records = records(desk).await?;
    let count = records.len();
    let mut bytes = Vec::new();
    write(format, separator, &mut bytes, records).context("writing contacts down")?;
    match &args.file {
        Some(file) => {
            write_private(file, &bytes).map_err(|error| named_file("write", file, error))?;
            if desk.out.is_json() {
                desk.out.json(&serde_json::json!({"exported": count, "file": file.display().to_string()}))?;
            } else {
                desk.out.remark(&format!("{} written to {}", many(count as u64, "contact"), file.display()));
            }
        }
        None => desk.out.bytes(&bytes)?,
    }
    Ok(Exit::Done)
}

async fn records(desk: &Desk) -> anyhow::Result<Vec<ExportRecord>> {
    let mut records = Vec::new();
    let mut query = ContactQuery { deleted: DeletedContacts::Hidden, limit: Some(PAGE), ..ContactQuery::default() };
    loop {
        let contacts: Vec<Contact> = desk.store.find_contacts(&query).await.context("reading contacts")?;
        let Some(last) = contacts.last() else { return Ok(records) };
        query.after = Some(last.id);
        for shown in Shown::all(&contacts, desk.store.as_ref()).await.context("reading contacts")? {
            let json = serde_json::to_value(&shown).context("writing a contact down")?;
            records.push(ExportRecord { json, card: shown.contact().card.clone() });
        }
    }
}

fn write(
    format: ExportFormat,
    separator: Separator,
    out: &mut dyn Write,
    records: Vec<ExportRecord>,
) -> Result<(), WriteError> {
    match format {
        ExportFormat::Json => formats::write_json_lines(out, records),
        ExportFormat::Csv => formats::write_csv(out, records, separator),
        ExportFormat::Vcard => formats::write_vcard(out, records),
        ExportFormat::Xlsx => formats::write_xlsx(out, records),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_asked_for_else_that_of_the_file() {
        for (format, file, expected) in [
            (None, None, Some(ExportFormat::Json)),
            (None, Some("contacts.CSV"), Some(ExportFormat::Csv)),
            (None, Some("contacts.vcf"), Some(ExportFormat::Vcard)),
            (None, Some("contacts.jsonl"), Some(ExportFormat::Json)),
            (None, Some("contacts"), None),
            (None, Some("contacts.txt"), None),
            (Some(ExportFormat::Xlsx), Some("contacts.csv"), Some(ExportFormat::Xlsx)),
            (Some(ExportFormat::Json), Some("contacts.txt"), Some(ExportFormat::Json)),
        ] {
            let chosen = ExportArgs { format, separator: None, file: file.map(PathBuf::from) }.chosen_format();
            assert_eq!(chosen.ok(), expected, "{file:?}");
        }
    }
}
