//! The long-running process: when work is due, who may do it, and how it is told to stop.
//!
//! [`schedule`] says which accounts are due, [`lease`] who works on an account, [`lifecycle`] what people ask for by
//! signals, [`notify`] what the service manager hears. None of them knows what a run does.

pub mod lease;
pub mod lifecycle;
pub mod notify;
pub mod schedule;
