//! What must hold for an account that changes travel one way only: nothing is written against the direction, and along
//! it everything arrives that nobody has replaced there.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::domain::contact::Contact;
use contactsync::domain::id::{ContactId, RemoteId, RunId};
use contactsync::domain::link::{Link, LinkState};
use contactsync::domain::pair::Direction;
use contactsync::engine::Licence;
use contactsync::store::HistoryQuery;
use serde_json::Value;

use super::judge::Fault;
use super::ledger::Ledger;
use super::people;
use super::stage::Stage;

/// What one account looks like at rest.
pub struct Account<'a> {
    pub number: usize,
    pub contacts: &'a [Contact],
    pub links: &'a BTreeMap<ContactId, Link>,
    pub records: &'a BTreeMap<RemoteId, Value>,
    /// Everything that the store remembers.
    pub history: &'a BTreeSet<String>,
}

/// Every value that is where it must not be, or missing where it has to be.
pub fn judge(account: &Account<'_>, direction: Direction, ledger: &Ledger, faults: &mut Vec<Fault>) {
    for contact in account.contacts.iter().filter(|contact| contact.is_live()) {
        let Some(link) = account.links.get(&contact.id).filter(|link| link.state == LinkState::Bound) else { continue };
        let Some(record) = link.remote.as_ref().and_then(|remote| account.records.get(remote)) else { continue };
        let owners = people::owners_of_card(&contact.card);
        if owners.iter().any(|owner| ledger.fate(owner).is_some_and(|fate| fate.murky || fate.nameless || fate.undone))
        {
            continue;
        }
        let (ours, theirs) = (people::values_of_card(&contact.card), people::values_of_person(record));
        let told = match direction {
            Direction::TwoWay => None,
            Direction::ToRemote => to_remote(&ours, &theirs, ledger),
            Direction::FromRemote => from_remote(&ours, &theirs, ledger, account.history),
        };
        let name = contact.card.display_name();
        faults.extend(told.map(|told| ("I1", format!("account {}: {name}: {told}", account.number))));
    }
}

fn to_remote(ours: &BTreeSet<String>, theirs: &BTreeSet<String>, ledger: &Ledger) -> Option<String> {
    if let Some(value) = ours.iter().find(|value| ledger.foreign.contains(*value)) {
        return Some(format!("{value} was written in Google, and is in the store"));
    }
    let replaced = |value: &String| ledger.removed_there.contains(value) || ledger.is_replaced_by(value, theirs);
    let missing = ours.iter().find(|value| ledger.knows(value) && !theirs.contains(*value) && !replaced(value))?;
    Some(format!("{missing} is not in Google, and nobody replaced it there"))
}

fn from_remote(
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
    ledger: &Ledger,
    history: &BTreeSet<String>,
) -> Option<String> {
    if let Some(value) = theirs.iter().find(|value| ledger.knows(value) && !ledger.is_of_google(value)) {
        return Some(format!("{value} was written in the store, and is in Google"));
    }
    let missing =
        theirs.iter().find(|value| ledger.knows(value) && !ours.contains(*value) && !history.contains(*value))?;
    Some(format!("{missing} of Google never came into the store"))
}

/// What a run wrote against the direction of its account; `writes` are its calls that change something in Google. What
/// takes back a run is the edit of a person, and that goes into the store.
pub async fn check_run(stage: &Stage, account: usize, run: RunId, writes: u64, licence: &Licence) -> Option<Fault> {
    match stage.promises[account].direction {
        Direction::TwoWay => None,
        Direction::FromRemote => {
            (writes > 0).then(|| ("I20", format!("account {account} is only read, and {writes} calls write to it")))
        }
        Direction::ToRemote if matches!(licence, Licence::Undoing(_)) => None,
        Direction::ToRemote => {
            let query = HistoryQuery { run: Some(run), ..HistoryQuery::default() };
            let rows = stage.store.history(&query).await.expect("history");
            let row = rows.into_iter().find(|row| row.remote.is_none())?;
            Some((
                "I20",
                format!("account {account} is only written to, and its run changes the store: {:?}", row.change),
            ))
        }
    }
}
