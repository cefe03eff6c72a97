//! What is to be done about the photos of one link: a pure function of what is known of both sides.
//!
//! | the contact's | the record's | |
//! |---|---|---|
//! | same | same | nothing, or another address of the same photo is remembered |
//! | same | changed | the contact takes it |
//! | changed | same | the record is sent it |
//! | changed | changed to the same | agreed |
//! | changed | changed | the policy of the account decides; the photo that loses stays in the history |
//!
//! Removed is changed. Before the first agreement both bases are empty, so a photo on one side fills the other, and
//! nothing is removed.

use super::{digest_of, value, waits_for_a_person};
use crate::domain::contact::Contact;
use crate::domain::field::Field;
use crate::domain::link::{Link, PhotoTrail};
use crate::domain::pair::Direction;
use crate::domain::policy::Winner;
use crate::engine::Run;
use crate::engine::decide;
use crate::engine::held::Held;
use crate::engine::operation::{BeforeAfter, Operation, OperationKind, Side};

/// The photos of both sides, by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sides {
    /// The contact's.
    pub(super) ours: Option<String>,
    /// The record's. While it is what both sides agreed on, the digest is that of the contact's photo then.
    pub(super) theirs: Option<String>,
    ours_changed: bool,
    theirs_changed: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing, or nothing now.
    Rest,
    /// Both sides are equal; that is to be remembered.
    Agree,
    /// The contact takes the record's photo.
    Take,
    /// The record is sent the contact's photo.
    Send,
    /// Both sides changed it.
    Conflict(Winner),
    /// Both sides changed it, and a person is waited for: the conflict follows.
    Follow,
    /// The contact was deleted in the store while the record's photo was changed: it comes back, and then the photo is
    /// carried as any other.
    Return,
}

impl Sides {
    /// The photos of both sides; `None` while it is not known what the record's photo is.
    pub(super) fn of(trail: &PhotoTrail, contact: &Contact) -> Option<Sides> {
        let ours = digest_of(contact);
        let ours_changed = ours != trail.agreed;
        if trail.sending.is_some() {
            return None;
        }
        let (theirs, theirs_changed) = match &trail.shown {
            shown if *shown == trail.address => (trail.agreed.clone(), false),
            None => (None, true),
            Some(shown) => {
                let look = trail.looked.as_ref().filter(|look| look.address == *shown)?;
                match Some(&look.digest) == trail.served.as_ref() {
                    true => (trail.agreed.clone(), false),
                    false => (Some(look.digest.clone()), true),
                }
            }
        };
        Some(Sides { ours, theirs, ours_changed, theirs_changed })
    }

    pub(super) fn verdict(
        &self,
        trail: &PhotoTrail,
        waits: bool,
        direction: Direction,
        winner: impl Fn() -> Winner,
    ) -> Verdict {
        let (pulls, pushes) = (direction != Direction::ToRemote, direction != Direction::FromRemote);
        match (self.ours_changed, self.theirs_changed) {
            (false, false) if trail.shown != trail.address || trail.looked.is_some() => Verdict::Agree,
            (false, false) => Verdict::Rest,
            (true, true) if self.ours == self.theirs => Verdict::Agree,
            (true, true) if waits => Verdict::Follow,
            (true, true) if !pulls => Verdict::Send,
            (true, true) => Verdict::Conflict(winner()),
            (false, true) if pulls => Verdict::Take,
            (true, false) if pushes && !waits => Verdict::Send,
            (false, true) | (true, false) => Verdict::Rest,
        }
    }
}

