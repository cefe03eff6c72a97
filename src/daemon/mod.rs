//! The long-running process: when work is due, who may do it, and how it is told to stop.
//!
//! [`schedule`] says which accounts are due, [`worker`] turns a due account into a run, under a lease ([`lease`]) and
//! with the account's consent ([`vault`]). Of several daemons on one store, `watch` lets one serve an account. [`lifecycle`] is what people ask for by signals, [`notify`] what the service
//! manager hears.

pub mod lease;
pub mod lifecycle;
pub mod notify;
pub mod schedule;
pub mod service;
pub mod vault;
pub mod watch;
pub mod worker;
