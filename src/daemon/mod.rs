//! The long-running process.

pub mod lease;
pub mod vault;
pub mod worker;
