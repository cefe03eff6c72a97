//! `match`: who is who, where only a person can tell.
//!
//! A question goes by the name of what is in doubt: a record that may be one of several contacts, or a contact that may have
//! one of several records. An answer is one contact and one record, in whatever order they are named.

mod sheet;

use std::str::FromStr;

use anyhow::Context;
use serde::Serialize;

use crate::contacts::answer::{self, Couple, Question};
use crate::domain::answer::{Answer, Said};
use crate::domain::id::{AccountName, ContactId, RemoteId};
use crate::domain::time::Timestamp;

use super::desk::Desk;
use super::exit::{Exit, UsageError};
use super::sync::account_called;

/// What to do with doubtful matches.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum MatchCommand {
    /// List what is in doubt, with the candidates
    List {
        /// List what was answered instead
        #[arg(long)]
        answered: bool,
    },
    /// Show both sides of a question: what candidates have in common, and what speaks against them
    ///
    /// Records outside the groups are read from Google for that; nothing of them is stored
    Show {
        /// The contact or record in doubt; `match list` names it
        #[arg(value_name = "ID")]
        id: One,
    },
    /// Say that they are the same: the next run links them, unites their values and blanks nothing
    Link {
        #[command(flatten)]
        #[expect(missing_docs, reason = "a text here would become help")]
        couple: Named,
    },
    /// Say that they are not the same: they are never linked
    ///
    /// When no candidate is left, the next run makes a contact or a record of its own
    Separate {
        /// The contact or record in doubt
        #[arg(value_name = "ID")]
        id: One,

        /// Who it is not; without one: none of the candidates
        #[arg(value_name = "CANDIDATE")]
        candidate: Option<One>,

        /// The account of the record, where that does not follow from a question
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// Take back what was said about a contact and a record
    Forget {
        #[command(flatten)]
        #[expect(missing_docs, reason = "a text here would become help")]
        couple: Named,
    },
}

/// A contact and a record.
#[derive(Debug, Clone, clap::Args)]
pub struct Named {
    /// The contact or record in doubt
    #[arg(value_name = "ID")]
    pub id: One,

    /// The record or contact that it is
    #[arg(value_name = "CANDIDATE")]
    pub candidate: One,

    /// The account of the record, where that does not follow from a question
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
}

/// A contact or a record, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum One {
    /// A contact of the store.
    Contact(ContactId),
    /// A record at Google.
    Record(RemoteId),
}

impl FromStr for One {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("people/") {
            Some(name) if !name.is_empty() => Ok(One::Record(RemoteId::new(text))),
            _ => text.parse().map(One::Contact).map_err(|_| {
                UsageError(format!("{text:?} is neither a contact's id nor the resource name of a record (people/…)"))
            }),
        }
    }
}

/// An answer as programs see it.
#[derive(Debug, Serialize)]
struct Told<'a> {
    account: &'a AccountName,
    contact: ContactId,
    record: &'a RemoteId,
    said: Said,
    at: Timestamp,
}

impl<'a> From<&'a Answer> for Told<'a> {
    fn from(answer: &'a Answer) -> Self {
        let Answer { account, contact, remote, said, at } = answer;
        Told { account, contact: *contact, record: remote, said: *said, at: *at }
    }
}

/// Carries out a command on doubtful matches.
///
/// # Errors
/// What is unknown or cannot be, and what the store or the stream says.
pub async fn question(command: &MatchCommand, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        MatchCommand::List { answered: true } => list_answers(desk).await,
        MatchCommand::List { answered: false } => sheet::list(&waiting(desk).await?, desk).await,
        MatchCommand::Show { id } => sheet::show(&about(id, desk).await?, desk).await,
        MatchCommand::Link { couple } => {
            let couple = couple_of(couple, desk).await?;
            say(&[couple], Said::Same, desk).await
        }
        MatchCommand::Separate { id, candidate: Some(candidate), account } => {
            let named = Named { id: id.clone(), candidate: candidate.clone(), account: account.clone() };
            let couple = couple_of(&named, desk).await?;
            say(&[couple], Said::Different, desk).await
        }
        MatchCommand::Separate { id, candidate: None, account } => {
            let questions = about(id, desk).await?;
            let couples = questions.iter().flat_map(Question::couples);
            let couples =
                couples.filter(|couple| account.as_deref().is_none_or(|name| couple.account.as_str() == name));
            say(&couples.collect::<Vec<_>>(), Said::Different, desk).await
        }
        MatchCommand::Forget { couple } => forget(&couple_of(couple, desk).await?, desk).await,
    }
}

/// All questions that wait, account by account.
async fn waiting(desk: &Desk) -> anyhow::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for account in &desk.config.accounts {
        let store = desk.store.as_ref();
        questions.extend(answer::questions(store, &account.name).await.context("reading what is in doubt")?);
    }
    Ok(questions)
}

/// The questions about a contact or a record, whatever the record was called before.
async fn about(id: &One, desk: &Desk) -> anyhow::Result<Vec<Question>> {
    let mut found = Vec::new();
    for question in waiting(desk).await? {
        let is_it = match id {
            One::Contact(contact) => question.link.contact == Some(*contact),
            One::Record(remote) => {
                let named = std::slice::from_ref(remote);
                let links = desk.store.links_of_remotes(&question.link.account, named).await;
                links.context("reading links")?.iter().any(|(_, link)| link.id == question.link.id)
            }
        };
        if is_it {
            found.push(question);
        }
    }
    if found.is_empty() {
        let id = id.shown();
        return Err(UsageError(format!("nothing is in doubt about {id}; `contactsync match list` has what is")).into());
    }
    Ok(found)
}

