//! The tests that need more than one floor: real store, real client, emulated vendors.

#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

mod crash;
mod google;
mod random;
mod support;
mod sync;
