//! What the tests of several subjects share.

pub mod fuse;
pub mod process;
pub mod transport;
pub mod values;
pub mod world;