/// The couple that two names stand for.
async fn couple_of(named: &Named, desk: &Desk) -> anyhow::Result<Couple> {
    let (contact, remote) = match (&named.id, &named.candidate) {
        (One::Contact(contact), One::Record(remote)) | (One::Record(remote), One::Contact(contact)) => {
            (*contact, remote.clone())
        }
        (One::Contact(_), One::Contact(_)) | (One::Record(_), One::Record(_)) => {
            return Err(UsageError("one of both has to be a contact's id, the other a record (people/…)".into()).into());
        }
    };
    let account = match &named.account {
        Some(name) => account_called(desk, name)?.name.clone(),
        None => account_of(contact, &remote, desk).await?,
    };
    Ok(Couple { account, contact, remote })
}

/// The account in which a couple is asked about or was answered, else the only one.
async fn account_of(contact: ContactId, remote: &RemoteId, desk: &Desk) -> anyhow::Result<AccountName> {
    let is_it = |one: &Couple| one.contact == contact && one.remote == *remote;
    let asked = waiting(desk).await?.iter().flat_map(Question::couples).find(is_it);
    if let Some(couple) = asked {
        return Ok(couple.account);
    }
    for account in &desk.config.accounts {
        let said = desk.store.answers(&account.name).await.context("reading what was answered")?;
        if said.iter().any(|answer| answer.contact == contact && answer.remote == *remote) {
            return Ok(account.name.clone());
        }
    }
    match desk.config.accounts.as_slice() {
        [only] => Ok(only.name.clone()),
        _ => {
            Err(UsageError("nobody asks about these two; name the account of the record with --account".into()).into())
        }
    }
}

async fn say(couples: &[Couple], said: Said, desk: &Desk) -> anyhow::Result<Exit> {
    for Couple { account, remote, .. } in couples {
        let named = std::slice::from_ref(remote);
        let linked = desk.store.links_of_remotes(account, named).await.context("reading links")?;
        let strangers = desk.store.strangers(account, named).await.context("reading strangers")?;
        if linked.is_empty() && strangers.is_empty() {
            desk.out.warn(&format!(
                "account {account} has not seen {remote} so far; what you say counts when it does. Is the name right?"
            ));
        }
    }
    let answers = answer::say(desk.store.as_ref(), desk.clock.as_ref(), couples, said).await?;
    if desk.out.is_json() {
        desk.out.json(&serde_json::json!({ "answers": answers.iter().map(Told::from).collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    for Answer { account, contact, remote, .. } in &answers {
        desk.out.text(&match said {
            Said::Same => format!("{contact} and {remote} are the same; the next run of {account} links them"),
            Said::Different => format!("{contact} and {remote} are not the same; {account} never links them"),
        })?;
    }
    Ok(Exit::Done)
}

async fn forget(couple: &Couple, desk: &Desk) -> anyhow::Result<Exit> {
    let taken_back = answer::take_back(desk.store.as_ref(), couple).await.context("taking an answer back")?;
    let Couple { contact, remote, account } = couple;
    let Some(answer) = taken_back else {
        let message = format!(
            "nothing was said about {contact} and {remote} in account {account}; `contactsync match list --answered` has \
             what was"
        );
        return Err(UsageError(message).into());
    };
    if desk.out.is_json() {
        desk.out.json(&serde_json::json!({ "forgotten": Told::from(&answer) }))?;
    } else {
        desk.out.text(&format!("forgotten what was said about {contact} and {remote}"))?;
    }
    Ok(Exit::Done)
}

async fn list_answers(desk: &Desk) -> anyhow::Result<Exit> {
    let mut answers = Vec::new();
    for account in &desk.config.accounts {
        answers.extend(desk.store.answers(&account.name).await.context("reading what was answered")?);
    }
    if desk.out.is_json() {
        desk.out.json(&answers.iter().map(Told::from).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let names = sheet::names_of(answers.iter().map(|answer| answer.contact), desk).await?;
    let cells = |answer: &Answer| {
        [
            answer.contact.to_string(),
            names.get(&answer.contact).cloned().unwrap_or_default(),
            match answer.said {
                Said::Same => "is".to_owned(),
                Said::Different => "is not".to_owned(),
            },
            answer.remote.to_string(),
            answer.account.to_string(),
            answer.at.to_string(),
        ]
    };
    let header = ["CONTACT", "NAME", "", "RECORD", "ACCOUNT", "SAID"];
    desk.out.table(header, answers.iter().map(cells).collect())?;
    Ok(Exit::Done)
}

impl One {
    fn shown(&self) -> String {
        match self {
            One::Contact(contact) => contact.to_string(),
            One::Record(remote) => remote.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_from_a_contact_by_its_name() {
        assert_eq!("people/c1".parse::<One>().expect("a record"), One::Record(RemoteId::new("people/c1")));
        let id = "01JD0000000000000000000000";
        assert_eq!(id.parse::<One>().expect("a contact"), One::Contact(id.parse().expect("an id")));
        for text in ["", "people/", "c1", "Ada"] {
            assert!(text.parse::<One>().is_err(), "{text}");
        }
    }
}
