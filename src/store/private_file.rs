//! Files that only their owner may read: the database, and the key that seals grants.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Makes sure that there is a file at `path`. A new one is empty; a folder that is missing is created, too. A file that
/// is there keeps its content and its mode.
pub(super) fn create_when_missing(path: &Path) -> io::Result<()> {
    create_folder(path)?;
    OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(path).map(drop)
}

/// Creates an empty file at `path`, and its folder when that is missing. Fails when there is a file already.
pub(super) fn create(path: &Path) -> io::Result<File> {
    create_folder(path)?;
    OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(path)
}

fn create_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
        }
        _ => Ok(()),
    }
}
