//! Contacts about to be created may exist at the remote already, outside every pair. Of those only hashes are kept, so
//! that a contact finds its twin there and joins it to the group instead of doubling it.

use std::collections::{BTreeMap, BTreeSet};

use super::{News, is_given_up};
use crate::domain::contact::Card;
use crate::domain::digest::Digest;
use crate::domain::id::{ContactId, LinkId, RemoteId};
use crate::domain::link::{Link, LinkState, Parked, ParkedWhy, Sighting};
use crate::domain::matching::{Verdict, judge};
use crate::engine::{Doing, EngineError, Run, identity};
use crate::remotes::Record;
use crate::store::Write;

impl Run<'_> {
    /// Binds links that wait for a record to strangers that are their twins. Returns the links that are left.
    pub(super) async fn meet_strangers(&mut self, links: Vec<Link>, news: &mut News) -> Result<Vec<Link>, EngineError> {
        if links.iter().all(|link| link.state != LinkState::Need) {
            return Ok(links);
        }
        let contacts = self.contacts_of(&links).await?;
        let mut keys_of: BTreeMap<LinkId, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for link in links.iter().filter(|link| link.state == LinkState::Need) {
            if let Some(contact) = link.contact.and_then(|id| contacts.get(&id))
                && contact.is_live()
                && !is_given_up(link, contact)
            {
                keys_of.insert(link.id, identity::stranger_keys(&self.identity, &contact.card));
            }
        }
        let all: BTreeSet<Vec<u8>> = keys_of.values().flatten().cloned().collect();
        let account = self.order.promise.account.clone();
        let strangers = self.deps.store.strangers_with_keys(&account, &all).await.doing("looking for strangers")?;
        if strangers.is_empty() {
            return Ok(links);
        }
        let ids: Vec<RemoteId> = strangers.iter().map(|stranger| stranger.remote.clone()).collect();
        let records = self.fetch(&ids).await?;
        let known: BTreeMap<RemoteId, RemoteId> =
            records.iter().map(|(asked, record)| (asked.clone(), record.id.clone())).collect();
        let free = self.unlinked(records).await?;
        let mut twins: BTreeMap<LinkId, Vec<RemoteId>> = BTreeMap::new();
        for (link, keys) in &keys_of {
            let Some(contact) = links.iter().find(|l| l.id == *link).and_then(|l| contacts.get(&l.contact?)) else {
                continue;
            };
            let codec = self.deps.remote.codec();
            // By the name they have by now: two strangers may lead to one record.
            let readings: BTreeMap<RemoteId, Card> = strangers
                .iter()
                .filter(|stranger| !stranger.keys.is_disjoint(keys))
                .filter_map(|stranger| free.get(known.get(&stranger.remote)?))
                .filter(|record| codec.kind(&record.wire) == contact.card.kind())
                .map(|record| (record.id.clone(), codec.read(&record.wire, contact.card.kind()).card))
                .collect();
            let candidates: Vec<_> = readings.iter().map(|(id, card)| (id.clone(), card)).collect();
            let found = match judge(&contact.card, &candidates) {
                Verdict::Alone => Vec::new(),
                Verdict::Twin { id, .. } => vec![id],
                Verdict::Doubtful { candidates, .. } => candidates.into_iter().map(|(id, _)| id).collect(),
            };
            twins.insert(*link, found);
        }
        let mut claims: BTreeMap<&RemoteId, u32> = BTreeMap::new();
        for remote in twins.values().flatten() {
            *claims.entry(remote).or_insert(0) += 1;
        }
        let mut left = Vec::new();
        let mut writes = Vec::new();
        for mut link in links {
            match twins.get(&link.id).map(Vec::as_slice) {
                None | Some([]) => left.push(link),
                Some([remote]) if claims.get(remote) == Some(&1) => {
                    let Some(record) = free.get(remote) else { continue };
                    link.remote = Some(record.id.clone());
                    link.state = LinkState::Bound;
                    link.etag.clone_from(&record.etag);
                    link.remote_time = record.time;
                    link.changed_at = self.now();
                    link.seen = Some(Sighting::Present { wire: record.wire.clone(), at: self.now() });
                    let names = known.iter().filter(|(_, name)| *name == remote).map(|(asked, _)| asked);
                    let names: BTreeSet<&RemoteId> = names.chain([remote]).collect();
                    writes.extend(names.into_iter().map(|name| Write::DropStranger(account.clone(), name.clone())));
                    writes.push(Write::Link(Box::new(link)));
                    *news = News::Some;
                }
                Some(several) => {
                    let digest = link.contact.and_then(|id| contacts.get(&id)).map(|c| Digest::of_card(&c.card));
                    self.doubt_strangers(&mut link, several.len(), digest);
                    writes.push(Write::Link(Box::new(link)));
                }
            }
        }
        self.commit(writes, "linking contacts to records outside the groups").await?;
        Ok(left)
    }

    /// The records that belong to no link, by the names they have.
    async fn unlinked(&self, records: BTreeMap<RemoteId, Record>) -> Result<BTreeMap<RemoteId, Record>, EngineError> {
        let mut free: BTreeMap<RemoteId, Record> =
            records.into_values().map(|record| (record.id.clone(), record)).collect();
        let names: Vec<RemoteId> = free.keys().cloned().collect();
        let account = &self.order.promise.account;
        for (linked, _) in self.deps.store.links_of_remotes(account, &names).await.doing("reading links")? {
            free.remove(&linked);
        }
        Ok(free)
    }

    fn doubt_strangers(&mut self, link: &mut Link, candidates: usize, digest: Option<Digest>) {
        let reason = format!(
            "{candidates} contacts of the account outside the group could be it, or another contact of the store could be the \
             same; nothing is created until their e-mails and phones tell them apart"
        );
        link.parked = Some(Parked {
            why: ParkedWhy::Doubtful,
            reason,
            digest: digest.map(|digest| digest.to_string()),
            since: self.now(),
            run: None,
            times: 0,
        });
        if let Some(contact) = link.contact {
            self.notice_doubt(contact);
        }
    }

    fn notice_doubt(&mut self, contact: ContactId) {
        self.notice(format!("contact {contact} may exist in the account already, outside the group; it waits"));
    }
}
