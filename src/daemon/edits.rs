//! Hears of edits in the store, whoever makes them.
//!
//! Other processes edit the store too: commands, a restored backup. So the daemon asks the store, several times a second,
//! how long its change feed is; that is one row. What was edited within a short while is gathered, so that it travels in
//! one batch, and leaves within a second of its commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::engine::chain;
use crate::store::Store;

/// How often the store is asked.
const LOOK: Duration = Duration::from_millis(150);
/// For how long edits are gathered, counted from the first one that was seen.
const GATHER: Duration = Duration::from_millis(500);

/// The end of the change feed, followed.
pub(super) struct Edits {
    clock: Arc<dyn Clock>,
    end: u64,
    since: Option<Instant>,
}

impl Edits {
    /// Has heard of nothing yet: what is in the feed already counts as new.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Edits { clock, end: 0, since: None }
    }

    /// Nothing came of the last ones: they are told once more.
    pub(super) fn tell_again(&mut self) {
        self.end = 0;
    }

    /// Waits until something was edited, and a little longer. Returns how long the feed is.
    ///
    /// # Cancellation
    /// Safe to drop: what was seen is remembered.
    pub(super) async fn gathered(&mut self, store: &dyn Store) -> u64 {
        loop {
            self.clock.sleep(LOOK).await;
            match store.feed_end().await {
                // It is shorter when the store was put back from a backup.
                Ok(end) if end != self.end => {
                    self.end = end;
                    self.since.get_or_insert_with(Instant::now);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(error = %chain(&error), "the change feed cannot be read"),
            }
            if self.since.is_some_and(|since| since.elapsed() >= GATHER) {
                self.since = None;
                return self.end;
            }
        }
    }
}
