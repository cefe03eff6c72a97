//! `import`: contacts of a file go into the store.

use std::path::PathBuf;

/// What to import, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// The file: CSV, XLSX, XLS or vCard; the format is told by its content
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Read columns as this file says
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,

    /// Only tell what would be done
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask; needed without a terminal unless --dry-run is given
    #[arg(long, short = 'y')]
    pub yes: bool,
}
