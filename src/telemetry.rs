//! The log: where lines go, in which form, and from which level on.
//!
//! Lines go to stderr as text or JSON, or to the systemd journal with their fields; stdout belongs to answers. Times are
//! RFC 3339 in UTC. The level can be changed while the program runs, so that a reload of the configuration takes effect
//! at once. Nothing here redacts: personal data and secrets are never put into a line in the first place.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::clock::{Clock, SystemClock};

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, the journal under systemd, else JSON lines.
    #[default]
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
    /// The systemd journal, with fields.
    Journald,
}

/// The least important lines that are still logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the level of that name")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogFormat {
    /// The forms by name.
    pub const NAMES: [(&'static str, LogFormat); 4] = [
        ("auto", LogFormat::Auto),
        ("text", LogFormat::Text),
        ("json", LogFormat::Json),
        ("journald", LogFormat::Journald),
    ];

    /// The form that is used, given where stderr leads.
    fn settle(self, stderr: Stderr) -> LogFormat {
        match (self, stderr) {
            (LogFormat::Auto, Stderr::Terminal) => LogFormat::Text,
            (LogFormat::Auto, Stderr::Journal) => LogFormat::Journald,
            (LogFormat::Auto, Stderr::Elsewhere) => LogFormat::Json,
            (chosen, _) => chosen,
        }
    }
}

impl LogLevel {
    /// The levels by name.
    pub const NAMES: [(&'static str, LogLevel); 5] = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];

    /// The level's name.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, level)| *level == self).map_or("info", |(name, _)| name)
    }

    /// What may pass: our own lines from this level on, those of libraries only when they matter.
    ///
    /// The scheduler logs every job it is given at `info`, and sqlx every statement at `debug`.
    fn filter(self) -> EnvFilter {
        let level = self.as_str();
        let libraries = if self == LogLevel::Error { "error" } else { "warn" };
        EnvFilter::new(format!("{libraries},contactsync={level},tokio_cron_scheduler={libraries},sqlx={libraries}"))
    }
}

/// Where stderr leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stderr {
    Terminal,
    Journal,
    Elsewhere,
}

impl Stderr {
    fn look() -> Self {
        if std::env::var_os("JOURNAL_STREAM").is_some_and(|stream| !stream.is_empty()) {
            Stderr::Journal
        } else if std::io::stderr().is_terminal() {
            Stderr::Terminal
        } else {
            Stderr::Elsewhere
        }
    }
}

/// Whether lines for people carry colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogColours {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl LogColours {
    fn wanted(self) -> bool {
        match self {
            LogColours::Always => true,
            LogColours::Never => false,
            LogColours::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && std::io::stderr().is_terminal()
            }
        }
    }
}

/// The running log; changes its level.
#[derive(Debug)]
pub struct Log {
    handle: reload::Handle<EnvFilter, Registry>,
    level: Mutex<LogLevel>,
}

impl Log {
    /// Logs from `level` on; the level it had before is returned.
    pub fn set_level(&self, level: LogLevel) -> LogLevel {
        let mut current = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        // The handle fails only when the subscriber is gone, and then nobody reads the log any more.
        if self.handle.reload(level.filter()).is_ok() { std::mem::replace(&mut *current, level) } else { *current }
    }
}

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The journal was asked for, but is not there.
    #[error("the systemd journal cannot be reached")]
    Journal(#[source] std::io::Error),
    /// There is a log already.
    #[error("the log was started twice")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process.
///
/// # Errors
/// [`TelemetryError::Journal`] when the journal was asked for by name and is not there; asked for by `auto`, its absence
/// leads to JSON lines instead.
pub fn start(format: LogFormat, level: LogLevel, colours: LogColours) -> Result<Log, TelemetryError> {
    let (filter, handle) = reload::Layer::new(level.filter());
    let lines: Box<dyn Layer<_> + Send + Sync> = match format.settle(Stderr::look()) {
        LogFormat::Text | LogFormat::Auto => text_layer(colours),
        LogFormat::Json => json_layer(),
        LogFormat::Journald => match tracing_journald::layer() {
            Ok(journal) => journal.with_field_prefix(None).boxed(),
            Err(_) if format == LogFormat::Auto => json_layer(),
            Err(error) => return Err(TelemetryError::Journal(error)),
        },
    };
    tracing_subscriber::registry().with(filter).with(lines).try_init().map_err(TelemetryError::Twice)?;
    Ok(Log { handle, level: Mutex::new(level) })
}

fn text_layer<S>(colours: LogColours) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer().with_writer(std::io::stderr).with_ansi(colours.wanted()).with_target(false).with_timer(Rfc3339).boxed()
}

fn json_layer<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).with_timer(Rfc3339).boxed()
}

/// The time of a line.
struct Rfc3339;

impl FormatTime for Rfc3339 {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", SystemClock.now().to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_where_stderr_leads_unless_it_is_named() {
        for (chosen, stderr, expected) in [
            (LogFormat::Auto, Stderr::Terminal, LogFormat::Text),
            (LogFormat::Auto, Stderr::Journal, LogFormat::Journald),
            (LogFormat::Auto, Stderr::Elsewhere, LogFormat::Json),
            (LogFormat::Text, Stderr::Journal, LogFormat::Text),
            (LogFormat::Json, Stderr::Terminal, LogFormat::Json),
        ] {
            assert_eq!(chosen.settle(stderr), expected);
        }
    }

    #[test]
    fn libraries_stay_quiet_at_every_level() {
        for (name, level) in LogLevel::NAMES {
            let filter = level.filter().to_string();
            assert!(filter.contains(&format!("contactsync={name}")), "{filter}");
            assert!(!filter.contains("sqlx=debug") && !filter.contains("scheduler=info"), "{filter}");
        }
    }
}
