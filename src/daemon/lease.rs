//! Who works on an account: the name of a holder, and whether a holder of this machine is still alive.
//!
//! A holder is called `host/pid/start`, where `start` is the boot, the process namespace and the start time of the
//! process: no two processes ever share it. So a lease whose holder died with it can be taken over at once, without
//! waiting for its end. Where it cannot be told whether a holder lives, it is taken to live; the lease then ends by
//! itself.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::{Entropy as _, SystemEntropy};

/// This process as the holder of a lease.
///
/// Where the kernel does not show its processes, a random number makes the name unique; nobody will ever take its holder
/// for dead, and its leases end by themselves.
pub fn holder() -> String {
    let here = Processes::default().this_process();
    let unknown = || format!("unknown/{}/{:016x}", std::process::id(), SystemEntropy.next_u64());
    here.map_or_else(|_| unknown(), |here| here.to_string())
}

/// Whether the holder was a process of this machine and is no more. What cannot be told counts as alive: its lease ends
/// by itself.
pub fn is_dead(holder: &str) -> bool {
    let processes = Processes::default();
    processes.this_process().is_ok_and(|here| processes.life_of(holder, &here) == Life::Dead)
}

/// A holder as people know it: its process and its host.
pub fn described(holder: &str) -> String {
    match Holder::parse(holder) {
        Some(Holder { host, pid, .. }) => format!("process {pid} on {host}"),
        None => holder.to_owned(),
    }
}

/// One process as the holder of leases.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    host: String,
    pid: u32,
    /// The boot of the machine.
    boot: String,
    /// The process namespace; a number of a process means nothing in another one.
    namespace: String,
    /// When the process started, in ticks since the boot.
    started: u64,
}

/// Whether the holder of a lease lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It runs.
    Alive,
    /// It ran on this machine, and does no longer.
    Dead,
    /// It cannot be told from here: another machine, another container, or a name of another form.
    Unknown,
}

/// The processes of this machine, as the kernel shows them.
#[derive(Debug, Clone)]
struct Processes {
    root: PathBuf,
}

impl Default for Processes {
    fn default() -> Self {
        Processes { root: PathBuf::from("/proc") }
    }
}

impl Processes {
    /// This process as a holder.
    ///
    /// # Errors
    /// What the operating system says when it does not show its processes.
    fn this_process(&self) -> io::Result<Holder> {
        let pid = std::process::id();
        let started = self.started("self")?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let host = self.line("sys/kernel/hostname")?.replace(['/', ' '], "-");
        let boot = self.line("sys/kernel/random/boot_id")?.replace('-', "");
        let namespace = std::fs::read_link(self.root.join("self/ns/pid"))?.display().to_string();
        let namespace = namespace.chars().filter(char::is_ascii_digit).collect();
        Ok(Holder { host, pid, boot, namespace, started })
    }

    /// Whether the holder of this name lives, seen from the process `here`.
    fn life_of(&self, name: &str, here: &Holder) -> Life {
        let Some(holder) = Holder::parse(name) else { return Life::Unknown };
        if holder.host != here.host {
            return Life::Unknown;
        }
        if holder.boot != here.boot {
            // The machine was started again since, and everything on it.
            return Life::Dead;
        }
        if holder.namespace != here.namespace {
            return Life::Unknown;
        }
        match self.started(&holder.pid.to_string()) {
            Ok(Some(started)) if started == holder.started => Life::Alive,
            Ok(Some(_)) => Life::Dead,
            // Where the kernel hides the processes of other users, one that is hidden looks like one that is gone. The
            // first process is always there: when it is hidden, so may be others.
            Ok(None) if matches!(self.started("1"), Ok(Some(_))) => Life::Dead,
            Ok(None) | Err(_) => Life::Unknown,
        }
    }

    fn line(&self, path: impl AsRef<Path>) -> io::Result<String> {
        Ok(std::fs::read_to_string(self.root.join(path))?.trim().to_owned())
    }

