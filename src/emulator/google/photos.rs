//! Photos: one call each, base64 in the body, a new address and a new etag at every change.
//!
//! The address of a photo is that of another host, which wants no credentials and serves what was uploaded in other
//! bytes. Addresses are never used again; those of former photos go on working.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, body_view, people};
use crate::emulator::account::Account;
use crate::emulator::blob;
use crate::emulator::call::Call;
use crate::emulator::contact::ContactKey;
use crate::emulator::failure::Failure;
use crate::emulator::mask::{Mask, Purpose, Sources};
use crate::emulator::person::View;
use crate::emulator::picture;
use crate::emulator::schema;
use crate::emulator::settings::Feed;
use crate::emulator::strict;
use crate::emulator::world::World;

/// The largest photo the strict mode accepts; the true limit is not known.
const PHOTO_BYTES_MAX: usize = 2 * 1024 * 1024;

/// `people.updateContactPhoto`.
pub(super) fn update(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::UPDATE_PHOTO, "")?;
    let view = body_view(&body, "personFields")?;
    let bytes = body.get("photoBytes").and_then(Value::as_str).and_then(blob::decode).unwrap_or_default();
    let key = people::target(account, &format!("people/{id}"))?;
    set(account, key, bytes.into(), world)?;
    answer(account, key, view)
}

/// `people.deleteContactPhoto`.
pub(super) fn delete(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let text = call.parameter("personFields").unwrap_or_default();
    let mask = Mask::parse(text, "personFields", Purpose::Read)?;
    let sources = Sources::parse(call.parameters("sources"))?;
    let key = people::target(account, &format!("people/{id}"))?;
    account.change(key, Feed::Shown, world, |contact| contact.photo = None)?;
    answer(account, key, mask.map(|mask| View { mask, sources }))
}

/// Gives a contact a photo under an address of its own.
///
/// # Errors
/// Not found; or the bytes are no photo.
pub fn set(account: &mut Account, key: ContactKey, bytes: Bytes, world: &World<'_>) -> Result<(), Failure> {
    if !picture::is_picture(&bytes) || (world.is_strict() && bytes.len() > PHOTO_BYTES_MAX) {
        return Err(Failure::invalid_argument().because("photoBytes is no picture of at most 2 MB"));
    }
    let name = world.dice.secret(4);
    let url = format!("{}/contacts/{name}=s100", world.photo_host);
    account.change(key, Feed::Shown, world, |contact| contact.photo = Some(url))?;
    account.photos.insert(name, bytes);
    Ok(())
}

/// The photo and the size that a path of the photo host names: the size stands behind the name.
pub fn named(path: &str) -> Option<(&str, &str)> {
    let name = path.strip_prefix("/contacts/")?;
    Some(name.rsplit_once('=').unwrap_or((name, "s100")))
}

fn answer(account: &Account, key: ContactKey, view: Option<View>) -> Result<Answer, Failure> {
    let body = match view {
        Some(view) => json!({ "person": people::latest(account, key, view)? }),
        None => super::nothing(),
    };
    Ok(Answer::about(body, 1))
}
