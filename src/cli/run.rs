//! `run`: the daemon in the foreground.

/// How to run. Everything is said by the configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {}

use super::desk::Desk;
use super::exit::Exit;
pub async fn run(_args: &RunArgs, _desk: &Desk) -> anyhow::Result<Exit> {
    anyhow::bail!("x")
}
