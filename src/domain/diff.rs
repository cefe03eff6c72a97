//! What differs between two cards, field by field, and fields as values that can be read, copied and set by name.
//!
//! Two notions of difference live here. [`changes`] is exact and feeds the history: it shows every changed letter.
//! [`changed_fields`] compares meanings (`normal`) and decides whether anything is worth a merge or a write.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::contact::{Card, Kind, Organization, Person, Subject};
use super::field::Field;
use super::normal;

/// One changed field, with its values in the public JSON shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    /// Which field; each custom field is a field of its own.
    pub field: Field,
    /// What it was; `null` or `[]` when it was absent.
    pub before: Value,
    /// What it became.
    pub after: Value,
}

/// The value does not fit the field.
#[derive(Debug, thiserror::Error)]
pub enum SetFieldError {
    /// Persons have no industry, organizations no birthday, and so on.
    #[error("the field {field} does not belong to the kind {}", kind.as_str())]
    NotOfKind {
        /// The field asked for.
        field: Field,
        /// The kind of contact.
        kind: Kind,
    },
    /// The JSON has not the shape of this field.
    #[error("the value has not the shape of the field {field}")]
    Shape {
        /// The field asked for.
        field: Field,
        /// What is wrong with the value.
        #[source]
        source: serde_json::Error,
    },
}

const PERSON: [Field; 18] = [
    Field::Name,
    Field::Emails,
    Field::Phones,
    Field::Addresses,
    Field::Organization,
    Field::JobTitle,
    Field::Department,
    Field::Birthday,
    Field::Events,
    Field::Websites,
    Field::Ims,
    Field::Relations,
    Field::Nicknames,
    Field::Notes,
    Field::Labels,
    Field::Owner,
    Field::Visibility,
    Field::Photo,
];

const ORGANIZATION: [Field; 10] = [
    Field::Name,
    Field::Emails,
    Field::Phones,
    Field::Addresses,
    Field::Websites,
    Field::Industry,
    Field::Notes,
    Field::Labels,
    Field::Owner,
    Field::Visibility,
];

/// The fields of a kind of contacts in the order of the public shape, without custom fields.
pub fn fields_of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Person => &PERSON,
        Kind::Organization => &ORGANIZATION,
    }
}

/// Every field of either card: those of their kind, then the custom ones by key.
fn fields(one: &Card, other: &Card) -> Vec<Field> {
    let mut fields = fields_of(one.kind()).to_vec();
    fields.extend(fields_of(other.kind()).iter().filter(|field| !fields.contains(field)).cloned().collect::<Vec<_>>());
    let keys: BTreeSet<&String> = one.custom.keys().chain(other.custom.keys()).collect();
    fields.extend(keys.into_iter().map(|key| Field::Custom(key.clone())));
    fields
}

/// Every field that is not the same to the letter, in the order of the public shape.
pub fn changes(before: &Card, after: &Card) -> Vec<FieldChange> {
    fields(before, after)
        .into_iter()
        .map(|field| FieldChange { before: field_value(before, &field), after: field_value(after, &field), field })
        .filter(|change| change.before != change.after)
        .collect()
}

/// The fields whose meaning differs. Order and spelling never count; the primary flag counts for its set.
pub fn changed_fields(before: &Card, after: &Card) -> BTreeSet<Field> {
    if before == after {
        return BTreeSet::new();
    }
    let (before, after) = (normal::card(before), normal::card(after));
    changes(&before, &after).into_iter().map(|change| change.field).collect()
}

/// The value of a field in the public JSON shape; `null` for what is absent or does not belong to the kind.
pub fn field_value(card: &Card, field: &Field) -> Value {
    let value = match (field, &card.subject) {
        (Field::Emails, _) => json(&card.emails),
        (Field::Phones, _) => json(&card.phones),
        (Field::Addresses, _) => json(&card.addresses),
        (Field::Websites, _) => json(&card.websites),
        (Field::Notes, _) => json(&card.notes),
        (Field::Labels, _) => json(&card.labels),
        (Field::Custom(key), _) => json(&custom(card, key).map(|(_, value)| value)),
        (Field::Owner, _) => json(&card.owner),
        (Field::Visibility, _) => json(&card.visibility),
        (field, Subject::Person(person)) => return person_value(person, field),
        (Field::Name, Subject::Organization(organization)) => json(&organization.name),
        (Field::Industry, Subject::Organization(organization)) => json(&organization.industry),
        (_, Subject::Organization(_)) => None,
    };
    value.unwrap_or_default()
}

