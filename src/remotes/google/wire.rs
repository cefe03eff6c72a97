//! Google's persons as JSON: what is kept of an answer, and how its parts are reached.
//!
//! A record's wire form stays the JSON that Google sent, so that members nobody here knows survive an update. Only
//! what can never be written is taken out, since it would make equal records look different: items of other sources
//! than the contact itself, and members that Google computes (`formattedType`, `displayName` of names,
//! `metadata.primary`). What a later write must send back stays, and so does the source of the contact with its id and
//! etag. The `canonicalForm` of a phone is kept where it says more than the number as typed: it is how contacts that were
//! never linked recognize each other. The address of the contact's photo stays as well, but for the monograms that Google
//! makes itself. Neither is ever sent.
//!
//! Source: People API discovery document, revision 20251117 (read 2026-11): which members are output only.

use serde_json::{Map, Value};

use crate::domain::id::{Etag, RemoteId};
use crate::domain::normal;
use crate::domain::time::Timestamp;
use crate::remotes::{Presence, Record};

use super::{groups, tag};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// The fields of a person that are read and written here, in the order in which a mask names them.
pub(super) const FIELDS: [&str; 15] = [
    "names",
    "nicknames",
    "emailAddresses",
    "phoneNumbers",
    "addresses",
    "organizations",
    "birthdays",
    "events",
    "biographies",
    "urls",
    "relations",
    "imClients",
    "userDefined",
    "clientData",
    "memberships",
];

/// The list that names the contact's photo. It is written by calls of its own.
const PHOTOS: &str = "photos";

/// Lists that cannot be written and mean nothing here.
const READ_ONLY_LISTS: [&str; 5] = ["coverPhotos", "ageRanges", "skills", "taglines", "residences"];

/// Members of items that Google computes, whatever the field.
const COMPUTED: [&str; 4] = ["formattedType", "formattedProtocol", "canonicalForm", "displayNameLastFirst"];

/// What Google takes a phone number for, in E.164, read in the region of the user.
const CANONICAL: &str = "canonicalForm";

/// The parts of a name that Google keeps; the whole names are made from them.
const NAME_PARTS: [&str; 5] = ["honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix"];

/// An answer lacks what nothing can be done without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a person without {0}")]
pub(super) struct WireError(&'static str);

/// Takes an answered person apart into a record.
///
/// # Errors
/// [`WireError`] when the person has no name of its own.
pub(super) fn record(person: &Value) -> Result<Record, WireError> {
    let id = text(person, "resourceName").ok_or(WireError("resourceName"))?;
    let source = contact_source(person);
    let deleted = person.pointer("/metadata/deleted").and_then(Value::as_bool) == Some(true);
    let wire = if deleted { Value::Object(Object::new()) } else { keep(person) };
    let tags = tag::read_all(&wire);
    Ok(Record {
        id: RemoteId::new(id),
        former_ids: texts(person.pointer("/metadata/previousResourceNames")).map(RemoteId::new).collect(),
        etag: source.and_then(|source| text(source, "etag")).map(Etag::new),
        time: source.and_then(|source| text(source, "updateTime")).and_then(|time| time.parse::<Timestamp>().ok()),
        presence: if deleted { Presence::Deleted } else { Presence::Present },
        tag: tags.first().cloned(),
        tags,
        groups: groups::read(&wire),
        wire,
    })
}

/// As [`record`], of a person who was asked for as a contact. Without the part that is the contact, it would look as if
/// everything in it had been removed.
///
/// # Errors
/// [`WireError`] when that part is missing, and the person does not say to be deleted.
pub(super) fn contact(person: &Value) -> Result<Record, WireError> {
    let record = record(person)?;
    match record.presence {
        Presence::Present if contact_source(person).is_none() => Err(WireError("a contact among its sources")),
        Presence::Present | Presence::Deleted => Ok(record),
    }
}

/// The source that is the contact itself, among those the person is made of.
pub(super) fn contact_source(person: &Value) -> Option<&Value> {
    person
        .pointer("/metadata/sources")?
        .as_array()?
        .iter()
        .find(|source| text(source, "type").is_some_and(|kind| kind == "CONTACT"))
}

/// Whether the person is only somebody's profile, which cannot be written.
pub(super) fn is_profile_only(person: &Value) -> bool {
    let sources = person.pointer("/metadata/sources").and_then(Value::as_array);
    sources.is_some_and(|sources| !sources.is_empty()) && contact_source(person).is_none()
}

/// The address of the contact's photo; `None` when it has none of its own.
pub(super) fn photo(person: &Value) -> Option<&str> {
    items(person, PHOTOS).iter().find_map(|photo| text(photo, "url"))
}

/// The lists of a person that can be written, without what names an existing contact.
pub(super) fn lists(person: &Value) -> Value {
    let is_list = |(name, value): &(&String, &Value)| value.is_array() && name.as_str() != PHOTOS;
    let lists = person.as_object().into_iter().flatten().filter(is_list);
    Value::Object(lists.map(|(field, items)| (field.clone(), items.clone())).collect())
}

/// The items of a list; none when the person has no such list.
pub(super) fn items<'a>(person: &'a Value, field: &str) -> &'a [Value] {
    person.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text member that is not empty.
