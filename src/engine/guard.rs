//! Stops a run from doing much harm at once. Before anything of a kind is done, all of that kind is counted, together
//! with what runs did within the last day; a kind that exceeds its limit is parked whole, and the other kinds go on.
//!
//! Contacts are counted, not operations: a contact that changes ten times a day is one contact. What a person has let
//! through does not count, but for the run that carries it out: there it is still part of what was too much.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Operation, OperationKind, Side};
use super::{Doing, EngineError, Licence, Purpose, Run};
use crate::domain::harm::{HARM_WINDOW, Harm, HarmDone, LetBy};
use crate::domain::id::ContactId;
use crate::domain::pair::{Guard, Limit};
use crate::domain::time::Timestamp;
use crate::store::Write;

/// Contacts by the harm that is done to them.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    harmed: BTreeMap<Harm, BTreeSet<ContactId>>,
}

impl Tally {
    /// Counts one operation.
    pub fn count(&mut self, operation: &Operation) {
        for harm in harms_of(operation) {
            self.harmed.entry(harm).or_default().extend(operation.contact);
        }
    }

    fn add(&mut self, harm: Harm, contact: ContactId) {
        self.harmed.entry(harm).or_default().insert(contact);
    }

    fn is_empty(&self) -> bool {
        self.harmed.is_empty()
    }

    /// The kinds of which more is planned than the guard allows together with what was done already, each with the
    /// number of contacts; `done` are contacts by the harm that was done to them lately.
    fn exceeding(&self, done: &Tally, guard: &Guard, linked: u64) -> BTreeMap<Harm, Excess> {
        let mut exceeding = BTreeMap::new();
        for (harm, planned) in &self.harmed {
            let none = BTreeSet::new();
            let before = done.harmed.get(harm).unwrap_or(&none);
            let together = planned.union(before).count() as u64;
            if limit_of(*harm, guard).is_exceeded(together, linked) {
                exceeding.insert(*harm, Excess { planned: planned.len() as u64, together });
            }
        }
        exceeding
    }
}

/// How many contacts are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    planned: u64,
    /// With those of the last day.
    together: u64,
}

/// The kinds of operations that must wait for a person.
#[derive(Debug, Clone, Default)]
pub struct Barred(BTreeSet<Harm>);

impl Barred {
    /// Whether an operation has to wait.
    pub fn stops(&self, operation: &Operation) -> bool {
        harms_of(operation).any(|harm| self.0.contains(&harm))
    }
}

