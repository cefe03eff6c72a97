//! The contact store as a place to work.

pub mod import;
