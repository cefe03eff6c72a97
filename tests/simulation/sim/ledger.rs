//! Remembers what users wrote, and what they had seen when they did. Every value is written once and by nobody else, so
//! that it tells whether it got lost, and who replaced it knowing of it.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::domain::answer::Said;
use contactsync::domain::id::{ContactId, RemoteId};
use contactsync::domain::time::Timestamp;

/// Where a value stands: a person, by the address that nobody edits, and a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    pub person: String,
    pub field: String,
}

/// A value of a field that holds one.
#[derive(Debug, Clone)]
struct Written {
    slot: Slot,
    parent: Option<String>,
}

/// A company that a person was given in place of another one. Its name may be that of an organization, so it need not be
/// new, and tells of no edit by itself.
#[derive(Debug)]
struct Employment {
    person: String,
    company: String,
    before: Option<String>,
}

/// What users did to one person as a whole.
#[derive(Debug, Default)]
pub struct Fate {
    /// What each of those who deleted the person had seen of it.
    pub deletions: Vec<BTreeSet<String>>,
    /// Somebody brought the person back, merged it with another one, or made it twice: it may be there more than once,
    /// and its values may be from any time.
    pub murky: bool,
    /// Somebody moved the person in or out of what is kept equal: its values may be from any time.
    pub moved: bool,
    /// Somebody deleted the person while something that had been sent was not known to have arrived, or while its record
    /// had another name than was known.
    pub too_soon: bool,
    /// Somebody took back a run that had done something to the person.
    pub undone: bool,
    /// The record got another name, and nothing that clients left in it told whose it was.
    pub nameless: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Ledger {
    written: BTreeMap<String, Written>,
    /// Items of sets, with their owners.
    added: BTreeMap<String, Slot>,
    removed: BTreeSet<String>,
    relabelled: BTreeSet<String>,
    friends: BTreeMap<String, bool>,
    fates: BTreeMap<String, Fate>,
    /// The record that each value was written on in Google, and when.
    on_record: BTreeMap<String, (String, Timestamp)>,
    /// Records that were asked to be deleted by us, and from when on nobody could have seen an edit any more who was about
    /// to ask that. An edit that comes between our check and the deletion, which may be carried out late, goes with the
    /// record; nobody can prevent that.
    deleted_by_us: BTreeMap<String, Timestamp>,
    /// Values that were written in an account that is only written to by us: they stay there, as long as they are not
    /// replaced, and nobody else ever knows of them.
    pub foreign: BTreeSet<String>,
    /// Items that were removed in such an account.
    pub removed_there: BTreeSet<String>,
    /// Contacts that a run had done something to which somebody took back.
    pub taken_back: BTreeSet<ContactId>,
    /// What was said about who is who.
    said: BTreeMap<(String, String), Said>,
    /// Values that somebody replaced, knowing them, by something that is not written down here.
    pub superseded: BTreeSet<String>,
    /// Photos that somebody took away.
    taken_away: BTreeSet<String>,
    /// Companies that persons were given, whether or not somebody had written their name before.
    employments: Vec<Employment>,
    /// Records whose photo we have replaced or removed. The service knows no condition for that: a photo that comes between
    /// our look and the call is overwritten, and nobody can prevent it.
    pub pictured_by_us: BTreeSet<String>,
    /// What the photos of records showed that were changed while it was not known whether one of ours had arrived there.
    /// Nobody can tell whose it is, so each side keeps its own until the next change.
    pub pictured_in_doubt: BTreeMap<RemoteId, BTreeSet<String>>,
    /// Values that somebody gave up who had to decide a conflict; the history has to remember them.
    pub given_up: BTreeSet<String>,
}

/// What is left at rest.
pub struct Remains {
    /// The values that are somewhere, by person; deleted contacts are left out.
    pub living: BTreeMap<String, BTreeSet<String>>,
    /// Those that are in the store.
    pub stored: BTreeMap<String, BTreeSet<String>>,
    /// Everything that a conflict, waiting or decided, remembers.
    pub conflicts: BTreeSet<String>,
    /// Everything that the history remembers.
    pub history: BTreeSet<String>,
    /// The names of all records that are there.
    pub records: BTreeSet<String>,
}

impl Ledger {
    pub fn wrote(&mut self, slot: Slot, value: &str, parent: Option<String>) {
        self.written.insert(value.to_owned(), Written { slot, parent });
    }

    /// Somebody says whether these are the same, or takes back what was said.
    pub fn said(&mut self, some: &[String], others: &[String], said: Option<Said>) {
        for couple in some.iter().flat_map(|one| others.iter().map(move |other| (one.clone(), other.clone()))) {
            match said {
                Some(said) => _ = self.said.insert(couple, said),
                None => _ = self.said.remove(&couple),
            }
        }
    }

