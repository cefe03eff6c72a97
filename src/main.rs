//! The `contactsync` program.

fn main() {}
