//! Three-way merge of one contact, field by field.
//!
//! A change is what differs between a side and its own base, in normal form; the two sides are never compared with
//! each other to find one, because a remote rewrites and drops what it is given. Copied values keep the spelling of
//! the side they come from. For a single value:
//!
//! | remote against its base | store against its base | new store | new base of the store |
//! |---|---|---|---|
//! | same | any | store | as before |
//! | changed | same | remote | remote |
//! | changed | changed to the same meaning | store | store |
//! | changed | changed, remote wins | remote | remote |
//! | changed | changed, store wins | store | remote: the difference is what must be pushed |
//! | changed | changed, nobody wins | store | store: nothing is pushed or pulled |
//!
//! The new base of the remote is always the remote itself. Merging again from the new bases therefore finds nothing
//! changed at the remote, and changes nothing. Multi-valued fields apply the same table to each item (`merge_set`); of
//! several primary items that a state came with, only the one that is meant is left, even where nothing changed.
//!
//! Names merge part by part, custom fields key by key; a date is one value and is never put together from two sides.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::contact::{Card, Organization, OrganizationRef, Person, Subject};
use super::diff;
use super::field::Field;
use super::item::Item;
use super::merge_set::{merge_set, one_primary};
use super::name::Name;
use super::normal;
use super::policy::Winner;

/// How conflicts are decided.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Who wins the conflict of a field. Asked once per field, and only for true conflicts; must give the same answer
    /// when it is asked again.
    pub winner: &'a dyn Fn(&Field) -> Winner,
    /// Fields whose conflict waits for a person: neither side gets the other's value, and nothing is reported again.
    ///
    /// The base of such a field comes out as the store's own value, so it says nothing about the remote. A caller that
    /// keeps the base sets it to what the remote holds; when the field is released, what then differs from the chosen
    /// value is what must be pushed.
    pub held: &'a BTreeSet<Field>,
}

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The new card of the store.
    pub card: Card,
    /// The new base of the store. What differs between it and `card` is to be written to the remote.
    pub base_store: Card,
    /// What both sides changed differently, in the order of the public shape; custom fields come last.
    pub conflicts: Vec<FieldConflict>,
}

/// One field that both sides changed differently. Values are those of the whole field in the public JSON shape, even
/// when only one item or one part of it is in conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldConflict {
    /// Which field.
    pub field: Field,
    /// What the store held when both sides last agreed.
    pub base: Value,
    /// What the store holds.
    pub store: Value,
    /// What the remote holds.
    pub remote: Value,
    /// How it was decided.
    pub winner: Winner,
}

/// One value in each of the four states that a merge looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Legs<T> {
    pub base_store: T,
    pub base_remote: T,
    pub store: T,
    pub remote: T,
}

impl<T> Legs<T> {
    pub(super) fn map<U>(self, mut f: impl FnMut(T) -> U) -> Legs<U> {
        Legs {
            base_store: f(self.base_store),
            base_remote: f(self.base_remote),
            store: f(self.store),
            remote: f(self.remote),
        }
    }
}

/// A merged value with its new base in the store.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome<T> {
    pub card: T,
    pub base: T,
}

/// Decides the conflicts of one field. Asks for a winner at the first conflict and keeps to it.
pub(super) struct Referee<'a> {
    ask: &'a dyn Fn() -> Winner,
    answer: Option<Winner>,
}

impl<'a> Referee<'a> {
    pub(super) fn new(ask: &'a dyn Fn() -> Winner) -> Self {
        Referee { ask, answer: None }
    }

    /// Who wins; from now on the field counts as being in conflict.
    pub(super) fn winner(&mut self) -> Winner {
        *self.answer.get_or_insert_with(self.ask)
    }

    /// The decision, if there was a conflict.
    pub(super) fn verdict(&self) -> Option<Winner> {
        self.answer
    }
}

