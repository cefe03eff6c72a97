//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.

pub mod account;
pub mod conflict;
pub mod contact;
pub mod date;
pub mod diff;
pub mod digest;
pub mod field;
#[cfg(test)]
pub(crate) mod generate;
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
pub mod policy;
pub mod run;
pub mod time;
pub mod version;
