//! A link: the claim that one contact of the store is represented in one account by one remote record.
//!
//! A link holds two of the three trees of the planner: the *base*, what each side looked like when they last agreed,
//! and the *sighting*, the remote record as last observed where that differs from the base. The third tree is the
//! contact itself. A link is *settled* when there is no sighting and nothing happened to the contact since.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Candidates;
use super::contact::Card;
use super::id::{AccountName, ContactId, Etag, GroupId, LinkId, LinkToken, Marker, RemoteId, RunId};
use super::time::Timestamp;
use super::version::VersionVector;

/// One contact of the store bound, or to be bound, to one remote record of one account.
///
/// There is at most one link for a contact in an account, and at most one for a remote record of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Chosen once.
    pub id: LinkId,
    /// The account the remote record lives in.
    pub account: AccountName,
    /// The contact; `None` only in state [`LinkState::Found`].
    pub contact: Option<ContactId>,
    /// Where in its life the link is.
    pub state: LinkState,
    /// The remote record, once there is one.
    pub remote: Option<RemoteId>,
    /// Which life of the remote record this is: it rises when the record died and had to be created again.
    pub incarnation: u32,
    /// The name of this link and incarnation that travels inside the remote record.
    pub token: LinkToken,
    /// What both sides last agreed on; `None` before the first agreement.
    pub base: Option<Base>,
    /// The contact's version that the remote is known to have seen.
    pub acked: VersionVector,
    /// The contact's version that was last found to need no work. Equal to `acked` but for changes that this account
    /// never carries (a field it cannot hold, a direction that does not push).
    pub settled: VersionVector,
    /// The remote's mark of its newest state known here; what a conditional write has to carry.
    pub etag: Option<Etag>,
    /// The remote's own time of that state. It alone orders observations of one record.
    pub remote_time: Option<Timestamp>,
    /// When we last learnt of any change of the remote record. Within the freshness window after it, that the record
    /// cannot be found proves nothing.
    pub changed_at: Timestamp,
    /// What was observed at the remote and not settled yet.
    pub seen: Option<Sighting>,
    /// A delete of our own is, or was, on its way.
    pub own_delete: bool,
    /// Why the link is not worked on until its content changes or a person decides.
    pub parked: Option<Parked>,
    /// Revision of the field map that the base was made with.
    pub map_revision: u32,
    /// The groups of pairs that the store had put the record into when both sides last agreed. What of them the contact
    /// does not belong into any more, whether it or the configuration changed, the record has to leave.
    pub wanted: BTreeSet<GroupId>,
    /// The groups of pairs that a call of ours takes the record out of, while it is not recorded what became of that. That
    /// the record is not in them is nobody's decision.
    pub leaving: BTreeSet<GroupId>,
    /// The groups that the record was in when it was last seen, or as our last write left it. Follows from `seen` and
    /// `base`; kept apart so that the members of a group can be counted.
    pub member_of: BTreeSet<GroupId>,
    /// The record of the life before, should it turn out to live on under another name; `None` in the first life. In
    /// state [`LinkState::Found`]: the record itself, when it is that of the life before of another link.
    pub former: Option<Former>,
    /// What is known of the photo on either side. Apart, because most links have nothing to tell of it.
    pub photo: Box<PhotoTrail>,
}

/// What both sides of a link last agreed on about the photo, and what became of it since.
///
/// Photos travel beside the record, one call each, and the remote makes other bytes of what it is sent. So each side has
/// a base of its own: the digest that the contact had, and the address and digest that the remote gave. The address of a
/// photo is only a hint: another one may lead to the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhotoTrail {
    /// The digest that the contact's photo had when both sides last agreed; `None` for no photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<String>,
    /// The address that the remote gave of its photo at that time; `None` for no photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The digest of the bytes at that address; `None` while they were not looked at, and for no photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<String>,
    /// The address that the remote gives of its photo now; `None` for no photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// What was found at the address that is shown, when that was looked at and is not settled yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked: Option<PhotoLook>,
    /// A change of the remote's photo that was, or may have been, sent, while its outcome is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending: Option<PhotoSending>,
    /// Why the photo is left alone until it changes on either side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<PhotoRefusal>,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoLook {
    /// The address.
    pub address: String,
    /// The digest of the bytes there.
    pub digest: String,
}

/// A change of the remote's photo on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSending {
    /// The digest of the photo that was sent; `None` when the photo was to be removed.
    pub digest: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A photo that cannot be carried over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoRefusal {
    /// The digest that the contact's photo had.
    pub ours: Option<String>,
    /// The address of the remote's photo.
    pub theirs: Option<String>,
    /// One sentence for people.
    pub reason: String,
}

impl PhotoTrail {
    /// Whether the remote's side needs a look, whatever the contact's photo is.
    pub fn is_restless(&self) -> bool {
        self.shown != self.address || self.sending.is_some() || self.served.is_some() != self.address.is_some()
    }

