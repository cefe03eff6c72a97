//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.

pub mod account;
pub mod conflict;
pub mod contact;
pub mod date;
pub mod diff;
pub mod field;
pub mod history;
pub mod id;
pub mod link;
pub mod matching;
pub mod merge;
pub mod name;
pub mod outbox;
pub mod pair;
pub mod policy;
pub mod run;
pub mod time;
pub mod version;
