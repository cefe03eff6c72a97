//! A question on one page: who is in doubt, who it could be, what they have in common, and what speaks against it.
//!
//! What a record in a group says is known; what one outside of the groups says is read from Google for this page, and
//! nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Serialize;

use crate::contacts::answer::Question;
use crate::domain::contact::{Card, Contact};
use crate::domain::dialling::HomeRegion;
use crate::domain::id::{AccountName, ContactId, RemoteId};
use crate::domain::link::Sighting;
use crate::domain::matching::{self, Face, MatchKey};
use crate::domain::time::Timestamp;
use crate::engine::chain;
use crate::remotes::google::GoogleCodec;
use crate::remotes::{Codec, Reading, Remote as _};

use super::super::desk::Desk;
use super::super::exit::Exit;

/// A question in a list.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    account: AccountName,
    name: String,
    candidates: Vec<String>,
    reason: String,
    since: Option<Timestamp>,
}

/// A question with everything that is known about it.
#[derive(Debug, Serialize)]
struct Sheet {
    id: String,
    account: AccountName,
    subject: Portrait,
    candidates: Vec<Candidate>,
    reason: String,
    since: Option<Timestamp>,
}

/// Somebody, in few words.
#[derive(Debug, Serialize)]
struct Portrait {
    id: String,
    side: &'static str,
    name: String,
    organization: Option<String>,
    emails: Vec<String>,
    phones: Vec<String>,
    birthday: Option<String>,
}

