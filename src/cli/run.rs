//! `run`: the daemon in the foreground.

/// How to run. Everything is said by the configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {}
