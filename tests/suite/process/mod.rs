//! The program as its users meet it: the real binary, with Google emulated in another process.

mod accounts;
mod apply;
mod approve;
mod daemon;
mod editing;
mod exits;
mod explain;
mod imports;
mod json;
mod kill;
mod login;
mod photos;
mod plan;
mod quota;
mod remap;
mod service_account;
mod undo;
