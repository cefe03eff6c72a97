//! Small values of the domain, made from numbers and short texts, so that a test shows only what it is about.

use contactsync::domain::account::AccountState;
use contactsync::domain::conflict::Conflict;
use contactsync::domain::contact::{Card, Contact, Email, OrganizationRef, Phone};
use contactsync::domain::field::Field;
use contactsync::domain::history::{Action, Actor, Change};
use contactsync::domain::id::{
    AccountName, ConflictId, ContactId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId, ReplicaId, RunId,
};
use contactsync::domain::link::{Base, Certainty, Former, Link, LinkState, PhotoTrail};
use contactsync::domain::name::Name;
use contactsync::domain::outbox::{Intent, IntentKind, Sent};
use contactsync::domain::policy::ConflictPolicy;
use contactsync::domain::run::{AccountSummary, RunRecord};
use contactsync::domain::time::Timestamp;
use contactsync::domain::version::VersionVector;
use contactsync::store::{Commit, ContactWrite, Write};
use serde_json::json;

/// So many seconds after the moment all tests begin at.
pub fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_700_000_000 + seconds) * 1_000_000)
}

/// Identifiers that sort as their numbers.
pub fn contact_id(number: u32) -> ContactId {
    ContactId::new(time(i64::from(number)), u128::from(number))
}

pub fn link_id(number: u32) -> LinkId {
    LinkId::new(time(i64::from(number)), u128::from(number))
}

pub fn run_id(number: u32) -> RunId {
    RunId::new(time(i64::from(number)), u128::from(number))
}

pub fn conflict_id(number: u32) -> ConflictId {
    ConflictId::new(time(i64::from(number)), u128::from(number))
}

pub fn account(name: &str) -> AccountName {
    AccountName::new(name)
}

pub fn remote(number: u32) -> RemoteId {
    RemoteId::new(format!("people/c{number}"))
}

pub fn token(text: &str) -> LinkToken {
    LinkToken::new(text)
}

/// A version after so many edits in the store.
pub fn version(edits: u64) -> VersionVector {
    [(ReplicaId::store(1), edits)].into_iter().collect()
}

pub fn person(name: &str) -> Card {
    let mut card = Card::person();
    card.as_person_mut().unwrap().name = Name::split(name);
    card
}

pub fn with_email(mut card: Card, address: &str) -> Card {
    card.emails.push(Email { value: address.into(), label: None, primary: false });
    card
}

pub fn with_phone(mut card: Card, number: &str) -> Card {
    card.phones.push(Phone { value: number.into(), label: Some("work".into()), primary: false });
    card
}

pub fn with_label(mut card: Card, label: &str) -> Card {
    card.labels.insert(label.into());
    card
}

pub fn at_organization(mut card: Card, organization: ContactId) -> Card {
    card.as_person_mut().unwrap().organization =
        Some(OrganizationRef { id: Some(organization), name: "Example GmbH".into() });
    card
}

/// A living contact after its first edit.
pub fn contact(number: u32, card: Card) -> Contact {
    let created = time(i64::from(number));
    Contact {
        id: contact_id(number),
        card,
        version: version(1),
        created,
        updated: created,
        deleted: None,
        touched: [(Field::Notes, created)].into_iter().collect(),
        implicit: false,
    }
}

pub fn change(contact: &Contact, action: Action) -> Change {
    Change {
        contact: contact.id,
        at: contact.updated,
        actor: Actor::User,
        run: None,
        action,
        fields: Vec::new(),
        conflicts: Vec::new(),
    }
}

/// The write that stores a contact which must not exist yet.
pub fn create(contact: &Contact) -> Write {
    let change = change(contact, Action::Created);
    Write::Contact(Box::new(ContactWrite { contact: contact.clone(), expected: None, change }))
}

/// The write that stores a contact which must have the version `expected`.
pub fn replace(contact: &Contact, expected: &VersionVector) -> Write {
    let change = change(contact, Action::Edited);
    Write::Contact(Box::new(ContactWrite { contact: contact.clone(), expected: Some(expected.clone()), change }))
}

