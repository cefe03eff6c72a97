//! What must hold at rest: nobody acts, nothing goes wrong any more, and enough time has passed.

use std::collections::{BTreeMap, BTreeSet};

use contactsync::domain::contact::{Card, Contact, Subject};
use contactsync::domain::field::Field;
use contactsync::domain::history::RecordedChange;
use contactsync::domain::id::{ContactId, RemoteId};
use contactsync::domain::link::{Link, LinkState};
use contactsync::domain::normal;
use contactsync::domain::pair::{Direction, InRemote, InStore};
use contactsync::remotes::Codec;
use contactsync::store::{ContactQuery, DeletedContacts, HistoryQuery};
use serde_json::Value;

use super::ledger::{Ledger, Remains};
use super::setting::FRIEND;
use super::stage::Stage;
use super::{one_way, people, pictures};

/// An invariant that does not hold, and how that is seen.
pub type Fault = (&'static str, String);

/// Everything that is wrong at rest.
pub async fn judge(stage: &Stage, codec: &dyn Codec, ledger: &Ledger) -> Vec<Fault> {
    let mut faults = Vec::new();
    let contacts = all_contacts(stage).await;
    let remains = remains(stage, &contacts).await;
    for account in 0..stage.promises.len() {
        if stage.promises[account].direction != Direction::TwoWay {
            judge_one_way(stage, account, &contacts, &remains, ledger, &mut faults).await;
            continue;
        }
        judge_account(stage, account, codec, &contacts, ledger, &mut faults).await;
    }
    judge_people(stage, &contacts, ledger, &mut faults);
    faults.extend(ledger.audit(&remains));
    faults
}

async fn all_contacts(stage: &Stage) -> Vec<Contact> {
    let query = ContactQuery { deleted: DeletedContacts::Included, ..ContactQuery::default() };
    stage.store.find_contacts(&query).await.expect("contacts")
}

/// The history of the store. What was written to a remote is no proof that the store knew what it replaced.
async fn edits_of_store(stage: &Stage) -> Vec<RecordedChange> {
    let mut rows = stage.store.history(&HistoryQuery::default()).await.expect("history");
    rows.retain(|row| row.remote.is_none());
    rows
}

async fn links_of(stage: &Stage, account: usize, contacts: &[Contact]) -> BTreeMap<ContactId, Link> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let links = stage.store.links_of_contacts(&stage.promises[account].account, &ids).await.expect("links");
    links.into_iter().filter_map(|link| Some((link.contact?, link))).collect()
}

async fn held(stage: &Stage) -> BTreeMap<ContactId, BTreeSet<Field>> {
    let mut held: BTreeMap<ContactId, BTreeSet<Field>> = BTreeMap::new();
    for conflict in stage.store.open_conflicts(None).await.expect("conflicts") {
        held.entry(conflict.contact).or_default().insert(conflict.field);
    }
    held
}

/// I1 for an account that changes travel one way only.
async fn judge_one_way(
    stage: &Stage,
    account: usize,
    contacts: &[Contact],
    remains: &Remains,
    ledger: &Ledger,
    faults: &mut Vec<Fault>,
) {
    let links = links_of(stage, account, contacts).await;
    let records = records(stage, account);
    let (links, records, history) = (&links, &records, &remains.history);
    let seen = one_way::Account { number: account, contacts, links, records, history };
    one_way::judge(&seen, stage.promises[account].direction, ledger, faults);
}

fn records(stage: &Stage, account: usize) -> BTreeMap<RemoteId, Value> {
    let people = people::people(stage, account).into_iter();
    people.map(|person| (RemoteId::new(people::resource(&person)), person)).collect()
}