    /// Two people who are one contact in the store although somebody said that they are not the same; of those who were
    /// never merged or brought back.
    pub fn united_against_an_answer(&self, owners: &[String]) -> Option<(&String, &String)> {
        let is_murky = |owner: &String| self.fates.get(owner).is_some_and(|fate| fate.murky);
        let both = |(one, other): &(String, String)| owners.contains(one) && owners.contains(other) && one != other;
        let told = self.said.iter().filter(|(_, said)| **said == Said::Different);
        told.map(|(couple, _)| couple)
            .find(|couple| both(couple) && !is_murky(&couple.0) && !is_murky(&couple.1))
            .map(|(one, other)| (one, other))
    }

    /// The value is known to nobody but the record that it was written on, and replaced nothing elsewhere.
    pub fn stays_there(&mut self, value: &str) {
        if let Some(written) = self.written.get_mut(value) {
            written.parent = None;
        }
        if self.knows(value) {
            self.foreign.insert(value.to_owned());
        }
    }

    /// Whether a user wrote this value.
    pub fn knows(&self, value: &str) -> bool {
        self.written.contains_key(value) || self.added.contains_key(value)
    }

    /// Whether one of these values, written in an account that is only written to by us, stands where the value stood.
    pub fn is_replaced_by(&self, value: &str, there: &BTreeSet<String>) -> bool {
        let Some(slot) = self.written.get(value).map(|written| &written.slot) else { return false };
        let item = slot.field.strip_prefix("label of ");
        item.is_some_and(|item| self.removed_there.contains(item))
            || there.iter().any(|other| self.foreign.contains(other) && self.is_of(other, slot))
    }

    /// Whether a value was written into this slot.
    pub fn is_of(&self, value: &str, slot: &Slot) -> bool {
        self.written.get(value).is_some_and(|written| written.slot == *slot)
    }

    /// Notes on which record of Google a value was written.
    pub fn wrote_on(&mut self, record: &str, value: &str, at: Timestamp) {
        self.on_record.insert(value.to_owned(), (record.to_owned(), at));
    }

    /// We ask for a record to be deleted that was last checked at this time.
    pub fn we_delete(&mut self, record: &str, checked: Timestamp) {
        let first = self.deleted_by_us.entry(record.to_owned()).or_insert(checked);
        *first = checked.min(*first);
    }

    /// Whether a value was written in Google.
    pub fn is_of_google(&self, value: &str) -> bool {
        self.on_record.contains_key(value)
    }

    /// Whether a value was written on a record that we deleted.
    fn is_on_ours(&self, value: &str) -> bool {
        self.on_record.get(value).is_some_and(|(record, _)| self.deleted_by_us.contains_key(record))
    }

    pub fn added(&mut self, slot: Slot, value: &str) {
        self.added.insert(value.to_owned(), slot);
    }

    pub fn removed(&mut self, value: &str) {
        self.removed.insert(value.to_owned());
    }

    /// Somebody took this photo away.
    pub fn took_away(&mut self, photo: String) {
        self.superseded.insert(photo.clone());
        self.taken_away.insert(photo);
    }

    /// Somebody gave the person a company, in place of another one that was there before.
    pub fn employed(&mut self, person: &str, company: &str, before: Option<String>) {
        let (person, company) = (person.to_owned(), company.to_owned());
        self.employments.push(Employment { person, company, before });
    }

    /// The companies that a person was given of which nobody knows who knows these values, nor of any that came after.
    fn unknown_companies(&self, person: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
        let mut unknown: Vec<&Employment> = self.employments.iter().filter(|one| one.person == person).collect();
        let mut told = known.clone();
        while let Some(place) = unknown.iter().position(|one| told.contains(&one.company)) {
            told.extend(unknown.remove(place).before.clone());
        }
        unknown.into_iter().map(|one| one.company.clone()).collect()
    }

    /// Somebody who had to decide chose this side of a field, with all that is in it; the other side may have removed some.
    pub fn chosen(&mut self, side: &serde_json::Value) {
        let side = side.to_string();
        self.removed.retain(|value| !side.contains(value.as_str()));
    }

    pub fn relabelled(&mut self, value: &str) {
        self.relabelled.insert(value.to_owned());
    }

    pub fn deleted(&mut self, person: &str, seen: BTreeSet<String>) {
        self.fates.entry(person.to_owned()).or_default().deletions.push(seen);
    }

    pub fn deleted_too_soon(&mut self, person: &str) {
        self.fates.entry(person.to_owned()).or_default().too_soon = true;
    }

