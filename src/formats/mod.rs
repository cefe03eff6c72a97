//! Contact files in and out: CSV, XLSX, XLS and vCard are read, CSV, XLSX, vCard and JSON Lines are written.
//!
//! Reading happens in this order. The format is told by the content (`sniff`), text is decoded (`encoding`). A
//! table is read into rows of cells (`csv_read`, `sheet_read`), its header is found (`table`), and each column
//! gets a target (`columns`): by the file map (`map_file`), by its heading (`headings`), or by its cells
//! (`content`). Then each row becomes a card (`row`, `card_builder`). A vCard file is taken apart into cards,
//! and each card is read by its properties (`vcard`).
//!
//! Whatever is wrong with one row or card is an [`Item::Rejected`] with its line and reason, and the others go on. A
//! value is never lost in silence: what fits nowhere becomes a custom field, and columns that are left out are listed
//! in [`Columns`].
//!
//! All of it are functions over bytes. Deliberately absent: files, the store, clocks, and any knowledge of which
//! contacts exist already.

mod address_parts;
mod amounts;
mod card_builder;
mod clean;
mod columns;
mod compound_file;
mod content;
mod csv_read;
mod dates;
mod emails;
mod encoding;
mod entry_target;
mod error;
mod export;
mod headings;
mod labels;
pub mod limits;
mod map_file;
mod phone_cells;
mod remark;
mod row;
mod row_entries;
mod shared_texts;
mod sheet_read;
mod sheet_rows;
mod sniff;
mod table;
mod target;
mod vcard;
mod warning;
mod xls_claims;
mod xlsx_claims;

use crate::domain::contact::Card;

pub use columns::{Column, Columns, Origin};
pub use entry_target::{ActivityPart, DealPart};
pub use error::{FormatError, WriteError};
pub use export::{ExportRecord, Separator, write_csv, write_json_lines, write_skip_file, write_vcard, write_xlsx};
pub use map_file::{ColumnMap, MapError};
pub use remark::Remark;
pub use row_entries::{ActivityDraft, DealDraft, DraftEntries};
pub use sniff::Format;
pub use target::{AddressPart, DatePart, Group, ListField, NamePart, ParseTargetError, Target};
pub use warning::Warning;

use table::{Apostrophes, Table};

/// One contact as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where it stands: the line of the row or of `BEGIN:VCARD`, the row of a sheet; from 1.
    pub line: u64,
    /// The contact. A person names the organization by its name only.
    pub card: Card,
    /// What the same row tells of the person's organization beyond its name, such as the address in Pipedrive's
    /// files. It has the name that `card` refers to, and comes again in each row of that organization.
    pub organization: Option<Card>,
    /// The deal, the activity and the notes that the same row tells of.
    pub entries: DraftEntries,
    /// What was odd about it.
    pub warnings: Vec<Warning>,
    /// The row's cells, in case that the store refuses what they say; nothing for cards.
    pub raw: Vec<String>,
}

/// A row or card that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stands; see [`Draft::line`].
    pub line: u64,
    /// Why, as a phrase without a final stop.
    pub reason: String,
    /// The row's cells, or the text of the card, for the skip file.
    pub raw: Vec<String>,
}

/// What a file holds, one row or card at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A contact.
    Draft(Box<Draft>),
    /// Something that could not be used.
    Rejected(Rejected),
}

/// A contact file that is open for reading.
#[derive(Debug)]
pub struct Import {
    format: Format,
    encoding: Option<&'static str>,
    content: Content,
    remarks: Vec<Remark>,
}

#[derive(Debug)]
enum Content {
    Table(Table),
    Cards(Vec<vcard::RawCard>),
}

/// Opens a contact file. `name` is for messages and, where the content does not tell the format, for its extension.
///
/// # Errors
/// [`FormatError`] when nothing of the file can be used: an unknown format, an encrypted or damaged workbook, a file
/// beyond [`limits`].
pub fn open(name: &str, bytes: &[u8], map: Option<&ColumnMap>) -> Result<Import, FormatError> {
    let too_large = |limit: u64, unit| FormatError::TooLarge { name: name.to_owned(), limit, unit };
    if bytes.len() as u64 > limits::MAX_FILE_BYTES {
        return Err(too_large(limits::MAX_FILE_BYTES, "bytes"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FormatError::Empty { name: name.to_owned() });
    }
    let format = sniff::format(name, bytes).ok_or_else(|| FormatError::Unknown { name: name.to_owned() })?;
    let mut remarks = Vec::new();
    let (encoding, content) = match format {
        Format::Csv => {
            let decoded = encoding::decode(bytes);
            let text = clean::unify_line_ends(&decoded.text);
            let rows = csv_read::rows(&text).map_err(|overflow| match overflow {
                csv_read::Overflow::Rows => too_large(limits::MAX_ROWS as u64, "rows"),
                csv_read::Overflow::Columns => too_large(limits::MAX_COLUMNS as u64, "columns"),
            })?;
            (Some(decoded.encoding.name()), Content::Table(Table::new(rows, Apostrophes::Guard, map)))
        }
        Format::Xlsx | Format::Xls => {
            let (rows, about) = match format {
                Format::Xls => sheet_read::xls_rows(name, bytes)?,
                _ => sheet_read::xlsx_rows(name, bytes)?,
            };
            remarks = about;
            (None, Content::Table(Table::new(rows, Apostrophes::Text, map)))
        }
        Format::VCard => {
            let (cards, encoding) = vcard::cards(bytes);
            if cards.is_empty() {
                return Err(FormatError::NoCards { name: name.to_owned() });
            }
            if cards.len() > limits::MAX_ROWS {
                return Err(too_large(limits::MAX_ROWS as u64, "cards"));
            }
            (Some(encoding.name()), Content::Cards(cards))
        }
    };
    Ok(Import { format, encoding, content, remarks })
}

impl Import {
    /// The format the file turned out to be in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The encoding of its text; `None` for workbooks.
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }

    /// Where its columns go; `None` for vCard files.
    pub fn columns(&self) -> Option<&Columns> {
        match &self.content {
            Content::Table(table) => Some(&table.columns),
            Content::Cards(_) => None,
        }
    }

    /// What there is to say about the file as a whole.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// How many rows or cards there are, blank ones included.
    pub fn rows(&self) -> u64 {
        match &self.content {
            Content::Table(table) => table.len() as u64,
            Content::Cards(cards) => cards.len() as u64,
        }
    }

    /// The contacts and what could not be used, in the order of the file. Blank rows are passed over.
    pub fn items(self) -> Box<dyn Iterator<Item = Item>> {
        match self.content {
            Content::Table(table) => Box::new(table.items()),
            Content::Cards(cards) => Box::new(cards.into_iter().map(vcard::read)),
        }
    }
}
