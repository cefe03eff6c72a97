//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.

pub mod contact;
pub mod date;
pub mod diff;
pub mod digest;
pub mod field;
pub mod id;
mod item;
pub mod matching;
pub mod merge;
mod merge_rows;
mod merge_set;
pub mod name;
pub mod normal;
pub mod policy;
pub mod time;
pub mod version;
