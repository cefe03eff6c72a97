//! What people do with labels, custom fields and pipelines: define, rename, retire, delete.
//!
//! Contacts and deals carry labels and keys by name, so another name is an edit of everything that carries the old one. All
//! of it is one commit: nobody sees half of a renamed field, and nothing is lost on the way. Each contact that changes is
//! an edit like any other, which the next run carries to the accounts.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;

use super::draft::Draft;
use super::edit::Editor;
use super::entries::EntryError;
use super::insist::insisting;
use crate::domain::contact::{Card, Contact, Kind};
use crate::domain::entry::deal::Deal;
use crate::domain::entry::definition::{CustomField, FieldOf, Label};
use crate::domain::entry::{Body, Entry, EntryKind};
use crate::domain::id::{EntryId, RunId};
use crate::domain::run::RunRecord;
use crate::store::{Commit, ContactQuery, DeletedContacts, EntryQuery, Store, StoreError, Write};

/// What a change of a definition came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The definition as it is afterwards; `None` where none is left, or there never was one.
    pub definition: Option<Entry>,
    /// How many contacts changed.
    pub contacts: u64,
    /// How many deals changed.
    pub deals: u64,
    /// The id under which all of it can be taken back.
    pub run: RunId,
}

/// What becomes of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelEdit {
    /// It is defined so; contacts that carry the old name carry the new one.
    Become(Label),
    /// Nobody carries it any more.
    Delete,
}

/// What becomes of a custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEdit {
    /// The field as it is to be.
    pub field: CustomField,
    /// Options that get another name, by the old one.
    pub renamed_options: BTreeMap<String, String>,
}

/// How the value of a key changes on its way to another key.
struct KeyChange<'e> {
    from: &'e str,
    to: &'e str,
    renamed_options: &'e BTreeMap<String, String>,
}