/// I1, I5, I13, I16 for one account.
async fn judge_account(
    stage: &Stage,
    account: usize,
    codec: &dyn Codec,
    contacts: &[Contact],
    ledger: &Ledger,
    faults: &mut Vec<Fault>,
) {
    let links = links_of(stage, account, contacts).await;
    let records = records(stage, account);
    let groups = people::groups(stage, account);
    let held = held(stage).await;
    let mut bound = BTreeSet::new();
    let clear = |owner: &String| ledger.fate(owner).is_none_or(|fate| !fate.murky && !fate.moved);
    for contact in contacts {
        let name = contact.card.display_name();
        let Some(link) = links.get(&contact.id).filter(|link| link.state == LinkState::Bound) else {
            // One that nobody but a person's company named is nobody's record.
            let is_known = contact.is_live() && !contact.implicit && !ledger.taken_back.contains(&contact.id);
            let selected = is_known && stage.promises[account].selecting(&contact.card).next().is_some();
            if selected && propagates(stage) && people::owners_of_card(&contact.card).iter().all(clear) {
                let link = links.get(&contact.id);
                if link.is_some_and(|link| link.parked.is_some()) {
                    continue;
                }
                let state = link.map(|link| link.state);
                faults.push(("I1", format!("account {account}: {name} belongs there, and is {state:?}")));
            }
            continue;
        };
        let Some(person) = link.remote.as_ref().and_then(|remote| records.get(remote)) else {
            faults.push(("I1", format!("account {account}: {name} is linked to nobody")));
            continue;
        };
        if let Some(remote) = &link.remote
            && !bound.insert(remote.clone())
        {
            faults.push(("I15", format!("account {account}: two contacts are linked to {remote}")));
        }
        if !contact.is_live() {
            faults.push(("I4", format!("account {account}: {name} is deleted and linked")));
        }
        let none = BTreeSet::new();
        let fields = held.get(&contact.id).unwrap_or(&none);
        let theirs = codec.read(person, contact.card.kind()).card;
        let (ours, theirs) = (comparable(&contact.card, fields), comparable(&theirs, fields));
        // Only persons have one that travels.
        if !fields.contains(&Field::Photo) && contact.card.as_person().is_some() {
            let ours = pictures::in_store(stage, &contact.card).await;
            let theirs = pictures::in_google(stage, account, people::resource(person));
            let in_doubt = link.remote.as_ref().and_then(|remote| ledger.pictured_in_doubt.get(remote));
            let is_in_doubt = in_doubt.zip(theirs.as_ref()).is_some_and(|(in_doubt, theirs)| in_doubt.contains(theirs));
            if ours != theirs && !is_in_doubt {
                faults.push((
                    "I1",
                    format!("account {account}: {name} has the photo {ours:?}, and in Google {theirs:?}"),
                ));
            }
        }
        if ours != theirs {
            faults.push(("I1", format!("account {account}: {name} differs\nstore:  {ours}\ngoogle: {theirs}")));
        }
        // Whoever took somebody out of a group that no label stands for is obeyed.
        let is_clear = people::owners_of_card(&contact.card).iter().all(clear);
        let pairs = stage.promises[account].selecting(&contact.card).map(|(_, pair)| pair);
        let wanted = pairs.filter(|pair| is_clear || !pair.labels.is_empty());
        if let Some(group) = wanted.filter_map(|pair| groups.get(&pair.group)).find(|group| !is_in(person, group)) {
            faults.push(("I1", format!("account {account}: {name} is linked, and not in {group}")));
        }
        if !groups.values().any(|group| is_in(person, group)) {
            faults.push(("I1", format!("account {account}: {name} is linked, and in no group of a pair")));
        }
        if !contact.version.is_within(&link.acked) && fields.is_empty() {
            faults.push((
                "I16",
                format!(
                    "account {account}: {name} is at rest with {:?}, acknowledged {:?}",
                    contact.version, link.acked
                ),
            ));
        }
    }
    // What is set aside stays as it is: a contact that was deleted or unlinked under a policy that leaves the record alone.
    let aside: BTreeSet<&RemoteId> = links
        .values()
        .filter(|link| matches!(link.state, LinkState::Dormant | LinkState::Unselected))
        .filter_map(|link| link.remote.as_ref())
        .collect();
    let ids: Vec<RemoteId> = records.keys().cloned().collect();
    let known = stage.store.links_of_remotes(&stage.promises[account].account, &ids).await.expect("links");
    let parked: BTreeSet<RemoteId> =
        known.into_iter().filter(|(_, link)| link.parked.is_some()).map(|(remote, _)| remote).collect();
    for (remote, person) in &records {
        // What a run had linked that is taken back is set aside as well.
        let undone = people::owners(person).iter().any(|owner| ledger.fate(owner).is_some_and(|fate| fate.undone));
        let may_be_aside = aside.contains(remote) && (undone || !propagates(stage));
        let is_member = groups.values().any(|group| is_in(person, group));
        if is_member && !bound.contains(remote) && !may_be_aside && !parked.contains(remote) {
            faults
                .push(("I1", format!("account {account}: {:?} is in a group and not linked", people::owners(person))));
        }
    }
}

