//! Two contacts of the store that are the same become one card.
//!
//! It is a three-way merge with an empty base: values unite, what only one of them has is taken, and where both say something
//! else about one thing, one of them wins. Free text is no such thing: both texts stand below each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::contact::Card;
use super::diff;
use super::field::Field;
use super::merge::{Rules, three_way};
use super::normal;
use super::policy::Winner;

/// One card made of two.
#[derive(Debug, Clone, PartialEq)]
pub struct United {
    /// The card.
    pub card: Card,
    /// What becomes of each field that either of them has, in the order of the fields.
    pub fields: Vec<FieldOutcome>,
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

/// Unites two cards of one kind. `keep` wins where both say something else, but for the fields in `from_other`.
pub fn unite(keep: &Card, other: &Card, from_other: &BTreeSet<Field>) -> United {
    let blank = Card::blank(keep.kind());
    let none = BTreeSet::new();
    let winner = |field: &Field| if from_other.contains(field) { Winner::Remote } else { Winner::Store };
    let mut merged = three_way(&blank, &blank, keep, other, &Rules { winner: &winner, held: &none });
    let mut card = std::mem::replace(&mut merged.card, blank.clone());
    if !from_other.contains(&Field::Notes) {
        card.notes = below_each_other(keep.notes.as_deref(), other.notes.as_deref());
    }
    let mut fields = Vec::new();
    let mut named: BTreeSet<Field> = diff::changed_fields(&blank, keep).into_iter().collect();
    named.extend(diff::changed_fields(&blank, other));
    for field in named {
        let [keep, other, result] = [keep, other, &card].map(|card| diff::field_value(card, &field));
        let conflict = merged.conflicts.iter().find(|conflict| conflict.field == field);
        let lost = conflict.filter(|_| field != Field::Notes || from_other.contains(&field));
        let lost = lost.map(|conflict| match conflict.winner {
            Winner::Remote => conflict.store.clone(),
            Winner::Store | Winner::Hold => conflict.remote.clone(),
        });
        fields.push(FieldOutcome { field, keep, other, result, lost });
    }
    United { card, fields }
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
        let United { card, fields } = unite(&keep, &other, &BTreeSet::new());
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
        assert!(named.contains(&"job_title") && named.contains(&"custom.Size"), "{lost:?}");
        assert!(!named.contains(&"notes") && !named.contains(&"labels"), "{lost:?}");
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
    fn a_contact_united_with_itself_is_itself() {
        let (keep, _) = ada();
        let united = unite(&keep, &keep, &BTreeSet::new());
        assert_eq!(united.card, keep);
        assert!(united.fields.iter().all(|outcome| outcome.lost.is_none()));
    }
}
