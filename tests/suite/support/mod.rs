//! What the tests of several subjects share.

pub mod binary;
pub mod fuse;
pub mod transport;
pub mod values;
pub mod world;