    /// When a process started, in ticks since the boot; `None` when there is no such process.
    ///
    /// Source: proc_pid_stat(5), field 22. The name of the program, in parentheses before it, may hold anything.
    fn started(&self, pid: &str) -> io::Result<Option<u64>> {
        let stat = match self.line(Path::new(pid).join("stat")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            stat => stat?,
        };
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let mut fields = fields.split_whitespace();
        let state = fields.next();
        let started = fields.nth(18).and_then(|ticks| ticks.parse().ok());
        match (state, started) {
            // A zombie only waits to be counted.
            (Some("Z" | "X"), Some(_)) => Ok(None),
            (_, Some(started)) => Ok(Some(started)),
            (_, None) => Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    }
}

impl Holder {
    fn parse(name: &str) -> Option<Holder> {
        let mut parts = name.split('/');
        let (host, pid, start) = (parts.next()?, parts.next()?, parts.next()?);
        let mut start = start.split('.');
        let (boot, namespace, started) = (start.next()?, start.next()?, start.next()?);
        Some(Holder {
            host: host.to_owned(),
            pid: pid.parse().ok()?,
            boot: boot.to_owned(),
            namespace: namespace.to_owned(),
            started: started.parse().ok()?,
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { host, pid, boot, namespace, started } = self;
        write!(f, "{host}/{pid}/{boot}.{namespace}.{started}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn here() -> Holder {
        Processes::default().this_process().expect("a process")
    }

    fn life(holder: &Holder) -> Life {
        Processes::default().life_of(&holder.to_string(), &here())
    }

    #[test]
    fn a_holder_is_named_by_host_process_and_start() {
        let here = here();
        let name = here.to_string();
        assert_eq!(name.matches('/').count(), 2, "{name}");
        assert_eq!(described(&name), format!("process {} on {}", here.pid, here.host));
        assert_eq!(Holder::parse(&name), Some(here));
        assert_eq!(described("somebody"), "somebody");
    }

    #[test]
    fn this_process_lives_under_its_own_name() {
        assert_eq!(life(&here()), Life::Alive);
        assert!(!is_dead(&holder()));
        assert!(is_dead(&Holder { started: here().started + 1, ..here() }.to_string()));
    }

    #[test]
    fn a_holder_of_this_machine_is_dead_once_its_process_is_gone_or_another() {
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let pid = child.id();
        child.wait().expect("ended");
        assert_eq!(life(&Holder { pid, ..here() }), Life::Dead, "gone");
        assert_eq!(life(&Holder { started: here().started + 1, ..here() }), Life::Dead, "the number was given again");
        assert_eq!(life(&Holder { boot: "0".repeat(32), ..here() }), Life::Dead, "before the last boot");
    }

    #[test]
    fn what_cannot_be_told_is_not_dead() {
        assert_eq!(life(&Holder { host: "elsewhere".into(), ..here() }), Life::Unknown);
        assert_eq!(life(&Holder { namespace: "1".into(), ..here() }), Life::Unknown);
        for name in ["", "somebody", "host/x/y", "a/1/b.c"] {
            assert_eq!(Processes::default().life_of(name, &here()), Life::Unknown, "{name}");
        }
    }

    #[test]
    fn processes_that_the_kernel_hides_are_not_dead() {
        let folder = tempfile::tempdir().expect("a folder");
        let hidden = Processes { root: folder.path().to_owned() };
        assert_eq!(hidden.life_of(&Holder { pid: 4711, ..here() }.to_string(), &here()), Life::Unknown);
        fs::create_dir(folder.path().join("1")).expect("a folder");
        fs::write(folder.path().join("1/stat"), "1 (init) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0")
            .expect("written");
        assert_eq!(hidden.life_of(&Holder { pid: 4711, ..here() }.to_string(), &here()), Life::Dead);
    }

    #[test]
    fn the_start_of_a_process_is_read_past_a_name_that_holds_anything() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("7")).expect("a folder");
        let fields = "0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let processes = Processes { root: folder.path().to_owned() };
        for (stat, started) in [(format!("7 (a) S 9 (b)) S {fields}"), Some(4242)), (format!("7 (a) Z {fields}"), None)]
        {
            fs::write(folder.path().join("7/stat"), stat).expect("written");
            assert_eq!(processes.started("7").expect("readable"), started);
        }
    }
}
