//! What the service manager hears: that we are ready, reload, stop, live, and how we are doing.
//!
//! Without a service manager every message goes nowhere. One that cannot be delivered is logged and forgotten: the work
//! matters more than who hears of it.
//!
//! Source: sd_notify(3) and systemd.service(5), `Type=notify` and `Type=notify-reload` (read 2026-11).

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::warn;

/// Start-up is finished, or a reload is.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] tells the end of it, whether it was accepted or not.
pub fn reloading() {
    send(&reloading_at(NotifyState::monotonic_usec_now().ok()));
}

/// We are about to stop.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// How we are doing, in one line for people.
pub fn status(line: &str) {
    // A line end would begin another assignment of the protocol.
    send(&[NotifyState::Status(&line.replace(char::is_control, " "))]);
}

/// We are alive. Only whoever sees the workers may say so, not a bare timer.
pub fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// How often the service manager wants to hear that we are alive, halved to be on the safe side; `None` when it does not
/// care.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|timeout| timeout / 2)
}

/// The time goes into the same message: systemd 253 and newer fail a reload without it.
fn reloading_at(time: Option<NotifyState<'static>>) -> Vec<NotifyState<'static>> {
    std::iter::once(NotifyState::Reloading).chain(time).collect()
}

fn send(message: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(message) {
        warn!(error = &error as &dyn std::error::Error, "the service manager cannot be told how we are doing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_is_told_together_with_its_time() {
        let now = NotifyState::monotonic_usec_now().expect("a monotonic clock");
        let message: Vec<String> = reloading_at(Some(now)).iter().map(ToString::to_string).collect();
        assert_eq!(message.len(), 2);
        assert_eq!(message[0], "RELOADING=1");
        assert!(message[1].starts_with("MONOTONIC_USEC="), "{}", message[1]);
    }
}