    /// Why the photo is left alone, while it is the same on both sides as when it was refused.
    pub fn refusal(&self, ours: Option<&str>) -> Option<&PhotoRefusal> {
        self.refused.as_ref().filter(|refused| refused.ours.as_deref() == ours && refused.theirs == self.shown)
    }
}

/// A record that was taken for gone, as both sides last agreed on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Former {
    /// The link it was the record of.
    pub link: LinkId,
    /// The name it had.
    pub remote: RemoteId,
    /// What both sides looked like.
    pub base: Base,
    /// What was known of the photo on either side.
    #[serde(default)]
    pub photo: Box<PhotoTrail>,
    /// The remote's time of the state in which we deleted it; `None` when it went by itself, or an earlier release wrote this.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

/// What both sides of a link looked like when they last agreed, each in its own language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// The contact's card.
    pub store: Card,
    /// The remote record in its wire form.
    pub remote: Value,
    /// The newest write of ours that the remote state is known to descend from.
    pub marker: Option<Marker>,
    /// Whether `remote` is what the remote said, or only what we sent because the answer was lost.
    pub certainty: Certainty,
    /// What the record would look like without the edits made there that never went into the contact, because nothing
    /// goes into the store in this direction; `None` when there are none. They are merged once the direction changes.
    pub agreed: Option<Value>,
}

impl Base {
    /// The record against which its edits are merged into the contact.
    pub fn merged(&self) -> &Value {
        self.agreed.as_ref().unwrap_or(&self.remote)
    }
}

/// How well the remote half of a base is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The remote said so.
    Answered,
    /// We sent so; the remote may have spelled it differently.
    Sent,
}

/// Where in its life a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// A remote record was found in a group; whose it is has not been decided.
    Found,
    /// The contact has to be created at the remote.
    Need,
    /// A create was sent and its outcome is not known.
    Creating,
    /// Contact and remote record belong together.
    Bound,
    /// They belong together, but the contact is no longer selected by any pair, or was deleted while its record is left
    /// alone. They are kept equal again once it is selected, or restored.
    Unselected,
    /// They belong together, but are not to be kept equal: the record was taken out of the group, a policy says so, or a
    /// person unlinked them. Only the record's return to the group, or a person, ends that.
    Dormant,
    /// The remote record is no more.
    Gone,
}

impl LinkState {
    /// The state as the database spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Found => "found",
            LinkState::Need => "need",
            LinkState::Creating => "creating",
            LinkState::Bound => "bound",
            LinkState::Unselected => "unselected",
            LinkState::Dormant => "dormant",
            LinkState::Gone => "gone",
        }
    }

    /// The state that the database spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Found, Self::Need, Self::Creating, Self::Bound, Self::Unselected, Self::Dormant, Self::Gone]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A remote record as it was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sighting")]
pub enum Sighting {
    /// It is there, and looks like this.
    Present {
        /// The record in its wire form.
        wire: Value,
        /// When it was observed.
        at: Timestamp,
    },
    /// It seems to be gone, but that has to be confirmed by a direct read.
    Suspect {
        /// What raised the suspicion.
        cause: Suspicion,
        /// Since when.
        at: Timestamp,
    },
    /// It is gone, confirmed by a direct read.
    Gone {
        /// When that was confirmed.
        at: Timestamp,
    },
}

/// Why a remote record is thought to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// The change stream says so: positive evidence.
    Tombstone,
    /// A complete listing lacks it, or a read or write did not find it: worthless inside the freshness window.
    Absence,
    /// A new record looks like it, and may be it under another name.
    Rival,
    /// It was found gone, and a listing shows a state of it that is from before or after that.
    Return,
}

/// Why a link is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The kind of trouble.
    pub why: ParkedWhy,
    /// One sentence for people.
    pub reason: String,
    /// What was refused or is held back, as a digest; something else is tried again.
    pub digest: Option<String>,
    /// The run that was the first to hold it back in this form; only for what a guard stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Since when.
    pub since: Timestamp,
    /// How often the same content was refused.
    pub times: u32,
    /// Who it may be, where a person is asked that.
    #[serde(default, skip_serializing_if = "Candidates::is_empty")]
    pub candidates: Candidates,
}

/// The kinds of trouble that park a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkedWhy {
    /// The remote refuses the content for good.
    Refused,
    /// A guard stopped the kind of operation it needs.
    Guard,
    /// Several contacts could be its twin.
    Doubtful,
}

impl Link {
    /// Whether the photos of contact and record may differ from what both sides last agreed on.
    pub fn is_photo_due(&self, card: &Card) -> bool {
        self.state == LinkState::Bound
            && (self.photo.is_restless()
                || card.photo().map(|photo| photo.digest.as_str()) != self.photo.agreed.as_deref())
    }

    /// Whether the link needs no look, given the version its contact has now.
    pub fn is_settled(&self, contact: Option<&VersionVector>) -> bool {
        let resting = match self.state {
            LinkState::Found | LinkState::Need | LinkState::Creating => false,
            LinkState::Bound | LinkState::Unselected | LinkState::Dormant | LinkState::Gone => true,
        };
        resting && self.seen.is_none() && contact.is_none_or(|version| *version == self.settled)
    }
}