    pub fn lost_its_name(&mut self, person: &str) {
        self.fates.entry(person.to_owned()).or_default().nameless = true;
    }

    pub fn moved(&mut self, person: &str) {
        self.fates.entry(person.to_owned()).or_default().moved = true;
    }

    /// A run that had done something to the person is taken back: its values may be from any time, it may be gone again,
    /// or there on one side only.
    pub fn undone(&mut self, person: &str) {
        let fate = self.fates.entry(person.to_owned()).or_default();
        (fate.undone, fate.moved) = (true, true);
    }

    /// Whether the person is a friend, which only the store knows.
    pub fn befriended(&mut self, person: &str, is_friend: bool) {
        self.friends.insert(person.to_owned(), is_friend);
    }

    pub fn friends(&self) -> &BTreeMap<String, bool> {
        &self.friends
    }

    pub fn blurred(&mut self, person: &str) {
        self.fates.entry(person.to_owned()).or_default().murky = true;
    }

    pub fn fate(&self, person: &str) -> Option<&Fate> {
        self.fates.get(person)
    }

    /// Whether anybody was brought back, merged or moved.
    fn is_murky(&self, person: &str) -> bool {
        self.fates.get(person).is_some_and(|fate| fate.murky || fate.moved)
    }

    /// Whether it is enough that the history remembers a value.
    fn is_half_known(&self, value: &str, person: &str) -> bool {
        let is_nameless = self.fates.get(person).is_some_and(|fate| fate.nameless);
        self.is_murky(person) || is_nameless || self.given_up.contains(value)
    }

    /// Whether this is a photo of the store, and somebody gave the person another one in Google while it was not known whether
    /// it had arrived there: nobody can tell whether that one was meant to replace it, and the history has to remember it.
    fn may_be_painted_over(&self, value: &str, slot: &Slot) -> bool {
        let is_of_store = slot.field == "photo" && !self.is_of_google(value);
        is_of_store && self.pictured_in_doubt.values().flatten().any(|shown| self.is_of(shown, slot))
    }

    /// Notes that it is not known whether a photo of ours has arrived on a record that shows this one, which somebody gave it.
    /// Returns whether that is news.
    pub fn pictures_are_in_doubt(&mut self, record: &RemoteId, shown: &str) -> bool {
        self.pictured_in_doubt.entry(record.clone()).or_default().insert(shown.to_owned())
    }

    /// It is known by now.
    pub fn pictures_are_told(&mut self, record: &RemoteId, shown: &str) {
        if let Some(in_doubt) = self.pictured_in_doubt.get_mut(record) {
            in_doubt.remove(shown);
        }
    }

    fn ancestors(&self, value: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = self.written.get(value).and_then(|written| written.parent.clone());
        while let Some(parent) = next {
            next = self.written.get(&parent).and_then(|written| written.parent.clone());
            found.insert(parent);
        }
        found
    }

    /// Values that whoever deleted the person had not seen, by deletion; empty when one of them had seen everything.
    pub fn unseen_by_deletion(&self, person: &str) -> Option<BTreeSet<String>> {
        let fate = self.fates.get(person)?;
        let mut least: Option<BTreeSet<String>> = None;
        for seen in &fate.deletions {
            let mut known = seen.clone();
            for value in seen {
                known.extend(self.ancestors(value));
            }
            let unseen: BTreeSet<String> = self
                .written
                .iter()
                .filter(|(value, written)| written.slot.person == person && !known.contains(*value))
                .map(|(value, _)| value.clone())
                .chain(
                    self.added
                        .iter()
                        .filter(|(value, slot)| slot.person == person && !known.contains(*value))
                        .map(|(value, _)| value.clone()),
                )
                // That a value was removed elsewhere is as good an edit as any, and so is that a photo was, or that
                // somebody works for an organization that was there before.
                .chain(seen.iter().filter(|value| self.removed.contains(*value)).cloned())
                .chain(seen.iter().filter(|value| self.taken_away.contains(*value)).cloned())
                .chain(self.unknown_companies(person, &known))
                .collect();
            if least.as_ref().is_none_or(|least| unseen.len() < least.len()) {
                least = Some(unseen);
            }
        }
        least
    }

    /// Whether our own deletion of a record ran into an edit that one of those who deleted the person had not seen. The edit
    /// brings the person back, and that the record is gone then may be the work of our deletion as well as of somebody who
    /// had seen the edit: nobody can tell.
    pub fn ran_into_an_edit(&self, person: &str) -> bool {
        let Some(fate) = self.fates.get(person) else { return false };
        self.written
            .iter()
            .filter(|(_, written)| written.slot.person == person)
            .any(|(value, _)| self.is_on_ours(value) && fate.deletions.iter().any(|seen| !seen.contains(value)))
    }

