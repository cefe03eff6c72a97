//! No test ends with a violation: what the emulated service noted of its clients is looked at when a world goes.

use std::sync::{Arc, Mutex, PoisonError};

use contactsync::emulator::Emulator;
use contactsync::emulator::settings::Mode;

/// Fails the test at its end when a client did what the service does not allow.
pub struct MindsManners(pub Arc<Mutex<Emulator>>);

impl Drop for MindsManners {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            check_manners(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Fails when anything was noted that no careful client does; a lenient service is no measure.
pub fn check_manners(emulator: &Emulator) {
    if emulator.settings().mode == Mode::Strict {
        assert_eq!(emulator.counters().violations, Vec::<String>::new(), "what no careful client does");
    }
}
