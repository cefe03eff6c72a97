//! What the tests of several subjects share.

pub mod effort;
pub mod fuse;
#[path = "../../simulation/sim/gated.rs"]
pub mod gated;
pub mod hands;
pub mod pictures;
pub mod process;
pub mod transport;
pub mod values;
pub mod world;
