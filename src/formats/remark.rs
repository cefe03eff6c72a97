//! What there is to say about a workbook as a whole, so that nothing of it is left out in silence.

use std::fmt;

/// Something about the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Sheets that hold something and were not read, since a file is one sheet.
    SheetsLeftOut {
        /// The sheet that was read.
        read: String,
        /// The others.
        names: Vec<String>,
    },
    /// Hidden sheets that hold something. They are never read: nobody sees what would come in.
    HiddenSheetsLeftOut {
        /// Their names.
        names: Vec<String>,
    },
    /// Cells that are merged over several rows: their value was taken for each of these rows.
    MergedCells {
        /// How many cells got their value so.
        count: usize,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |names: &[String]| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        match self {
            Remark::SheetsLeftOut { read, names } => write!(
                f,
                "only the sheet {read:?} is read; not read: {}. Save each sheet as a file of its own to import it",
                quoted(names)
            ),
            Remark::HiddenSheetsLeftOut { names } => {
                write!(f, "hidden sheets are not read: {}. Unhide them to import them", quoted(names))
            }
            Remark::MergedCells { count: 1 } => {
                f.write_str("1 cell got its value from cells that are merged over several rows")
            }
            Remark::MergedCells { count } => {
                write!(f, "{count} cells got their value from cells that are merged over several rows")
            }
        }
    }
}
