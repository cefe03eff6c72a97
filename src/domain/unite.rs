//! Two contacts of the store that are the same become one card.
//!
//! It is a three-way merge with an empty base: values unite, what only one of them has is taken, and where both say something
//! else about one thing, one of them wins. Free text is no such thing: both texts stand below each other. A name is one thing
//! as soon as its parts contradict each other: it is never put together from two people's ideas of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contact::Card;
use super::diff;
use super::field::Field;
use super::merge::{FieldConflict, Merged, Rules, three_way};
use super::normal;
use super::policy::Winner;

/// One card made of two.
#[derive(Debug, Clone, PartialEq)]
pub struct United {
    /// The card.
    pub card: Card,
    /// What becomes of each field that either of them has, in the order of the fields.
    pub fields: Vec<FieldOutcome>,
    /// The fields in which a value lost. The store's side is the one that is kept.
    pub disputes: Vec<FieldConflict>,
}

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldOutcome {
    /// The field.
    pub field: Field,
    /// What the one that is kept says.
    pub keep: Value,
    /// What the other one says.
    pub other: Value,
    /// What the united card says.
    pub result: Value,
    /// What is said nowhere afterwards, in whole or in part.
    pub lost: Option<Value>,
}

/// Unites two cards of one kind. `keep` wins where both say something else, but for the fields in `from_other`. Of fields with
/// several values that decides about labels and what comes first; the values unite all the same.
pub fn unite(keep: &Card, other: &Card, from_other: &BTreeSet<Field>) -> United {
    let mut merged = laid_together(keep, other, from_other);
    let contradict = merged.conflicts.iter().any(|conflict| conflict.field == Field::Name);
    if contradict {
        let named = if from_other.contains(&Field::Name) { other } else { keep };
        diff::copy_field(&Field::Name, named, &mut merged.card);
    }
    let has = |card: &Card| card.as_person().is_some_and(|person| person.organization.is_some());
    if has(other) && (!has(keep) || from_other.contains(&Field::Organization)) {
        // It is known by its identity, which a merge with a remote would not trust.
        diff::copy_field(&Field::Organization, other, &mut merged.card);
    }
    if !from_other.contains(&Field::Notes) {
        merged.card.notes = below_each_other(keep.notes.as_deref(), other.notes.as_deref());
    }
    // Which of several values comes first is nothing that gets lost.
    let mut disputes = laid_together(&without_firsts(keep), &without_firsts(other), from_other).conflicts;
    disputes.retain(|dispute| dispute.field != Field::Notes || from_other.contains(&Field::Notes));
    for dispute in &mut disputes {
        dispute.store = diff::field_value(keep, &dispute.field);
        dispute.remote = diff::field_value(other, &dispute.field);
    }
    let card = merged.card;
    let fields = outcomes(keep, other, &card, &disputes);
    United { card, fields, disputes }
}

fn laid_together(keep: &Card, other: &Card, from_other: &BTreeSet<Field>) -> Merged {
    let (blank, none) = (Card::blank(keep.kind()), BTreeSet::new());
    let winner = |field: &Field| if from_other.contains(field) { Winner::Remote } else { Winner::Store };
    three_way(&blank, &blank, keep, other, &Rules { winner: &winner, held: &none })
}

fn without_firsts(card: &Card) -> Card {
    let mut card = card.clone();
    card.emails.iter_mut().for_each(|email| email.primary = false);
    card.phones.iter_mut().for_each(|phone| phone.primary = false);
    card
}

/// Every field that either card has, in the order of the fields.
fn outcomes(keep: &Card, other: &Card, result: &Card, disputes: &[FieldConflict]) -> Vec<FieldOutcome> {
    let blank = Card::blank(keep.kind());
    let mut named = diff::changed_fields(&blank, keep);
    named.extend(diff::changed_fields(&blank, other));
    let outcome = |field: Field| {
        let [keep, other, result] = [keep, other, result].map(|card| diff::field_value(card, &field));
        let lost = disputes.iter().find(|dispute| dispute.field == field).map(|dispute| match dispute.winner {
            Winner::Remote => dispute.store.clone(),
            Winner::Store | Winner::Hold => dispute.remote.clone(),
        });
        FieldOutcome { field, keep, other, result, lost }
    };
    named.into_iter().map(outcome).collect()
}

