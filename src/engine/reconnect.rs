//! Records whose links were lost: a database was restored from before they were made, or the account is new in a store that
//! knows the contacts.
//!
//! A link's token follows from the contact it is for, and travels in the record. So a record that carries a token which no
//! link has still says which contact it was made for, and that comes before all likeness.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{self, Subject};
use super::{CHUNK, Doing, EngineError, Run};
use crate::domain::id::{ContactId, LinkToken};
use crate::store::{ContactQuery, DeletedContacts};

/// How many lives of a record are thought of. A record that was made again more often is found by likeness.
const INCARNATIONS: u32 = 3;

impl Run<'_> {
    /// The contacts that these tokens, which no link has, were derived from.
    pub(crate) async fn contacts_of_tokens(
        &mut self,
        tokens: &BTreeSet<LinkToken>,
    ) -> Result<BTreeMap<LinkToken, ContactId>, EngineError> {
        if tokens.is_empty() {
            return Ok(BTreeMap::new());
        }
        if self.derived.is_none() {
            self.derived = Some(self.derive_tokens().await?);
        }
        let derived = self.derived.iter().flatten();
        Ok(derived.filter(|(token, _)| tokens.contains(*token)).map(|(token, id)| (token.clone(), *id)).collect())
    }

    /// The tokens of all contacts. Takes a look at the whole store, once in a run that needs it.
    async fn derive_tokens(&self) -> Result<BTreeMap<LinkToken, ContactId>, EngineError> {
        let account = &self.order.promise.account;
        let mut derived = BTreeMap::new();
        let mut after = None;
        loop {
            let deleted = DeletedContacts::Hidden;
            let query = ContactQuery { after, deleted, limit: Some(CHUNK), ..ContactQuery::default() };
            let contacts = self.deps.store.find_contacts(&query).await.doing("reading contacts")?;
            let Some(last) = contacts.last() else { return Ok(derived) };
            after = Some(last.id);
            for contact in &contacts {
                let subject = Subject::Contact(contact.id);
                let tokens = (1..=INCARNATIONS).map(|life| identity::token(&self.identity, account, &subject, life));
                derived.extend(tokens.map(|token| (token, contact.id)));
            }
        }
    }
}
