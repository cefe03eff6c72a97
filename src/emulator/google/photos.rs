//! Photos: one call each, base64 in the body, a new address and a new etag at every change.

use serde_json::{Value, json};

use super::{Answer, body_view, people};
use crate::emulator::account::Account;
use crate::emulator::blob;
use crate::emulator::call::Call;
use crate::emulator::failure::Failure;
use crate::emulator::mask::{Mask, Purpose, Sources};
use crate::emulator::person::View;
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
    if !is_picture(&bytes) || (world.is_strict() && bytes.len() > PHOTO_BYTES_MAX) {
        return Err(Failure::invalid_argument().because("photoBytes is no picture of at most 2 MB"));
    }
    let url = format!("https://lh3.googleusercontent.com/contacts/{}=s100", world.dice.secret(4));
    set(account, id, Some(url), view, world)
}

/// `people.deleteContactPhoto`.
pub(super) fn delete(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let text = call.parameter("personFields").unwrap_or_default();
    let mask = Mask::parse(text, "personFields", Purpose::Read)?;
    let sources = Sources::parse(call.parameters("sources"))?;
    set(account, id, None, mask.map(|mask| View { mask, sources }), world)
}

fn set(
    account: &mut Account,
    id: &str,
    url: Option<String>,
    view: Option<View>,
    world: &World<'_>,
) -> Result<Answer, Failure> {
    let key = people::target(account, &format!("people/{id}"))?;
    account.change(key, Feed::Shown, world, |contact| contact.photo = url)?;
    let body = match view {
        Some(view) => json!({ "person": people::latest(account, key, view)? }),
        None => super::nothing(),
    };
    Ok(Answer::about(body, 1))
}

fn is_picture(bytes: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF"].iter().any(|magic| bytes.starts_with(magic))
}
