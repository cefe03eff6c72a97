//! What one process used: the time on the wall, the time of the processor, and the most memory.

#![expect(clippy::disallowed_methods, reason = "a bench measures the machine's own time")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What one process used.
#[derive(Default)]
pub struct Usage {
    /// From its start to its end.
    pub wall: Duration,
    /// Of the processor, in seconds.
    pub cpu_seconds: f64,
    /// The most memory it had, in KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> (Output, Usage) {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut stdout = child.stdout.take().expect("an output");
        // Read aside, so that a long answer does not fill the pipe.
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut stdout, &mut bytes).map(|_| bytes)
        });
        let mut usage = Usage::default();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a process") {
                break status;
            }
            usage.look_at(child.id());
            std::thread::sleep(Duration::from_millis(2));
        };
        usage.wall = begun.elapsed();
        let stdout = reader.join().expect("a reader").expect("an answer");
        (Output { status, stdout, stderr: Vec::new() }, usage)
    }

    /// Reads what the process has used so far; the last look before its end is what counts.
    fn look_at(&mut self, pid: u32) {
        let folder = Path::new("/proc").join(pid.to_string());
        if let Ok(status) = std::fs::read_to_string(folder.join("status")) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
            self.peak_kib = peak.unwrap_or(self.peak_kib);
        }
        if let Ok(stat) = std::fs::read_to_string(folder.join("stat")) {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
            if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
                // Clock ticks are hundredths of a second on Linux.
                self.cpu_seconds = (user + system) / 100.0;
            }
        }
    }
}
