//! Scenarios in which one kind of trouble comes so often that it meets another one.

use super::{Flavour, Setting};
use crate::sim::tape::Tape;

/// Turns a setting into one with a single, frequent kind of trouble.
pub fn aim(setting: &mut Setting, _: &mut Tape) {
    setting.flavour = Flavour::Aimed;
}
