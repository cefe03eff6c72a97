//! The program as its users meet it: the real binary, with Google emulated in another process.

mod accounts;
mod apply;
mod approve;
mod backups;
mod daemon;
mod discretion;
mod doctor;
mod editing;
mod exits;
mod explain;
mod faults;
mod forget;
mod health;
mod imports;
mod json;
mod kill;
mod login;
mod matches;
mod photos;
mod plan;
mod quota;
mod remap;
mod secrets;
mod service_account;
mod undo;
