//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.
//!
//! A [`contact`] is a card under an identity, with a [`version`] that says what it has seen. Each replica holds cards;
//! what two replicas hold is compared in [`normal`] form and shortened to a [`digest`]. A card that was never linked
//! finds its twin by [`matching`], phones by the number that a spelling means ([`dialling`]), or by what a person says
//! ([`answer`]); from then on changes are found by [`diff`] against what both sides last agreed on,
//! and brought together by [`merge`]. People look for contacts with a [`search`] or a [`filter`]; a filter also says who is
//! kept equal with a group.
//!
//! One merge worked through. Both sides agreed on the phone `030 1234567` (home). In the store it became `work`; at the
//! remote somebody put the country in front, `+49 30 1234567`, and added a note. The remote's phone is another value
//! under the old label where one is missing, so it is the same phone, edited; the store edited its label. The new card
//! has one phone, `+49 30 1234567` (work), and the note. The new base has that phone as `home`, which is what the remote
//! holds; the difference between base and card, the label, is what has to be written there. Had both sides changed the
//! label, the account's [`policy`] would decide, and the other value would be reported as lost.

pub mod account;
pub mod answer;
pub mod budget;
pub mod conflict;
pub mod contact;
pub mod custom_field;
pub mod date;
pub mod dialling;
pub mod diff;
pub mod digest;
pub mod duplicates;
pub mod entry;
pub mod field;
pub mod filter;
#[cfg(test)]
pub(crate) mod generate;
pub mod harm;
pub mod history;
pub mod id;
mod item;
pub mod link;
pub mod matching;
pub mod merge;
#[cfg(test)]
mod merge_laws;
mod merge_rows;
mod merge_set;
#[cfg(test)]
mod merge_table;
pub mod name;
pub mod normal;
pub mod outbox;
pub mod pair;
pub mod photo;
pub mod policy;
pub mod run;
pub mod search;
pub mod taking_back;
pub mod time;
pub mod unite;
pub mod version;
