//! The vendors, seen through two traits: a [`Remote`] lists, fetches and writes records over the network; a [`Codec`]
//! translates between a record's wire form and our cards, without any I/O.
//!
//! Above this floor a record's wire form is opaque: it is stored, compared through [`Codec::read`], and handed back as
//! the starting point of the next write, so that what the domain does not model survives an update.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use crate::domain::account::Cursor;
use crate::domain::budget::Budget;
use crate::domain::contact::{Card, Kind};
use crate::domain::id::{ChangeToken, Etag, GroupId, LinkToken, Marker, RemoteId};
use crate::domain::time::Timestamp;

pub mod consent;
pub mod error;
pub mod google;
pub mod http;
pub mod id_token;
pub mod oauth;
pub mod quota;
pub mod retry;
#[cfg(test)]
mod scripted;
pub mod service_account;
pub mod token_cache;

pub use error::{ItemError, Recovery, RemoteError};

/// A remote record as it was listed, fetched or answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: RemoteId,
    /// Ids it had before, when the remote says so.
    pub former_ids: Vec<RemoteId>,
    /// The remote's mark of this revision, independent of what was asked for.
    pub etag: Option<Etag>,
    /// The remote's own time of this revision.
    pub time: Option<Timestamp>,
    /// Whether it is there.
    pub presence: Presence,
    /// Our tag, when it carries one; of several, that of the latest write until it is known whose the record is.
    pub tag: Option<Tag>,
    /// All tags of ours that it carries, the latest write first: records that were merged carry several.
    pub tags: Vec<Tag>,
    /// The groups it is a member of.
    pub groups: BTreeSet<GroupId>,
    /// Its wire form; an empty object for a deleted record.
    pub wire: Value,
}

/// Whether a record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum Presence {
    Present,
    Deleted,
}

/// What we leave in a remote record: whose it is, and which of our writes it descends from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The link.
    pub token: LinkToken,
    /// The epoch of the store that wrote it.
    pub epoch: u32,
    /// The write.
    pub marker: Marker,
}

/// A request for one page of a change stream.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// From where; `None` lists everything.
    pub since: Option<ChangeToken>,
    /// The page; `None` is the first.
    pub page: Option<String>,
}

/// One page of the stream of contacts.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The records, in no promised order; deleted ones only with a token.
    pub records: Vec<Record>,
    /// The next page; `None` on the last one.
    pub next_page: Option<String>,
    /// Where to continue another day; only on the last page.
    pub next_token: Option<ChangeToken>,
    /// How many contacts the remote says there are; only meaningful for a full listing.
    pub total: Option<u64>,
    /// Contacts of the page that cannot be read, named for people. Where there are any, the page proves nobody absent, and
    /// the listing is not to be continued from its token.
    pub unreadable: Vec<String>,
}

/// What direct reads said. Records that are in neither are not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fetched {
    /// The records that are there, by the id that was asked for.
    pub records: BTreeMap<RemoteId, Record>,
    /// Ids of which cannot be told whether there is a record, or what it looks like: nothing follows from them.
    pub unclear: BTreeSet<RemoteId>,
}

/// One page of the groups.
#[derive(Debug, Clone)]
pub struct GroupPage {
    /// The groups.
    pub groups: Vec<Group>,
    /// The next page; `None` on the last one.
    pub next_page: Option<String>,
}

/// A remote group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The remote's mark of its revision; system groups have none.
    pub etag: Option<Etag>,
    /// How many members it has.
    pub members: u64,
    /// Whether it is the remote's own group, which cannot be renamed or deleted.
    pub ownership: GroupOwnership,
    /// Whether it is there.
    pub presence: Presence,
}

/// Whose group it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says it")]
pub enum GroupOwnership {
    User,
    System,
}

/// The kinds of writes of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the write of that name")]
pub enum WriteKind {
    Create,
    Update,
    Delete,
    Photo,
}

/// A record to be updated.
#[derive(Debug, Clone)]
pub struct Update {
    /// The record.
    pub id: RemoteId,
    /// The revision it must still have.
    pub etag: Etag,
    /// Its wire form as it is to be.
    pub wire: Value,
}

/// What became of records that were to be created.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Created {
    /// Those that were, in no promised order: match them by tag.
    pub records: Vec<Record>,
    /// Those that the remote refused while it created the others, by their place in the request.
    pub refused: BTreeMap<usize, ItemError>,
}

/// What became of records that were to be updated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Updated {
    /// Those that were and that the remote showed, by the id asked for.
    pub records: BTreeMap<RemoteId, Record>,
    /// Those that the remote refused while it updated the others, by their place in the request.
    pub refused: BTreeMap<usize, ItemError>,
    /// Those of which the remote does not say whether they were updated, by their place in the request.
    pub unknown: BTreeSet<usize>,
}

