//! Lists of contacts: filters, order and pages.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{FIRST_CONTACT, State};
use crate::domain::contact::Contact;
use crate::domain::id::ContactId;
use crate::domain::matching::MatchKey;
use crate::domain::search::{SearchText, owner_key};
use crate::store::{ContactOrder, ContactQuery, ListDirection, Place};

/// The contacts that have one of the keys, with the key.
pub(super) fn with_keys(state: &State, keys: &BTreeSet<MatchKey>) -> Vec<(MatchKey, ContactId)> {
    let with_key = |key: &MatchKey| {
        let from = (key.clone(), *FIRST_CONTACT);
        state.keys.range(from..).map(|(pair, ())| pair.clone()).take_while(|(found, _)| found == key).collect()
    };
    keys.iter().flat_map(|key| -> Vec<(MatchKey, ContactId)> { with_key(key) }).collect()
}

/// The contacts that the query selects.
pub(super) fn contacts(state: &State, query: &ContactQuery) -> Vec<Contact> {
    let search = query.search();
    let mut found: Vec<(Place, &Contact)> = state
        .contacts
        .values()
        .filter(|contact| has_columns(contact, query))
        .filter(|contact| query.conditions().all(|condition| condition.holds_for(contact)))
        .filter(|contact| search.as_ref().is_none_or(|search| search.finds(&SearchText::of(&contact.card))))
        .map(|contact| (Place::of(contact, query.order), contact))
        .collect();
    found.sort_by(|one, other| (&one.0, one.1.id).cmp(&(&other.0, other.1.id)));
    if query.direction == ListDirection::Descending {
        found.reverse();
    }
    if let Some(after) = query.after {
        let stands = || state.contacts.get(&after).map(|contact| Place::of(contact, query.order));
        // By the id alone, a contact need not be there to be gone on after.
        let by_id = (query.order == ContactOrder::Id).then_some(Place::Id);
        let place = by_id.or_else(|| query.stood_at.clone()).or_else(stands);
        found.retain(|(own, contact)| {
            place.as_ref().is_some_and(|place| is_beyond(query, (own, contact.id), (place, after)))
        });
    }
    found.into_iter().take(query.limit.unwrap_or(u32::MAX) as usize).map(|(_, contact)| contact.clone()).collect()
}

fn is_beyond(query: &ContactQuery, own: (&Place, ContactId), after: (&Place, ContactId)) -> bool {
    match query.direction {
        ListDirection::Ascending => own > after,
        ListDirection::Descending => own < after,
    }
}

fn has_columns(contact: &Contact, query: &ContactQuery) -> bool {
    let card = &contact.card;
    let by_life = query.deleted.admit(!contact.is_live());
    let by_owner = query
        .owner
        .as_ref()
        .is_none_or(|wanted| card.owner.as_ref().is_some_and(|owner| owner_key(owner) == owner_key(wanted)));
    by_life
        && by_owner
        && query.kind.is_none_or(|kind| card.kind() == kind)
        && query.label.as_ref().is_none_or(|label| card.labels.contains(label))
        && query.organization.is_none_or(|organization| organization_of(contact) == Some(organization))
}

fn organization_of(contact: &Contact) -> Option<ContactId> {
    contact.card.as_person()?.organization.as_ref()?.id
}

/// How many living people each of these organizations has.
pub(super) fn people_counts(state: &State, organizations: &[ContactId]) -> BTreeMap<ContactId, u64> {
    let mut counts = BTreeMap::new();
    for contact in state.contacts.values().filter(|contact| contact.is_live()) {
        if let Some(organization) = organization_of(contact)
            && organizations.contains(&organization)
        {
            *counts.entry(organization).or_insert(0) += 1;
        }
    }
    counts
}
