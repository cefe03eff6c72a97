//! What people have said about who is who, as a run looks it up.
//!
//! An answer comes before all likeness: a couple that was said to be the same is linked whatever speaks against it, one that
//! was said to differ never is. A record that goes by another name takes what was said about it along.

use std::collections::BTreeMap;

use super::Run;
use crate::domain::answer::{Answer, Said};
use crate::domain::id::{ContactId, RemoteId};
use crate::remotes::Record;
use crate::store::Write;

/// The answers about one account.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_couple: BTreeMap<(ContactId, RemoteId), Answer>,
}

impl Answers {
    pub(crate) fn of(answers: Vec<Answer>) -> Self {
        let by_couple = answers.into_iter().map(|answer| ((answer.contact, answer.remote.clone()), answer)).collect();
        Answers { by_couple }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_couple.is_empty()
    }

    /// Whether the record cannot be the contact: somebody said so, or said that one of them is somebody else.
    pub(crate) fn part(&self, contact: ContactId, remote: &RemoteId) -> bool {
        match self.by_couple.get(&(contact, remote.clone())) {
            Some(answer) => answer.said == Said::Different,
            None => {
                self.contact_of(remote).is_some_and(|other| other != contact)
                    || self.record_of(contact).is_some_and(|other| other != remote)
            }
        }
    }

    /// The contact that a record was said to be; the last word counts.
    pub(crate) fn contact_of(&self, remote: &RemoteId) -> Option<ContactId> {
        self.same()
            .filter(|answer| answer.remote == *remote)
            .max_by_key(|answer| answer.at)
            .map(|answer| answer.contact)
    }

    /// The record that a contact was said to have; the last word counts. Of the names of one record, any will do.
    pub(crate) fn record_of(&self, contact: ContactId) -> Option<&RemoteId> {
        self.same()
            .filter(|answer| answer.contact == contact)
            .max_by_key(|answer| answer.at)
            .map(|answer| &answer.remote)
    }

    /// Every name of the record that a contact was said to have.
    pub(crate) fn records_of(&self, contact: ContactId) -> impl Iterator<Item = &RemoteId> {
        self.same().filter(move |answer| answer.contact == contact).map(|answer| &answer.remote)
    }

    /// Forgets whose record a contact was said to have.
    pub(crate) fn forget(&mut self, contact: ContactId) {
        self.by_couple.retain(|(of, _), answer| *of != contact || answer.said != Said::Same);
    }

    /// Forgets that a record was said to be a contact's. Returns whose.
    pub(crate) fn forget_record(&mut self, remote: &RemoteId) -> Vec<ContactId> {
        let whose = self.same().filter(|answer| answer.remote == *remote).map(|answer| answer.contact).collect();
        self.by_couple.retain(|(_, of), answer| of != remote || answer.said != Said::Same);
        whose
    }

    fn same(&self) -> impl Iterator<Item = &Answer> {
        self.by_couple.values().filter(|answer| answer.said == Said::Same)
    }

    /// What was said about the contact, as texts in a fixed order.
    pub(crate) fn about(&self, contact: ContactId) -> impl Iterator<Item = String> {
        let about = self.by_couple.values().filter(move |answer| answer.contact == contact);
        about.map(|answer| format!("{} {:?}", answer.remote, answer.said))
    }
}

impl Run<'_> {
    /// Forgets whose a record was said to be, because it is no more. Returns what to write.
    pub(crate) fn drop_answers(&mut self, remote: &RemoteId) -> Vec<Write> {
        let account = &self.order.promise.account;
        let whose = self.answers.forget_record(remote);
        whose
            .into_iter()
            .map(|contact| Write::DropAnswer { account: account.clone(), contact, remote: remote.clone() })
            .collect()
    }
    /// Repeats what was said about a record under the name that it has now. Returns what to write.
    pub(crate) fn follow_answers(&mut self, record: &Record) -> Vec<Write> {
        if record.former_ids.is_empty() || self.answers.is_empty() {
            return Vec::new();
        }
        let said: Vec<Answer> = self
            .answers
            .by_couple
            .values()
            .filter(|answer| answer.remote != record.id && record.former_ids.contains(&answer.remote))
            .filter(|answer| !self.answers.by_couple.contains_key(&(answer.contact, record.id.clone())))
            .map(|answer| Answer { remote: record.id.clone(), ..answer.clone() })
            .collect();
        for answer in &said {
            self.answers.by_couple.insert((answer.contact, answer.remote.clone()), answer.clone());
        }
        said.into_iter().map(Write::Answer).collect()
    }
}
