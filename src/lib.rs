//! contactsync keeps a contact store and the contact groups of Google accounts equal, in both directions.

pub mod cli;
pub mod clock;
pub mod config;
pub mod contacts;
pub mod daemon;
pub mod domain;
pub mod emulator;
pub mod engine;
pub mod formats;
pub mod remotes;
pub mod store;
pub mod telemetry;
