//! Whether runs get ahead.
//!
//! A run tells its [`Pulse`] of every step; the daemon tells the service manager that it is alive only while no run has
//! been standing still for too long. A process whose runs hang is restarted, which is as safe as any crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::{Progress, Step};

tokio::task_local! {
    /// That of the run which the task carries out.
    static OWN: Arc<Pulse>;
}

/// How long a run may do nothing that can be seen: neither a step nor an answer. It waits longest for its budget: a batch
/// costs ten units, and one unit a minute is the least that can be configured.
pub(super) const STANDSTILL: Duration = Duration::from_secs(15 * 60);

/// Has the run that this task carries out been seen, if it carries out any.
pub(super) fn answered() {
    // Commands have no pulse.
    _ = OWN.try_with(|pulse| pulse.beat());
}

/// When a run last got ahead.
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    /// Milliseconds from then to the last step.
    beat: AtomicU64,
}

impl Pulse {
    /// Of a run that begins now.
    pub(super) fn new() -> Self {
        Pulse { begun: Instant::now(), beat: AtomicU64::new(0) }
    }

    /// Carries out a run whose pulse this is.
    pub(super) async fn of<T>(self: Arc<Self>, run: impl Future<Output = T>) -> T {
        OWN.scope(self, run).await
    }

    /// How long nothing has been seen of the run.
    pub(super) fn silence(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.beat.load(Ordering::Relaxed)))
    }

    /// How long ago the run began.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    fn beat(&self) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat.store(millis, Ordering::Relaxed);
    }
}

impl Progress for Pulse {
    fn advanced(&self, _: Step, _: u64, _: u64) {
        self.beat();
    }
}

#[cfg(test)]
impl Pulse {
    /// Of a run that began this long ago, and of which nothing was seen since.
    pub(super) fn silent_for(silence: Duration) -> Self {
        let begun = Instant::now().checked_sub(silence).expect("the machine has run for longer");
        Pulse { begun, beat: AtomicU64::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_the_silence() {
        let pulse = Pulse::silent_for(Duration::from_secs(60));
        assert!(pulse.silence() >= Duration::from_secs(60));
        pulse.advanced(Step::Reading, 1, 0);
        assert!(pulse.silence() < Duration::from_secs(30));
    }
}