impl Run<'_> {
    /// What is to be done about the photos of a link, and what they are.
    pub(super) fn verdict_on_photo(&self, link: &Link, contact: &Contact, held: &Held) -> (Verdict, Sides) {
        let is_refused = link.photo.refusal(digest_of(contact).as_deref()).is_some();
        let Some(sides) = Sides::of(&link.photo, contact).filter(|_| !is_refused) else {
            return (Verdict::Rest, Sides::default());
        };
        let pair_groups = self.pair_groups();
        let rules = self.rulebook(held, &pair_groups);
        let winner = || decide::winner(&Field::Photo, link, contact, &rules);
        if !contact.is_live() {
            return (if sides.theirs_changed { Verdict::Return } else { Verdict::Agree }, sides);
        }
        let waits = waits_for_a_person(contact, held);
        (sides.verdict(&link.photo, waits, self.order.promise.direction, winner), sides)
    }

    /// What that means, for plans and guards. A photo that goes along with a record this run has made is part of that.
    pub(super) fn operations_of_photo(
        &self,
        link: &Link,
        contact: &Contact,
        verdict: &Verdict,
        sides: &Sides,
    ) -> Vec<Operation> {
        let operation = |op, side, before: Option<&String>, after: Option<&String>, reason: &str| {
            let mut operation =
                Operation::new(op, side, &contact.card, reason).about(Some(contact.id), link.remote.as_ref());
            let (before, after) = (value(before.map(String::as_str)), value(after.map(String::as_str)));
            operation.fields.insert(Field::Photo.to_string(), BeforeAfter { before, after, conflict: None });
            operation
        };
        let Sides { ours, theirs, .. } = sides;
        let (ours, theirs) = (ours.as_ref(), theirs.as_ref());
        let take = || operation(OperationKind::Update, Side::Store, ours, theirs, "the photo was changed in Google");
        let send =
            || operation(OperationKind::Update, Side::Remote, theirs, ours, "the photo was changed in the store");
        let conflict = |reason| operation(OperationKind::Conflict, Side::Store, ours, theirs, reason);
        match verdict {
            Verdict::Rest | Verdict::Agree | Verdict::Follow => Vec::new(),
            Verdict::Send if self.made.contains(&link.id) => Vec::new(),
            Verdict::Take => vec![take()],
            Verdict::Send => vec![send()],
            Verdict::Return => {
                let reason = "its photo was changed in Google after it was deleted in the store: the edit survives";
                vec![operation(OperationKind::Create, Side::Store, ours, ours, reason)]
            }
            Verdict::Conflict(Winner::Store) if self.order.promise.direction == Direction::FromRemote => {
                vec![conflict("both sides changed the photo: the store keeps its own")]
            }
            Verdict::Conflict(Winner::Store) => {
                vec![conflict("both sides changed the photo: the store's is taken"), send()]
            }
            Verdict::Conflict(Winner::Remote) => {
                vec![conflict("both sides changed the photo: Google's is taken"), take()]
            }
            Verdict::Conflict(Winner::Hold) => vec![conflict("both sides changed the photo: a person has to decide")],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::contact::{Card, Photo};
    use crate::domain::id::ContactId;
    use crate::domain::link::PhotoLook;
    use crate::domain::time::Timestamp;
    use crate::domain::version::VersionVector;

    fn contact(photo: &str) -> Contact {
        let mut card = Card::person();
        if let Some(person) = card.as_person_mut() {
            person.photo = (!photo.is_empty()).then(|| Photo { digest: photo.to_owned() });
        }
        Contact {
            id: ContactId::new(Timestamp::EPOCH, 1),
            card,
            version: VersionVector::new(),
            created: Timestamp::EPOCH,
            updated: Timestamp::EPOCH,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        }
    }

    fn some(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// `base` and `now` of the record are `address/digest`; nothing stands for no photo.
    fn trail(agreed: &str, base: &str, now: &str) -> PhotoTrail {
        let split = |text: &str| text.split_once('/').map(|(a, d)| (a.to_owned(), d.to_owned()));
        let (base, now) = (split(base), split(now));
        PhotoTrail {
            agreed: some(agreed),
            address: base.as_ref().map(|(address, _)| address.clone()),
            served: base.map(|(_, digest)| digest),
            shown: now.as_ref().map(|(address, _)| address.clone()),
            looked: now.map(|(address, digest)| PhotoLook { address, digest }),
            ..PhotoTrail::default()
        }
    }

    #[test]
    fn each_pair_of_changes_has_its_verdict() {
        use Verdict::{Agree, Conflict, Rest, Send, Take};
        let hold = Conflict(Winner::Hold);
        for (what, agreed, base, ours, now, expected) in [
            ("no photo anywhere", "", "", "", "", Rest),
            ("first: only theirs", "", "", "", "1/a", Take),
            ("first: only ours", "", "", "u", "", Send),
            ("first: both differ", "", "", "u", "1/a", hold),
            ("first: both equal", "", "", "a", "1/a", Agree),
            ("theirs changed", "u", "1/a", "u", "2/b", Take),
            ("theirs removed", "u", "1/a", "u", "", Take),
            ("ours changed", "u", "1/a", "v", "1/a", Send),
            ("ours removed", "u", "1/a", "", "1/a", Send),
            ("both removed", "u", "1/a", "", "", Agree),
            ("both changed", "u", "1/a", "v", "2/b", hold),
            ("ours changed, theirs removed", "u", "1/a", "v", "", hold),
            ("ours removed, theirs changed", "u", "1/a", "", "2/b", hold),
            ("only another address", "u", "1/a", "u", "2/a", Agree),
            ("another address, ours changed", "u", "1/a", "v", "2/a", Send),
        ] {
            let (trail, contact) = (trail(agreed, base, now), contact(ours));
            let sides = Sides::of(&trail, &contact).expect("known");
            let verdict = sides.verdict(&trail, false, Direction::TwoWay, || Winner::Hold);
            // A look at what is agreed on is only remembered away.
            let expected = if expected == Rest && trail.looked.is_some() { Agree } else { expected };
            assert_eq!(verdict, expected, "{what}");
        }
    }

    #[test]
    fn one_direction_carries_one_way() {
        let verdict = |direction, ours: &str, now: &str| {
            let (trail, contact) = (trail("u", "1/a", now), contact(ours));
            Sides::of(&trail, &contact).expect("known").verdict(&trail, false, direction, || Winner::Store)
        };
        assert_eq!(verdict(Direction::ToRemote, "u", "2/b"), Verdict::Rest);
        assert_eq!(verdict(Direction::ToRemote, "v", "2/b"), Verdict::Send);
        assert_eq!(verdict(Direction::FromRemote, "v", "1/a"), Verdict::Rest);
        assert_eq!(verdict(Direction::FromRemote, "u", "2/b"), Verdict::Take);
    }

    #[test]
    fn nothing_is_decided_about_what_was_not_looked_at() {
        let mut trail = trail("u", "1/a", "2/b");
        trail.looked = None;
        assert_eq!(Sides::of(&trail, &contact("v")), None);
    }
}
