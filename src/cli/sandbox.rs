//! `sandbox`: emulated remotes on loopback.

use std::net::SocketAddr;

/// Where the sandbox listens, and what is in it.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArgs {
    /// Listen here; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Fill the accounts with contacts that follow from this number
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}
