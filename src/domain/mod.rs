//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.

pub mod contact;
pub mod date;
pub mod field;
pub mod id;
pub mod name;
pub mod time;
pub mod version;
