//! The program as its users meet it: a process with arguments, files, signals and an exit code, and beside it another
//! process that emulates Google.
//!
//! [`Program`] is one process, [`Sandbox`] the emulated Google with its control API, [`Home`] a user's folder with
//! configuration and store.

mod home;
mod program;
mod sandbox;

pub use home::{Home, fixtures};
pub use program::{BOUND, Program, Ran};
pub use sandbox::{ACCOUNT, Answer, Sandbox, ask};