/// Merges what changed at the remote into the store. All four cards are of one kind; `remote` and `base_remote` hold
/// only what the remote can hold, so what it cannot hold is absent from both and stays as it is in the store.
///
/// Deterministic and total: the same cards and answers give the same result, and there is one for all cards.
pub fn three_way(base_store: &Card, base_remote: &Card, store: &Card, remote: &Card, rules: &Rules<'_>) -> Merged {
    let legs = Legs { base_store, base_remote, store, remote };
    // Whatever no rule below touches stays on the store's side as it is.
    let merged = Merged { card: store.clone(), base_store: base_store.clone(), conflicts: Vec::new() };
    let mut merge = Merge { legs, rules, merged };
    merge.subject();
    merge.shared();
    let order = diff::fields_of(store.kind());
    let place = |field: &Field| order.iter().position(|known| known == field).unwrap_or(order.len());
    merge
        .merged
        .conflicts
        .sort_by(|one, other| (place(&one.field), &one.field).cmp(&(place(&other.field), &other.field)));
    merge.merged
}

/// A merge in progress.
struct Merge<'a> {
    legs: Legs<&'a Card>,
    rules: &'a Rules<'a>,
    merged: Merged,
}

impl Merge<'_> {
    fn shared(&mut self) {
        let legs = self.legs;
        let emails = self.set(&Field::Emails, legs.map(|card| card.emails.as_slice()));
        let phones = self.set(&Field::Phones, legs.map(|card| card.phones.as_slice()));
        let addresses = self.set(&Field::Addresses, legs.map(|card| card.addresses.as_slice()));
        let websites = self.set(&Field::Websites, legs.map(|card| card.websites.as_slice()));
        let notes = self.text(&Field::Notes, legs.map(|card| &card.notes));
        let owner = self.scalar(&Field::Owner, legs.map(|card| card.owner.clone()), |owner| {
            owner.as_deref().map(normal::email_key).filter(|owner| !owner.is_empty())
        });
        let visibility = self.scalar(&Field::Visibility, legs.map(|card| card.visibility), |visibility| *visibility);
        let labels = self.field(&Field::Labels, legs.map(|card| card.labels.clone()), |legs, _| labels(&legs));
        let Merged { card, base_store: base, .. } = &mut self.merged;
        (card.emails, base.emails) = (emails.card, emails.base);
        (card.phones, base.phones) = (phones.card, phones.base);
        (card.addresses, base.addresses) = (addresses.card, addresses.base);
        (card.websites, base.websites) = (websites.card, websites.base);
        (card.notes, base.notes) = (notes.card, notes.base);
        (card.owner, base.owner) = (owner.card, owner.base);
        (card.visibility, base.visibility) = (visibility.card, visibility.base);
        (card.labels, base.labels) = (labels.card, labels.base);
        self.custom();
    }

    fn subject(&mut self) {
        let legs = self.legs.map(|card| &card.subject);
        match (legs.base_store, legs.base_remote, legs.store, legs.remote) {
            (
                Subject::Person(base_store),
                Subject::Person(base_remote),
                Subject::Person(store),
                Subject::Person(remote),
            ) => self.person(Legs { base_store, base_remote, store, remote }),
            (
                Subject::Organization(base_store),
                Subject::Organization(base_remote),
                Subject::Organization(store),
                Subject::Organization(remote),
            ) => self.organization(Legs { base_store, base_remote, store, remote }),
            // Cards of different kinds have no subject in common; the store's stays.
            _ => {}
        }
    }

    fn person(&mut self, legs: Legs<&Person>) {
        let name = self.field(&Field::Name, legs.map(|person| person.name.clone()), name);
        let organization =
            self.scalar(&Field::Organization, legs.map(|person| person.organization.clone()), |organization| {
                normal::organization(organization.as_ref())
            });
        // Identities belong to the store: what a remote calls the organization is looked up anew.
        let store = legs.store.organization.clone();
        let organization = Outcome { card: known(organization.card, &store), ..organization };
        let job_title = self.text(&Field::JobTitle, legs.map(|person| &person.job_title));
        let department = self.text(&Field::Department, legs.map(|person| &person.department));
        let birthday = self.scalar(&Field::Birthday, legs.map(|person| person.birthday), |date| *date);
        let events = self.set(&Field::Events, legs.map(|person| person.events.as_slice()));
        let ims = self.set(&Field::Ims, legs.map(|person| person.ims.as_slice()));
        let relations = self.set(&Field::Relations, legs.map(|person| person.relations.as_slice()));
        let nicknames = self.set(&Field::Nicknames, legs.map(|person| person.nicknames.as_slice()));
        let photo =
            self.scalar(&Field::Photo, legs.map(|person| person.photo.clone()), |photo| normal::photo(photo.as_ref()));
        self.merged.card.subject = Subject::Person(Person {
            name: name.card,
            organization: organization.card,
            job_title: job_title.card,
            department: department.card,
            birthday: birthday.card,
            events: events.card,
            ims: ims.card,
            relations: relations.card,
            nicknames: nicknames.card,
            photo: photo.card,
        });
        self.merged.base_store.subject = Subject::Person(Person {
            name: name.base,
            organization: organization.base,
            job_title: job_title.base,
            department: department.base,
            birthday: birthday.base,
            events: events.base,
            ims: ims.base,
            relations: relations.base,
            nicknames: nicknames.base,
            photo: photo.base,
        });
    }

    fn organization(&mut self, legs: Legs<&Organization>) {
        let name =
            self.scalar(&Field::Name, legs.map(|organization| organization.name.clone()), |name| normal::text(name));
        let industry = self.text(&Field::Industry, legs.map(|organization| &organization.industry));
        self.merged.card.subject = Subject::Organization(Organization { name: name.card, industry: industry.card });
        self.merged.base_store.subject =
            Subject::Organization(Organization { name: name.base, industry: industry.base });
    }

    /// Each key is a field of its own; keys that differ in composition only are one key.
    fn custom(&mut self) {
        let fields = self.legs.map(custom_fields);
        let keys: BTreeSet<&String> = [&fields.base_store, &fields.base_remote, &fields.store, &fields.remote]
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
            .collect();
        let (mut card, mut base) = (BTreeMap::new(), BTreeMap::new());
        for key in keys {
            let legs = Legs {
                base_store: fields.base_store.get(key).cloned(),
                base_remote: fields.base_remote.get(key).cloned(),
                store: fields.store.get(key).cloned(),
                remote: fields.remote.get(key).cloned(),
            };
            let meaning =
                |field: &Option<(String, String)>| normal::scalar(field.as_ref().map(|(_, value)| value.as_str()));
            let outcome = self.scalar(&Field::Custom(key.clone()), legs, meaning);
            card.extend(outcome.card);
            base.extend(outcome.base);
        }
        self.merged.card.custom = card;
        self.merged.base_store.custom = base;
    }

    fn text(&mut self, field: &Field, legs: Legs<&Option<String>>) -> Outcome<Option<String>> {
        self.scalar(field, legs.map(Clone::clone), |text| normal::scalar(text.as_deref()))
    }

    fn scalar<T: Clone, N: PartialEq>(
        &mut self,
        field: &Field,
        legs: Legs<T>,
        meaning: impl Fn(&T) -> N,
    ) -> Outcome<T> {
        self.field(field, legs, |legs, referee| scalar(legs, meaning, referee))
    }

    fn set<T: Item>(&mut self, field: &Field, legs: Legs<&[T]>) -> Outcome<Vec<T>> {
        self.field(field, legs.map(one_primary), |legs, referee| {
            let slices = Legs {
                base_store: legs.base_store.as_slice(),
                base_remote: legs.base_remote.as_slice(),
                store: legs.store.as_slice(),
                remote: legs.remote.as_slice(),
            };
            merge_set(slices, referee)
        })
    }

    /// Merges one field by `merge`, unless it is held or comes out of the merge on hold: then it is frozen as a whole,
    /// and its base is the store's own value, so that nothing is pushed either.
    fn field<T: Clone>(
        &mut self,
        field: &Field,
        legs: Legs<T>,
        merge: impl FnOnce(Legs<T>, &mut Referee<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let frozen = Outcome { card: legs.store.clone(), base: legs.store.clone() };
        if self.rules.held.contains(field) {
            return frozen;
        }
        let ask = || (self.rules.winner)(field);
        let mut referee = Referee::new(&ask);
        let outcome = merge(legs, &mut referee);
        let Some(winner) = referee.verdict() else { return outcome };
        let [base, store, remote] =
            [self.legs.base_store, self.legs.store, self.legs.remote].map(|card| diff::field_value(card, field));
        self.merged.conflicts.push(FieldConflict { field: field.clone(), base, store, remote, winner });
        if winner == Winner::Hold { frozen } else { outcome }
    }
}

