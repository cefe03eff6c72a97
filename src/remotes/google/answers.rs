//! What the answer to a batch that Google accepted says about each contact in it.
//!
//! As documented, one bad contact refuses the whole batch. Answers nevertheless have a status for every contact, and
//! other clients look at it: so a contact may have been refused while the others were written.
//!
//! Source: People API reference, `PersonResponse`, `people.batchCreateContacts`, `people.batchUpdateContacts` (read
//! 2026-11).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::id::RemoteId;
use crate::remotes::{Created, ItemError, Record, Tag, Updated};

use super::errors::item_error;
use super::{tag, wire};

/// Codes of google.rpc.Code that say nothing about whether a contact exists, or was written: CANCELLED, UNKNOWN,
/// DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE.
const DOUBTFUL_CODES: [u64; 7] = [1, 2, 4, 8, 10, 13, 14];

/// One item of a batch answer.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PersonResponse {
    person: Option<Value>,
    requested_resource_name: Option<String>,
    status: Value,
}

/// What one item of a direct read says.
pub(super) enum Found {
    /// What the contact looks like.
    Record(Box<Record>),
    /// That there is none.
    Nothing,
    /// Neither.
    Unclear,
}

/// What an item says went wrong.
enum Fault {
    /// The contact was certainly not written.
    Refused(ItemError),
    /// Nobody knows.
    Doubtful,
}

impl PersonResponse {
    /// The record, if the item is about one that is there.
    pub(super) fn record(&self) -> Option<Record> {
        wire::record(self.person.as_ref()?).ok()
    }

    /// The id that was asked for.
    pub(super) fn requested(&self) -> Option<RemoteId> {
        let own = || wire::text(self.person.as_ref()?, "resourceName");
        self.requested_resource_name.as_deref().filter(|name| !name.is_empty()).or_else(own).map(RemoteId::new)
    }

    /// What a direct read says about the contact.
    pub(super) fn found(&self) -> Found {
        match &self.person {
            Some(person) => wire::contact(person).map_or(Found::Unclear, |record| Found::Record(Box::new(record))),
            None if item_error(&self.status) == Some(ItemError::Missing) => Found::Nothing,
            None => Found::Unclear,
        }
    }

    fn has_doubtful_code(&self) -> bool {
        self.status.get("code").and_then(Value::as_u64).is_some_and(|code| DOUBTFUL_CODES.contains(&code))
    }

    /// What went wrong; `None` when the status says that all is well.
    fn fault(&self) -> Option<Fault> {
        let error = item_error(&self.status)?;
        Some(if self.has_doubtful_code() { Fault::Doubtful } else { Fault::Refused(error) })
    }
}

/// What became of new contacts.
///
/// An item that was refused has no name and shows no tag. Which contact it is about follows from its place, when the
/// items that do show a tag stand at the places of their contacts; else from what is left over.
pub(super) fn created(wires: &[Value], responses: &[PersonResponse]) -> Created {
    let records: Vec<Option<Record>> = responses.iter().map(PersonResponse::record).collect();
    let failed = responses.iter().zip(&records).enumerate().filter(|(_, (_, record))| record.is_none());
    let faults: BTreeMap<usize, Fault> =
        failed.filter_map(|(place, (response, _))| Some((place, response.fault()?))).collect();
    let sent: Vec<Option<Tag>> = wires.iter().map(tag::read).collect();
    let refused = if faults.is_empty() || responses.len() != wires.len() {
        BTreeMap::new()
    } else if records.iter().zip(&sent).all(|(record, sent)| record.as_ref().is_none_or(|record| record.tag == *sent)) {
        faults.into_iter().filter_map(|(place, fault)| Some((place, refusal(fault)?))).collect()
    } else {
        left_over(&sent, &records, faults)
    };
    Created { records: records.into_iter().flatten().collect(), refused }
}

/// The contacts of which no record came, when each of them was certainly refused. Which of the reasons is whose cannot
/// be told.
fn left_over(
    sent: &[Option<Tag>],
    records: &[Option<Record>],
    faults: BTreeMap<usize, Fault>,
) -> BTreeMap<usize, ItemError> {
    let shown: Vec<&Tag> = records.iter().flatten().filter_map(|record| record.tag.as_ref()).collect();
    let missing = sent.iter().enumerate().filter(|(_, tag)| tag.as_ref().is_none_or(|tag| !shown.contains(&tag)));
    let missing: Vec<usize> = missing.map(|(place, _)| place).collect();
    let count = faults.len();
    let reasons: Vec<String> = faults.into_values().filter_map(refusal).map(|error| error.to_string()).collect();
    if reasons.len() != count || missing.len() != count {
        return BTreeMap::new();
    }
    let reasons: Vec<String> = reasons.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let reason = ItemError::Refused(reasons.join(", or "));
    missing.into_iter().map(|place| (place, reason.clone())).collect()
}

