//! A progress bar on stderr, where somebody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::{Progress, Step};

use super::output::Output;

/// A bar that fills as a long command goes on; invisible where nobody watches.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar for a command that is called `what`.
    pub fn new(out: &Output, what: &'static str) -> Self {
        if !out.shows_progress() {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar(bar)
    }

    /// `done` of about `total` are done; a total of zero is not known.
    pub fn advance(&self, what: &'static str, done: u64, total: u64) {
        let template = if total == 0 { "{spinner} {msg} {pos}" } else { "{msg} {bar:30} {pos}/{len}" };
        // INVARIANT: both templates are constants, and a test reads them.
        self.0.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.0.set_message(what);
        if total > 0 {
            self.0.set_length(total);
        }
        self.0.set_position(done);
    }
}

impl Progress for Bar {
    fn advanced(&self, step: Step, done: u64, total: u64) {
        let what = match step {
            Step::Reading => "reading",
            Step::Merging => "merging",
            Step::Writing => "writing",
        };
        self.advance(what, done, total);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