/// Somebody that the one in doubt may be.
#[derive(Debug, Serialize)]
struct Candidate {
    #[serde(flatten)]
    portrait: Portrait,
    evidence: Vec<String>,
    against: Option<String>,
    /// Why nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Lists questions; nothing is read from Google for that.
///
/// # Errors
/// What the store or the stream says.
pub(super) async fn list(questions: &[Question], desk: &Desk) -> anyhow::Result<Exit> {
    let contacts = questions.iter().flat_map(Question::couples).map(|couple| couple.contact);
    let names = names_of(contacts, desk).await?;
    let rows: Vec<Row> = questions.iter().map(|question| row(question, &names)).collect();
    if desk.out.is_json() {
        desk.out.json(&rows)?;
        return Ok(Exit::Done);
    }
    let cells = |row: &Row| {
        let named = |id: &String| match id.parse::<ContactId>().ok().and_then(|id| names.get(&id)) {
            Some(name) if !name.is_empty() => format!("{id} {name}"),
            _ => id.clone(),
        };
        [
            row.id.clone(),
            row.name.clone(),
            row.account.to_string(),
            row.candidates.iter().map(named).collect::<Vec<_>>().join(", "),
            row.since.map(|since| since.to_string()).unwrap_or_default(),
        ]
    };
    desk.out.table(["ID", "NAME", "ACCOUNT", "MAY BE", "SINCE"], rows.iter().map(cells).collect())?;
    Ok(Exit::Done)
}

/// Shows questions.
///
/// # Errors
/// What the store or the stream says. That Google cannot be asked is told on the page.
pub(super) async fn show(questions: &[Question], desk: &Desk) -> anyhow::Result<Exit> {
    let mut sheets = Vec::new();
    for question in questions {
        sheets.push(sheet(question, desk).await?);
    }
    if desk.out.is_json() {
        desk.out.json(&sheets)?;
        return Ok(Exit::Done);
    }
    for sheet in &sheets {
        desk.out.text(&sheet.page())?;
    }
    Ok(Exit::Done)
}

/// How people know these contacts.
pub(super) async fn names_of(
    contacts: impl Iterator<Item = ContactId>,
    desk: &Desk,
) -> anyhow::Result<BTreeMap<ContactId, String>> {
    let ids: Vec<ContactId> = contacts.collect::<BTreeSet<_>>().into_iter().collect();
    let contacts = desk.store.contacts(&ids).await.context("reading the contacts")?;
    Ok(contacts.into_iter().map(|contact| (contact.id, contact.card.display_name())).collect())
}

fn row(question: &Question, names: &BTreeMap<ContactId, String>) -> Row {
    let link = &question.link;
    let name = match link.contact {
        Some(contact) => names.get(&contact).cloned().unwrap_or_default(),
        None => read(question, &GoogleCodec::default()).map(|reading| reading.card.display_name()).unwrap_or_default(),
    };
    let parked = link.parked.as_ref();
    let candidates = parked.map(|parked| &parked.candidates);
    let contacts = candidates.into_iter().flat_map(|who| &who.contacts).map(ToString::to_string);
    let records = candidates.into_iter().flat_map(|who| &who.records).map(ToString::to_string);
    Row {
        id: question.id(),
        account: link.account.clone(),
        name,
        candidates: contacts.chain(records).collect(),
        reason: parked.map(|parked| parked.reason.clone()).unwrap_or_default(),
        since: parked.map(|parked| parked.since),
    }
}

/// The record in doubt, as it was seen.
fn read(question: &Question, codec: &dyn Codec) -> Option<Reading> {
    let Some(Sighting::Present { wire, .. }) = &question.link.seen else { return None };
    Some(codec.read(wire, codec.kind(wire)))
}

async fn sheet(question: &Question, desk: &Desk) -> anyhow::Result<Sheet> {
    let home = desk.config.store.region;
    let couples = question.couples();
    let ids: Vec<ContactId> = couples.iter().map(|couple| couple.contact).collect();
    let contacts = desk.store.contacts(&ids).await.context("reading the contacts")?;
    let (subject, candidates) = match question.link.contact {
        None => {
            let codec = GoogleCodec::default();
            let reading = read(question, &codec);
            let subject = Portrait::of(question.id(), "google", reading.as_ref().map(|reading| &reading.card));
            let compared = |contact: &Contact| {
                let portrait = Portrait::of(contact.id.to_string(), "store", Some(&contact.card));
                Candidate::compared(portrait, &contact.card, reading.as_ref(), home)
            };
            (subject, contacts.iter().map(compared).collect())
        }
        Some(id) => {
            let contact = contacts.iter().find(|contact| contact.id == id);
            let subject = Portrait::of(id.to_string(), "store", contact.map(|contact| &contact.card));
            let remotes: Vec<RemoteId> = couples.into_iter().map(|couple| couple.remote).collect();
            (subject, strangers(&question.link.account, &remotes, contact, desk).await)
        }
    };
    let parked = question.link.parked.as_ref();
    Ok(Sheet {
        id: question.id(),
        account: question.link.account.clone(),
        subject,
        candidates,
        reason: parked.map(|parked| parked.reason.clone()).unwrap_or_default(),
        since: parked.map(|parked| parked.since),
    })
}

/// Records outside the groups, read from Google.
async fn strangers(
    account: &AccountName,
    remotes: &[RemoteId],
    contact: Option<&Contact>,
    desk: &Desk,
) -> Vec<Candidate> {
    let unread = |error: &str| {
        let candidate = |remote: &RemoteId| Candidate {
            portrait: Portrait::of(remote.to_string(), "google", None),
            evidence: Vec::new(),
            against: None,
            error: Some(error.to_owned()),
        };
        remotes.iter().map(candidate).collect()
    };
    let Some(configured) = desk.config.account(account.as_str()) else {
        return unread("its account is not configured any more");
    };
    let client =
        match desk.worker().map_err(|error| format!("{error:#}")).and_then(|worker| worker.client_of(configured)) {
            Ok(client) => client,
            Err(error) => return unread(&error),
        };
    let fetched = match client.fetch_records(remotes).await {
        Ok(fetched) => fetched,
        Err(error) => return unread(&chain(&error)),
    };
    let codec = client.codec();
    let candidate = |remote: &RemoteId| {
        let Some(record) = fetched.records.get(remote) else {
            return unread("it is not there any more; the next run goes on without it").pop();
        };
        let reading = codec.read(&record.wire, codec.kind(&record.wire));
        let portrait = Portrait::of(remote.to_string(), "google", Some(&reading.card));
        let contact = contact.map(|contact| &contact.card);
        Some(match contact {
            Some(card) => Candidate::compared(portrait, card, Some(&reading), desk.config.store.region),
            None => Candidate { portrait, evidence: Vec::new(), against: None, error: None },
        })
    };
    remotes.iter().filter_map(candidate).collect()
}

impl Candidate {
    /// A candidate, with what a contact and a record have in common.
    fn compared(portrait: Portrait, contact: &Card, record: Option<&Reading>, home: Option<HomeRegion>) -> Self {
        let Some(record) = record else {
            return Candidate { portrait, evidence: Vec::new(), against: None, error: None };
        };
        let face = Face::of(&record.card, home).told(record.numbers.values());
        let found = matching::compare(&face, &Face::of(contact, home));
        let evidence = found.evidence.iter().map(evidence).collect();
        Candidate { portrait, evidence, against: found.against.map(|objection| objection.to_string()), error: None }
    }
}

impl Portrait {
    fn of(id: String, side: &'static str, card: Option<&Card>) -> Self {
        let person = card.and_then(Card::as_person);
        Portrait {
            id,
            side,
            name: card.map(Card::display_name).unwrap_or_default(),
            organization: person.and_then(|person| person.organization.as_ref()).map(|named| named.name.clone()),
            emails: card.into_iter().flat_map(|card| &card.emails).map(|email| email.value.clone()).collect(),
            phones: card.into_iter().flat_map(|card| &card.phones).map(|phone| phone.value.clone()).collect(),
            birthday: person.and_then(|person| person.birthday).map(|date| date.to_string()),
        }
    }

