//! What the tests of several subjects share.

pub mod effort;
pub mod fuse;
#[path = "../../simulation/sim/gated.rs"]
pub mod gated;
pub mod hands;
#[path = "../../simulation/sim/in_process.rs"]
pub mod in_process;
pub mod manners;
pub mod pictures;
pub mod process;
pub mod transport;
pub mod values;
pub mod world;