fn below_each_other(keep: Option<&str>, other: Option<&str>) -> Option<String> {
    match (keep, other) {
        (Some(keep), Some(other)) if normal::text(keep).contains(&normal::text(other)) => Some(keep.to_owned()),
        (Some(keep), Some(other)) if normal::text(other).contains(&normal::text(keep)) => Some(other.to_owned()),
        (Some(keep), Some(other)) => Some(format!("{keep}\n\n{other}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(members: Value) -> Card {
        let mut shape = json!({"kind": "person"});
        shape.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        serde_json::from_value(shape).expect("the shape")
    }

    fn ada() -> (Card, Card) {
        let keep = card(json!({"name": {"given": "Ada", "family": "King"}, "job_title": "CTO", "notes": "Likes tea.",
            "emails": [{"value": "ada@example.org", "primary": true}], "labels": ["VIP"], "custom": {"Size": "M"}}));
        let other = card(json!({"name": {"given": "Ada", "family": "King"}, "job_title": "Chief", "notes": "Called.",
            "department": "R&D", "emails": [{"value": "ADA@example.org"}, {"value": "king@example.org", "primary": true}],
            "labels": ["Customer"], "custom": {"Size": "L", "Shoe": "40"}}));
        (keep, other)
    }

    #[test]
    fn values_unite_and_the_one_that_is_kept_wins() {
        let (keep, other) = ada();
        let United { card, fields, .. } = unite(&keep, &other, &BTreeSet::new());
        let emails: Vec<&str> = card.emails.iter().map(|email| email.value.as_str()).collect();
        assert_eq!(emails, ["ada@example.org", "king@example.org"]);
        assert!(card.emails.iter().any(|email| email.primary));
        let person = card.as_person().expect("a person");
        assert_eq!((person.job_title.as_deref(), person.department.as_deref()), (Some("CTO"), Some("R&D")));
        assert_eq!(card.notes.as_deref(), Some("Likes tea.\n\nCalled."));
        assert_eq!(card.labels, ["Customer", "VIP"].map(str::to_owned).into());
        assert_eq!((card.custom["Size"].as_str(), card.custom["Shoe"].as_str()), ("M", "40"));
        let lost: Vec<(String, Value)> =
            fields.into_iter().filter_map(|outcome| Some((outcome.field.to_string(), outcome.lost?))).collect();
        let named: Vec<&str> = lost.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["job_title", "custom.Size"], "which e-mail comes first is no loss: {lost:?}");
    }

    #[test]
    fn single_fields_are_taken_from_the_other_one() {
        let (keep, other) = ada();
        let from_other = BTreeSet::from([Field::JobTitle, Field::Notes, Field::Custom("Size".into())]);
        let card = unite(&keep, &other, &from_other).card;
        assert_eq!(card.as_person().expect("a person").job_title.as_deref(), Some("Chief"));
        assert_eq!((card.notes.as_deref(), card.custom["Size"].as_str()), (Some("Called."), "L"));
    }

    #[test]
    fn a_name_is_filled_up_and_never_put_together_from_two() {
        let united = |keep: Value, other: Value| {
            let [keep, other] = [keep, other].map(|name| card(json!({ "name": name })));
            let United { card, disputes, .. } = unite(&keep, &other, &BTreeSet::new());
            (card.display_name(), disputes.len())
        };
        let name = |given: Option<&str>, family: Option<&str>| json!({"given": given, "family": family});
        for (keep, other, expected) in [
            (name(Some("Ada"), None), name(Some("Ada"), Some("King")), ("Ada King", 0)),
            (name(Some("Ada King"), None), name(Some("Ada"), Some("King")), ("Ada King", 1)),
            (name(Some("King"), Some("Ada")), name(Some("Ada"), Some("King")), ("King Ada", 1)),
            (name(None, None), name(Some("Ada"), Some("King")), ("Ada King", 0)),
        ] {
            let (full, lost) = united(keep.clone(), other.clone());
            assert_eq!((full.as_str(), lost), expected, "{keep} {other}");
        }
    }

    #[test]
    fn an_organization_that_only_the_other_one_has_comes_along_by_its_identity() {
        let organization = json!({"id": "01JD0000000000000000000000", "name": "Acme"});
        let other = card(json!({"name": {"given": "Ada"}, "organization": organization}));
        for (keep, takes) in [
            (card(json!({"name": {"given": "Ada"}})), BTreeSet::new()),
            (
                card(json!({"name": {"given": "Ada"}, "organization": {"id": null, "name": "Apex"}})),
                BTreeSet::from([Field::Organization]),
            ),
        ] {
            let united = unite(&keep, &other, &takes);
            assert_eq!(diff::field_value(&united.card, &Field::Organization), organization);
        }
    }

    #[test]
    fn a_label_that_loses_is_told() {
        let phones = |label: &str| card(json!({"phones": [{"value": "+49 30 1234567", "label": label}]}));
        let united = unite(&phones("work"), &phones("mobile"), &BTreeSet::new());
        assert_eq!(united.card.phones.len(), 1);
        assert_eq!(united.disputes.len(), 1);
        assert_eq!(united.fields[0].lost, Some(diff::field_value(&phones("mobile"), &Field::Phones)));
    }

    #[test]
    fn a_contact_united_with_itself_is_itself() {
        let (keep, _) = ada();
        let united = unite(&keep, &keep, &BTreeSet::new());
        assert_eq!(united.card, keep);
        assert!(united.fields.iter().all(|outcome| outcome.lost.is_none()));
    }
}
