//! A contact written out as the `Person` of an answer: the masked fields, each item with its metadata.

use serde_json::{Map, Value, json};

use super::contact::{Contact, ContactKey, Life, Profile, resource_name};
use super::etag;
use super::mask::{Field, Mask, Sources};

/// How many e-mails and how many phones of a person a listing shows.
const LISTED_ITEMS_MAX: usize = 100;

/// What a read asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The fields.
    pub mask: Mask,
    /// The sources.
    pub sources: Sources,
}

impl View {
    /// Everything there is.
    pub fn full() -> Self {
        View { mask: Mask::all(), sources: Sources::DEFAULT }
    }
}

/// Where a person is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a direct read or the answer to a write: complete.
    Alone,
    /// In a listing without a sync token: at most 100 e-mails and phones.
    List,
    /// In a listing with a sync token: so too, and with the names it had before.
    Delta,
}

/// Writes out a live contact.
pub fn render(key: ContactKey, contact: &Contact, view: View, place: Place) -> Value {
    let mut person = heading(key, contact, view);
    for field in view.mask.fields() {
        match field {
            Field::Metadata => {
                person.insert(field.name().to_owned(), metadata(key, contact, view.sources, place));
            }
            _ => {
                let items = items(key, contact, field, view.sources, place);
                if !items.is_empty() {
                    person.insert(field.name().to_owned(), Value::Array(items));
                }
            }
        }
    }
    Value::Object(person)
}

/// Writes out a deleted contact: no data fields, and the word `deleted` only where `metadata` is in the mask.
pub fn tombstone(key: ContactKey, contact: &Contact, view: View) -> Value {
    let mut person = heading(key, contact, view);
    if view.mask.contains(Field::Metadata) {
        person.insert("metadata".to_owned(), json!({ "deleted": true, "objectType": "PERSON" }));
    }
    Value::Object(person)
}

fn heading(key: ContactKey, contact: &Contact, view: View) -> Map<String, Value> {
    let mut person = Map::new();
    person.insert("resourceName".to_owned(), Value::String(resource_name(key)));
    person.insert("etag".to_owned(), Value::String(etag::person(view.mask, view.sources, &contact.etag)));
    person
}

fn metadata(key: ContactKey, contact: &Contact, sources: Sources, place: Place) -> Value {
    let mut list = Vec::new();
    if sources.contact {
        list.push(json!({
            "type": "CONTACT",
            "id": source_id(key),
            "etag": etag::source(&contact.etag),
            "updateTime": contact.update_time.to_string(),
        }));
    }
    if let Some(profile) = linked(contact, sources) {
        list.push(json!({ "type": "PROFILE", "id": profile.id }));
    }
    let mut metadata = json!({ "sources": list, "objectType": "PERSON" });
    if place == Place::Delta && !contact.previous.is_empty() {
        metadata["previousResourceNames"] = contact.previous.iter().map(|key| resource_name(*key)).collect();
    }
    if matches!(contact.life, Life::Trashed(_)) {
        metadata["deleted"] = Value::Bool(true);
    }
    metadata
}

fn linked(contact: &Contact, sources: Sources) -> Option<&Profile> {
    contact.profile.as_deref().filter(|_| sources.profile)
}

fn source_id(key: ContactKey) -> String {
    format!("{key:x}")
}

fn items(key: ContactKey, contact: &Contact, field: Field, sources: Sources, place: Place) -> Vec<Value> {
    let mut items = match field {
        Field::Memberships if sources.contact => memberships(key, contact),
        Field::Photos if sources.contact => vec![photo(key, contact)],
        _ if sources.contact => own(key, contact.items(field)),
        _ => Vec::new(),
    };
    if let Some(profile) = linked(contact, sources) {
        items.extend(theirs(profile, field, items.is_empty()));
    }
    if place != Place::Alone && matches!(field, Field::EmailAddresses | Field::PhoneNumbers) {
        items.truncate(LISTED_ITEMS_MAX);
    }
    items
}

/// The contact's own items: the one marked by the user is primary, else the first.
fn own(key: ContactKey, items: &[Value]) -> Vec<Value> {
    let marked = items.iter().position(|item| item.get("metadata").is_some()).unwrap_or(0);
    let source = json!({ "type": "CONTACT", "id": source_id(key) });
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let mut metadata = item.get("metadata").cloned().unwrap_or_else(|| json!({}));
            if index == marked {
                metadata["primary"] = Value::Bool(true);
            }
            metadata["source"] = source.clone();
            with_metadata(item, metadata)
        })
        .collect()
}

fn theirs(profile: &Profile, field: Field, first: bool) -> Vec<Value> {
    let items = profile.fields.get(&field).map_or(&[][..], |items| items.as_slice());
    let source = json!({ "type": "PROFILE", "id": profile.id });
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let mut metadata = json!({ "source": source });
            if first && index == 0 {
                metadata["primary"] = Value::Bool(true);
            }
            with_metadata(item, metadata)
        })
        .collect()
}

fn with_metadata(item: &Value, metadata: Value) -> Value {
    let mut item = item.clone();
    item["metadata"] = metadata;
    item
}

fn memberships(key: ContactKey, contact: &Contact) -> Vec<Value> {
    let source = json!({ "source": { "type": "CONTACT", "id": source_id(key) } });
    contact
        .memberships
        .iter()
        .map(|group| {
            json!({
                "metadata": source,
                "contactGroupMembership": {
                    "contactGroupId": group,
                    "contactGroupResourceName": format!("contactGroups/{group}"),
                },
            })
        })
        .collect()
}

fn photo(key: ContactKey, contact: &Contact) -> Value {
    let metadata = json!({ "primary": true, "source": { "type": "CONTACT", "id": source_id(key) } });
    match &contact.photo {
        Some(url) => json!({ "metadata": metadata, "url": url }),
        None => {
            let url = format!("https://lh3.googleusercontent.com/cm/{key:x}=s100");
            json!({ "metadata": metadata, "url": url, "default": true })
        }
    }
}