/// I4, I5, I6: how often each person is there, and whether anybody is gone whom nobody sent away.
fn judge_people(stage: &Stage, contacts: &[Contact], ledger: &Ledger, faults: &mut Vec<Fault>) {
    let mut in_store: BTreeMap<String, u32> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for contact in contacts {
        for owner in people::owners_of_card(&contact.card) {
            match contact.is_live() {
                true => *in_store.entry(owner).or_default() += 1,
                false => _ = gone.insert(owner),
            }
        }
    }
    let mut in_google: BTreeMap<(usize, String), u32> = BTreeMap::new();
    for account in 0..stage.promises.len() {
        for owner in people::people(stage, account).iter().flat_map(people::owners) {
            *in_google.entry((account, owner)).or_default() += 1;
        }
    }
    let murky = |owner: &str| ledger.fate(owner).is_some_and(|fate| fate.murky);
    for (owner, count) in in_store.iter().filter(|(owner, count)| **count > 1 && !murky(owner)) {
        faults.push(("I5", format!("{owner} is there {count} times in the store")));
    }
    for ((account, owner), count) in in_google.iter().filter(|((_, owner), count)| **count > 1 && !murky(owner)) {
        faults.push(("I5", format!("{owner} is there {count} times in account {account}")));
    }
    // Of two that were merged, one ends; and so does one that was taken in twice, because it was renamed while it was new.
    let renamed = |owner: &str| ledger.fate(owner).is_some_and(|fate| fate.too_soon) && in_store.contains_key(owner);
    let undone = |owner: &str| ledger.fate(owner).is_some_and(|fate| fate.undone);
    for owner in gone.iter().filter(|owner| !murky(owner) && !renamed(owner) && !undone(owner)) {
        if ledger.fate(owner).is_none_or(|fate| fate.deletions.is_empty()) {
            faults.push(("I14", format!("{owner} is deleted in the store, and nobody did it")));
        }
    }
    for contact in contacts.iter().filter(|contact| contact.is_live()) {
        let owners = people::owners_of_card(&contact.card);
        if let Some((one, other)) = ledger.united_against_an_answer(&owners) {
            faults.push(("I15", format!("{one} and {other} are one contact, and somebody said that they are not")));
        }
        for owner in owners.iter().filter(|owner| !murky(owner)) {
            // Of several that became one, a friend makes it one.
            let expected = owners.iter().any(|one| ledger.friends().get(one).copied().unwrap_or(false));
            if contact.card.labels.contains(FRIEND) != expected {
                faults.push(("I2", format!("{owner} is a friend: {expected}, and the store does not say so")));
            }
        }
    }
    if !propagates(stage) {
        return;
    }
    let everybody: BTreeSet<&String> = in_store.keys().chain(in_google.keys().map(|(_, owner)| owner)).collect();
    // What is not kept equal at the time stays where it is.
    let too_soon = |owner: &str| ledger.fate(owner).is_some_and(|fate| fate.too_soon || fate.moved);
    for owner in everybody.into_iter().filter(|owner| !murky(owner) && !too_soon(owner)) {
        let is_known = ledger.unseen_by_deletion(owner).is_some_and(|unseen| unseen.is_empty());
        if is_known && !ledger.ran_into_an_edit(owner) {
            faults.push(("I4", format!("{owner} was deleted by somebody who had seen everything, and is there")));
        }
    }
}

/// Whether a deletion on one side is one on every side.
fn propagates(stage: &Stage) -> bool {
    stage.promises.iter().all(|promise| {
        let both = promise.delete.in_remote == InRemote::Propagate && promise.delete.in_store == InStore::Propagate;
        both && promise.direction == Direction::TwoWay
    })
}

