//! The id of a plan: what it was made of, and a digest of what it said.
//!
//! Nothing is stored when a plan is made, so its id is all there is: with it the plan is made again and compared. It
//! reads `DIGEST`, `DIGEST-full` for a plan over everything, and `DIGEST:ACCOUNT` for that of one account.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::exit::UsageError;
use crate::domain::digest::Digest;
use crate::domain::id::AccountName;
use crate::engine::{Operation, Reach};

/// How many digits of the digest an id has: enough that no other plan is ever taken for it.
const DIGITS: usize = 26;
/// Follows the digest of a plan over everything.
const FULL: &str = "-full";

/// The id of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanId {
    digest: String,
    /// The account it was made for; `None` for all.
    pub account: Option<String>,
    /// Which part of the remote was read.
    pub reach: Reach,
}

/// What is planned for one account.
#[derive(Debug, Clone, Copy)]
pub struct Part<'p> {
    /// The account.
    pub account: &'p AccountName,
    /// What is done to contacts and records.
    pub operations: &'p [Operation],
    /// The groups that are made.
    pub new_groups: &'p BTreeSet<String>,
}

impl PlanId {
    /// The id of a plan, account by account. The same plan has the same id, whoever makes it.
    pub fn of<'p>(plan: impl IntoIterator<Item = Part<'p>>, account: Option<&str>, reach: Reach) -> Self {
        let part = |Part { account, operations, new_groups }: Part<'_>| {
            let (parked, ahead): (Vec<_>, Vec<_>) = operations.iter().partition(|operation| operation.parked);
            let (ahead, parked) = (Operation::digest_of(ahead), Operation::digest_of(parked));
            let groups: String = new_groups.iter().map(|group| format!("\ngroup {group:?}")).collect();
            format!("{account}\n{ahead}\n{parked}{groups}")
        };
        let parts: Vec<String> = plan.into_iter().map(part).collect();
        let digest = Digest::of_bytes(parts.join("\n").as_bytes()).to_string().chars().take(DIGITS).collect();
        PlanId { digest, account: account.map(str::to_owned), reach }
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)?;
        if self.reach == Reach::Full {
            f.write_str(FULL)?;
        }
        match &self.account {
            Some(account) => write!(f, ":{account}"),
            None => Ok(()),
        }
    }
}

impl FromStr for PlanId {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, account) = match text.split_once(':') {
            Some((rest, account)) => (rest, Some(account.to_owned())),
            None => (text, None),
        };
        let (digest, reach) = match rest.strip_suffix(FULL) {
            Some(digest) => (digest, Reach::Full),
            None => (rest, Reach::Incremental),
        };
        let is_digest =
            digest.len() == DIGITS && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !is_digest || account.as_deref() == Some("") {
            return Err(UsageError(format!("{text:?} is not the id of a plan; `contactsync plan` ends with one")));
        }
        Ok(PlanId { digest: digest.to_owned(), account, reach })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Card;
    use crate::engine::operation::{OperationKind, Side};

    fn operation(name: &str) -> Operation {
        Operation::new(OperationKind::Update, Side::Store, &Card::blank(crate::domain::contact::Kind::Person), "why")
            .changing(&Card::organization("before"), &Card::organization(name))
    }

    #[test]
    fn ids_round_trip_as_text() {
        let (name, operations) = (AccountName::new("sales@x"), [operation("Ada")]);
        for account in [None, Some("sales@x"), Some("a-full")] {
            for reach in [Reach::Incremental, Reach::Full] {
                let part = Part { account: &name, operations: &operations, new_groups: &BTreeSet::new() };
                let id = PlanId::of([part], account, reach);
                assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
        for text in ["", "full", "123", &"g".repeat(26), &format!("{}:", "0".repeat(26))] {
            assert!(text.parse::<PlanId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let name = AccountName::new("sales");
        let of = |account: &AccountName, operations: &[Operation], groups: &[&str]| {
            let new_groups = groups.iter().map(|&group| group.to_owned()).collect();
            PlanId::of([Part { account, operations, new_groups: &new_groups }], None, Reach::Incremental)
        };
        let id = |operations: &[Operation]| of(&name, operations, &[]);
        let (ada, bob) = (operation("Ada"), operation("Bob"));
        assert_eq!(id(&[ada.clone(), bob.clone()]), id(&[bob.clone(), ada.clone()]));
        let parked = Operation { parked: true, ..ada.clone() };
        let retold = Operation { reason: "another".to_owned(), ..ada.clone() };
        assert_eq!(id(std::slice::from_ref(&retold)), id(std::slice::from_ref(&ada)));
        let others = [vec![], vec![bob.clone()], vec![parked], vec![ada.clone(), bob]];
        for other in others {
            assert_ne!(id(&other), id(std::slice::from_ref(&ada)), "{other:?}");
        }
        let elsewhere = AccountName::new("other");
        assert_ne!(of(&elsewhere, std::slice::from_ref(&ada), &[]), id(std::slice::from_ref(&ada)));
        assert_ne!(of(&name, &[], &["Team"]), id(&[]), "a group that is made is a plan of its own");
        assert_ne!(of(&name, std::slice::from_ref(&ada), &["Team"]), id(&[ada]));
    }
}
