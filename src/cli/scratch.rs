//! The folder of a scratch copy of the store, beside the store: it holds the same secrets, so it is as private, and it
//! goes away with whoever made it.
//!
//! Its maker holds a lock on a file in it for as long as it lives. A folder that nobody holds is a leftover of a process
//! that was killed, and goes away when the next one is made.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, KeyPlace};

const PREFIX: &str = ".contactsync-plan-";
const LOCK: &str = "lock";

/// A folder that is so young may be about to be locked.
const YOUNG: Duration = Duration::from_secs(60);

/// A folder for a copy of the store; it goes away when this is dropped.
pub(super) struct Scratch {
    folder: PathBuf,
    /// Held, never read.
    _lock: File,
}

impl Scratch {
    /// Makes a folder beside the database, and removes what dead processes left there. Where the database has no folder
    /// yet, that of the system for temporary files has to do.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn new(beside: &Path, nonce: u64) -> io::Result<Self> {
        let parent = beside.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = if parent.exists() { parent.to_owned() } else { std::env::temp_dir() };
        remove_leftovers(&parent);
        let folder = parent.join(format!("{PREFIX}{nonce:016x}"));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let lock = OpenOptions::new().create_new(true).write(true).mode(0o600).open(folder.join(LOCK))?;
        lock.lock()?;
        Ok(Scratch { folder, _lock: lock })
    }

    /// Where the copy belongs.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("contacts.db")
    }

    /// Where a key that seals grants of the copy belongs.
    pub(super) fn key(&self) -> PathBuf {
        self.folder.join("store.key")
    }

    /// Lets a key that would be made beside the database be made here. Returns where it is missing.
    pub(super) fn stand_in_key(&self, config: &mut Config) -> Option<PathBuf> {
        match &config.store.key {
            KeyPlace::Beside(place) if !place.exists() => {
                let place = place.clone();
                config.store.key = KeyPlace::Beside(self.key());
                Some(place)
            }
            KeyPlace::Beside(_) | KeyPlace::File(_) | KeyPlace::Credential(_) => None,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A copy that stays behind is private, and the next plan removes it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What cannot be looked at or removed stays; it is private, and there is a next time.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && is_folder && is_left(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)).map(|lock| lock.try_lock()) {
        Ok(Ok(())) => !is_young(folder),
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => false,
        Err(_) => !is_young(folder),
    }
}

fn is_young(folder: &Path) -> bool {
    let changed = fs::metadata(folder).and_then(|about| about.modified());
    changed.ok().and_then(|changed| changed.elapsed().ok()).is_none_or(|age| age < YOUNG)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::UNIX_EPOCH;

    use super::*;

    fn age(folder: &Path) {
        File::open(folder).and_then(|folder| folder.set_modified(UNIX_EPOCH)).expect("a time");
    }

    #[test]
    fn what_dead_processes_left_behind_goes_away_and_the_living_keep_theirs() {
        let home = tempfile::tempdir().expect("a folder");
        let database = home.path().join("contacts.db");
        let living = Scratch::new(&database, 1).expect("made");
        age(&living.folder);
        let dead = home.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).expect("made");
        fs::write(dead.join(LOCK), "").expect("written");
        age(&dead);
        let older = home.path().join(format!("{PREFIX}older"));
        fs::create_dir(&older).expect("made");
        age(&older);
        let next = Scratch::new(&database, 2).expect("made");
        assert!(living.folder.exists() && next.folder.exists());
        assert!(!dead.exists() && !older.exists());
    }

    #[test]
    fn a_folder_that_is_missing_is_not_made() {
        let home = tempfile::tempdir().expect("a folder");
        let missing = home.path().join("missing");
        let scratch = Scratch::new(&missing.join("contacts.db"), 1).expect("made");
        assert!(scratch.folder.exists() && !missing.exists());
    }

    #[test]
    fn a_scratch_folder_is_private_and_goes_away_when_it_is_dropped() {
        let home = tempfile::tempdir().expect("a folder");
        let scratch = Scratch::new(&home.path().join("contacts.db"), 1).expect("made");
        let mode = fs::metadata(&scratch.folder).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let folder = scratch.folder.clone();
        drop(scratch);
        assert!(!folder.exists());
    }
}