/// What became of a change of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersChanged {
    /// Records that were not found.
    pub missing: BTreeSet<RemoteId>,
    /// Records that could not be removed because it was their last group.
    pub kept: BTreeSet<RemoteId>,
}

/// A record read into our terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it says.
    pub card: Card,
    /// The groups it is a member of.
    pub groups: BTreeSet<GroupId>,
    /// The numbers that the remote takes phones of the card for, in E.164, by the value in the card; those where that does
    /// not follow from the value.
    pub numbers: BTreeMap<String, String>,
}

/// A record that a change of the card turns into another.
#[derive(Debug, Clone, PartialEq)]
pub struct Recomposed {
    /// The wire form as it is to be.
    pub wire: Value,
    /// The fields that have to be replaced, as the remote names them, in a fixed order.
    pub mask: Vec<String>,
}

/// Translates between wire forms and cards. Pure.
pub trait Codec: Send + Sync {
    /// Names what is read and written where: another number when a release or a configuration lets fields travel
    /// differently.
    fn map_revision(&self) -> u32;

    /// Which kind of contact a record that was never linked describes.
    fn kind(&self, wire: &Value) -> Kind;

    /// Reads a record as a contact of this kind. What the card cannot express is left out, and is kept by
    /// [`Codec::recompose`].
    fn read(&self, wire: &Value, kind: Kind) -> Reading;

    /// The groups that a record is a member of.
    fn groups(&self, wire: &Value) -> BTreeSet<GroupId>;

    /// Our tags in a record, the latest write first: records that were merged carry several.
    fn tags(&self, wire: &Value) -> Vec<Tag>;

    /// Our tag in a record, when it carries one: that of the latest write.
    fn tag(&self, wire: &Value) -> Option<Tag> {
        self.tags(wire).into_iter().next()
    }

    /// A new record that says what the card says, as far as the remote can hold it.
    fn compose(&self, card: &Card, groups: &BTreeSet<GroupId>, tag: &Tag) -> Value;

    /// The record after the change that leads from card `from` to card `to`; everything else stays as it is spelled in
    /// `wire`. `groups` is the complete set of groups it is to have; `None` leaves them alone. The tag is always
    /// replaced, and named in the mask.
    ///
    /// `None` when the remote can hold nothing of the change: there is nothing to send.
    fn recompose(
        &self,
        wire: &Value,
        from: &Card,
        to: &Card,
        groups: Option<&BTreeSet<GroupId>>,
        tag: &Tag,
    ) -> Option<Recomposed>;

    /// A new record in the place of one that is gone: what that one was when both sides agreed on it, with the change that
    /// leads from card `from` to card `to`, in exactly these groups. What a card cannot hold comes back as it was.
    fn compose_again(&self, wire: &Value, from: &Card, to: &Card, groups: &BTreeSet<GroupId>, tag: &Tag) -> Value;

    /// The address of the record's photo; `None` when it has none of its own. The same photo may get another address, and
    /// another photo always does.
    fn photo(&self, wire: &Value) -> Option<String>;

    /// The record with exactly these groups, everything else as it is.
    fn with_groups(&self, wire: &Value, groups: &BTreeSet<GroupId>) -> Value;

    /// The values of the card that the remote cannot hold, one sentence each.
    fn losses(&self, card: &Card) -> Vec<String>;
}

/// One account of a vendor, over the network. Reads may run side by side; writes are sent one after the other.
///
/// # Errors
/// Every method fails with the [`RemoteError`] that says what to do next; see [`RemoteError::recovery`]. Reads are
/// retried inside; a write is retried inside only when the remote has certainly not carried it out.
///
/// # Cancellation
/// Dropping a read is harmless. Dropping a write leaves its outcome unknown, as a lost answer does.
#[async_trait]
pub trait Remote: Send + Sync {
    /// The translator of this vendor's records.
    fn codec(&self) -> &dyn Codec;

    /// Hash of everything that a stored cursor of contacts depends on.
    fn contacts_template(&self) -> String;

    /// The user the grant belongs to, as the remote names it, with the e-mail address when it tells one. Costs no call
    /// when the grant itself says so.
    async fn user(&self) -> Result<RemoteUser, RemoteError>;

    /// From now on, nothing is sent in the name of anybody but this user, as far as the grant tells whose it is: calls
    /// fail with [`RemoteError::AnotherUser`] then. Costs no call.
    fn expect_user(&self, id: &str);