impl Editor<'_> {
    /// Gives a label another name or another colour, or takes it away from everybody who carries it.
    ///
    /// # Errors
    /// [`EntryError::Contradiction`] when there is no such label, [`StoreError::Taken`] when the new name is another
    /// label's.
    pub async fn edit_label(&self, name: &str, edit: &LabelEdit) -> Result<Spread, EntryError> {
        insisting(async || self.label_once(name, edit).await).await
    }

    fn label_once<'e>(&'e self, name: &'e str, edit: &'e LabelEdit) -> BoxFuture<'e, Result<Spread, EntryError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let run = RunId::new(now, self.entropy.next_u128());
            let mut draft = Draft::begin(self.store, self.entropy, now).await?.under(run);
            let label = Body::Label(Label { name: name.to_owned(), colour: None });
            let known = definition(&mut draft, &label).await?;
            let carriers = contacts_with_label(self.store, name).await?;
            let deals = deals(&mut draft, |deal| deal.labels.contains(name)).await?;
            if known.is_none() && carriers.is_empty() && deals.is_empty() {
                return Err(EntryError::Contradiction(format!("label name: {name:?} is no label")));
            }
            let relabel = |labels: &mut BTreeSet<String>| {
                if labels.remove(name)
                    && let LabelEdit::Become(label) = edit
                {
                    labels.insert(label.name.clone());
                }
            };
            for contact in carriers {
                let mut card = contact.card.clone();
                relabel(&mut card.labels);
                draft.set_card_of(contact, card).await?;
            }
            for (id, mut deal) in deals {
                relabel(&mut deal.labels);
                set_body(&mut draft, id, Body::Deal(deal)).await?;
            }
            let id = match (known, edit) {
                (Some(id), LabelEdit::Become(label)) => {
                    set_body(&mut draft, id, Body::Label(label.clone())).await?;
                    Some(id)
                }
                (Some(id), LabelEdit::Delete) => {
                    if let Some(entry) = draft.entry(id).await? {
                        entry.deleted.get_or_insert(now);
                    }
                    Some(id)
                }
                (None, LabelEdit::Become(label)) => Some(draft.add_entry(Body::Label(label.clone()))),
                (None, LabelEdit::Delete) => None,
            };
            self.commit_spread(draft, id, run).await
        })
    }

    /// Changes a custom field. Everything that has a value under the old name has it under the new one.
    ///
    /// # Errors
    /// [`EntryError::Contradiction`] when something has a value under both names, or has an option that would go;
    /// [`EntryError::Rule`] when the field as it is to be breaks a rule.
    pub async fn edit_field(&self, id: EntryId, edit: &FieldEdit) -> Result<Spread, EntryError> {
        insisting(async || self.field_once(id, edit).await).await
    }

    fn field_once<'e>(&'e self, id: EntryId, edit: &'e FieldEdit) -> BoxFuture<'e, Result<Spread, EntryError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let run = RunId::new(now, self.entropy.next_u128());
            let mut draft = Draft::begin(self.store, self.entropy, now).await?.under(run);
            let kind = EntryKind::Field;
            let current = match draft.entry(id).await?.filter(|entry| entry.is_live()).map(|entry| entry.body.clone()) {
                Some(Body::Field(field)) => field,
                _ => return Err(EntryError::NotFound { id, kind }),
            };
            let body = Body::Field(edit.field.clone());
            body.check()?;
            let change =
                KeyChange { from: &current.name, to: &edit.field.name, renamed_options: &edit.renamed_options };
            if change.from != change.to || !change.renamed_options.is_empty() {
                self.spread_key(&mut draft, current.of, &change).await?;
            }
            set_body(&mut draft, id, body).await?;
            self.commit_spread(draft, Some(id), run).await
        })
    }

    async fn spread_key(&self, draft: &mut Draft<'_>, of: FieldOf, change: &KeyChange<'_>) -> Result<(), EntryError> {
        let kind = match of {
            FieldOf::Person => Kind::Person,
            FieldOf::Organization => Kind::Organization,
            FieldOf::Deal => {
                for (id, mut deal) in deals(draft, |deal| deal.custom.contains_key(change.from)).await? {
                    change.apply(&mut deal.custom, &format!("deal {id}"))?;
                    set_body(draft, id, Body::Deal(deal)).await?;
                }
                return Ok(());
            }
        };
        for contact in contacts_with_key(self.store, kind, change.from).await? {
            let mut card = contact.card.clone();
            change.apply(&mut card.custom, &format!("{} {}", kind.as_str(), contact.id))?;
            draft.set_card_of(contact, card).await?;
        }
        Ok(())
    }

    async fn commit_spread(&self, draft: Draft<'_>, id: Option<EntryId>, run: RunId) -> Result<Spread, EntryError> {
        let (mut writes, _, mut entries) = draft.finish_all(&self.actor);
        let count = |is_one: fn(&Write) -> bool| writes.iter().filter(|write| is_one(write)).count() as u64;
        let contacts = count(|write| matches!(write, Write::Contact(_)));
        let deals = count(|write| matches!(write, Write::Entry(write) if write.entry.body.kind() == EntryKind::Deal));
        if !writes.is_empty() {
            let (begun, ended) = (run.time(), Some(run.time()));
            writes.push(Write::Run(Box::new(RunRecord { run, begun, ended, accounts: Vec::new() })));
            self.store.commit(Commit { fence: None, writes }).await?;
        }
        let definition = id.and_then(|id| entries.remove(&id)).filter(Entry::is_live);
        Ok(Spread { definition, contacts, deals, run })
    }

    /// Deletes the definition of a custom field that nothing has a value of.
    ///
    /// # Errors
    /// [`EntryError::Contradiction`] when something has: retiring loses nothing.
    pub async fn delete_field(&self, id: EntryId) -> Result<Entry, EntryError> {
        let found = self.store.entries(&[id]).await?.pop();
        let kind = EntryKind::Field;
        let Some(Body::Field(field)) = found.map(|entry| entry.body) else {
            return Err(EntryError::NotFound { id, kind });
        };
        let uses = uses_of(self.store, field.of, &field.name).await?;
        if uses > 0 {
            let (name, of) = (&field.name, field.of.as_str());
            let text = format!("field {name:?}: {uses} {of}s have a value; retire it instead, which loses nothing");
            return Err(EntryError::Contradiction(text));
        }
        self.delete_entry(id, kind).await
    }
}

