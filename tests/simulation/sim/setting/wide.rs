//! Scenarios with more than persons who are kept equal in both directions.

use super::{Flavour, Setting};
use crate::sim::tape::Tape;

/// Adds to a setting.
pub fn widen(setting: &mut Setting, _: &mut Tape) {
    setting.flavour = Flavour::Wide;
}