impl Run<'_> {
    /// Bars the kinds of operations of which there are too many.
    pub(crate) async fn bar(&mut self, tally: &Tally) -> Result<Barred, EngineError> {
        if tally.is_empty() {
            return Ok(Barred::default());
        }
        let account = &self.order.promise.account;
        let bound = self.deps.store.link_counts(account).await.doing("counting links")?.bound;
        let harms = self.deps.store.harms(account, self.window()).await.doing("reading what was done lately")?;
        // As many as there were a day ago: what is deleted or let go makes the share of the next one no larger.
        let gone: BTreeSet<ContactId> =
            harms.iter().filter(|one| ends_a_link(one.harm)).map(|one| one.contact).collect();
        self.linked = self.linked.max(bound.saturating_add(gone.len() as u64));
        let mut done = self.released.clone();
        for one in harms.iter().filter(|one| one.let_by == LetBy::Guard) {
            done.add(one.harm, one.contact);
        }
        let guard = &self.order.promise.guard;
        let exceeding = tally.exceeding(&done, guard, self.linked);
        let barred = Barred(exceeding.keys().copied().collect());
        self.excesses.extend(exceeding);
        Ok(barred)
    }

    /// Says, once for each kind, why operations are parked.
    pub(crate) fn tell_excess(&mut self, operations: &[Operation]) {
        let harms: BTreeSet<Harm> = operations.iter().flat_map(harms_of).collect();
        for harm in harms {
            let Some(excess) = self.excesses.get(&harm).copied() else { continue };
            let notice = self.notice_of_excess(harm, excess);
            self.notice(notice);
        }
    }

    /// From when on harm counts.
    pub(crate) fn window(&self) -> Timestamp {
        let window = i64::try_from(HARM_WINDOW.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.now().as_micros().saturating_sub(window))
    }

    fn notice_of_excess(&self, harm: Harm, excess: Excess) -> String {
        let (what, key) = describe(harm);
        let Excess { planned, together } = excess;
        let linked = self.linked;
        let limit = limit_of(harm, &self.order.promise.guard);
        let most = limit.most(linked);
        let allowed = match limit {
            Limit::Percent(percent) => format!(
                "guard.{key} = {percent}% allows {most} within 24 hours (a share of the {linked} contacts that are linked \
                 with Google now or were in that time; never less than 5)"
            ),
            Limit::Absolute(_) => format!("guard.{key} = {most} allows {most} within 24 hours"),
        };
        let lately = if together > planned { format!(" ({together} within 24 hours)") } else { String::new() };
        let who = match self.order.licence {
            Licence::Guarded => "all of them wait",
            Licence::Approved(_) | Licence::Planned(_) | Licence::Undoing(_) => "those that nobody approved wait",
        };
        let cure = match self.order.purpose {
            Purpose::Preview => "`contactsync approve` lets them through once a run has parked them".to_owned(),
            Purpose::Carry => format!(
                "look at them with `contactsync plan`, let them through with `contactsync approve {}`",
                self.order.run
            ),
        };
        format!("{planned} {what}{lately} are too many: {allowed}; {who}: {cure}")
    }

    /// Counts, for the rest of the run, what a person has let through.
    pub(crate) fn note_released(&mut self, operations: &[Operation]) {
        operations.iter().for_each(|operation| self.released.count(operation));
    }

    /// The writes that remember the harm of operations that are carried out.
    pub(crate) fn harm_of(&self, operations: &[Operation], let_by: LetBy) -> Vec<Write> {
        let harms = operations.iter().flat_map(|one| harms_of(one).filter_map(|harm| Some((harm, one.contact?))));
        harms.map(|(harm, contact)| self.harm_done(harm, contact, let_by)).collect()
    }

    /// The write that remembers a harm.
    pub(crate) fn harm_done(&self, harm: Harm, contact: ContactId, let_by: LetBy) -> Write {
        Write::Harm(HarmDone { account: self.order.promise.account.clone(), harm, contact, let_by, at: self.now() })
    }
}

/// How a notice names the kind, and the key of the configuration that limits it.
fn describe(harm: Harm) -> (&'static str, &'static str) {
    match harm {
        Harm::Deletes(Side::Store) => ("deletions in the store", "max_deletes"),
        Harm::Deletes(Side::Remote) => ("deletions in Google", "max_deletes"),
        Harm::Updates(Side::Store) => ("updates in the store", "max_updates"),
        Harm::Updates(Side::Remote) => ("updates in Google", "max_updates"),
        Harm::Blanks(Side::Store) => ("updates in the store that empty a field", "max_blanked_fields"),
        Harm::Blanks(Side::Remote) => ("updates in Google that empty a field", "max_blanked_fields"),
        Harm::Unlinks => ("contacts to be unlinked", "max_unlinks"),
        Harm::LeftGroups => ("contacts to be taken out of a group in Google", "max_left_groups"),
    }
}

/// The harm that an operation does.
pub(crate) fn harms_of(operation: &Operation) -> impl Iterator<Item = Harm> + use<> {
    let side = operation.side;
    let (first, second) = match operation.op {
        OperationKind::Delete => (Some(Harm::Deletes(side)), None),
        OperationKind::Update if operation.blanks() => (Some(Harm::Updates(side)), Some(Harm::Blanks(side))),
        OperationKind::Update => (Some(Harm::Updates(side)), None),
        OperationKind::Unlink => (Some(Harm::Unlinks), None),
        OperationKind::Leave => (Some(Harm::LeftGroups), None),
        OperationKind::Create | OperationKind::Link | OperationKind::Join | OperationKind::Conflict => (None, None),
    };
    first.into_iter().chain(second)
}

fn ends_a_link(harm: Harm) -> bool {
    match harm {
        Harm::Deletes(_) | Harm::Unlinks | Harm::LeftGroups => true,
        Harm::Updates(_) | Harm::Blanks(_) => false,
    }
}

fn limit_of(harm: Harm, guard: &Guard) -> Limit {
    match harm {
        Harm::Deletes(_) => guard.max_deletes,
        Harm::Updates(_) => guard.max_updates,
        Harm::Blanks(_) => guard.max_blanked_fields,
        Harm::Unlinks => guard.max_unlinks,
        Harm::LeftGroups => guard.max_left_groups,
    }
}
