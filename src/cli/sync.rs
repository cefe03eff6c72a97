//! `sync`: one cycle of every, or one, account.

/// What to synchronize.
#[derive(Debug, Clone, clap::Args)]
pub struct SyncArgs {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// List everything instead of what changed since the last run
    #[arg(long)]
    pub full: bool,
}
