//! The contact store as a place to work: contacts are added, edited, deleted, restored, imported and shown.
//!
//! [`patch`] turns a card into another, [`edit`] commits what people do with all its consequences, [`import`] takes
//! files in, [`undo_import`] takes that back, [`answer`] takes what people say about who is who, [`show`] writes contacts
//! down for programs and for people.

pub mod answer;
mod draft;
pub mod edit;
pub mod import;
pub mod patch;
pub mod show;
pub mod undo_import;