pub(super) fn text<'a>(item: &'a Value, member: &str) -> Option<&'a str> {
    item.get(member)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The person without what can never be written.
fn keep(person: &Value) -> Value {
    let mut kept = Object::new();
    for (member, value) in person.as_object().into_iter().flatten() {
        match (member.as_str(), value) {
            ("resourceName", name) => _ = kept.insert(member.clone(), name.clone()),
            ("metadata", _) => {
                let source: Vec<Value> = contact_source(person).map(bare_source).into_iter().collect();
                kept.insert(member.clone(), serde_json::json!({ "sources": source }));
            }
            (list, Value::Array(items)) if !READ_ONLY_LISTS.contains(&list) => {
                let items: Vec<Value> = items.iter().filter_map(|item| keep_item(list, item)).collect();
                if !items.is_empty() {
                    kept.insert(member.clone(), Value::Array(items));
                }
            }
            _ => {}
        }
    }
    Value::Object(kept)
}

fn bare_source(source: &Value) -> Value {
    let members = ["type", "id", "etag", "updateTime"];
    members.iter().filter_map(|member| Some(((*member).to_owned(), source.get(member)?.clone()))).collect()
}

/// The item without what Google computes; `None` when it belongs to another source or nothing is left of it.
fn keep_item(list: &str, item: &Value) -> Option<Value> {
    let source = item.pointer("/metadata/source/type").and_then(Value::as_str);
    if source.is_some_and(|source| source != "CONTACT") || item.get("domainMembership").is_some() {
        return None;
    }
    if list == PHOTOS && item.get("default").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let mut kept = item.as_object()?.clone();
    let number = canonical_number(list, item).map(str::to_owned);
    kept.retain(|member, _| !COMPUTED.contains(&member.as_str()));
    if let Some(number) = number {
        kept.insert(CANONICAL.to_owned(), Value::String(number));
    }
    if list == "names" {
        keep_name(&mut kept);
    }
    if let Some(membership) = kept.get_mut("contactGroupMembership").and_then(Value::as_object_mut) {
        membership.remove("contactGroupId");
    }
    let preferred = item.pointer("/metadata/sourcePrimary").and_then(Value::as_bool) == Some(true);
    kept.remove("metadata");
    if kept.is_empty() {
        return None;
    }
    if preferred {
        prefer(&mut kept);
    }
    Some(Value::Object(kept))
}

/// What Google takes a phone for, where that does not follow from the number as typed.
pub(super) fn canonical_number<'i>(list: &str, item: &'i Value) -> Option<&'i str> {
    let number = text(item, CANONICAL).filter(|_| list == "phoneNumbers")?;
    let typed = text(item, "value")?;
    (normal::phone_key(typed) != normal::phone_key(number)).then_some(number)
}

/// Takes out what is kept of an item although it is never sent.
pub(super) fn without_canonical(person: &mut Value) {
    let phones = person.get_mut("phoneNumbers").and_then(Value::as_array_mut);
    for phone in phones.into_iter().flatten().filter_map(Value::as_object_mut) {
        phone.remove(CANONICAL);
    }
}

/// Whole names are made from the parts. Where there are no parts, the whole name is all there is, and it is kept.
fn keep_name(name: &mut Object) {
    let shown = name.remove("displayName");
    if has_name_parts(name) {
        name.remove("unstructuredName");
    } else if let (false, Some(shown)) = (name.contains_key("unstructuredName"), shown) {
        name.insert("unstructuredName".to_owned(), shown);
    }
}

/// Whether a name has any of the parts that whole names are made from.
pub(super) fn has_name_parts(name: &Object) -> bool {
    NAME_PARTS.iter().any(|part| name.contains_key(*part))
}

/// Whether the item is marked as the one to use first.
pub(super) fn is_preferred(item: &Value) -> bool {
    item.pointer("/metadata/sourcePrimary").and_then(Value::as_bool) == Some(true)
}

/// Marks an item as the one to use first.
pub(super) fn prefer(item: &mut Object) {
    item.insert("metadata".to_owned(), serde_json::json!({ "sourcePrimary": true }));
}

/// Takes the mark away again.
pub(super) fn unprefer(item: &mut Object) {
    item.remove("metadata");
}
