//! The long-running process: when work is due, who may do it, and how it is told to stop.
//!
//! [`schedule`] says which accounts are due and `edits` when the store was edited; [`worker`] turns a due account into a
//! run, under a lease ([`lease`]) and with the account's consent ([`vault`]). Of several daemons on one store, `watch` lets
//! one serve an account. [`lifecycle`] is what people ask for by signals, [`notify`] what the service manager hears, `pulse`
//! whether runs get ahead. [`control`] tells others how things are: `silence` says who has not been equal for too long,
//! [`metrics`] what was measured, among it what [`counted`] saw leave the process.

pub mod control;
pub mod counted;
mod edits;
pub mod lease;
pub mod lifecycle;
pub mod metrics;
pub mod notify;
mod pulse;
mod runs;
pub mod schedule;
pub mod selection;
pub mod service;
mod silence;
pub mod vault;
pub mod watch;
pub mod worker;
