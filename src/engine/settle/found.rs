//! Records found in a pair's group that belong to no link yet.
//!
//! Identity comes before likeness. A record with our own tag whose link has another record is a *twin*: a create that
//! went through twice. What was edited on it is folded into the contact, and the push deletes it. Otherwise the record
//! is matched against contacts that have no link in this account: exactly one that shares strong evidence, and that no
//! other new record claims, is linked; several are a question for a person; none means a new contact. Where the contact's
//! own record is gone, that is settled first: if the contact outlives it, it takes the new record instead of making one.
//! A new record that says just what the one said that is gone is that one under another name, and the link goes on with it.
//! A new record that looks like a contact which has its own is another one only if that one is still there, so that is
//! asked before. What a person has said about a record comes before all of that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Settled;
use crate::domain::answer::Candidates;
use crate::domain::contact::{Card, Contact};
use crate::domain::dialling::HomeRegion;
use crate::domain::diff;
use crate::domain::field::Field;
use crate::domain::history::Action;
use crate::domain::id::{ContactId, LinkId, LinkToken, Marker};
use crate::domain::link::{Base, Certainty, Link, LinkState, Parked, ParkedWhy, Sighting, Suspicion};
use crate::domain::matching::{self, Doubt, Face, MatchKey, Verdict};
use crate::domain::merge::{Rules, three_way};
use crate::domain::outbox::{IntentKind, Sent};
use crate::domain::pair::Direction;
use crate::domain::policy::Winner;
use crate::domain::version::VersionVector;
use crate::engine::answers::Answers;
use crate::engine::decide::Decision;
use crate::engine::guard::Barred;
use crate::engine::held::Held;
use crate::engine::licence::Ruling;
use crate::engine::observe::same_content;
use crate::engine::operation::{Operation, OperationKind, Side};
use crate::engine::organizations::Organizations;
use crate::engine::reached::{self, Situation};
use crate::engine::rules::{self, Rule};
use crate::engine::{Doing, EngineError, Run};
use crate::remotes::{Reading, Tag};
use crate::store::{ContactWrite, Write};

mod returned;

/// How long after a create its second effect may show up.
const TWIN_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// How many new records claim each contact as their twin.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<ContactId, u32>);

/// A new record, read, with what is known about its identity.
struct Candidate {
    link: Link,
    reading: Reading,
    wire: serde_json::Value,
    /// The link whose record it was or claims to be, when that link has another one.
    original: Option<Original>,
    /// The contact that its tag was made for, when no link has that tag.
    tagged: Option<ContactId>,
}

/// A link that has another record than the new one that leads to it.
#[derive(Clone)]
struct Original {
    link: Link,
    /// The tag by which the new record names it; `None` when it was the link's record once and never carried one.
    tag: Option<Tag>,
}

impl Original {
    /// The write that the new record came from.
    fn sent<'s>(&self, sent: &'s BTreeMap<Marker, Sent>) -> Option<&'s Sent> {
        sent.get(&self.tag.as_ref()?.marker)
    }
}

/// Contacts that share a key with a new record.
struct Likeness {
    home: Option<HomeRegion>,
    by_key: BTreeMap<MatchKey, BTreeSet<ContactId>>,
    contacts: BTreeMap<ContactId, Contact>,
    links: BTreeMap<ContactId, Link>,
    /// Those of them that outlived their record: a new one may be theirs.
    let_go: BTreeSet<ContactId>,
}

/// Who a new record is.
enum Whose {
    /// A person said so, or the record itself.
    Chosen(ContactId),
    Twin(ContactId),
    Waits,
    /// The own record of these seems to be gone, and this may be it under another name, or take its place.
    Heir(Vec<ContactId>),
    Doubtful(Vec<ContactId>, Doubt),
    Nobody,
}

