//! One database file in the place of another, which is kept.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database in use. One that is left there would be taken for that of the new file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Moves the database `new` to `place`; one that is there is kept as `aside`, with what SQLite had beside it. All three
/// are on one file system. At any moment there is a whole database at `place`, if there was one.
///
/// # Errors
/// What the operating system says; [`io::ErrorKind::AlreadyExists`] when there is something at `aside`.
pub fn put_in_place(new: &Path, place: &Path, aside: &Path) -> io::Result<()> {
    if place.symlink_metadata().is_ok() {
        fs::hard_link(place, aside)?;
        for companion in COMPANIONS {
            match fs::rename(beside(place, companion), beside(aside, companion)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    fs::rename(new, place)
}

/// Whether SQLite keeps something beside a database that is not in the file itself.
pub fn has_unfolded_journal(database: &Path) -> bool {
    beside(database, "-wal").metadata().is_ok_and(|journal| journal.len() > 0)
}

fn beside(database: &Path, companion: &str) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push(companion);
    PathBuf::from(name)
}
