//! `restore`: the store becomes what a backup says, and the one that was there is kept.
//!
//! The backup is copied beside the store, brought up to date there and marked as restored: the next run of every account
//! compares everything and deletes nothing (see [`crate::engine`]). Only then does it take the store's place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::clock::{Clock as _, Entropy as _, SystemClock, SystemEntropy};
use crate::config::Config;
use crate::daemon::{lease, watch};
use crate::domain::id::Marker;
use crate::domain::time::Timestamp;
use crate::engine::chain;
use crate::store::sqlite::{SqliteStore, swap};
use crate::store::{Commit, ContactQuery, HistoryQuery, Store as _, Write};

use super::exit::{Exit, UsageError, named_file};
use super::output::{Output, many};
use super::scratch::Scratch;

/// What to put back.
#[derive(Debug, Clone, clap::Args)]
pub struct RestoreArgs {
    /// A file that `backup` has written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Carry it out instead of telling what it comes to
    #[arg(long)]
    pub yes: bool,
}

/// What is known of a store.
struct Facts {
    contacts: u64,
    newest_marker: Marker,
    last_change: Option<Timestamp>,
}

#[derive(Serialize)]
struct Restored<'a> {
    file: &'a Path,
    store: &'a Path,
    /// Where the store is kept that was there; null when there was none.
    kept: Option<&'a Path>,
    contacts: u64,
    last_change: Option<Timestamp>,
    done: bool,
}

/// Whether the store that is there may be replaced.
enum Present {
    None,
    /// `None` when it cannot be opened, which is a reason to restore one.
    Free(Option<Facts>),
    InUse(String),
}

/// Puts a backup in the place of the store, or tells what that comes to.
///
/// # Errors
/// A file that is no backup; what the operating system or the database says. The store is then what it was.
pub async fn restore(args: &RestoreArgs, config: &Config, out: &Output) -> anyhow::Result<Exit> {
    let (file, place) = (args.file.as_path(), config.store.path.as_path());
    check_file(file, place).await?;
    let present = look_at(config, out).await?;
    if let Present::InUse(why) = &present {
        out.warn(&format!("{why}; nothing is restored"));
        return Ok(Exit::TryLater);
    }
    let scratch = Scratch::new(place, SystemEntropy.next_u64()).context("making a folder beside the store")?;
    let copy = scratch.database();
    copy_privately(file, &copy).map_err(|error| named_file("copy", file, error))?;
    let newest = match &present {
        Present::Free(Some(facts)) => facts.newest_marker,
        _ => Marker(0),
    };
    let facts = make_ready(&copy, newest).await?;
    let aside = aside(place, SystemClock.now());
    if args.yes {
        swap::put_in_place(&copy, place, &aside).map_err(|error| named_file("replace", place, error))?;
    }
    let kept = (!matches!(present, Present::None)).then_some(aside.as_path());
    tell(args, place, kept, &facts, &present, out)
}

fn tell(
    args: &RestoreArgs,
    place: &Path,
    kept: Option<&Path>,
    facts: &Facts,
    present: &Present,
    out: &Output,
) -> anyhow::Result<Exit> {
    if out.is_json() {
        let (contacts, last_change) = (facts.contacts, facts.last_change);
        out.json(&Restored { file: &args.file, store: place, kept, contacts, last_change, done: args.yes })?;
        return Ok(Exit::Done);
    }
    let changed = facts.last_change.map(|at| format!(", last changed {at}")).unwrap_or_default();
    out.text(&format!("{}: {}{changed}", args.file.display(), many(facts.contacts, "contact")))?;
    if let Some(kept) = kept {
        let there = match present {
            Present::Free(Some(facts)) => {
                format!("the store that was there, with {},", many(facts.contacts, "contact"))
            }
            _ => "the file that was there, which cannot be opened,".to_owned(),
        };
        let verb = if args.yes { "is kept" } else { "would be kept" };
        out.text(&format!("{there} {verb} as {}", kept.display()))?;
    }
    match args.yes {
        true => out.text(
            "It is the store now. The next run of every account compares everything and deletes nothing; `contactsync plan` \
             shows it beforehand.",
        )?,
        false => out.text(&format!("`contactsync restore {} --yes` carries this out", args.file.display()))?,
    }
    Ok(Exit::Done)
}