impl KeyChange<'_> {
    fn apply(&self, custom: &mut BTreeMap<String, String>, whose: &str) -> Result<(), EntryError> {
        let Some(value) = custom.remove(self.from) else { return Ok(()) };
        let parts = value.split("; ").map(|part| self.renamed_options.get(part).map_or(part, String::as_str));
        let renamed =
            if self.renamed_options.is_empty() { value.clone() } else { parts.collect::<Vec<_>>().join("; ") };
        match custom.insert(self.to.to_owned(), renamed) {
            Some(other) if other != value => {
                let text = format!("field {:?}: {whose} has a value under {:?} already", self.from, self.to);
                Err(EntryError::Contradiction(text))
            }
            _ => Ok(()),
        }
    }
}

/// How many living contacts or deals have a value under this key.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn uses_of(store: &dyn Store, of: FieldOf, key: &str) -> Result<usize, StoreError> {
    let kind = match of {
        FieldOf::Person => Kind::Person,
        FieldOf::Organization => Kind::Organization,
        FieldOf::Deal => {
            let query = EntryQuery { kinds: [EntryKind::Deal].into(), ..EntryQuery::default() };
            let found = store.find_entries(&query).await?;
            let has = |entry: &&Entry| matches!(&entry.body, Body::Deal(deal) if deal.custom.contains_key(key));
            return Ok(found.iter().filter(has).count());
        }
    };
    let query = ContactQuery { kind: Some(kind), ..ContactQuery::default() };
    Ok(store.find_contacts(&query).await?.iter().filter(|contact| contact.card.custom.contains_key(key)).count())
}

/// A living definition of this unique name.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn find_definition(store: &dyn Store, like: &Body) -> Result<Option<Entry>, StoreError> {
    Ok(store.find_entries(&called(like)).await?.pop())
}

fn called(like: &Body) -> EntryQuery {
    EntryQuery { kinds: [like.kind()].into(), unique_name: like.unique_name(), ..EntryQuery::default() }
}

async fn definition(draft: &mut Draft<'_>, like: &Body) -> Result<Option<EntryId>, StoreError> {
    Ok(draft.entries(&called(like)).await?.pop().map(|entry| entry.id))
}

/// Deleted ones too: who comes back from the bin carries what the label is called by then.
async fn contacts_with_label(store: &dyn Store, label: &str) -> Result<Vec<Contact>, StoreError> {
    let query =
        ContactQuery { label: Some(label.to_owned()), deleted: DeletedContacts::Included, ..ContactQuery::default() };
    store.find_contacts(&query).await
}

async fn contacts_with_key(store: &dyn Store, kind: Kind, key: &str) -> Result<Vec<Contact>, StoreError> {
    let query = ContactQuery { kind: Some(kind), deleted: DeletedContacts::Included, ..ContactQuery::default() };
    let has = |card: &Card| card.custom.contains_key(key);
    Ok(store.find_contacts(&query).await?.into_iter().filter(|contact| has(&contact.card)).collect())
}

async fn deals(draft: &mut Draft<'_>, wanted: impl Fn(&Deal) -> bool) -> Result<Vec<(EntryId, Deal)>, StoreError> {
    let query =
        EntryQuery { kinds: [EntryKind::Deal].into(), deleted: DeletedContacts::Included, ..EntryQuery::default() };
    let found = draft.entries(&query).await?.into_iter();
    Ok(found
        .filter_map(|entry| match entry.body {
            Body::Deal(deal) if wanted(&deal) => Some((entry.id, deal)),
            _ => None,
        })
        .collect())
}

async fn set_body(draft: &mut Draft<'_>, id: EntryId, body: Body) -> Result<(), StoreError> {
    if let Some(entry) = draft.entry(id).await? {
        entry.body = body;
    }
    Ok(())
}

/// The keys in use among living contacts of a kind, with how many have each.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn keys_in_use(store: &dyn Store) -> Result<BTreeMap<(FieldOf, String), u64>, StoreError> {
    let mut keys: BTreeMap<(FieldOf, String), u64> = BTreeMap::new();
    for contact in store.find_contacts(&ContactQuery::default()).await? {
        for key in contact.card.custom.keys() {
            *keys.entry((contact.card.kind().into(), key.clone())).or_default() += 1;
        }
    }
    let deals = EntryQuery { kinds: [EntryKind::Deal].into(), ..EntryQuery::default() };
    for entry in store.find_entries(&deals).await? {
        let Body::Deal(deal) = entry.body else { continue };
        for key in deal.custom.into_keys() {
            *keys.entry((FieldOf::Deal, key)).or_default() += 1;
        }
    }
    Ok(keys)
}
