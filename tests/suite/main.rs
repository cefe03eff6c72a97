//! The tests that need more than one floor, in one binary with a module per subject: the real store, the real client
//! over its wire format, the emulated vendors.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod answers;
mod approvals;
mod backups;
mod batches;
mod clocks;
mod command_line;
mod config;
mod conflicts;
mod crash;
mod deletions;
mod directions;
mod done_when;
mod every_field;
mod fidelity;
mod first_link;
mod floors;
mod google;
mod groups;
mod guards;
mod identity;
mod laws;
mod lossless;
mod members;
mod merges;
mod moves;
mod phones;
mod photos;
mod preview;
mod process;
mod random;
mod reconnect;
mod recovery;
mod refusals;
mod refused_commits;
mod regressions;
mod renames;
mod resolve;
mod restores;
mod settings;
mod store;
mod strangers;
mod support;
mod sync;
mod tokens;
mod undo;
mod unreadable;
mod users;
mod volume;
mod weather;
mod wild;