fn person_value(person: &Person, field: &Field) -> Value {
    let value = match field {
        Field::Name => json(&person.name),
        Field::Organization => json(&person.organization),
        Field::JobTitle => json(&person.job_title),
        Field::Department => json(&person.department),
        Field::Birthday => json(&person.birthday),
        Field::Events => json(&person.events),
        Field::Ims => json(&person.ims),
        Field::Relations => json(&person.relations),
        Field::Nicknames => json(&person.nicknames),
        Field::Photo => json(&person.photo),
        _ => None,
    };
    value.unwrap_or_default()
}

fn json(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// The custom field with this key, or else with a key that is the same text in another composition.
fn custom<'a>(card: &'a Card, key: &str) -> Option<(&'a String, &'a String)> {
    card.custom.get_key_value(key).or_else(|| {
        let wanted = normal::text(key);
        card.custom.iter().find(|(key, _)| normal::text(key) == wanted)
    })
}

/// Copies a field as it is. Nothing happens when the field does not belong to the kind of either card.
pub fn copy_field(field: &Field, from: &Card, to: &mut Card) {
    match field {
        Field::Emails => to.emails.clone_from(&from.emails),
        Field::Phones => to.phones.clone_from(&from.phones),
        Field::Addresses => to.addresses.clone_from(&from.addresses),
        Field::Websites => to.websites.clone_from(&from.websites),
        Field::Notes => to.notes.clone_from(&from.notes),
        Field::Labels => to.labels.clone_from(&from.labels),
        Field::Owner => to.owner.clone_from(&from.owner),
        Field::Visibility => to.visibility = from.visibility,
        Field::Custom(key) => {
            remove_custom(to, key);
            to.custom.extend(custom(from, key).map(|(key, value)| (key.clone(), value.clone())));
        }
        own => match (&from.subject, &mut to.subject) {
            (Subject::Person(from), Subject::Person(to)) => copy_person_field(own, from, to),
            (Subject::Organization(from), Subject::Organization(to)) => copy_organization_field(own, from, to),
            _ => {}
        },
    }
}

fn remove_custom(card: &mut Card, key: &str) {
    let unwanted = normal::text(key);
    card.custom.retain(|key, _| normal::text(key) != unwanted);
}

fn copy_person_field(field: &Field, from: &Person, to: &mut Person) {
    match field {
        Field::Name => to.name.clone_from(&from.name),
        Field::Organization => to.organization.clone_from(&from.organization),
        Field::JobTitle => to.job_title.clone_from(&from.job_title),
        Field::Department => to.department.clone_from(&from.department),
        Field::Birthday => to.birthday = from.birthday,
        Field::Events => to.events.clone_from(&from.events),
        Field::Ims => to.ims.clone_from(&from.ims),
        Field::Relations => to.relations.clone_from(&from.relations),
        Field::Nicknames => to.nicknames.clone_from(&from.nicknames),
        Field::Photo => to.photo.clone_from(&from.photo),
        _ => {}
    }
}

fn copy_organization_field(field: &Field, from: &Organization, to: &mut Organization) {
    match field {
        Field::Name => to.name.clone_from(&from.name),
        Field::Industry => to.industry.clone_from(&from.industry),
        _ => {}
    }
}

/// Sets a field from its public JSON shape; `null` empties it. A set is replaced as a whole.
///
/// # Errors
/// [`SetFieldError::NotOfKind`] when the kind has no such field, [`SetFieldError::Shape`] when the value has another
/// shape. The card is unchanged then.
pub fn set_field(card: &mut Card, field: &Field, value: &Value) -> Result<(), SetFieldError> {
    let kind = card.kind();
    match field {
        Field::Emails => card.emails = read(field, value)?,
        Field::Phones => card.phones = read(field, value)?,
        Field::Addresses => card.addresses = read(field, value)?,
        Field::Websites => card.websites = read(field, value)?,
        Field::Notes => card.notes = read(field, value)?,
        Field::Labels => card.labels = read(field, value)?,
        Field::Owner => card.owner = read(field, value)?,
        Field::Visibility => card.visibility = read(field, value)?,
        Field::Custom(key) => {
            let value: Option<String> = read(field, value)?;
            remove_custom(card, key);
            card.custom.extend(value.map(|value| (key.clone(), value)));
        }
        own => match &mut card.subject {
            Subject::Person(person) => set_person_field(person, own, value)?,
            Subject::Organization(organization) => match own {
                Field::Name => organization.name = read(field, value)?,
                Field::Industry => organization.industry = read(field, value)?,
                _ => return Err(SetFieldError::NotOfKind { field: field.clone(), kind }),
            },
        },
    }
    Ok(())
}

