//! Batches of people. Everything is checked first; one bad item refuses the whole call before anything is written.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::economy::Economy;
use super::{Answer, body_view, draft, nothing, people, required_view, strings};
use crate::emulator::account::{Account, Draft};
use crate::emulator::call::Call;
use crate::emulator::contact::{Contact, ContactKey};
use crate::emulator::failure::{Code, Failure};
use crate::emulator::mask::{Field, Mask, Purpose};
use crate::emulator::person::{self, Place};
use crate::emulator::schema;
use crate::emulator::settings::{BadItems, CreatedOrder, Feed, UpdateAnswers};
use crate::emulator::strict;
use crate::emulator::world::{Extent, World};

/// How many people one call gets, creates or updates.
const PEOPLE_MAX: usize = 200;
/// How many it deletes.
const DELETED_MAX: usize = 500;

/// An item of a batch: how the error details call it, and what it asks for or why it is refused.
type Item<T> = (String, Result<T, Failure>);

/// `people.getBatchGet`.
pub(super) fn get(account: &Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let view = required_view(call)?;
    let names: Vec<&str> = call.parameters("resourceNames").collect();
    check_count(names.len(), PEOPLE_MAX)?;
    let responses: Vec<Value> = names
        .iter()
        .map(|name| match people::found(account, name, world) {
            Ok((key, contact)) => fulfilled(name, Some(person::render(key, contact, view, Place::Alone))),
            Err(failure) => refused(name, &failure),
        })
        .collect();
    Ok(Answer::about(json!({ "responses": responses }), names.len()))
}

/// `people.batchCreateContacts`.
pub(super) fn create(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::BATCH_CREATE, "")?;
    let view = body_view(&body, "readMask")?;
    let contacts = body.get("contacts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    check_count(contacts.len(), PEOPLE_MAX)?;
    let nobody = Map::new();
    let read = |item: &Value| {
        let person = item.get("contactPerson").and_then(Value::as_object).unwrap_or(&nobody);
        let mut draft = draft::draft(account, person, world)?;
        draft::spell(&mut draft.fields, world);
        Ok(draft)
    };
    let items: Vec<Item<Draft>> =
        contacts.iter().enumerate().map(|(index, item)| (index.to_string(), read(item))).collect();
    refuse_bad(&items, "BatchCreateContactsErrorDetails", world)?;
    account.check_room(items.iter().filter(|(_, item)| item.is_ok()).count(), world)?;
    let count = items.len();
    let written = written_count(count, world);
    let mut created = Vec::with_capacity(count);
    for (_, item) in items.into_iter().take(written) {
        created.push(match item {
            Ok(draft) => {
                let key = account.create(draft, world);
                let person = view.map(|view| people::latest(account, key, view)).transpose()?;
                fulfilled(&crate::emulator::contact::resource_name(key), person)
            }
            Err(failure) => json!({ "httpStatusCode": failure.http(), "status": failure.status() }),
        });
    }
    fail_half_way(world)?;
    if world.settings.created_order == CreatedOrder::Shuffled {
        world.dice.shuffle(&mut created);
    }
    let answer = if view.is_some() { json!({ "createdPeople": created }) } else { nothing() };
    Ok(Answer::about(answer, count))
}

/// `people.batchUpdateContacts`.
pub(super) fn update(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::BATCH_UPDATE, "")?;
    let view = body_view(&body, "readMask")?;
    let mask = Mask::require(body.get("updateMask").and_then(Value::as_str), "updateMask", Purpose::Update)?;
    let nobody = Map::new();
    let contacts = body.get("contacts").and_then(Value::as_object).unwrap_or(&nobody);
    check_count(contacts.len(), PEOPLE_MAX)?;
    let mut economy = Economy::of(mask);
    let items: Vec<Item<(ContactKey, Contact)>> = contacts
        .iter()
        .map(|(name, person)| {
            let person = person.as_object().unwrap_or(&nobody);
            (name.clone(), updated(account, name, person, mask, &mut economy, world))
        })
        .collect();
    refuse_bad(&items, "BatchUpdateContactsErrorDetails", world)?;
    let count = items.len();
    let written = written_count(count, world);
    let mut result = Map::new();
    for (name, item) in items.into_iter().take(written) {
        let response = match item {
            Ok((key, contact)) => {
                account.change(key, Feed::Shown, world, |present| *present = contact)?;
                let person = view.map(|view| people::latest(account, key, view)).transpose()?;
                fulfilled(&name, person)
            }
            Err(failure) => refused(&name, &failure),
        };
        result.insert(name, response);
    }
    fail_half_way(world)?;
    let is_silent = view.is_none() || world.settings.update_answers == UpdateAnswers::Empty;
    let answer = if is_silent { nothing() } else { json!({ "updateResult": result }) };
    Ok(Answer::about(answer, count).with_complaints(economy.complaints()))
}

