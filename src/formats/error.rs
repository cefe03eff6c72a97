//! Why a file as a whole could not be read or written. What is wrong with one row is no error but an item of the
//! import ([`super::Rejected`]): the rows around it are still good.

use thiserror::Error;

use super::map_file::MapError;

/// A contact file that cannot be used at all.
#[derive(Debug, Error)]
pub enum FormatError {
    /// There is nothing in the file.
    #[error("{name} is empty")]
    Empty {
        /// The name of the file.
        name: String,
    },
    /// Neither the content nor the extension belongs to a format we read.
    #[error("{name} is no contact file; expected CSV, XLSX, XLS or vCard")]
    Unknown {
        /// The name of the file.
        name: String,
    },
    /// A workbook that is encrypted with a password.
    #[error("{name} is protected by a password; save it without one and try again")]
    Encrypted {
        /// The name of the file.
        name: String,
    },
    /// A workbook that its reader cannot make sense of.
    #[error("{name} is not a readable workbook")]
    Workbook {
        /// The name of the file.
        name: String,
        /// What the reader says.
        #[source]
        cause: calamine::Error,
    },
    /// A workbook without a visible sheet that holds anything.
    #[error("{name} has no visible sheet with rows in it")]
    NoSheet {
        /// The name of the file.
        name: String,
    },
    /// A file that says it is a vCard file, but no card begins in it.
    #[error("{name} holds no card: there is no line BEGIN:VCARD")]
    NoCards {
        /// The name of the file.
        name: String,
    },
    /// A file beyond one of our limits.
    #[error("{name} is too large: more than {limit} {unit}")]
    TooLarge {
        /// The name of the file.
        name: String,
        /// The limit.
        limit: u64,
        /// What is counted: bytes, rows, columns.
        unit: &'static str,
    },
    /// The map of columns does not fit.
    #[error(transparent)]
    Map(#[from] MapError),
}

/// An export or a skip file that could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The place it goes to refused the bytes.
    #[error("could not write the {format} file")]
    Io {
        /// What was being written.
        format: &'static str,
        /// What the place says.
        #[source]
        cause: std::io::Error,
    },
    /// The CSV writer refused a record.
    #[error("could not write the CSV file")]
    Csv(#[source] csv::Error),
    /// The workbook writer refused a cell or the whole.
    #[error("could not write the workbook")]
    Workbook(#[source] rust_xlsxwriter::XlsxError),
    /// The records do not fit into one sheet.
    #[error("a sheet holds at most {limit} {unit}; export as CSV or JSON instead")]
    SheetFull {
        /// The limit of the format.
        limit: u64,
        /// What is counted: rows or columns.
        unit: &'static str,
    },
    /// A record cannot be written as JSON.
    #[error("could not write a record as JSON")]
    Json(#[source] serde_json::Error),
}