/// Refuses what is no backup.
async fn check_file(file: &Path, place: &Path) -> anyhow::Result<()> {
    let metadata = file.metadata().map_err(|error| named_file("read", file, error))?;
    let refused = |why: &str| Err(UsageError(format!("{} {why}", file.display())).into());
    if !metadata.is_file() {
        return refused("is not a file");
    }
    if place.canonicalize().is_ok_and(|place| file.canonicalize().is_ok_and(|file| file == place)) {
        return refused("is the store itself");
    }
    if swap::has_unfolded_journal(file) {
        return refused(
            "is in use, or was copied while it was: what belongs to it is in a second file. `contactsync backup` makes whole copies",
        );
    }
    match SqliteStore::is_store(file).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => refused("is no backup of a store"),
    }
}

/// Looks at the store that would be replaced, and whether anybody works on it.
async fn look_at(config: &Config, out: &Output) -> anyhow::Result<Present> {
    let place = config.store.path.as_path();
    if place.symlink_metadata().is_err() {
        return Ok(Present::None);
    }
    let store = match SqliteStore::open(place, &SystemEntropy).await {
        Ok(store) => store,
        Err(error) => {
            out.warn(&format!("the store that is there cannot be opened, and is kept as it is: {error}"));
            return Ok(Present::Free(None));
        }
    };
    let present = match user_of(config, &store).await {
        Ok(Some(user)) => Ok(Ok(Present::InUse(user))),
        Ok(None) => Ok(facts_of(&store).await.map(|facts| Present::Free(Some(facts)))),
        Err(error) => Err(error),
    };
    store.close().await;
    // A store that is damaged inside is opened and cannot be read: that is what backups are for.
    match present.and_then(|read| read) {
        Err(error) if chain(error.as_ref()).ends_with("malformed") => {
            out.warn(&format!("the store that is there is damaged, and is kept as it is: {error}"));
            Ok(Present::Free(None))
        }
        other => other,
    }
}

/// Who works on an account of the store, as a sentence.
async fn user_of(config: &Config, store: &SqliteStore) -> anyhow::Result<Option<String>> {
    let now = SystemClock.now();
    for account in &config.accounts {
        let name = &account.name;
        if let Some(server) = watch::server_of(store, name, now).await.context("looking for a daemon")? {
            return Ok(Some(format!("account {name} is served by {server}; stop that first")));
        }
        let holder = store.lease_holder(name, now).await.context("looking who works on an account")?;
        if let Some((holder, until)) = holder.filter(|(holder, _)| !lease::is_dead(holder)) {
            return Ok(Some(format!("account {name} is worked on by {} until {until}", lease::described(&holder))));
        }
    }
    Ok(None)
}

async fn facts_of(store: &SqliteStore) -> anyhow::Result<Facts> {
    let contacts = store.find_contacts(&ContactQuery::default()).await.context("counting the contacts")?.len() as u64;
    let newest_marker = store.newest_marker().await.context("reading the newest marker")?;
    let newest = HistoryQuery { limit: Some(1), ..HistoryQuery::default() };
    let last_change = store.history(&newest).await.context("reading the history")?.first().map(|row| row.change.at);
    Ok(Facts { contacts, newest_marker, last_change })
}

/// Brings the copy up to date and begins a new epoch in it, beyond all that the store or the backup has written.
async fn make_ready(copy: &Path, newest: Marker) -> anyhow::Result<Facts> {
    let store = SqliteStore::open(copy, &SystemEntropy).await.context("opening the backup")?;
    let ready = async {
        let facts = facts_of(&store).await?;
        let over = newest.max(facts.newest_marker);
        let commit = Commit { fence: None, writes: vec![Write::RaiseEpoch { over }] };
        store.commit(commit).await.context("marking the store as restored")?;
        Ok(facts)
    };
    let ready = ready.await;
    store.close().await;
    ready
}

fn copy_privately(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

/// Where a store is kept that gives way at this time.
fn aside(place: &Path, now: Timestamp) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(now.to_utc().format(".before-%Y%m%dT%H%M%SZ").to_string());
    PathBuf::from(name)
}
