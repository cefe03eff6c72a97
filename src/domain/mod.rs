//! The ground floor: values and rules. No async, no I/O, no clock, no randomness.

pub mod id;
pub mod time;
pub mod version;
