//! Deciding again: what was decided on a state that moved meanwhile is decided anew, within reason.

use crate::store::StoreError;

/// How often something is decided because another process was faster.
const ATTEMPTS: usize = 5;

/// An error that may say that another process was faster.
pub(super) trait Moved {
    /// Whether it says so.
    fn is_moved(&self) -> bool;
}

impl Moved for StoreError {
    fn is_moved(&self) -> bool {
        StoreError::is_moved(self)
    }
}

/// Decides, and decides again as long as others are faster.
///
/// # Errors
/// What the last decision says.
pub(super) async fn insisting<T, E: Moved>(decide: impl AsyncFn() -> Result<T, E>) -> Result<T, E> {
    for _ in 1..ATTEMPTS {
        match decide().await {
            Err(error) if error.is_moved() => {}
            settled => return settled,
        }
    }
    decide().await
}
