//! contactsync keeps a contact store and the contact groups of Google accounts equal, in both directions.
//!
//! The store is a full replica with its own edits, in the middle of a star: every remote is kept equal with it, never
//! with another remote. For each contact in each account a *link* remembers what both sides looked like when they last
//! agreed. A run compares that base with the store and with the remote, each in its own language, and from the two
//! differences follows everything else: what is pulled, what is pushed, where both sides changed the same field.
//!
//! ```text
//!     CSV XLSX vCard        command line
//!            \                  |
//!         formats            contacts
//!              \                |
//!            +------------------------+
//!            |         store          |   contacts, links, history, outbox
//!            +------------------------+
//!                        |
//!                     engine            observe, settle, scope, push
//!                        |
//!                     remotes           Google's People API
//! ```
//!
//! # Where to read
//!
//! One sync is told in [`engine`]; the rule about one contact in [`domain::merge`]; what is durable in [`store`]; what
//! Google is like in [`remotes::google`]. The program is put together in [`cli`] and lives in [`daemon`].
//!
//! # Who may know whom
//!
//! | floor | uses |
//! |---|---|
//! | [`domain`] | nothing of ours: values and rules, no I/O, no clock, no randomness |
//! | [`clock`], [`telemetry`] | domain |
//! | [`store`], [`remotes`], [`config`], [`formats`] | domain, clock; not each other |
//! | [`contacts`] | domain, clock, the store's trait, formats |
//! | [`engine`] | domain, clock, the traits of store and remotes; no SQL, no vendor, no HTTP |
//! | [`emulator`] | times of the domain, clock; it shares nothing with our client, so that one misreading cannot hide in both |
//! | [`daemon`] | engine, store, remotes, config |
//! | [`web`] | what the daemon tells, its part of the configuration; no SQL, no vendor |
//! | [`cli`] | everything; it only builds and calls |
//!
//! A test reads the sources and fails on a use that is not in this table.

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
pub mod web;
