//! `plan`: what `sync` would do, and why.

/// What to plan.
#[derive(Debug, Clone, clap::Args)]
pub struct PlanArgs {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// List everything instead of what changed since the last run
    #[arg(long)]
    pub full: bool,
}
