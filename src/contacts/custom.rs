//! Values of custom fields, brought into the spelling of their fields before they come into the store.
//!
//! What a field is, its definition says; a key without one holds text. A value that is there already and is handed back
//! as it is stays, whatever the rules say by now.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::edit::EditError;
use crate::domain::contact::{Card, Kind};
use crate::domain::custom_field::{Reading, ValueError};
use crate::domain::entry::definition::{CustomField, FieldOf};
use crate::domain::entry::{Body, EntryKind};
use crate::domain::id::ContactId;
use crate::domain::normal;
use crate::store::{ContactOrder, ContactQuery, EntryQuery, Store, StoreError};

/// The custom fields that are defined for one kind of thing, by their folded names.
#[derive(Debug, Default)]
pub struct Definitions(BTreeMap<String, CustomField>);

impl Definitions {
    /// Reads the definitions.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn load(store: &dyn Store, of: FieldOf) -> Result<Self, StoreError> {
        let query = EntryQuery { kinds: [EntryKind::Field].into(), ..EntryQuery::default() };
        let fields = store.find_entries(&query).await?.into_iter().filter_map(|entry| match entry.body {
            Body::Field(field) if field.of == of => Some((normal::fold(&field.name), field)),
            _ => None,
        });
        Ok(Definitions(fields.collect()))
    }

    /// The definition of a key, whatever its case.
    pub fn of(&self, key: &str) -> Option<&CustomField> {
        self.0.get(&normal::fold(key))
    }

    /// Whether nothing is defined.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a card, in the spelling of their fields where they can be read.
    ///
    /// # Errors
    /// [`ValueError`] for the first that does not fit its field. References to contacts are taken as they are.
    pub fn spell_card(&self, card: &mut Card) -> Result<(), ValueError> {
        self.spell(&mut card.custom)
    }

    /// The same for custom values by themselves.
    ///
    /// # Errors
    /// As [`Definitions::spell_card`].
    pub fn spell(&self, custom: &mut BTreeMap<String, String>) -> Result<(), ValueError> {
        let mut spelled = BTreeMap::new();
        for (key, value) in &*custom {
            let field = self.of(key);
            let text = match field.map(|field| field.read(&Value::from(value.as_str()))).transpose()? {
                Some(Reading::Text(text)) => text,
                Some(Reading::Contact(..)) | None => value.clone(),
            };
            spelled.insert(field.map_or(key, |field| &field.name).clone(), text);
        }
        *custom = spelled;
        Ok(())
    }
}

/// The custom values of a patch in the spelling of their fields; the rest as it is. `current` has the values there are.
///
/// # Errors
/// [`EditError::Custom`] when a value does not fit its field, [`EditError::Store`] when the store fails.
pub(super) async fn spelled(
    store: &dyn Store,
    of: FieldOf,
    current: &BTreeMap<String, String>,
    patch: Value,
) -> Result<Value, EditError> {
    let Value::Object(mut members) = patch else { return Ok(patch) };
    if let Some(Value::Object(custom)) = members.get("custom") {
        let definitions = Definitions::load(store, of).await?;
        let spelled = spell_members(store, &definitions, current, custom).await?;
        members.insert("custom".to_owned(), Value::Object(spelled));
    }
    Ok(Value::Object(members))
}

async fn spell_members(
    store: &dyn Store,
    definitions: &Definitions,
    current: &BTreeMap<String, String>,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, EditError> {
    let mut spelled = Map::new();
    for (key, value) in given {
        let is_kept = current.get(key).is_some_and(|known| value.as_str() == Some(known));
        let takes_away = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        match definitions.of(key) {
            Some(field) if takes_away => spelled.insert(field.name.clone(), Value::Null),
            Some(field) if !is_kept => spelled.insert(field.name.clone(), spell(store, field, value).await?),
            _ => spelled.insert(key.clone(), value.clone()),
        };
    }
    Ok(spelled)
}

async fn spell(store: &dyn Store, field: &CustomField, value: &Value) -> Result<Value, EditError> {
    Ok(Value::from(match field.read(value)? {
        Reading::Text(text) => text,
        Reading::Contact(kind, asked) => {
            let found = contact_called(store, kind, &asked).await?;
            found.map_err(|rule| ValueError::new(field, value, rule))?
        }
    }))
}

/// A living contact by its id, by `Name [ID]`, or by a name that only one has; written as `Name [ID]`.
async fn contact_called(store: &dyn Store, kind: Kind, asked: &str) -> Result<Result<String, String>, StoreError> {
    let in_brackets = asked.strip_suffix(']').and_then(|text| text.rsplit_once('[')).map(|(_, id)| id);
    let word = kind.as_str();
    if let Ok(id) = in_brackets.unwrap_or(asked).parse::<ContactId>() {
        let found = store.contacts(&[id]).await?.pop();
        let found = found.filter(|contact| contact.is_live() && contact.card.kind() == kind);
        return Ok(found
            .map(|contact| format!("{} [{id}]", contact.card.display_name()))
            .ok_or_else(|| format!("leads to no {word}")));
    }
    let named = named(store, kind, asked).await?;
    Ok(match named.as_slice() {
        [] => Err(format!("is the name of no {word}")),
        [(id, name)] => Ok(format!("{name} [{id}]")),
        several => Err(format!("is the name of {} {word}s; give the id of one", several.len())),
    })
}

/// The living contacts of this name, whatever its case, in the order of their ids.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn named(store: &dyn Store, kind: Kind, name: &str) -> Result<Vec<(ContactId, String)>, StoreError> {
    let query = ContactQuery {
        kind: Some(kind),
        text: Some(name.to_owned()),
        order: ContactOrder::Id,
        ..ContactQuery::default()
    };
    let folded = normal::fold(name);
    let found = store.find_contacts(&query).await?.into_iter();
    let called = found.map(|contact| (contact.id, contact.card.display_name()));
    Ok(called.filter(|(_, called)| normal::fold(called) == folded).collect())
}