fn refusal(fault: Fault) -> Option<ItemError> {
    match fault {
        Fault::Refused(error) => Some(error),
        Fault::Doubtful => None,
    }
}

/// What became of changed contacts; `ids` as they stood in the request. A status that is not well counts even where a
/// person stands beside it: that is the contact as it was.
pub(super) fn updated(ids: &[RemoteId], responses: &BTreeMap<String, PersonResponse>) -> Updated {
    let mut updated = Updated::default();
    for (place, id) in ids.iter().enumerate() {
        let Some(response) = responses.get(id.as_str()) else { continue };
        match response.fault() {
            Some(Fault::Refused(error)) => _ = updated.refused.insert(place, error),
            Some(Fault::Doubtful) => _ = updated.unknown.insert(place),
            None => updated.records.extend(response.record().map(|record| (id.clone(), record))),
        }
    }
    updated
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wire(number: usize) -> Value {
        json!({"names": [{"givenName": "Ada"}],
            "clientData": [{"key": "contactsync", "value": format!("v1.token{number}.1.{number}")}]})
    }

    fn well(number: usize) -> PersonResponse {
        let mut person = wire(number);
        person["resourceName"] = json!(format!("people/c{number}"));
        PersonResponse { person: Some(person), ..PersonResponse::default() }
    }

    fn bad(code: u64, message: &str) -> PersonResponse {
        PersonResponse { status: json!({"code": code, "message": message}), ..PersonResponse::default() }
    }

    /// The refused places with their reasons, of a batch of this many.
    fn refused(count: usize, responses: &[PersonResponse]) -> Vec<(usize, String)> {
        let wires: Vec<Value> = (0..count).map(wire).collect();
        let created = created(&wires, responses);
        assert_eq!(created.records.len(), responses.iter().filter(|response| response.person.is_some()).count());
        created.refused.into_iter().map(|(place, error)| (place, error.to_string())).collect()
    }

    fn told(expected: &[(usize, &str)]) -> Vec<(usize, String)> {
        expected.iter().map(|(place, reason)| (*place, (*reason).to_owned())).collect()
    }

    #[test]
    fn in_an_answer_that_keeps_the_order_each_refusal_has_its_place() {
        let responses = [bad(3, "too long"), well(1), bad(13, "trouble"), bad(5, "no such group"), well(4)];
        assert_eq!(
            refused(5, &responses),
            told(&[(0, "too long"), (3, "it, or something it refers to, does not exist")])
        );
        assert_eq!(refused(2, &[bad(3, "one"), bad(3, "other")]), told(&[(0, "one"), (1, "other")]));
        assert_eq!(refused(2, &[well(0), well(1)]), []);
    }

    #[test]
    fn in_an_answer_of_another_order_the_contacts_without_a_record_were_refused() {
        let responses = [well(2), bad(3, "too long"), well(0)];
        assert_eq!(refused(3, &responses), told(&[(1, "too long")]));
        let responses = [well(3), bad(3, "too long"), bad(3, "too many"), well(0)];
        assert_eq!(refused(4, &responses), told(&[(1, "too long, or too many"), (2, "too long, or too many")]));
    }

    #[test]
    fn where_one_outcome_is_unknown_nothing_is_concluded_from_what_is_left_over() {
        assert_eq!(refused(4, &[well(3), bad(3, "too long"), bad(13, "trouble"), well(0)]), []);
        assert_eq!(refused(4, &[well(3), bad(3, "too long"), well(0)]), [], "an item is missing");
        assert_eq!(refused(4, &[well(3), bad(3, "too long"), bad(0, ""), well(0)]), [], "an item says nothing");
    }

    #[test]
    fn updates_are_told_apart_by_name() {
        let ids: Vec<RemoteId> = (0..5).map(|number| RemoteId::new(format!("people/c{number}"))).collect();
        let stale = "Request person.etag is different than the current person.etag.";
        let kept = PersonResponse { person: well(3).person, ..bad(3, "too long") };
        let answers = [("people/c0", well(0)), ("people/c1", bad(9, stale)), ("people/c2", bad(14, "busy"))];
        let answers = answers.into_iter().chain([("people/c3", kept), ("people/c9", bad(5, "whose?"))]);
        let updated = updated(&ids, &answers.map(|(id, answer)| (id.to_owned(), answer)).collect());
        assert_eq!(updated.records.keys().collect::<Vec<_>>(), [&ids[0]]);
        let refusals = [(1, ItemError::Stale), (3, ItemError::Refused("too long".to_owned()))];
        assert_eq!((updated.refused, updated.unknown), (BTreeMap::from(refusals), BTreeSet::from([2])));
    }
}
