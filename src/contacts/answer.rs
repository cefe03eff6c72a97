//! Who is who, where only a person can tell: the questions that wait, and what is said about them.
//!
//! A question belongs to a link that waits. It goes by the name of what is in doubt: the record that may be one of several
//! contacts, or the contact that may have one of several records. An answer is about one couple. It only says something;
//! the next run does it.

use crate::clock::Clock;
use crate::domain::answer::{Answer, Said};
use crate::domain::contact::Contact;
use crate::domain::id::{AccountName, ContactId, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState};
use crate::store::{Commit, Store, StoreError, Write};

/// How many links are looked through at once.
const CHUNK: u32 = 500;

/// A question that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The link of the record or contact that is in doubt.
    pub link: Link,
}

/// One contact and one record of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Couple {
    /// The account.
    pub account: AccountName,
    /// The contact.
    pub contact: ContactId,
    /// The record.
    pub remote: RemoteId,
}

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no such contact.
    #[error("there is no contact {0}")]
    NoContact(ContactId),
    /// The contact is deleted.
    #[error("contact {0} is deleted; restore it first")]
    Deleted(ContactId),
    /// They are linked already.
    #[error(
        "{remote} is the record of contact {contact} already; `contactsync history {contact}` names the run that linked \
         them, `contactsync undo RUN` takes it back"
    )]
    Linked {
        /// The contact.
        contact: ContactId,
        /// The record.
        remote: RemoteId,
    },
    /// The contact has another record in the account.
    #[error("contact {contact} has the record {remote} in account {account}, and can have one only")]
    ContactTaken {
        /// The account.
        account: AccountName,
        /// The contact.
        contact: ContactId,
        /// Its record.
        remote: RemoteId,
    },
    /// The record is that of another contact.
    #[error("{remote} is the record of contact {contact}, and can be that of one only")]
    RecordTaken {
        /// The record.
        remote: RemoteId,
        /// Its contact.
        contact: ContactId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Question {
    /// The question of a link, if it asks one.
    fn of(link: Link) -> Option<Question> {
        link.parked.as_ref().is_some_and(|parked| !parked.candidates.is_empty()).then_some(Question { link })
    }

    /// What the question goes by: the record in doubt, else the contact.
    pub fn id(&self) -> String {
        let record = self.link.remote.as_ref().map(ToString::to_string);
        let contact = || self.link.contact.map(|contact| contact.to_string());
        record.filter(|_| self.link.contact.is_none()).or_else(contact).unwrap_or_default()
    }

    /// The couples that it asks about.
    pub fn couples(&self) -> Vec<Couple> {
        let Some(parked) = &self.link.parked else { return Vec::new() };
        let couple = |contact: &ContactId, remote: &RemoteId| Couple {
            account: self.link.account.clone(),
            contact: *contact,
            remote: remote.clone(),
        };
        let of_record = self
            .link
            .remote
            .iter()
            .flat_map(|remote| parked.candidates.contacts.iter().map(move |contact| couple(contact, remote)));
        let of_contact = self
            .link
            .contact
            .iter()
            .flat_map(|contact| parked.candidates.records.iter().map(move |remote| couple(contact, remote)));
        of_record.chain(of_contact).collect()
    }
}

/// The questions that wait in an account, in the order of their links.
///
/// # Errors
/// What the store says.
pub async fn questions(store: &dyn Store, account: &AccountName) -> Result<Vec<Question>, StoreError> {
    let mut questions = Vec::new();
    if store.link_counts(account).await?.questions == 0 {
        return Ok(questions);
    }
    // What waits is not settled.
    let mut after = None;
    loop {
        let ids: Vec<LinkId> = store.unsettled_links(account, after, CHUNK).await?;
        let Some(last) = ids.last() else { return Ok(questions) };
        after = Some(*last);
        questions.extend(store.links(&ids).await?.into_iter().filter_map(Question::of));
    }
}

/// Says something about couples, all at once or not at all. What was said before about the same couple is replaced; whoever
/// is said to be somebody's is nobody else's any more.
///
/// # Errors
/// [`AnswerError`], each variant with what stands against it.
pub async fn say(
    store: &dyn Store,
    clock: &dyn Clock,
    couples: &[Couple],
    said: Said,
) -> Result<Vec<Answer>, AnswerError> {
    let mut writes = Vec::new();
    let mut answers = Vec::new();
    for couple in couples {
        check(store, couple, said).await?;
        let Couple { account, contact, remote } = couple;
        if said == Said::Same {
            let former = store.answers(account).await?.into_iter().filter(|former| {
                former.said == Said::Same && (former.contact == *contact) != (former.remote == *remote)
            });
            writes.extend(former.map(|former| Write::DropAnswer {
                account: former.account,
                contact: former.contact,
                remote: former.remote,
            }));
        }
        let (account, remote, at) = (account.clone(), remote.clone(), clock.now());
        answers.push(Answer { account, contact: *contact, remote, said, at });
    }
    writes.extend(answers.iter().cloned().map(Write::Answer));
    store.commit(Commit { fence: None, writes }).await?;
    Ok(answers)
}

/// Takes back what was said about a couple. Returns what that was; `None` when nothing was said.
///
/// # Errors
/// What the store says.
pub async fn take_back(store: &dyn Store, couple: &Couple) -> Result<Option<Answer>, StoreError> {
    let Couple { account, contact, remote } = couple.clone();
    let said = store.answers(&account).await?;
    let said = said.into_iter().find(|answer| answer.contact == contact && answer.remote == remote);
    if said.is_some() {
        let writes = vec![Write::DropAnswer { account, contact, remote }];
        store.commit(Commit { fence: None, writes }).await?;
    }
    Ok(said)
}

/// Refuses what cannot be, or is so already.
async fn check(store: &dyn Store, couple: &Couple, said: Said) -> Result<(), AnswerError> {
    let Couple { account, contact, remote } = couple.clone();
    let found = store.contacts(&[contact]).await?.pop();
    let is_live = found.as_ref().map(Contact::is_live).ok_or(AnswerError::NoContact(contact))?;
    let own = store.links_of_contacts(&account, &[contact]).await?;
    let own = own.into_iter().filter(is_lasting).find_map(|link| link.remote);
    if own.as_ref() == Some(&remote) {
        return Err(AnswerError::Linked { contact, remote });
    }
    if said == Said::Different {
        return Ok(());
    }
    if !is_live {
        return Err(AnswerError::Deleted(contact));
    }
    if let Some(remote) = own {
        return Err(AnswerError::ContactTaken { account, contact, remote });
    }
    let theirs = store.links_of_remotes(&account, std::slice::from_ref(&remote)).await?;
    match theirs.into_iter().filter(|(_, link)| is_lasting(link)).find_map(|(_, link)| link.contact) {
        Some(contact) => Err(AnswerError::RecordTaken { remote, contact }),
        None => Ok(()),
    }
}

/// Whether a link binds its contact and its record.
fn is_lasting(link: &Link) -> bool {
    match link.state {
        LinkState::Bound | LinkState::Unselected | LinkState::Dormant => true,
        LinkState::Found | LinkState::Need | LinkState::Creating | LinkState::Gone => false,
    }
}
