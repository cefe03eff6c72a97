//! One-shot commands stop as the daemon does: the first signal lets the request in flight finish and be recorded, the
//! second one stops at once.

use tokio::signal::unix::{SignalKind, signal};

use crate::engine::StopFlag;

/// The exit code of a process that a signal ends at once: 128 and the number of SIGINT.
const ABORTED: i32 = 130;

/// A flag that SIGINT or SIGTERM raises.
pub fn on_signals() -> StopFlag {
    let flag = StopFlag::default();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let flag = flag.clone();
        // Without a handler the signal does what it always does: the process ends, which is as safe as a crash.
        let Ok(mut signals) = signal(kind) else { continue };
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if flag.is_stopped() {
                    std::process::exit(ABORTED);
                }
                flag.stop();
            }
        });
    }
    flag
}

/// Waits for SIGINT or SIGTERM. They are listened to from the call on, not only from the first poll: whoever is told
/// that the process is ready may ask it to stop at once.
pub fn signalled() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            // Without handlers the signal ends the process, which is what the caller waits for.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
