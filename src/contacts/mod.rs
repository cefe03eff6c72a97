//! The contact store as a place to work: contacts are added, edited, deleted, restored, imported and shown.
//!
//! [`patch`] turns a card into another, [`edit`] commits what people do with all its consequences, [`entries`] the same for
//! what hangs on contacts, [`import`] takes
//! files in, [`take_back`] takes back what was done to several
//! contacts at once, [`answer`] takes what people say about who is who, [`show`] writes contacts
//! down for programs and for people.

pub mod answer;
pub mod bin;
pub mod custom;
pub mod definitions;
pub mod detail;
mod draft;
pub mod duplicates;
pub mod edit;
pub mod entries;
pub mod import;
mod insist;
pub mod merge;
pub mod patch;
pub mod show;
pub mod show_entry;
pub mod take_back;
