//! From the `Person` in a request to what is stored: which members count, and what makes them unacceptable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::emulator::account::{Account, Draft};
use crate::emulator::contact::{Contact, ContactKey};
use crate::emulator::etag;
use crate::emulator::failure::{Code, Failure};
use crate::emulator::group::{self, Additions, MY_CONTACTS};
use crate::emulator::mask::{Field, Mask};
use crate::emulator::settings::Spelling;
use crate::emulator::shape;
use crate::emulator::world::World;

/// How many items one contact holds.
const ITEMS_MAX: usize = 500;
/// How large one contact is, as JSON.
const CONTACT_BYTES_MAX: usize = 128 * 1024;
/// The bounds a careful client keeps for data of its own; the true ones are not known.
const CLIENT_KEY_BYTES_MAX: usize = 64;
const CLIENT_VALUE_BYTES_MAX: usize = 255;

const STALE_PERSON: &str = "Request person.etag is different than the current person.etag. \
                            Clear local cache and get the latest person.";
const STALE_SOURCE: &str = "Request person.metadata.sources.etag is different than the current person.metadata.sources.etag. \
     Clear local cache and get the latest person.";
const NO_ETAG: &str =
    "Request must set person.etag or person.metadata.sources.etag for the source that is being updated.";

/// Reads the person of a create.
///
/// # Errors
/// Whatever makes an item unacceptable; in strict mode also a contact without any content, and a person that carries
/// the name or etag of an existing one.
pub fn draft(account: &Account, person: &Map<String, Value>, world: &World<'_>) -> Result<Draft, Failure> {
    if world.is_strict() {
        for member in ["resourceName", "etag"] {
            if person.get(member).and_then(Value::as_str).is_some_and(|text| !text.is_empty()) {
                return Err(Failure::invalid_argument().because(format!("a new contact with a {member}")));
            }
        }
    }
    let fields = shaped(person, updatable(), world)?;
    if fields.is_empty() && world.is_strict() {
        return Err(Failure::invalid_argument().because("a contact without any content"));
    }
    let memberships = match items(person, Field::Memberships) {
        [] => BTreeSet::from([MY_CONTACTS.to_owned()]),
        sent => memberships(account, sent, &BTreeSet::new())?,
    };
    check_size(&fields)?;
    Ok(Draft { fields, memberships })
}

/// Reads the person of an update and returns `contact` with every masked field replaced.
///
/// # Errors
/// As for [`draft`]; also masked memberships without any group.
pub fn for_update(
    account: &Account,
    contact: &Contact,
    person: &Map<String, Value>,
    mask: Mask,
    world: &World<'_>,
) -> Result<Contact, Failure> {
    let mut updated = contact.clone();
    let mut new = shaped(person, mask, world)?;
    for field in mask.fields().filter(|field| *field != Field::Memberships) {
        match new.remove(&field) {
            Some(items) => updated.fields.insert(field, items),
            None => updated.fields.remove(&field),
        };
    }
    if mask.contains(Field::Memberships) {
        let sent = items(person, Field::Memberships);
        updated.memberships = memberships(account, sent, &contact.memberships)?;
    }
    check_size(&updated.fields)?;
    Ok(updated)
}

/// Spells what a client wrote as the service does.
pub fn spell(fields: &mut BTreeMap<Field, Arc<Vec<Value>>>, world: &World<'_>) {
    let Some(organizations) = fields.get_mut(&Field::Organizations) else { return };
    if world.settings.spelling == Spelling::Kept {
        return;
    }
    for organization in Arc::make_mut(organizations) {
        if let Some(Value::String(title)) = organization.get_mut("title") {
            *title = title.to_uppercase();
        }
    }
}

