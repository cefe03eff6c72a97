//! `person photo`: the bytes of a photo, written out.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context;

use crate::domain::contact::Kind;
use crate::domain::digest::Digest;
use crate::domain::id::ContactId;

use super::desk::Desk;
use super::exit::{Exit, UsageError, named_file};
use super::import::write_private;

/// Whose photo, and where to.
#[derive(Debug, Clone, clap::Args)]
pub struct PhotoArgs {
    /// The person's id
    #[arg(value_name = "ID")]
    pub id: ContactId,

    /// Write it into this file; without one, to stdout
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Take a photo that the person had before, by its digest in the history
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<Digest>,
}

/// Writes a photo out.
///
/// # Errors
/// What the store or the file says.
pub async fn photo(args: &PhotoArgs, desk: &Desk) -> anyhow::Result<Exit> {
    let found = desk.store.contacts(&[args.id]).await.context("reading the contact")?.pop();
    let person = found.filter(|contact| contact.card.kind() == Kind::Person);
    let person = person.ok_or_else(|| UsageError(format!("there is no person {}", args.id)))?;
    let named = person.card.photo().and_then(|photo| photo.digest.parse().ok());
    let digest = args.digest.or(named).ok_or_else(|| UsageError(format!("person {} has no photo", args.id)))?;
    let photo = desk.store.photo(&digest).await.context("reading the photo")?;
    let photo = photo.ok_or_else(|| UsageError(format!("there is no photo {digest} in the store")))?;
    match &args.file {
        Some(file) => {
            write_private(file, photo.bytes()).map_err(|error| named_file("write", file, error))?;
            let written = serde_json::json!({ "photo": { "digest": digest }, "file": file.display().to_string() });
            if desk.out.is_json() {
                desk.out.json(&written)?;
            } else {
                desk.out.remark(&format!("photo of {} bytes written to {}", photo.bytes().len(), file.display()));
            }
        }
        None if desk.out.is_json() || std::io::stdout().is_terminal() => {
            return Err(UsageError("a picture is neither JSON nor text; name a FILE to write it to".to_owned()).into());
        }
        None => desk.out.bytes(photo.bytes())?,
    }
    Ok(Exit::Done)
}
