//! contactsync keeps a contact store and the contact groups of Google accounts equal, in both directions.

pub mod clock;
pub mod domain;
pub mod emulator;
