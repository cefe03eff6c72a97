//! What the tests of several subjects share.

pub mod binary;
pub mod effort;
pub mod fuse;
pub mod hands;
pub mod process;
pub mod transport;
pub mod values;
pub mod world;