impl Run<'_> {
    /// Counts which contacts these new records would be linked to.
    pub(super) async fn claim(&mut self, links: &[&Link], claims: &mut Claims) -> Result<(), EngineError> {
        let found = self.candidates(links).await?;
        let likeness = self.likeness(&found).await?;
        for candidate in found.iter().filter(|candidate| candidate.original.is_none()) {
            if let Whose::Chosen(id) | Whose::Twin(id) = likeness.whose(candidate, &self.answers) {
                *claims.0.entry(id).or_insert(0) += 1;
            }
        }
        Ok(())
    }

    /// Decides about the new records of a chunk. Returns apart the other links that this brings something to.
    pub(super) async fn decide_found(
        &mut self,
        links: &[Link],
        held: &Held,
        claims: &Claims,
    ) -> Result<(Vec<Settled>, BTreeSet<LinkId>), EngineError> {
        let links: Vec<&Link> = links.iter().filter(|link| link.state == LinkState::Found).collect();
        let mut moved = BTreeSet::new();
        if links.is_empty() {
            return Ok((Vec::new(), moved));
        }
        let found = self.candidates(&links).await?;
        let sent = self.sent_for(&found).await?;
        let (waiting, mut found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|candidate| self.may_be_renamed(candidate, &sent));
        for candidate in found.iter_mut().filter(|candidate| self.is_copy(candidate, &sent)) {
            candidate.original = None;
        }
        let likeness = self.likeness(&found).await?;
        let mut organizations = self.load_organizations(found.iter().map(|c| &c.reading.card)).await?;
        let heirs = likeness.heirs(&found, &self.answers);
        let mut batch = self.bring_back_originals(&waiting, &mut moved);
        let mut doubts = Vec::new();
        let (mut chosen, mut asked_for) = (BTreeSet::new(), BTreeSet::<ContactId>::new());
        for candidate in found {
            let own = candidate.link.id;
            if let Some(original) = candidate.original.clone() {
                let settled = match &original.link {
                    link if self.gets_no_record(link) => {
                        self.take_back(candidate, link, held, &mut organizations).await?
                    }
                    // There nothing is deleted, so a person has to say which of the two is the one.
                    link if self.order.promise.direction == Direction::FromRemote => {
                        self.doubt_twin(candidate.link, link)
                    }
                    link => self.fold_twin(candidate, link, original.sent(&sent)).await?,
                };
                batch.push(self.unless_taken(own, settled, &mut moved));
                continue;
            }
            if !self.order.promise.carries(candidate.reading.card.kind()) {
                batch.push(self.leave_outside(candidate));
                continue;
            }
            let settled = match likeness.whose(&candidate, &self.answers) {
                // Two records cannot be one contact's; the next run sees what is left.
                Whose::Chosen(id) if !chosen.insert(id) => {
                    self.left_over += 1;
                    Settled::default()
                }
                Whose::Chosen(id) => {
                    let fulfilled = self.fulfilled(id);
                    let mut settled = self.link_to(candidate, &likeness, id, held, &mut organizations);
                    if !settled.writes.is_empty() {
                        settled.writes.extend(fulfilled);
                    }
                    settled
                }
                Whose::Twin(id) if claims.0.get(&id).copied().unwrap_or(0) > 1 => {
                    doubts.push((batch.len(), own, vec![id]));
                    self.doubt(candidate, &likeness, &[id], "another record of the group could be it as well")
                }
                Whose::Twin(id) => self.link_to(candidate, &likeness, id, held, &mut organizations),
                Whose::Doubtful(ids, why) => {
                    let settled = self.doubt(candidate, &likeness, &ids, why_doubtful(why));
                    doubts.push((batch.len(), own, ids));
                    settled
                }
                Whose::Waits => {
                    self.waiting += 1;
                    Settled::default()
                }
                Whose::Heir(ids)
                    if heirs.get(&ids[..]) == Some(&1)
                        && let Some(link) = self.same_under_another_name(&candidate, &likeness, &ids) =>
                {
                    take_over(&candidate, link)
                }
                Whose::Heir(ids) if self.is_undecided_for_long(&likeness, &ids) => self.wait_for_rival(candidate, &ids),
                Whose::Heir(ids) => {
                    self.doubted.extend(ids);
                    self.heirs.insert(candidate.link.id);
                    Settled::default()
                }
                Whose::Nobody if let Some(mut ids) = self.unasked(&likeness, &candidate.reading) => {
                    self.heirs.insert(candidate.link.id);
                    // Whom another record of this batch asks for is asked for already.
                    ids.retain(|id| !asked_for.contains(id));
                    if likeness.links_of(&ids).any(|link| moved.contains(&link.id)) {
                        Settled::default()
                    } else {
                        asked_for.extend(&ids);
                        self.ask_for_rivals(&likeness, &ids)
                    }
                }
                Whose::Nobody => self.import(candidate, &mut organizations),
            };
            batch.push(self.unless_taken(own, settled, &mut moved));
        }
        self.put_off_doubts(doubts, &mut batch);
        Ok((batch, moved))
    }

    /// Puts off doubts, each with its place in the batch and the contacts it is about, that end with the batch: another
    /// new record becomes that of one of these contacts. Who is left to be meant is known once that is stored.
    fn put_off_doubts(&mut self, doubts: Vec<(usize, LinkId, Vec<ContactId>)>, batch: &mut [Settled]) {
        let given = batch.iter().flat_map(|settled| &settled.writes).filter_map(|write| match write {
            Write::Link(link) if link.state == LinkState::Bound => link.contact,
            _ => None,
        });
        let given: BTreeSet<ContactId> = given.collect();
        for (place, found, ids) in doubts {
            if ids.iter().any(|id| given.contains(id))
                && let Some(settled) = batch.get_mut(place)
            {
                *settled = Settled::default();
                self.heirs.insert(found);
            }
        }
    }

    /// What was decided about a found record, unless another one of this batch has already brought something to the same
    /// link: what the two were decided on is then no more, and this one is decided about anew once that is stored. `moved`
    /// are the links that the batch has brought something to.
    fn unless_taken(&mut self, found: LinkId, settled: Settled, moved: &mut BTreeSet<LinkId>) -> Settled {
        let written = settled.writes.iter().filter_map(|write| match write {
            Write::Link(link) if link.id != found => Some(link.id),
            _ => None,
        });
        let written: BTreeSet<LinkId> = written.collect();
        if !written.is_disjoint(moved) {
            self.heirs.insert(found);
            return Settled::default();
        }
        moved.extend(written);
        settled
    }

    /// The link whose record is gone, when a new record says what that one said last: nobody has edited it, and nobody else
    /// can be meant. It has got another name.
    fn same_under_another_name<'l>(
        &self,
        candidate: &Candidate,
        likeness: &'l Likeness,
        ids: &[ContactId],
    ) -> Option<&'l Link> {
        let [id] = ids else { return None };
        let link = likeness.links.get(id).filter(|link| link.state == LinkState::Bound)?;
        matches!(link.seen, Some(Sighting::Gone { .. })).then_some(())?;
        let base = link.base.as_ref()?;
        same_content(self.deps.remote.codec(), base.store.kind(), &base.remote, &candidate.wire).then_some(link)
    }

    /// Whether what follows from a record that is gone waits for a person, or for its time.
    fn is_undecided_for_long(&self, likeness: &Likeness, ids: &[ContactId]) -> bool {
        let grace = self.order.promise.delete.grace;
        let waits = |link: &Link| match link.seen {
            Some(Sighting::Gone { at }) => link.parked.is_some() || self.now().since(at) < grace,
            _ => false,
        };
        ids.iter().filter_map(|id| likeness.links.get(id)).any(waits)
    }

    async fn candidates(&mut self, links: &[&Link]) -> Result<Vec<Candidate>, EngineError> {
        let codec = self.deps.remote.codec();
        let read: Vec<(&Link, &serde_json::Value, Vec<Tag>)> = links
            .iter()
            .filter_map(|link| match &link.seen {
                Some(Sighting::Present { wire, .. }) => Some((*link, wire, codec.tags(wire))),
                _ => None,
            })
            .collect();
        let tokens: Vec<LinkToken> = read.iter().flat_map(|(_, _, tags)| tags).map(|tag| tag.token.clone()).collect();
        let originals: BTreeMap<LinkToken, Link> = self.links_of_tokens(&tokens).await?.into_iter().collect();
        let unknown = tokens.iter().filter(|token| !originals.contains_key(*token)).cloned().collect();
        let derived = self.contacts_of_tokens(&unknown).await?;
        let formers: Vec<LinkId> = links.iter().filter_map(|link| Some(link.former.as_ref()?.link)).collect();
        let formers = self.deps.store.links(&formers).await.doing("reading links")?;
        let formers: BTreeMap<LinkId, Link> = formers.into_iter().map(|link| (link.id, link)).collect();
        let candidate = |(link, wire, tags): (&Link, &serde_json::Value, Vec<Tag>)| {
            let is_other = |original: &&Link| {
                original.account == link.account && original.id != link.id && original.contact.is_some()
            };
            // Of a record that was merged, the tag of a link as it is now says more than that of a former life.
            let is_present = |tag: &&Tag| originals.get(&tag.token).is_some_and(|link| link.token == tag.token);
            let tag = tags.iter().find(is_present).or(tags.first()).cloned();
            let tagged = tag.as_ref().and_then(|tag| derived.get(&tag.token)).copied();
            let named = tag.as_ref().and_then(|tag| originals.get(&tag.token)).filter(is_other);
            let remembered = || formers.get(&link.former.as_ref()?.link).filter(is_other);
            let original = match named {
                Some(original) => Some(Original { link: original.clone(), tag }),
                None => remembered().map(|original| Original { link: original.clone(), tag: None }),
            };
            let reading = codec.read(wire, codec.kind(wire));
            Candidate { link: link.clone(), reading, wire: wire.clone(), original, tagged }
        };
        Ok(read.into_iter().map(candidate).collect())
    }

    async fn likeness(&self, found: &[Candidate]) -> Result<Likeness, EngineError> {
        let home = self.order.promise.home;
        let keys: BTreeSet<MatchKey> =
            found.iter().flat_map(|candidate| face(&candidate.reading, home).search_keys(home)).collect();
        let store = self.deps.store;
        let mut by_key: BTreeMap<MatchKey, BTreeSet<ContactId>> = BTreeMap::new();
        for (key, id) in store.contacts_with_keys(&keys).await.doing("looking for twins")? {
            by_key.entry(key).or_default().insert(id);
        }
        let said = found.iter().filter_map(|candidate| self.answers.contact_of(candidate.link.remote.as_ref()?));
        let tagged = found.iter().filter_map(|candidate| candidate.tagged);
        let ids: BTreeSet<ContactId> = by_key.values().flatten().copied().chain(said).chain(tagged).collect();
        let ids: Vec<ContactId> = ids.into_iter().collect();
        let links = store.links_of_contacts(&self.order.promise.account, &ids).await.doing("reading links")?;
        let contacts = store.contacts(&ids).await.doing("reading contacts")?;
        let let_go = links.iter().filter(|link| was_let_go(link)).filter_map(|link| link.contact).collect();
        Ok(Likeness {
            home,
            by_key,
            contacts: contacts.into_iter().map(|contact| (contact.id, contact)).collect(),
            links: links.into_iter().filter_map(|link| Some((link.contact?, link))).collect(),
            let_go,
        })
    }

    async fn sent_for(&self, found: &[Candidate]) -> Result<BTreeMap<Marker, Sent>, EngineError> {
        let markers: Vec<Marker> =
            found.iter().filter_map(|candidate| Some(candidate.original.as_ref()?.tag.as_ref()?.marker)).collect();
        let sent = self.deps.store.sent(&markers).await.doing("reading what was sent")?;
        Ok(sent.into_iter().map(|sent| (sent.marker, sent)).collect())
    }

    /// The contacts with a record of their own that a new one looks like, unless this run knows whether those are still
    /// there. Of contacts that came in with this run that is known.
    fn unasked(&self, likeness: &Likeness, reading: &Reading) -> Option<BTreeSet<ContactId>> {
        let mut ids = likeness.rivals(reading);
        ids.retain(|id| !self.asked.contains(id) && !self.newborn.contains(id));
        Some(ids).filter(|ids| !ids.is_empty())
    }

    fn ask_for_rivals(&mut self, likeness: &Likeness, ids: &BTreeSet<ContactId>) -> Settled {
        reached::note(Situation::RivalAskedFor);
        self.asking.extend(ids);
        let suspect = |link: &Link| {
            let seen = Some(Sighting::Suspect { cause: Suspicion::Rival, at: self.now() });
            Write::Link(Box::new(Link { seen, ..link.clone() }))
        };
        Settled { writes: likeness.links_of(ids).map(suspect).collect(), ..Settled::default() }
    }

    /// Whether a record with the tag of another one is a copy that somebody made of it, with all that clients had left
    /// there. A create that went through twice carries the marker of that create, and shows up soon after it.
    /// One that was the link's own record, as its names say, is no copy.
    fn is_copy(&self, candidate: &Candidate, sent: &BTreeMap<Marker, Sent>) -> bool {
        let Some(original) = candidate.original.as_ref().filter(|_| candidate.link.former.is_none()) else {
            return false;
        };
        let (Some(tag), Some(sent)) = (&original.tag, original.sent(sent)) else { return false };
        let late = self.age(sent.at) > TWIN_WINDOW;
        // It got a write that the link's own record has never had: it was that before another one stood in for it.
        let known = original.link.base.as_ref().and_then(|base| base.marker);
        if known.is_some_and(|known| known < tag.marker) {
            return false;
        }
        tag.token == original.link.token && (sent.kind != IntentKind::Create || late)
    }

    /// Whether what looks like a copy may be the record itself: under another name, while reads still show it under its
    /// former one. It waits until they must not any more. Of a record that has been gone for as long, everything shows
    /// already; one that comes by in each full listing and is left outside would wait each time.
    fn may_be_renamed(&mut self, candidate: &Candidate, sent: &BTreeMap<Marker, Sent>) -> bool {
        let is_long_gone = candidate
            .original
            .as_ref()
            .is_some_and(|Original { link, .. }| link.state == LinkState::Gone && !self.may_be_hidden(link));
        let waits = self.is_copy(candidate, sent) && self.may_be_hidden(&candidate.link) && !is_long_gone;
        self.waiting += u64::from(waits);
        waits
    }

    /// Brings back the links whose records new ones wait for, should the clock have been ahead when those were found gone:
    /// else the wait would last until it comes there again.
    fn bring_back_originals(&self, waiting: &[Candidate], moved: &mut BTreeSet<LinkId>) -> Vec<Settled> {
        let originals = waiting.iter().filter_map(|candidate| candidate.original.as_ref());
        let gone = originals.filter(|original| original.link.state == LinkState::Gone);
        let brought = gone.filter_map(|original| self.bring_back(&original.link));
        let once = brought.filter(|link| moved.insert(link.id));
        once.map(|link| Settled { writes: vec![Write::Link(Box::new(link))], ..Settled::default() }).collect()
    }

    /// Links a new record to the contact that it is, and merges both from an empty base.
    fn link_to(
        &mut self,
        candidate: Candidate,
        likeness: &Likeness,
        id: ContactId,
        held: &Held,
        organizations: &mut Organizations,
    ) -> Settled {
        let Some(contact) = likeness.contacts.get(&id).cloned() else { return Settled::default() };
        let mut writes = Vec::new();
        let found = candidate.link;
        let link = match likeness.links.get(&id) {
            // The contact was about to be created there: its link takes the record over.
            Some(waiting) => {
                writes.push(Write::DropLink(found.id));
                // Whose the record was that it had is remembered, should somebody bring that back.
                if let Some(former) = waiting.remote.clone().filter(|former| found.remote.as_ref() != Some(former)) {
                    writes.push(Write::Alias { account: waiting.account.clone(), remote: former, link: waiting.id });
                }
                Link {
                    remote: found.remote,
                    etag: found.etag,
                    remote_time: found.remote_time,
                    changed_at: found.changed_at,
                    seen: found.seen,
                    base: None,
                    state: LinkState::Bound,
                    // Nor has it the photo of one that was there before.
                    photo: Box::default(),
                    ..waiting.clone()
                }
            }
            None => Link { contact: Some(id), state: LinkState::Bound, base: None, ..found },
        };
        reached::note(Situation::LinkedToTwin);
        let pair_groups = self.pair_groups();
        let decision = Decision::about(&link, &contact, &self.rulebook(held, &pair_groups));
        let operations = super::operations_of(&link, &contact, &decision);
        if self.is_left_alone(&link, &operations) {
            return Settled::default();
        }
        let mut settled = self.apply(link, contact, decision, operations, organizations);
        writes.append(&mut settled.writes);
        settled.writes = writes;
        settled
    }

    /// Leaves a new record alone until a person has decided, and the contacts that it could be as well.
    fn doubt(&mut self, candidate: Candidate, likeness: &Likeness, ids: &[ContactId], why: &str) -> Settled {
        reached::note(Situation::DoubtfulTwin);
        self.doubted.extend(ids);
        let remote = candidate.link.remote.as_ref().map(ToString::to_string).unwrap_or_default();
        let cure = format!("contactsync match show {remote}");
        let of = |name: fn(&Likeness, &ContactId) -> String| {
            ids.iter().map(|id| name(likeness, id)).collect::<Vec<_>>().join(" or ")
        };
        let (names, ids_only) = (of(Likeness::shown), of(|_, id| id.to_string()));
        let reason = format!("{why} ({ids_only}); nothing is written until a person has decided: {cure}");
        let told = format!("doubtful: {why}, {names}; decide: {cure}");
        let contacts = ids.iter().copied().collect();
        self.leave_in_doubt(candidate, reason, told, Candidates { contacts, ..Candidates::default() })
    }

    /// Leaves a new record alone until it is settled what becomes of the contacts whose own record is gone.
    fn wait_for_rival(&mut self, candidate: Candidate, ids: &[ContactId]) -> Settled {
        self.doubted.extend(ids);
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let reason = format!(
            "it could be one whose own record is gone ({}); nothing is written until it is settled what becomes of that one",
            ids.join(", ")
        );
        self.leave_in_doubt(candidate, reason.clone(), reason, Candidates::default())
    }

    fn leave_in_doubt(
        &mut self,
        candidate: Candidate,
        reason: String,
        told: String,
        candidates: Candidates,
    ) -> Settled {
        let mut link = candidate.link;
        let operation = Operation::new(OperationKind::Conflict, Side::Store, &candidate.reading.card, told)
            .about(None, link.remote.as_ref());
        if self.is_left_alone(&link, std::slice::from_ref(&operation)) {
            return Settled::default();
        }
        let writes = self.park_doubtful(&mut link, reason, candidates);
        Settled { writes, operations: vec![operation], ..Settled::default() }
    }

    /// Forgets that a person said whose record a contact has: that is done.
    pub(crate) fn fulfilled(&self, contact: ContactId) -> Vec<Write> {
        let account = &self.order.promise.account;
        let said = self.answers.records_of(contact);
        said.map(|remote| Write::DropAnswer { account: account.clone(), contact, remote: remote.clone() }).collect()
    }

    /// Remembers a new record as somebody else's: only hashes of it are kept.
    fn leave_outside(&self, candidate: Candidate) -> Settled {
        let Candidate { link, reading, .. } = candidate;
        let Some(remote) = link.remote else { return Settled::default() };
        let keys = crate::engine::identity::stranger_keys(&self.identity, &reading);
        let stranger = crate::store::Stranger { account: link.account, remote, etag: link.etag, keys };
        Settled { writes: vec![Write::DropLink(link.id), Write::Stranger(stranger)], ..Settled::default() }
    }

    /// Takes a new record into the store as a contact of its own.
    fn import(&mut self, candidate: Candidate, organizations: &mut Organizations) -> Settled {
        if !self.pulls() || !self.adopts(&candidate.reading.groups) || candidate.reading.card.is_blank() {
            return self.leave_outside(candidate);
        }
        let Candidate { mut link, reading, wire, .. } = candidate;
        reached::note(Situation::Imported);
        let now = self.now();
        let mut card = reading.card;
        for label in self.labels_of_groups(&reading.groups) {
            card.labels.insert(label);
        }
        let operation = Operation::new(OperationKind::Create, Side::Store, &card, "new in the group in Google")
            .about(None, link.remote.as_ref())
            .changing(&Card::blank(card.kind()), &card);
        if self.is_left_alone(&link, std::slice::from_ref(&operation)) {
            return Settled::default();
        }
        let mut settled = Settled::default();
        settled.writes.extend(self.resolve_organization(&mut card, organizations));
        let mut version = VersionVector::new();
        version.tick(&self.order.promise.replica);
        let contact = Contact {
            id: ContactId::new(now, self.deps.entropy.next_u128()),
            card: card.clone(),
            version: version.clone(),
            created: now,
            updated: now,
            deleted: None,
            touched: BTreeMap::new(),
            implicit: false,
        };
        self.newborn.insert(contact.id);
        link.contact = Some(contact.id);
        link.wanted = self.groups_wanted(&card);
        link.state = LinkState::Bound;
        link.seen = None;
        link.parked = None;
        link.acked = version.clone();
        link.settled =
            if self.groups_missing(&card, &reading.groups).is_empty() { version } else { VersionVector::new() };
        let certainty = Certainty::Answered;
        link.base = Some(Base { store: card, remote: wire, marker: None, certainty, agreed: None });
        let change = self.change(contact.id, Action::Created, &Card::blank(contact.card.kind()), &contact.card);
        settled.writes.push(Write::Contact(Box::new(ContactWrite { contact, expected: None, change })));
        settled.writes.push(Write::Link(Box::new(link)));
        settled.operations.push(operation);
        settled.counted.created += 1;
        settled
    }

    /// Whether a new record is none of this run's business. Guards do not look at new records: a first meeting of two
    /// books changes every contact that both have.
    fn is_left_alone(&mut self, link: &Link, operations: &[Operation]) -> bool {
        self.ruling(link, operations, &Barred::default()) == Ruling::Leave
    }

    /// The labels that contacts get which come in through these groups.
    fn labels_of_groups(&self, groups: &BTreeSet<crate::domain::id::GroupId>) -> Vec<String> {
        let known = self.pair_groups();
        let pairs = self.order.promise.pairs.iter().enumerate();
        pairs
            .filter(|(place, _)| known.of(*place).is_some_and(|group| groups.contains(group)))
            .filter_map(|(_, pair)| pair.add_label.clone())
            .collect()
    }

    /// Folds what was edited on a doubled record into its contact; the push deletes the record then.
    async fn fold_twin(
        &mut self,
        candidate: Candidate,
        original: &Link,
        sent: Option<&Sent>,
    ) -> Result<Settled, EngineError> {
        let Candidate { mut link, wire, .. } = candidate;
        let ids: Vec<ContactId> = original.contact.into_iter().collect();
        let contacts = self.deps.store.contacts(&ids).await.doing("reading contacts")?;
        // A record that was ours once is folded against what both sides last agreed on; one that a create made twice,
        // against that create.
        let before = link.base.take().map(|base| (base.store, base.remote, base.marker));
        let before = before.or_else(|| sent.map(|sent| (sent.card.clone(), sent.wire.clone(), Some(sent.marker))));
        let (Some(mut contact), Some((base_store, base_remote, marker))) = (contacts.into_iter().next(), before) else {
            return Ok(self.doubt_twin(link, original));
        };
        let codec = self.deps.remote.codec();
        let kind = contact.card.kind();
        let mut settled = Settled::default();
        let mut agreed = base_store.clone();
        if self.pulls() && !same_content(codec, kind, &base_remote, &wire) {
            let winner = |_: &Field| Winner::Store;
            let none = BTreeSet::new();
            reached::note(Situation::TwinFolded);
            let own = rules::holds(Rule::TwinOwnPayload);
            let before = original.base.as_ref().filter(|_| !own).map_or(&base_remote, |base| &base.remote);
            let (before, after) = (codec.read(before, kind).card, codec.read(&wire, kind).card);
            let merged =
                three_way(&base_store, &before, &contact.card, &after, &Rules { winner: &winner, held: &none });
            agreed = merged.base_store;
            if merged.card != contact.card || !merged.conflicts.is_empty() || !contact.is_live() {
                let expected = contact.version.clone();
                let action = if contact.is_live() { Action::Edited } else { Action::Restored };
                let mut change = self.change(contact.id, action, &contact.card, &merged.card);
                change.conflicts = merged.conflicts;
                contact.version.tick(&self.order.promise.replica);
                for field in diff::changed_fields(&contact.card, &merged.card) {
                    contact.touched.insert(field, self.now());
                }
                contact.card = merged.card;
                contact.updated = self.now();
                contact.deleted = None;
                settled.counted.updated += 1;
                settled.writes.push(Write::Contact(Box::new(ContactWrite {
                    contact: contact.clone(),
                    expected: Some(expected),
                    change,
                })));
            }
        }
        settled.operations.push(
            Operation::new(
                OperationKind::Delete,
                Side::Remote,
                &contact.card,
                "a doubled record of ours: its edits are in the contact now",
            )
            .about(Some(contact.id), link.remote.as_ref()),
        );
        if self.is_left_alone(&link, &settled.operations) {
            return Ok(Settled::default());
        }
        let certainty = Certainty::Answered;
        let remote = if rules::holds(Rule::TwinOwnBase) { wire } else { base_remote };
        // What is edited on it later is compared with what it had by now, not with what the contact has become.
        link.base = Some(Base { store: agreed, remote, marker, certainty, agreed: None });
        link.seen = None;
        link.parked = None;
        settled.writes.push(Write::Link(Box::new(link)));
        Ok(settled)
    }

    /// A record that carries our tag, but from a write that is no longer remembered: nobody can tell what was edited.
    fn doubt_twin(&self, mut link: Link, original: &Link) -> Settled {
        let reason = format!(
            "it carries the tag of a contact that has another record ({}); delete the one that is too many in Google",
            original.remote.as_ref().map(ToString::to_string).unwrap_or_default()
        );
        Settled { writes: self.park_doubtful(&mut link, reason, Candidates::default()), ..Settled::default() }
    }

    /// Parks a link for a person; a link that is parked for the same reason already is left as it is.
    fn park_doubtful(&self, link: &mut Link, reason: String, candidates: Candidates) -> Vec<Write> {
        if link.parked.as_ref().is_some_and(|parked| parked.reason == reason && parked.candidates == candidates) {
            return Vec::new();
        }
        let since = link.parked.as_ref().filter(|parked| parked.why == ParkedWhy::Doubtful).map(|parked| parked.since);
        let (why, since) = (ParkedWhy::Doubtful, since.unwrap_or(self.now()));
        link.parked = Some(Parked { why, reason, digest: None, since, run: None, times: 0, candidates });
        vec![Write::Link(Box::new(link.clone()))]
    }
}

