//! Google contacts over the People API.
//!
//! The translation is pure: `wire` is what is kept of Google's JSON, [`GoogleCodec`] puts the fields together, and
//! each field has its file (`name`, `company`, `items`, `address`, `dates`, `notes`, `custom`, `groups`, `tag`).
//! Changes are carried over by `list` and `draft`, so that what did not change stays as Google spelled it.
//!
//! [`Google`] is the account over the network: `request` spells a call, `client` sends it and tries again where that is
//! harmless, `errors` says what a refusal means, and the endpoints stand in `people` (reading), `batch` (writing,
//! with `answers` for what became of each contact), `photos` and `labels` (groups). Other contacts and the directory are
//! deliberately absent.

mod address;
mod answers;
mod batch;
mod client;
mod codec;
mod company;
mod custom;
mod dates;
mod draft;
mod errors;
mod groups;
mod items;
mod labels;
mod list;
mod losses;
mod mapping;
mod name;
mod notes;
mod people;
mod photos;
mod remote;
mod request;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod wire;

pub use client::{Google, GoogleOptions};
pub use codec::GoogleCodec;
pub use labels::FilledGroup;
pub use mapping::{Mapping, MappingError, ParseTargetError, Target};
pub use request::units_of_writes;