/// Checks that an update builds on the present version. Either etag will do; both must hold when both are sent.
///
/// # Errors
/// None sent, or a stale one.
pub fn check_version(key: ContactKey, contact: &Contact, person: &Map<String, Value>) -> Result<(), Failure> {
    let person_etag = person.get("etag").and_then(Value::as_str).filter(|text| !text.is_empty());
    let source_etag = source_etag(key, person);
    if person_etag.is_none() && source_etag.is_none() {
        return Err(Failure::new(Code::InvalidArgument, NO_ETAG));
    }
    if person_etag.is_some_and(|text| etag::version_of(text).as_deref() != Some(contact.etag.as_str())) {
        return Err(Failure::new(Code::FailedPrecondition, STALE_PERSON));
    }
    if source_etag.is_some_and(|text| text != etag::source(&contact.etag)) {
        return Err(Failure::new(Code::FailedPrecondition, STALE_SOURCE));
    }
    Ok(())
}

fn source_etag(key: ContactKey, person: &Map<String, Value>) -> Option<&str> {
    let sources = person.get("metadata")?.get("sources")?.as_array()?;
    let id = format!("{key:x}");
    let own = sources.iter().find(|source| {
        let text = |name: &str| source.get(name).and_then(Value::as_str);
        text("type") == Some("CONTACT") && text("id").is_none_or(|other| other == id)
    })?;
    own.get("etag").and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn updatable() -> Mask {
    let fields = Field::ALL.iter().filter(|field| field.is_updatable());
    fields.fold(Mask::none(), |mask, field| mask.with(*field))
}

fn items(person: &Map<String, Value>, field: Field) -> &[Value] {
    person.get(field.name()).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn shaped(
    person: &Map<String, Value>,
    mask: Mask,
    world: &World<'_>,
) -> Result<BTreeMap<Field, Arc<Vec<Value>>>, Failure> {
    let mut fields = BTreeMap::new();
    for field in mask.fields().filter(|field| *field != Field::Memberships) {
        let sent = items(person, field);
        if sent.is_empty() {
            continue;
        }
        let items = shape::items(field, sent, world)?;
        if field == Field::ClientData && world.is_strict() {
            check_client_data(&items)?;
        }
        if !items.is_empty() {
            fields.insert(field, Arc::new(items));
        }
    }
    Ok(fields)
}

fn check_client_data(items: &[Value]) -> Result<(), Failure> {
    for item in items {
        let length = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().len();
        if length("key") > CLIENT_KEY_BYTES_MAX || length("value") > CLIENT_VALUE_BYTES_MAX {
            return Err(Failure::invalid_argument().because("a clientData entry is too large"));
        }
    }
    Ok(())
}

/// Checks the size of a whole contact.
///
/// # Errors
/// Too many items, or too many bytes.
pub fn check_size(fields: &BTreeMap<Field, Arc<Vec<Value>>>) -> Result<(), Failure> {
    let count: usize = fields.values().map(|items| items.len()).sum();
    if count > ITEMS_MAX {
        return Err(Failure::invalid_argument().because(format!("{count} fields in one contact")));
    }
    // Counting bytes means writing the contact out; a few short items cannot reach the limit.
    let bytes = || fields.values().flat_map(|items| items.iter()).map(|item| item.to_string().len()).sum::<usize>();
    if count > 10 || fields.contains_key(&Field::Biographies) {
        let bytes = bytes();
        if bytes > CONTACT_BYTES_MAX {
            return Err(Failure::invalid_argument().because(format!("a contact of {bytes} bytes")));
        }
    }
    Ok(())
}

/// The groups named in `sent`. A group that takes no members any more may be kept, not joined.
fn memberships(account: &Account, sent: &[Value], present: &BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
    let mut groups = BTreeSet::new();
    for item in sent {
        let name = item.get("contactGroupMembership").and_then(|group| group.get("contactGroupResourceName"));
        let Some(name) = name.and_then(Value::as_str) else { continue };
        let known = group::parse_resource_name(name).filter(|id| account.group(id).is_ok());
        let Some(id) = known else {
            return Err(Failure::invalid_argument().because(format!("{name} is no group")));
        };
        if group::additions(id) == Additions::Refused && !present.contains(id) {
            return Err(Failure::invalid_argument().because(format!("{name} takes no members")));
        }
        groups.insert(id.to_owned());
    }
    if groups.is_empty() {
        return Err(Failure::invalid_argument().because("a contact must be in at least one group"));
    }
    Ok(groups)
}