/// The table of the module header for one value. `meaning` is the normal form in which values are compared.
pub(super) fn scalar<T: Clone, N: PartialEq>(
    legs: Legs<T>,
    meaning: impl Fn(&T) -> N,
    referee: &mut Referee<'_>,
) -> Outcome<T> {
    let (ours, theirs) = (meaning(&legs.store), meaning(&legs.remote));
    let Legs { base_store, base_remote, store, remote } = legs;
    if theirs == meaning(&base_remote) {
        return Outcome { card: store, base: base_store };
    }
    // Equal in meaning: the store keeps its spelling, even when it had nothing to do with the change.
    if ours == theirs {
        return Outcome { card: store.clone(), base: store };
    }
    if ours == meaning(&base_store) {
        return Outcome { card: remote.clone(), base: remote };
    }
    match referee.winner() {
        Winner::Remote => Outcome { card: remote.clone(), base: remote },
        Winner::Store => Outcome { card: store, base: remote },
        Winner::Hold => Outcome { card: store.clone(), base: store },
    }
}

/// Part by part: what only one side has, or only one side changed, survives.
fn name(legs: Legs<Name>, referee: &mut Referee<'_>) -> Outcome<Name> {
    let mut part = |part: fn(&Name) -> &Option<String>| {
        let legs = Legs {
            base_store: part(&legs.base_store).clone(),
            base_remote: part(&legs.base_remote).clone(),
            store: part(&legs.store).clone(),
            remote: part(&legs.remote).clone(),
        };
        scalar(legs, |text| normal::scalar(text.as_deref()), referee)
    };
    let prefix = part(|name| &name.prefix);
    let given = part(|name| &name.given);
    let middle = part(|name| &name.middle);
    let family = part(|name| &name.family);
    let suffix = part(|name| &name.suffix);
    Outcome {
        card: Name {
            prefix: prefix.card,
            given: given.card,
            middle: middle.card,
            family: family.card,
            suffix: suffix.card,
        },
        base: Name {
            prefix: prefix.base,
            given: given.base,
            middle: middle.base,
            family: family.base,
            suffix: suffix.base,
        },
    }
}

