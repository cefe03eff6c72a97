//! What a person has let through beforehand, and what that means for one link.
//!
//! Usually the guard alone decides. `approve` lets through what the guard has parked, as long as it is still the same;
//! `apply` lets through a plan that a person has seen, and nothing else; `undo` what takes back a run.

use std::collections::BTreeSet;

use super::Run;
use super::guard::Barred;
use super::operation::Operation;
use crate::domain::digest::Digest;
use crate::domain::harm::LetBy;
use crate::domain::id::RunId;
use crate::domain::link::{Link, ParkedWhy};

/// What a person has let through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Licence {
    /// Nothing: the guard decides.
    #[default]
    Guarded,
    /// What the guard has parked in this run or an earlier one, if it is still the same.
    Approved(RunId),
    /// The operations of a plan that a person has seen, and no others.
    Planned(Seen),
    /// What takes back the deeds of that run, and what else there is to do about the same contacts.
    Undoing(RunId),
}

/// The operations of a plan, by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    ahead: BTreeSet<Digest>,
    parked: BTreeSet<Digest>,
}

impl Seen {
    /// What a person has seen who was shown these operations.
    pub fn of(operations: &[Operation]) -> Self {
        let digests = |parked: bool| {
            let these = operations.iter().filter(|operation| operation.parked == parked);
            these.map(|operation| Operation::digest_of([operation])).collect()
        };
        Seen { ahead: digests(false), parked: digests(true) }
    }
}

/// What becomes of the operations of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// They are carried out.
    Go(LetBy),
    /// They wait for a person.
    Park,
    /// They are none of this run's business.
    Leave,
}

impl Run<'_> {
    /// Judges the operations of one link.
    pub(crate) fn ruling(&mut self, link: &Link, operations: &[Operation], barred: &Barred) -> Ruling {
        if operations.is_empty() {
            return Ruling::Go(LetBy::Guard);
        }
        let is_barred = operations.iter().any(|operation| barred.stops(operation));
        let ruling = match &self.order.licence {
            Licence::Guarded if is_barred => Ruling::Park,
            Licence::Approved(run) if is_barred => match self.was_parked_so(link, operations, *run) {
                true => Ruling::Go(LetBy::Person),
                false => Ruling::Park,
            },
            Licence::Guarded | Licence::Approved(_) => Ruling::Go(LetBy::Guard),
            Licence::Planned(seen) => self.seen_so(seen, operations),
            Licence::Undoing(_) => {
                match operations.iter().all(|one| one.contact.is_some_and(|contact| self.undone.contains(&contact))) {
                    true => Ruling::Go(LetBy::Person),
                    false => Ruling::Leave,
                }
            }
        };
        match ruling {
            Ruling::Go(LetBy::Person) => self.note_released(operations),
            Ruling::Leave => self.left_alone += 1,
            Ruling::Park => self.tell_excess(operations),
            Ruling::Go(LetBy::Guard) => {}
        }
        ruling
    }

    fn was_parked_so(&self, link: &Link, operations: &[Operation], run: RunId) -> bool {
        let Some(parked) = link.parked.as_ref().filter(|parked| parked.why == ParkedWhy::Guard) else { return false };
        parked.run.is_some_and(|parked_in| parked_in <= run)
            && parked.digest.as_deref() == Some(self.digest_of(operations).to_string().as_str())
    }

    fn seen_so(&self, seen: &Seen, operations: &[Operation]) -> Ruling {
        let digests: Vec<Digest> =
            operations.iter().map(|operation| self.digest_of(std::slice::from_ref(operation))).collect();
        if digests.iter().all(|digest| seen.ahead.contains(digest)) {
            Ruling::Go(LetBy::Person)
        } else if digests.iter().all(|digest| seen.parked.contains(digest)) {
            Ruling::Park
        } else {
            Ruling::Leave
        }
    }

    /// A digest over what operations do, whoever finds them, and whenever.
    pub(crate) fn digest_of(&self, operations: &[Operation]) -> Digest {
        let told: Vec<Operation> = operations.iter().map(|operation| self.as_told(operation)).collect();
        Operation::digest_of(&told)
    }

    /// An operation as others may see it: contacts and organizations that only this run has made have no name yet.
    pub(crate) fn as_told(&self, operation: &Operation) -> Operation {
        let mut told = operation.clone();
        told.contact = told.contact.filter(|contact| !self.newborn.contains(contact));
        told.forget_organizations(&self.newborn);
        told
    }
}