impl Likeness {
    /// The links of these contacts.
    fn links_of<'l>(&'l self, ids: &'l BTreeSet<ContactId>) -> impl Iterator<Item = &'l Link> {
        ids.iter().filter_map(|id| self.links.get(id))
    }

    /// The contacts that share a key with a record.
    fn sharing(&self, face: &Face<'_>) -> BTreeSet<ContactId> {
        face.search_keys(self.home).iter().filter_map(|key| self.by_key.get(key)).flatten().copied().collect()
    }

    fn faces(&self, ids: impl Iterator<Item = ContactId>) -> Vec<(ContactId, Face<'_>)> {
        ids.filter_map(|id| Some((id, Face::of(&self.contacts.get(&id)?.card, self.home)))).collect()
    }

    /// The contacts that it could be, if they had no record of their own, of which nothing new is known.
    fn rivals(&self, reading: &Reading) -> BTreeSet<ContactId> {
        let face = face(reading, self.home);
        let is_rival = |id: &ContactId| self.links.get(id).is_some_and(|link| has_record(link) && link.seen.is_none());
        let ids = self.sharing(&face);
        let rivals = ids.into_iter().filter(is_rival);
        match matching::judge(&face, &self.faces(rivals)) {
            Verdict::Alone | Verdict::Doubtful { reason: Doubt::AnotherBirthday, .. } => BTreeSet::new(),
            Verdict::Twin { id, .. } => BTreeSet::from([id]),
            Verdict::Doubtful { candidates, .. } => candidates.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// A contact as people know it.
    fn shown(&self, id: &ContactId) -> String {
        let name = self.contacts.get(id).map(|contact| contact.card.display_name()).unwrap_or_default();
        if name.is_empty() { id.to_string() } else { format!("{name} ({id})") }
    }

    /// The contact that a person said a record is, or that it says itself, unless that was overtaken: the contact is deleted,
    /// or another kind of contact, or has another record.
    fn said(&self, candidate: &Candidate, answers: &Answers) -> Option<ContactId> {
        let remote = candidate.link.remote.as_ref()?;
        let tagged = || candidate.tagged.filter(|id| !answers.part(*id, remote));
        let id = answers.contact_of(remote).or_else(tagged)?;
        let contact = self.contacts.get(&id)?;
        let has_another = self.links.get(&id).is_some_and(|link| !is_waiting(link.state) && !seems_gone(link))
            && !self.let_go.contains(&id);
        let fits = contact.is_live() && contact.card.kind() == candidate.reading.card.kind();
        (fits && !has_another).then_some(id)
    }

    /// How many of these records may take the place of each contact, or of each of several, whose own one seems to be gone.
    fn heirs(&self, found: &[Candidate], answers: &Answers) -> BTreeMap<Vec<ContactId>, u32> {
        let mut heirs = BTreeMap::new();
        for candidate in found.iter().filter(|candidate| candidate.original.is_none()) {
            if let Whose::Heir(ids) = self.whose(candidate, answers) {
                *heirs.entry(ids).or_insert(0) += 1;
            }
        }
        heirs
    }

    fn whose(&self, candidate: &Candidate, answers: &Answers) -> Whose {
        let face = face(&candidate.reading, self.home);
        let ids = self.sharing(&face);
        let state = |id: &ContactId| self.links.get(id).map(|link| link.state);
        let is_bereaved = |id: &ContactId| self.links.get(id).is_some_and(seems_gone);
        if let Some(id) = self.said(candidate, answers) {
            return match state(&id) {
                Some(LinkState::Creating) => Whose::Waits,
                _ if is_bereaved(&id) => Whose::Heir(vec![id]),
                _ => Whose::Chosen(id),
            };
        }
        let are_parted =
            |id: &ContactId| candidate.link.remote.as_ref().is_some_and(|remote| answers.part(*id, remote));
        let is_free = |id: &ContactId| state(id).is_none_or(is_waiting) || is_bereaved(id) || self.let_go.contains(id);
        let open = |id: &&ContactId| is_free(id) && !are_parted(id);
        match matching::judge(&face, &self.faces(ids.iter().filter(open).copied())) {
            Verdict::Alone => Whose::Nobody,
            // Its own record may be this very one, or another one on its way: that has to be known first.
            Verdict::Twin { id, .. } if state(&id) == Some(LinkState::Creating) => Whose::Waits,
            Verdict::Twin { id, .. } if is_bereaved(&id) => Whose::Heir(vec![id]),
            Verdict::Twin { id, .. } => Whose::Twin(id),
            Verdict::Doubtful { candidates, reason } => {
                let ids: Vec<ContactId> = candidates.into_iter().map(|(id, _)| id).collect();
                if ids.iter().any(is_bereaved) { Whose::Heir(ids) } else { Whose::Doubtful(ids, reason) }
            }
        }
    }
}

fn why_doubtful(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::SharedEvidence | Doubt::SplitEvidence => "several contacts of the store could be it",
        Doubt::AnotherBirthday => "a contact of the store shares an e-mail or a phone with it, but not the birthday",
        Doubt::AnotherGivenName => "a contact of the store shares an e-mail or a phone with it, but not the given name",
    }
}

/// Whether a contact whose link is in this state has no record yet.
fn is_waiting(state: LinkState) -> bool {
    matches!(state, LinkState::Need | LinkState::Creating)
}

/// A record as it is compared with contacts.
fn face(reading: &Reading, home: Option<HomeRegion>) -> Face<'_> {
    Face::of(&reading.card, home).told(reading.numbers.values())
}

