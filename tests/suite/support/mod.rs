//! What the tests share.

pub mod fuse;
pub mod transport;
pub mod world;
