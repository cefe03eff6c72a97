//! How much of a file is read at most. Beyond it the file is refused as a whole: a contact list of such a size is a
//! mistake or an attack, and half an import would be worse than none.

/// The size of a file that is looked at.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// What the parts of a workbook may unpack to, together. An XLSX file is a ZIP archive and can claim anything.
pub const MAX_UNPACKED_BYTES: u64 = 512 * 1024 * 1024;

/// Rows of a table, or cards of a vCard file.
pub const MAX_ROWS: usize = 1_000_000;

/// Columns of a table; a sheet of Excel has at most as many.
pub const MAX_COLUMNS: usize = 16_384;

/// Cells of a sheet, filled or between filled ones.
pub const MAX_CELLS: usize = 20_000_000;

/// Bytes of text in the cells of a sheet. A workbook keeps a text once and names it in any number of cells.
pub const MAX_TEXT_BYTES: usize = 256 * 1024 * 1024;

/// Unclosed quotes after which a CSV file is read as it stands. Each costs one more look at the rest of the file.
pub const MAX_UNCLOSED_QUOTES: usize = 200;
