//! Who holds a lease, and whether that process still lives.
//!
//! A holder is written `host/pid/start`: the host's name, the process id, and the time the kernel says the process was
//! started at, in clock ticks since boot. A process id is used again one day; with its start it is not.

use std::fs;
use std::path::Path;

/// This process as the holder of a lease.
pub fn holder() -> String {
    let pid = std::process::id();
    format!("{}/{pid}/{}", host(), start_of(pid).unwrap_or(0))
}

/// Whether the holder was a process of this host and is no more. What cannot be told counts as alive: its lease ends by
/// itself.
pub fn is_dead(holder: &str) -> bool {
    let parts: Vec<&str> = holder.rsplitn(3, '/').collect();
    let [start, pid, name] = parts.as_slice() else { return false };
    let (Ok(start), Ok(pid)) = (start.parse::<u64>(), pid.parse::<u32>()) else { return false };
    if *name != host() || !Path::new("/proc/self/stat").exists() {
        return false;
    }
    start_of(pid) != Some(start)
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// When a process was started, in clock ticks since boot; `None` when there is no such process.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything; what follows the last one is numbers.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // A zombie is dead, although its parent has not noticed yet.
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_under_its_own_name() {
        assert!(!is_dead(&holder()));
    }

    #[test]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let pid = child.id();
        let start = start_of(pid).unwrap_or(0);
        child.wait().expect("it ends");
        assert!(is_dead(&format!("{}/{pid}/{start}", host())));
    }

    #[test]
    fn another_life_of_the_same_process_id_is_another_process() {
        assert!(is_dead(&format!("{}/{}/1", host(), std::process::id())));
    }

    #[test]
    fn processes_of_other_hosts_and_strange_names_are_left_to_their_leases() {
        assert!(!is_dead("elsewhere.example/1/1"));
        assert!(!is_dead("nobody"));
    }
}
