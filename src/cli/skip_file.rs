//! The rows that an import could not use, in a file for somebody to mend and import again.
//!
//! It stands beside the imported file; beside nothing, for what came through a pipe, it stands in the working folder.
//! Somebody may be mending the file of an earlier import, so one that is there and says something else is left alone,
//! and the new one gets a number.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How many files of earlier imports may stand there.
const FILES_MAX: u32 = 1000;
/// It holds personal data.
const MODE: u32 = 0o600;

/// Writes the file for an import of `imported`, readable by its owner only, and tells where it is. When the same stands
/// there already, that is the file.
///
/// # Errors
/// What the file system says, with the path that it refused.
pub(super) fn write(imported: &Path, extension: &str, bytes: &[u8]) -> Result<PathBuf, (PathBuf, io::Error)> {
    let mut path = place(imported, extension, 1);
    for number in 2..=FILES_MAX {
        match create(&path, bytes) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if says(&path, bytes) {
                    let closed = fs::set_permissions(&path, Permissions::from_mode(MODE));
                    return closed.map(|()| path.clone()).map_err(|error| (path, error));
                }
                path = place(imported, extension, number);
            }
            Err(error) => return Err((path, error)),
        }
    }
    Err((path, io::Error::from(ErrorKind::AlreadyExists)))
}

fn place(imported: &Path, extension: &str, number: u32) -> PathBuf {
    let mut name: OsString = imported.file_name().unwrap_or_default().to_owned();
    match number {
        1 => name.push(format!(".skipped.{extension}")),
        number => name.push(format!(".skipped-{number}.{extension}")),
    }
    // A pipe or a device stands where nobody looks for files.
    let is_file = fs::metadata(imported).is_ok_and(|metadata| metadata.is_file());
    if is_file { imported.with_file_name(name) } else { PathBuf::from(name) }
}

fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().create_new(true).write(true).mode(MODE).open(path)?.write_all(bytes)
}

fn says(path: &Path, bytes: &[u8]) -> bool {
    // Opening something that is no file could wait for ever.
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) && fs::read(path).is_ok_and(|there| there == bytes)
}