/// Labels are only there or not there, so both sides' additions and removals apply; there is nothing to disagree on.
fn labels(legs: &Legs<BTreeSet<String>>) -> Outcome<BTreeSet<String>> {
    let meanings = |labels: &BTreeSet<String>| labels.iter().filter_map(Item::normal).collect::<BTreeSet<String>>();
    let (was, is) = (meanings(&legs.base_remote), meanings(&legs.remote));
    let (known, ours) = (meanings(&legs.base_store), meanings(&legs.store));
    let removed = |label: &String, base: &BTreeSet<String>| {
        label.normal().is_some_and(|label| was.contains(&label) && !is.contains(&label) && base.contains(&label))
    };
    let added = |label: &&String, there: &BTreeSet<String>| {
        label.normal().is_some_and(|label| is.contains(&label) && !was.contains(&label) && !there.contains(&label))
    };
    // A label that the store gained meanwhile stays although the remote lost it: it is to be written there.
    let kept = legs.store.iter().filter(|label| !removed(label, &known));
    let known_still = legs.base_store.iter().filter(|label| !removed(label, &known));
    Outcome {
        card: kept.chain(legs.remote.iter().filter(|label| added(label, &ours))).cloned().collect(),
        base: known_still.chain(legs.remote.iter().filter(|label| added(label, &known))).cloned().collect(),
    }
}

/// The custom fields that hold something, by key in normal form, with key and value as written.
fn custom_fields(card: &Card) -> BTreeMap<String, (String, String)> {
    card.custom.iter().map(|(key, value)| (normal::text(key), (key.clone(), value.clone()))).collect()
}

/// The organization as the store knows it; one that came from the remote has no identity yet.
fn known(merged: Option<OrganizationRef>, store: &Option<OrganizationRef>) -> Option<OrganizationRef> {
    if merged == *store { merged } else { merged.map(|organization| OrganizationRef { id: None, ..organization }) }
}
