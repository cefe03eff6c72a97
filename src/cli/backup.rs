//! `backup`: a copy of the whole store in one file, while everything goes on.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

use crate::store::ContactQuery;

use super::desk::Desk;
use super::exit::{Exit, named_file};
use super::output::many;

/// Where to.
#[derive(Debug, Clone, clap::Args)]
pub struct BackupArgs {
    /// The file to write; there must be none of that name yet
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Serialize)]
struct Backup<'a> {
    file: &'a std::path::Path,
    contacts: u64,
    bytes: u64,
}

/// Writes the store, as of one moment, into a new file that only its owner may read. The daemon may run meanwhile.
///
/// # Errors
/// A file that is there already or cannot be written; what the store says.
pub async fn backup(args: &BackupArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let file = args.file.as_path();
    if file.symlink_metadata().is_ok() {
        return Err(named_file("write", file, std::io::ErrorKind::AlreadyExists.into()));
    }
    let contacts =
        desk.store.find_contacts(&ContactQuery::default()).await.context("counting the contacts")?.len() as u64;
    desk.database.copy_to(file).await.with_context(|| format!("cannot write {}", file.display()))?;
    let bytes = file.metadata().map_err(|error| named_file("read", file, error))?.len();
    if desk.out.is_json() {
        desk.out.json(&Backup { file, contacts, bytes })?;
        return Ok(Exit::Done);
    }
    desk.out.text(&format!("{}: {}, {} kB", file.display(), many(contacts, "contact"), bytes.div_ceil(1000)))?;
    let key = desk.config.store.key.path().display();
    desk.out
        .remark(&format!("consents in it are sealed with the key {key}, which is not in it: keep that as well, apart"));
    Ok(Exit::Done)
}