/// The writes by which a link goes on with a record that is the same under another name.
fn take_over(candidate: &Candidate, link: &Link) -> Settled {
    let found = &candidate.link;
    let renamed = Link {
        base: link.base.clone().map(|base| Base { remote: candidate.wire.clone(), ..base }),
        remote: found.remote.clone(),
        etag: found.etag.clone(),
        remote_time: found.remote_time,
        changed_at: found.changed_at,
        seen: None,
        parked: None,
        ..link.clone()
    };
    let (account, id) = (link.account.clone(), link.id);
    let former = link.remote.clone().map(|remote| Write::Alias { account, remote, link: id });
    let mut writes = vec![Write::DropLink(found.id), Write::Link(Box::new(renamed))];
    writes.extend(former);
    Settled { writes, ..Settled::default() }
}

/// Whether a living contact has no record any more, and is not to get another one: its link was set aside because the
/// record was gone, or the record went while the contact was outside.
fn was_let_go(link: &Link) -> bool {
    let was_set_aside = link.state == LinkState::Dormant && link.seen.is_none() && link.etag.is_none();
    was_set_aside || link.state == LinkState::Gone
}

/// Whether a contact has a record, as far as is known: be it kept equal, outside, or set aside.
fn has_record(link: &Link) -> bool {
    match link.state {
        LinkState::Bound | LinkState::Unselected => true,
        LinkState::Dormant => link.etag.is_some() && link.base.is_some(),
        LinkState::Found | LinkState::Need | LinkState::Creating | LinkState::Gone => false,
    }
}

fn seems_gone(link: &Link) -> bool {
    has_record(link) && matches!(link.seen, Some(Sighting::Suspect { .. } | Sighting::Gone { .. }))
}

/// Whether a link in state `Found` is a doubled record of ours that has been folded and waits for its deletion.
pub(crate) fn is_folded_twin(link: &Link) -> bool {
    link.state == LinkState::Found && link.base.is_some() && link.seen.is_none()
}
