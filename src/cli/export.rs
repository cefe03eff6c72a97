//! `export`: the store as a file.

use std::path::PathBuf;

/// What to export, and whereto.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The format; without it the file's extension decides, and stdout gets JSON Lines
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,

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
    /// vCard 3.0
    Vcard,
    /// An Excel workbook
    Xlsx,
}

impl ExportArgs {
    /// The format that was asked for, else the one of the file's extension, else JSON Lines.
    pub fn chosen_format(&self) -> ExportFormat {
        let extension = self.file.as_ref().and_then(|file| file.extension()).and_then(|extension| extension.to_str());
        self.format.unwrap_or(match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => ExportFormat::Csv,
            Some("vcf" | "vcard") => ExportFormat::Vcard,
            Some("xlsx") => ExportFormat::Xlsx,
            _ => ExportFormat::Json,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_asked_for_else_that_of_the_file() {
        for (format, file, expected) in [
            (None, None, ExportFormat::Json),
            (None, Some("contacts.CSV"), ExportFormat::Csv),
            (None, Some("contacts.vcf"), ExportFormat::Vcard),
            (None, Some("contacts"), ExportFormat::Json),
            (Some(ExportFormat::Xlsx), Some("contacts.csv"), ExportFormat::Xlsx),
        ] {
            assert_eq!(ExportArgs { format, file: file.map(PathBuf::from) }.chosen_format(), expected);
        }
    }
}
