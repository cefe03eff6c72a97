//! What commands that work on the store find on their desk.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::contacts::edit::Editor;
use crate::contacts::show::{Shown, page};
use crate::domain::contact::{Contact, Kind};
use crate::domain::history::Actor;
use crate::store::Store;

use super::output::Output;

/// Everything a command on the store works with.
pub struct Desk {
    /// The configuration.
    pub config: Config,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
    /// Where answers and remarks go.
    pub out: Arc<Output>,
}

impl Desk {
    /// Edits contacts on behalf of the person at the command line.
    pub fn editor(&self) -> Editor<'_> {
        Editor { store: &*self.store, clock: &*self.clock, entropy: &*self.entropy, actor: Actor::User }
    }

    /// Answers with one contact: its record as JSON, or a page.
    ///
    /// # Errors
    /// What the store or the stream says.
    pub async fn answer_contact(&self, contact: &Contact) -> anyhow::Result<()> {
        let people = self.people_of(contact).await?;
        if self.out.is_json() {
            self.out.json(&shown(contact, people))?;
        } else {
            self.out.text(&page(contact, people))?;
        }
        Ok(())
    }

    /// Answers with a contact that was just changed: its record as JSON, or one sentence.
    ///
    /// # Errors
    /// What the store or the stream says.
    pub async fn answer_changed(&self, contact: &Contact, what: &str) -> anyhow::Result<()> {
        if self.out.is_json() {
            self.out.json(&shown(contact, self.people_of(contact).await?))?;
        } else {
            let name = contact.card.display_name();
            self.out.text(&format!("{what} {} {} {name}", contact.card.kind().as_str(), contact.id))?;
        }
        Ok(())
    }

    async fn people_of(&self, contact: &Contact) -> anyhow::Result<u64> {
        if contact.card.kind() == Kind::Person {
            return Ok(0);
        }
        let counts = self.store.people_counts(&[contact.id]).await.context("counting the organization's people")?;
        Ok(counts.get(&contact.id).copied().unwrap_or(0))
    }
}

fn shown(contact: &Contact, people: u64) -> Shown<'_> {
    match contact.card.kind() {
        Kind::Person => Shown::person(contact),
        Kind::Organization => Shown::organization(contact, people),
    }
}
