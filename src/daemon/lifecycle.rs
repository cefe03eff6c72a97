//! What people ask the process for by signals.
//!
//! Each kind of signal is listened to on its own, so that none is lost when several arrive at once. Of one kind, those
//! that arrive before anybody looked count as one, as the operating system does it too; only for stopping does the
//! number matter, and between two of those somebody waits.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Finish the request in flight, record it, stop (SIGTERM, SIGINT).
    StopSoon,
    /// Stop at once (a second SIGTERM or SIGINT).
    StopNow,
    /// Synchronize every account now, incrementally (SIGUSR1).
    Resync,
    /// Synchronize every account now, in full (SIGUSR2).
    ResyncFull,
    /// Read the configuration again (SIGHUP).
    Reload,
}

/// The signals of this process, as requests.
#[derive(Debug)]
pub struct Requests {
    terminate: Signal,
    interrupt: Signal,
    resync: Signal,
    resync_full: Signal,
    reload: Signal,
    stopping: Stopping,
}

/// Whether somebody asked to stop already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopping {
    NotYet,
    Asked,
}

impl Stopping {
    /// What one more request to stop means.
    fn asked_again(&mut self) -> Request {
        match std::mem::replace(self, Stopping::Asked) {
            Stopping::NotYet => Request::StopSoon,
            Stopping::Asked => Request::StopNow,
        }
    }
}

impl Requests {
    /// Listens from now on. The signals no longer end the process by themselves.
    ///
    /// # Errors
    /// What the operating system says when it refuses a handler.
    pub fn listen() -> io::Result<Requests> {
        Ok(Requests {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            resync: signal(SignalKind::user_defined1())?,
            resync_full: signal(SignalKind::user_defined2())?,
            reload: signal(SignalKind::hangup())?,
            stopping: Stopping::NotYet,
        })
    }

    /// The next request. When several wait, stopping comes first, reloading next: what is synchronized after it, is
    /// synchronized as the new configuration says.
    ///
    /// # Cancellation
    /// Safe to drop: nothing that arrived is lost.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => self.stopping.asked_again(),
            _ = self.interrupt.recv() => self.stopping.asked_again(),
            _ = self.reload.recv() => Request::Reload,
            _ = self.resync_full.recv() => Request::ResyncFull,
            _ = self.resync.recv() => Request::Resync,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    fn send(signals: &[&str]) {
        let me = std::process::id();
        let script: Vec<String> = signals.iter().map(|signal| format!("kill -{signal} {me}")).collect();
        assert!(Command::new("sh").arg("-c").arg(script.join("; ")).status().expect("a shell").success());
    }

    async fn next(requests: &mut Requests) -> Request {
        tokio::time::timeout(Duration::from_secs(20), requests.next()).await.expect("a request")
    }

    #[tokio::test]
    async fn signals_become_requests_and_none_is_lost_when_several_arrive_at_once() {
        let mut requests = Requests::listen().expect("listening");
        send(&["USR1", "USR2", "HUP", "INT"]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(next(&mut requests).await);
        }
        seen.sort_by_key(|request| format!("{request:?}"));
        assert_eq!(seen, [Request::Reload, Request::Resync, Request::ResyncFull, Request::StopSoon]);
        send(&["TERM"]);
        assert_eq!(next(&mut requests).await, Request::StopNow, "the second request to stop, of whichever kind");
    }
}
