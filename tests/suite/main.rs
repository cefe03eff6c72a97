//! The integration tests: one binary, one module per subject.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod store;
mod support;