    /// One page of changed, or of all, contacts.
    ///
    /// The listing can lag behind our own writes by minutes. [`RemoteError::TokenExpired`]: list everything instead.
    async fn list_records(&self, request: &PageRequest) -> Result<RecordPage, RemoteError>;

    /// Reads records directly. At most 200 ids. A record that was renamed stands under the id that was asked for.
    async fn fetch_records(&self, ids: &[RemoteId]) -> Result<Fetched, RemoteError>;

    /// Waits until a write of so many records could be sent at once: budget, pause and access token are there. A write
    /// that waits after it was committed would leave its outcome open for as long, should the process end.
    async fn make_ready(&self, kind: WriteKind, records: usize) -> Result<(), RemoteError>;

    /// Creates records. At most [`BatchLimits::create`] of them. A record that is missing in the answer was not named
    /// by the remote: its outcome is unknown.
    async fn create_records(&self, wires: &[Value]) -> Result<Created, RemoteError>;

    /// Replaces the fields of the mask in each record. At most [`BatchLimits::update`] of them. Of a record that is
    /// missing in the answer nothing is known; it has to be read.
    async fn update_records(&self, mask: &[String], updates: &[Update]) -> Result<Updated, RemoteError>;

    /// Deletes records. At most [`BatchLimits::delete`] of them. Deleting a missing one is [`RemoteError::Missing`] or
    /// succeeds.
    async fn delete_records(&self, ids: &[RemoteId]) -> Result<(), RemoteError>;

    /// Gives a record a photo, whatever it had. Answers with the record as it is then. The remote serves other bytes than
    /// these.
    async fn put_photo(&self, id: &RemoteId, bytes: &[u8]) -> Result<Record, RemoteError>;

    /// Takes the photo of a record away. Answers with the record as it is then.
    async fn remove_photo(&self, id: &RemoteId) -> Result<Record, RemoteError>;

    /// Fetches the photo at an address that a record gave. [`RemoteError::Missing`] when nothing is there (any more),
    /// [`RemoteError::Refused`] when the address must not be asked or what is there is no photo.
    async fn download_photo(&self, address: &str) -> Result<Bytes, RemoteError>;

    /// One page of all groups; `None` asks for the first.
    async fn list_groups(&self, page: Option<&str>) -> Result<GroupPage, RemoteError>;

    /// One group. [`RemoteError::Missing`] when there is none of that id.
    async fn group(&self, group: &GroupId) -> Result<Group, RemoteError>;

    /// Creates a group. [`RemoteError::Exists`] when there is one of that name: list the groups and take that one.
    async fn create_group(&self, name: &str) -> Result<Group, RemoteError>;

    /// The records in a group, in no promised order. Some may be missing: the answer proves who is in, not who is out.
    /// [`RemoteError::Missing`] when there is no such group.
    async fn group_members(&self, group: &GroupId) -> Result<Vec<RemoteId>, RemoteError>;

    /// Adds records to a group and removes others from it; at most [`BatchLimits::members`] in all.
    async fn change_members(
        &self,
        group: &GroupId,
        add: &[RemoteId],
        remove: &[RemoteId],
    ) -> Result<MembersChanged, RemoteError>;

    /// The group that everything visible in the address book is a member of.
    fn common_group(&self) -> GroupId;

    /// The most that one call takes.
    fn limits(&self) -> BatchLimits;

    /// The fewest records for which a batch is cheaper than single calls; more than any number where only single calls are
    /// affordable.
    fn batch_from(&self, kind: WriteKind) -> usize;

    /// How many calls were made so far, for the summary.
    fn calls(&self) -> u64;

    /// What is left of the request budget, for the next process; `None` when there is none.
    fn budget(&self) -> Option<Budget>;

    /// Goes on with a budget that another process has left, unless the own one is newer.
    fn resume_budget(&self, budget: &Budget);

    /// By how much the remote's clock is ahead of ours, in milliseconds, as its last answer showed; `None` before.
    fn clock_ahead_ms(&self) -> Option<i64>;
}

/// The user behind a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUser {
    /// As the remote names the user.
    pub id: String,
    /// The address, when the remote tells it.
    pub email: Option<String>,
}

/// The most that one call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each number is the limit of that call")]
pub struct BatchLimits {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
    pub fetch: usize,
    pub members: usize,
}

/// How long after the last change of a record it proves nothing that the record cannot be found: the time a request may
/// take, the time a write may land late, the remote's propagation delay, and a margin.
pub const FRESHNESS_WINDOW: Duration = Duration::from_secs(15 * 60);

/// A cursor usable with a request template, or a reason to list everything.
pub fn usable_cursor<'a>(cursor: Option<&'a Cursor>, template: &str) -> Option<&'a Cursor> {
    cursor.filter(|cursor| cursor.template == template)
}
