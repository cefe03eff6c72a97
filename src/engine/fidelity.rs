//! What the remote cannot hold of the contacts that are carried to it, told before and when they are: by what is lost, with
//! the number of contacts and some of them by name. The values stay in the store; nothing is cut or bent to fit.

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use super::push::Push;
use crate::domain::contact::Contact;
use crate::domain::id::ContactId;
use crate::domain::link::Link;

/// How many contacts a sentence names.
const NAMED: usize = 3;

/// What cannot be carried, with the contacts it stays behind in.
#[derive(Debug, Default)]
pub(crate) struct Fidelity(BTreeMap<String, BTreeSet<ContactId>>);

impl Fidelity {
    /// One sentence for each kind of loss.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let told = |(what, contacts): (&String, &BTreeSet<ContactId>)| {
            let named: Vec<String> = contacts.iter().take(NAMED).map(ToString::to_string).collect();
            let more = match contacts.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let noun = if contacts.len() == 1 { "contact" } else { "contacts" };
            format!("Google cannot hold everything: {what} ({} {noun}: {}{more})", contacts.len(), named.join(", "))
        };
        self.0.iter().map(told).collect()
    }
}

impl Run<'_> {
    /// Notes what a contact loses on its way. Of one that is there already only what is lost anew.
    pub(crate) fn note_losses(&mut self, link: &Link, contact: Option<&Contact>, push: &Push) {
        let Some(contact) = contact else { return };
        if !matches!(push, Push::Create | Push::Update { .. } | Push::Acknowledge) {
            return;
        }
        let codec = self.deps.remote.codec();
        let known: BTreeSet<String> =
            link.base.as_ref().map(|base| codec.losses(&base.store)).unwrap_or_default().into_iter().collect();
        for loss in codec.losses(&contact.card).into_iter().filter(|loss| !known.contains(loss)) {
            self.fidelity.0.entry(loss).or_default().insert(contact.id);
        }
    }
}