/// The same contact after one more edit.
pub fn edited(contact: &Contact, edit: impl FnOnce(&mut Contact)) -> Contact {
    let mut edited = contact.clone();
    edited.version.tick(&ReplicaId::store(1));
    edited.updated = edited.updated.plus(std::time::Duration::from_secs(1));
    edit(&mut edited);
    edited
}

/// A commit without fence.
pub fn commit(writes: Vec<Write>) -> Commit {
    Commit { fence: None, writes }
}

/// A bound link of the account `sales` that is settled while its contact has version 1.
pub fn link(number: u32, contact: Option<ContactId>) -> Link {
    Link {
        id: link_id(number),
        account: account("sales"),
        contact,
        state: LinkState::Bound,
        remote: Some(remote(number)),
        incarnation: 1,
        token: token(&format!("token-{number}")),
        base: Some(Base {
            store: person("Ada King"),
            remote: json!({ "names": [{ "givenName": "Ada" }], "etag": null }),
            marker: Some(Marker(7)),
            certainty: Certainty::Answered,
            agreed: Some(json!({ "names": [{ "givenName": "Augusta" }] })),
        }),
        acked: version(1),
        settled: version(1),
        etag: Some(Etag::new("%Eg")),
        remote_time: Some(time(5)),
        changed_at: time(6),
        seen: None,
        own_delete: false,
        parked: None,
        map_revision: 1,
        wanted: [GroupId::new("contactGroups/1")].into_iter().collect(),
        leaving: [GroupId::new("contactGroups/2")].into_iter().collect(),
        member_of: [GroupId::new("contactGroups/3")].into_iter().collect(),
        former: Some(Former {
            link: LinkId::new(time(1), number.into()),
            remote: remote(9_000 + number),
            base: Base {
                store: person("Ada Byron"),
                remote: json!({ "names": [{ "givenName": "Ada", "familyName": "Byron" }] }),
                marker: None,
                certainty: Certainty::Sent,
                agreed: None,
            },
            photo: Box::new(PhotoTrail { agreed: Some("7".repeat(64)), ..PhotoTrail::default() }),
            deleted_at: Some(time(4)),
        }),
        photo: Box::default(),
    }
}

/// A link of state `Found`, which has no contact.
pub fn found(number: u32) -> Link {
    Link { state: LinkState::Found, base: None, settled: VersionVector::new(), ..link(number, None) }
}

pub fn intent(marker: u64, link: &Link) -> Intent {
    Intent {
        marker: Marker(marker),
        link: link.id,
        account: link.account.clone(),
        kind: IntentKind::Update,
        etag: link.etag.clone(),
        remote_time: link.remote_time,
        first_sent: time(10),
        last_sent: time(10),
    }
}

pub fn sent(marker: u64, link: &Link) -> Sent {
    Sent {
        marker: Marker(marker),
        link: link.id,
        token: link.token.clone(),
        kind: IntentKind::Update,
        card: person("Ada King"),
        wire: json!({ "names": [{ "givenName": "Ada" }] }),
        mask: vec!["names".into(), "phoneNumbers".into()],
        version: version(2),
        at: time(10),
    }
}

pub fn open_intent(marker: u64, link: &Link) -> Write {
    Write::OpenIntent(Box::new(intent(marker, link)), Box::new(sent(marker, link)))
}

pub fn put(link: &Link) -> Write {
    Write::Link(Box::new(link.clone()))
}

pub fn conflict(number: u32, contact: ContactId, link: &Link) -> Conflict {
    Conflict {
        id: conflict_id(number),
        contact,
        link: link.id,
        account: link.account.clone(),
        field: Field::Custom("Price list".into()),
        base: json!(null),
        store: json!("Retail"),
        remote: json!("Wholesale"),
        policy: ConflictPolicy::Manual,
        since: time(i64::from(number)),
        resolved: None,
    }
}

pub fn run(number: u32) -> RunRecord {
    RunRecord {
        run: run_id(number),
        begun: time(i64::from(number)),
        ended: None,
        accounts: vec![AccountSummary::new(account("sales"))],
    }
}

pub fn account_state(name: &str) -> AccountState {
    AccountState::new(account(name))
}