    fn lines(&self, indent: &str) -> Vec<String> {
        let side = if self.side == "google" { "record" } else { "contact" };
        let mut lines = vec![format!("{indent}{side} {} {}", self.id, self.name).trim_end().to_owned()];
        let rows = [
            ("organization", self.organization.clone().into_iter().collect::<Vec<_>>()),
            ("e-mails", self.emails.clone()),
            ("phones", self.phones.clone()),
            ("birthday", self.birthday.clone().into_iter().collect()),
        ];
        let filled = rows.into_iter().filter(|(_, values)| !values.is_empty());
        lines.extend(filled.map(|(what, values)| format!("{indent}  {what}: {}", values.join(", "))));
        lines
    }
}

impl Sheet {
    fn page(&self) -> String {
        let mut lines = self.subject.lines("");
        lines.push(format!("  account: {}", self.account));
        lines.extend(self.since.map(|since| format!("  in doubt since: {since}")));
        lines.push(format!("  why: {}", self.reason));
        for candidate in &self.candidates {
            lines.push(String::new());
            lines.extend(candidate.portrait.lines("  could be "));
            if !candidate.evidence.is_empty() {
                lines.push(format!("    in common: {}", candidate.evidence.join(", ")));
            }
            lines.extend(candidate.against.iter().map(|against| format!("    against it: {against}")));
            lines.extend(candidate.error.iter().map(|error| format!("    not shown: {error}")));
            let (id, other) = (&self.id, &candidate.portrait.id);
            lines.push(format!("    the same:     contactsync match link {id} {other}"));
            lines.push(format!("    not the same: contactsync match separate {id} {other}"));
        }
        lines.push(String::new());
        lines.push(format!("  none of them: contactsync match separate {}", self.id));
        lines.join("\n")
    }
}

/// What two have in common, as people say it.
fn evidence(key: &MatchKey) -> String {
    match key {
        MatchKey::Email(value) => format!("e-mail {value}"),
        MatchKey::Phone(value) => format!("phone {value}"),
        MatchKey::NameAtOrganization(_) => "name and organization".to_owned(),
        MatchKey::OrganizationName(_) | MatchKey::PersonName(_) => "name".to_owned(),
    }
}