fn updated(
    account: &Account,
    name: &str,
    person: &Map<String, Value>,
    mask: Mask,
    economy: &mut Economy,
    world: &World<'_>,
) -> Result<(ContactKey, Contact), Failure> {
    let key = people::target(account, name)?;
    let named = person.get("resourceName").and_then(Value::as_str).filter(|text| !text.is_empty());
    if named.is_some_and(|named| named != name) && world.is_strict() {
        return Err(Failure::invalid_argument().because(format!("{name} carries another resource name")));
    }
    let contact = account.live_contact(key)?;
    draft::check_version(key, contact, person)?;
    let mut updated = draft::for_update(account, contact, person, mask, world)?;
    economy.weigh(contact, &updated, person);
    if mask.contains(Field::Organizations) {
        draft::spell(&mut updated.fields, world);
    }
    Ok((key, updated))
}

/// `people.batchDeleteContacts`. What happens when a name does not exist is not documented; the whole call fails.
pub(super) fn delete(account: &mut Account, call: &Call, world: &World<'_>) -> Result<Answer, Failure> {
    let body = strict::body(call, &schema::BATCH_DELETE, "")?;
    let names = strings(&body, "resourceNames");
    check_count(names.len(), DELETED_MAX)?;
    let mut keys = BTreeSet::new();
    let mut ordered = Vec::with_capacity(names.len());
    for name in &names {
        let key = people::target(account, name).map_err(|failure| failure.because((*name).to_owned()))?;
        if keys.insert(key) {
            ordered.push(key);
        } else if world.is_strict() {
            return Err(Failure::invalid_argument().because(format!("{name} comes twice")));
        }
    }
    for key in ordered.iter().take(written_count(ordered.len(), world)) {
        account.delete(*key, world)?;
    }
    fail_half_way(world)?;
    Ok(Answer::about(nothing(), names.len()))
}

fn check_count(count: usize, max: usize) -> Result<(), Failure> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(Failure::invalid_argument().because(format!("{count} items, 1 to {max} are allowed")))
}

/// Refuses the call when an item is bad; the details name every bad item.
fn refuse_bad<T>(items: &[Item<T>], details: &str, world: &World<'_>) -> Result<(), Failure> {
    let bad: Vec<(&str, &Failure)> =
        items.iter().filter_map(|(name, item)| item.as_ref().err().map(|failure| (name.as_str(), failure))).collect();
    if bad.is_empty() || world.settings.bad_items == BadItems::AnswerEach {
        return Ok(());
    }
    let errors: Map<String, Value> = bad.iter().map(|(name, failure)| ((*name).to_owned(), failure.status())).collect();
    let reasons: Vec<String> = bad.iter().map(|(name, failure)| format!("{name}: {}", failure.explanation())).collect();
    let kind = format!("type.googleapis.com/google.people.v1.{details}");
    let failure = Failure::invalid_argument().with_detail(json!({ "@type": kind, "contactErrors": errors }));
    Err(failure.because(reasons.join("; ")))
}

fn fulfilled(name: &str, person: Option<Value>) -> Value {
    let mut response = json!({ "httpStatusCode": 200, "requestedResourceName": name, "status": {} });
    if let Some(person) = person {
        response["person"] = person;
    }
    response
}

fn refused(name: &str, failure: &Failure) -> Value {
    json!({ "httpStatusCode": failure.http(), "requestedResourceName": name, "status": failure.status() })
}

fn written_count(count: usize, world: &World<'_>) -> usize {
    match world.extent {
        Extent::Whole => count,
        Extent::Half => count / 2,
    }
}

fn fail_half_way(world: &World<'_>) -> Result<(), Failure> {
    match world.extent {
        Extent::Whole => Ok(()),
        Extent::Half => Err(Failure::new(Code::Internal, "Internal error encountered.").because("half applied")),
    }
}