    /// What got lost, or came back from the past, and by which invariant it should not have.
    pub fn audit(&self, remains: &Remains) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let nothing = BTreeSet::new();
        // Nothing that the store has ever heard of is excused, nor what a check could have found.
        let is_overrun = |(value, (record, written)): &(&String, &(String, Timestamp))| {
            self.deleted_by_us.get(record).is_some_and(|checked| written > checked)
                && !remains.records.contains(record)
                && !remains.history.contains(*value)
        };
        let is_painted_over = |(value, (record, _)): &(&String, &(String, Timestamp))| {
            let is_photo = self.written.get(*value).is_some_and(|written| written.slot.field == "photo");
            is_photo && self.pictured_by_us.contains(record) && !remains.history.contains(*value)
        };
        let is_overrun = |one: &(&String, &(String, Timestamp))| is_overrun(one) || is_painted_over(one);
        let overrun: BTreeSet<&String> = self.on_record.iter().filter(is_overrun).map(|(value, _)| value).collect();
        let succeeded: BTreeSet<&String> =
            self.written.values().filter_map(|written| written.parent.as_ref()).chain(&self.superseded).collect();
        for (value, Written { slot, .. }) in self.written.iter().filter(|(value, _)| !self.foreign.contains(*value)) {
            let living = remains.living.get(&slot.person).unwrap_or(&nothing);
            let stored = remains.stored.get(&slot.person).unwrap_or(&nothing);
            // Whoever deletes what he has seen wants it gone; but what the store had comes back with a contact that does.
            let may_be_gone = !remains.stored.contains_key(&slot.person) || !remains.history.contains(value);
            let seen_off = may_be_gone
                && self.fates.get(&slot.person).is_some_and(|fate| {
                    fate.deletions
                        .iter()
                        .any(|seen| seen.contains(value) || seen.iter().any(|v| self.ancestors(v).contains(value)))
                });
            let item_gone = slot.field.strip_prefix("label of ").is_some_and(|item| self.removed.contains(item));
            let kept = living.contains(value)
                || succeeded.contains(value)
                || remains.conflicts.contains(value)
                || seen_off
                || item_gone
                || overrun.contains(value)
                || (self.may_be_painted_over(value, slot) && remains.history.contains(value))
                || (self.is_half_known(value, &slot.person) && remains.history.contains(value));
            if !kept {
                faults.push(("I2", format!("{value}, written into {slot:?}, is lost")));
            }
            if self.is_half_known(value, &slot.person) || seen_off || overrun.contains(value) {
                continue;
            }
            // After a lost answer, a job title in capitals looks like an edit, and what is written elsewhere meets it as one;
            // what loses is remembered. What is written in the store is safe from what was sent from there.
            let is_respelled =
                slot.field == "job_title" && remains.conflicts.contains(value) && self.on_record.contains_key(value);
            if !living.contains(value)
                && !item_gone
                && !is_respelled
                && let Some(past) = self
                    .ancestors(value)
                    .into_iter()
                    .find(|past| self.written.contains_key(past) && stored.contains(past))
            {
                faults.push(("I3", format!("{value} of {slot:?} gave way to {past}, which its author had replaced")));
            }
        }
        for (value, slot) in self.added.iter().filter(|(value, _)| !self.foreign.contains(*value)) {
            let living = remains.living.get(&slot.person).unwrap_or(&nothing);
            let stored = remains.stored.get(&slot.person).unwrap_or(&nothing);
            let may_be_gone = !remains.stored.contains_key(&slot.person) || !remains.history.contains(value);
            let seen_off = may_be_gone
                && self
                    .fates
                    .get(&slot.person)
                    .is_some_and(|fate| fate.deletions.iter().any(|seen| seen.contains(value)));
            let kept = living.contains(value)
                || self.removed.contains(value)
                || remains.conflicts.contains(value)
                || seen_off
                || overrun.contains(value)
                || (self.is_half_known(value, &slot.person) && remains.history.contains(value));
            if !kept {
                faults.push(("I2", format!("{value}, added to {slot:?}, is lost")));
            }
            let back = stored.contains(value)
                && self.removed.contains(value)
                && !self.relabelled.contains(value)
                && !self.is_murky(&slot.person)
                // A removal that nobody had seen yet is gone with the record that is deleted after it.
                && self.fates.get(&slot.person).is_none_or(|fate| fate.deletions.is_empty());
            if back {
                faults.push(("I4", format!("{value}, removed from {slot:?}, is there again")));
            }
        }
        faults
    }
}
