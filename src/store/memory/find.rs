//! Lists of contacts: filters, order and pages.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{FIRST_CONTACT, State};
use crate::domain::contact::Contact;
use crate::domain::id::ContactId;
use crate::domain::matching::MatchKey;
use crate::store::search::{Needle, SearchIndex, owner_key, sort_key};
use crate::store::{ContactOrder, ContactQuery};

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
    let needle = query.text.as_deref().map(Needle::new);
    let mut found: Vec<&Contact> = state
        .contacts
        .values()
        .filter(|contact| has_columns(contact, query))
        .filter(|contact| needle.as_ref().is_none_or(|needle| needle.is_in(&SearchIndex::of(&contact.card))))
        .collect();
    match query.order {
        ContactOrder::Id => found.retain(|contact| query.after.is_none_or(|after| contact.id > after)),
        ContactOrder::Name => {
            let place = |contact: &Contact| (sort_key(&contact.card), contact.id);
            found.sort_by_cached_key(|contact| place(contact));
            if let Some(after) = query.after {
                let after = state.contacts.get(&after).map(place);
                found.retain(|contact| after.as_ref().is_some_and(|after| place(contact) > *after));
            }
        }
    }
    found.into_iter().take(query.limit.unwrap_or(u32::MAX) as usize).cloned().collect()
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
