//! `demo`: everything at once, with nothing else needed.

/// How to show it. Nothing has to be said.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {}

use super::exit::Exit;
use super::output::Output;
pub async fn demo(_args: &DemoArgs, _out: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("x")
}
