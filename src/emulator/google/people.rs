//! Single people: get, create, update, delete.

use std::sync::Arc;

use serde_json::Value;

use super::economy::Economy;
use super::{Answer, draft, nothing, optional_view, required_view};
use crate::emulator::account::Account;
use crate::emulator::call::Call;
use crate::emulator::contact::{Contact, ContactKey, Life};
use crate::emulator::failure::{Code, Failure};
use crate::emulator::history::Channel;
use crate::emulator::mask::{Field, Mask, Purpose};
use crate::emulator::person::{self, Place};
use crate::emulator::schema;
use crate::emulator::settings::{Feed, MissingDelete};
use crate::emulator::strict;
use crate::emulator::world::World;

/// `people.get`.
pub(super) fn get(account: &Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let view = required_view(call)?;
    let (key, contact) = found(account, &format!("people/{id}"), world)?;
    Ok(Answer::about(person::render(key, contact, view, Place::Alone), 1))
}

/// The contact a direct read of `name` finds; a former name may lead to the present one.
pub(super) fn found<'a>(
    account: &'a Account,
    name: &str,
    world: &World<'_>,
) -> Result<(ContactKey, &'a Arc<Contact>), Failure> {
    let mut key = crate::emulator::contact::parse_resource_name(name).ok_or_else(Failure::not_found)?;
    loop {
        let contact = account.seen(key, Channel::Get, world.now).ok_or_else(Failure::not_found)?;
        match contact.life {
            Life::Live => return Ok((key, contact)),
            Life::Renamed { to, follows: true } => key = to,
            Life::Renamed { .. } | Life::Trashed(_) => return Err(Failure::not_found()),
        }
    }
}

/// The live contact a write of `people/<id>` is about; writes see the latest state.
pub(super) fn target(account: &Account, name: &str) -> Result<ContactKey, Failure> {
    let key = crate::emulator::contact::parse_resource_name(name).ok_or_else(Failure::not_found)?;
    account.live_contact(key).map(|_| key)
}

/// Writes out the latest state of a contact.
pub(super) fn latest(account: &Account, key: ContactKey, view: person::View) -> Result<Value, Failure> {
    account.live_contact(key).map(|contact| person::render(key, contact, view, Place::Alone))
}

/// `people.createContact`.
pub(super) fn create(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let view = optional_view(call)?;
    let body = strict::body(call, &schema::PERSON, "person")?;
    let mut draft = draft::draft(account, &body, world)?;
    draft::spell(&mut draft.fields, world);
    account.check_room(1, world)?;
    let key = account.create(draft, world);
    Ok(Answer::about(latest(account, key, view)?, 1))
}

/// `people.updateContact`.
pub(super) fn update(account: &mut Account, id: &str, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let view = optional_view(call)?;
    let mask = Mask::require(call.parameter("updatePersonFields"), "updatePersonFields", Purpose::Update)?;
    let body = strict::body(call, &schema::PERSON, "person")?;
    let key = target(account, &format!("people/{id}"))?;
    let contact = account.live_contact(key)?;
    draft::check_version(key, contact, &body)?;
    let mut updated = draft::for_update(account, contact, &body, mask, world)?;
    let mut economy = Economy::of(mask);
    economy.weigh(contact, &updated, &body);
    if mask.contains(Field::Organizations) {
        draft::spell(&mut updated.fields, world);
    }
    account.change(key, Feed::Shown, world, |contact| *contact = updated)?;
    Ok(Answer::about(latest(account, key, view)?, 1).with_complaints(economy.complaints()))
}

/// `people.deleteContact`.
pub(super) fn delete(account: &mut Account, id: &str, world: &World<'_>) -> Result<Answer, Failure> {
    let key = target(account, &format!("people/{id}")).map_err(|failure| match world.settings.missing_delete {
        MissingDelete::NotFound => failure,
        MissingDelete::Internal => Failure::new(Code::Internal, "Internal error encountered."),
    })?;
    account.delete(key, world)?;
    Ok(Answer::about(nothing(), 1))
}
