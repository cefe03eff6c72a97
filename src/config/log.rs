//! `[log]`: how much is logged, and in which form.

use crate::telemetry::{LogFormat, LogLevel};

use super::table::{Notes, Table};
use super::value;

/// How much is logged, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each member is what its name says")]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
}

impl Log {
    pub(super) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Self {
        let format = table.or("format", LogFormat::Auto, notes, value::choice(&LogFormat::NAMES));
        let level = table.or("level", LogLevel::Info, notes, value::choice(&LogLevel::NAMES));
        table.finish(notes);
        Log { format, level }
    }
}