async fn remains(stage: &Stage, contacts: &[Contact]) -> Remains {
    let mut living: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for contact in contacts.iter().filter(|contact| contact.is_live()) {
        for owner in people::owners_of_card(&contact.card) {
            let values = living.entry(owner).or_default();
            values.extend(people::values_of_card(&contact.card));
            values.extend(pictures::in_store(stage, &contact.card).await);
        }
    }
    let stored = living.clone();
    // What is not kept equal stays where it is.
    for account in 0..stage.promises.len() {
        for person in people::people(stage, account) {
            for owner in people::owners(&person) {
                let values = living.entry(owner).or_default();
                values.extend(people::values_of_person(&person));
                values.extend(pictures::in_google(stage, account, people::resource(&person)));
            }
        }
    }
    let mut conflicts = BTreeSet::new();
    let mut history = BTreeSet::new();
    for row in edits_of_store(stage).await {
        for conflict in &row.change.conflicts {
            texts(&conflict.base, &mut conflicts);
            texts(&conflict.store, &mut conflicts);
            texts(&conflict.remote, &mut conflicts);
        }
        for field in &row.change.fields {
            texts(&field.before, &mut history);
            texts(&field.after, &mut history);
        }
    }
    // A conflict that waited for a person when its record went is remembered with the record.
    for row in stage.store.history(&HistoryQuery::default()).await.expect("history") {
        for conflict in row.change.conflicts.iter().filter(|_| row.remote.is_some()) {
            texts(&conflict.store, &mut conflicts);
            texts(&conflict.remote, &mut conflicts);
        }
    }
    for conflict in stage.store.open_conflicts(None).await.expect("conflicts") {
        texts(&conflict.store, &mut conflicts);
        texts(&conflict.remote, &mut conflicts);
    }
    conflicts.extend(pictures::told(stage, &conflicts).await);
    history.extend(pictures::told(stage, &history).await);
    history.extend(conflicts.iter().cloned());
    let mut records = BTreeSet::new();
    for account in 0..stage.promises.len() {
        records.extend(people::people(stage, account).iter().map(|person| people::resource(person).to_owned()));
    }
    Remains { living, stored, conflicts, history, records }
}

fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        // Job titles may come back in capitals; all values of users are in small letters.
        Value::String(text) => _ = into.insert(text.to_lowercase()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.values().for_each(|member| texts(member, into)),
        _ => {}
    }
}

fn is_in(person: &Value, group: &str) -> bool {
    let memberships = person["memberships"].as_array().into_iter().flatten();
    memberships.into_iter().any(|one| one["contactGroupMembership"]["contactGroupResourceName"] == group)
}

/// What of a card both sides can hold, in canonical form, but for fields that wait for a person.
fn comparable(card: &Card, but: &BTreeSet<Field>) -> String {
    let mut card = normal::card(&people::without(card, but));
    card.labels.clear();
    card.owner = None;
    for email in &mut card.emails {
        email.primary = false;
    }
    for phone in &mut card.phones {
        phone.primary = false;
    }
    // The same thing twice, as a merge in one account may leave it, says nothing and is not written to another one.
    card.emails.dedup();
    card.phones.dedup();
    match &mut card.subject {
        Subject::Organization(organization) => organization.industry = None,
        // The service may spell it otherwise.
        Subject::Person(person) => {
            person.job_title = person.job_title.take().map(|title| title.to_lowercase());
            // Judged by what it shows.
            person.photo = None;
            // Google knows companies by name only.
            person.organization.iter_mut().for_each(|company| company.id = None);
        }
    }
    serde_json::to_string(&card).expect("a card")
}

/// How the line of an organization begins that is there because somebody named it.
pub const IMPLICIT: &str = "store implicit";

/// Everything that both sides hold, for comparing two worlds that should have come out alike.
pub async fn portrait(stage: &Stage, codec: &dyn Codec) -> Vec<String> {
    let none = BTreeSet::new();
    let mut lines: Vec<String> = all_contacts(stage)
        .await
        .iter()
        .map(|contact| {
            let standing = if contact.implicit { IMPLICIT } else { "store" };
            format!("{standing} live={} {}", contact.is_live(), comparable(&contact.card, &none))
        })
        .collect();
    for account in 0..stage.promises.len() {
        let groups = people::groups(stage, account);
        for person in people::people(stage, account) {
            let card = codec.read(&person, codec.kind(&person)).card;
            let within: Vec<&String> =
                groups.iter().filter(|(_, group)| is_in(&person, group)).map(|(name, _)| name).collect();
            lines.push(format!("google {account} in={within:?} {}", comparable(&card, &none)));
        }
    }
    lines.sort();
    lines
}
