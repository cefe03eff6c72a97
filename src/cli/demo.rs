//! `demo`: everything at once, with nothing else needed.

/// How to show it. Nothing has to be said.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {}