fn set_person_field(person: &mut Person, field: &Field, value: &Value) -> Result<(), SetFieldError> {
    match field {
        Field::Name => person.name = read(field, value)?,
        Field::Organization => person.organization = read(field, value)?,
        Field::JobTitle => person.job_title = read(field, value)?,
        Field::Department => person.department = read(field, value)?,
        Field::Birthday => person.birthday = read(field, value)?,
        Field::Events => person.events = read(field, value)?,
        Field::Ims => person.ims = read(field, value)?,
        Field::Relations => person.relations = read(field, value)?,
        Field::Nicknames => person.nicknames = read(field, value)?,
        Field::Photo => person.photo = read(field, value)?,
        _ => return Err(SetFieldError::NotOfKind { field: field.clone(), kind: Kind::Person }),
    }
    Ok(())
}

fn read<T: DeserializeOwned + Default>(field: &Field, value: &Value) -> Result<T, SetFieldError> {
    let value: Option<T> =
        Option::deserialize(value).map_err(|source| SetFieldError::Shape { field: field.clone(), source })?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::generate::{card, config, scene};

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn setting_what_was_read_copies_a_field(scene in scene()) {
            let mut set = scene.store.clone();
            let mut copied = scene.store.clone();
            for change in changes(&scene.store, &scene.remote) {
                set_field(&mut set, &change.field, &change.after).expect("its own shape");
                copy_field(&change.field, &scene.remote, &mut copied);
                prop_assert_eq!(field_value(&set, &change.field), change.after);
            }
            prop_assert_eq!(&copied, &scene.remote);
            // A lone full name is split on input, so names come back by their parts.
            prop_assert_eq!(&set, &scene.remote);
        }

        #[test]
        fn changes_are_taken_back_by_their_values_before(scene in scene()) {
            let mut card = scene.remote.clone();
            for change in changes(&scene.store, &scene.remote) {
                set_field(&mut card, &change.field, &change.before).expect("its own shape");
            }
            prop_assert_eq!(card, scene.store);
        }

        #[test]
        fn changed_meaning_is_always_a_change(scene in scene()) {
            let exact: BTreeSet<Field> = changes(&scene.store, &scene.remote)
                .into_iter()
                .map(|change| change.field)
                .collect();
            prop_assert!(changed_fields(&scene.store, &scene.remote).is_subset(&exact));
        }

        #[test]
        fn copying_between_kinds_leaves_what_is_not_shared(from in card(), to in card()) {
            let mut copied = to.clone();
            for field in fields_of(from.kind()) {
                copy_field(field, &from, &mut copied);
            }
            prop_assert_eq!(copied.kind(), to.kind());
            prop_assert_eq!(&copied.emails, &from.emails);
            if from.kind() != to.kind() {
                prop_assert_eq!(copied.subject, to.subject);
            }
        }
    }

    #[test]
    fn fields_of_another_kind_and_odd_shapes_are_refused() {
        let mut card = Card::organization("Example GmbH");
        let before = card.clone();
        let error = set_field(&mut card, &Field::Birthday, &json!("1990-05-17")).expect_err("no birthday");
        assert_eq!(error.to_string(), "the field birthday does not belong to the kind organization");
        assert!(matches!(set_field(&mut card, &Field::Emails, &json!("ada")), Err(SetFieldError::Shape { .. })));
        assert!(matches!(set_field(&mut card, &Field::Notes, &json!(1)), Err(SetFieldError::Shape { .. })));
        assert_eq!(card, before);
    }

    #[test]
    fn null_empties_any_field() {
        let mut card = Card::organization("Example GmbH");
        card.custom.insert("Price list".into(), "Retail".into());
        card.labels.insert("Customer".into());
        for field in [Field::Name, Field::Labels, Field::Custom("Price list".into()), Field::Notes] {
            set_field(&mut card, &field, &Value::Null).expect("null fits every field");
        }
        assert_eq!(card, Card::organization(""));
    }

    #[test]
    fn a_custom_key_is_found_in_any_composition() {
        let mut card = Card::person();
        card.custom.insert("Zu\u{308}rich".into(), "1".into());
        let field = Field::Custom("Zürich".into());
        assert_eq!(field_value(&card, &field), json!("1"));
        set_field(&mut card, &field, &json!("2")).expect("a text");
        assert_eq!(card.custom.len(), 1);
    }
}
