//! One process of the program: to its end, or alive with its lines as they come.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How long anything may take before the test gives up; far above what it takes on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

/// How a process ended, and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// What the process answered on stdout: one JSON value on one line, and nothing else.
    pub fn json(&self) -> Value {
        assert_eq!(self.out.matches('\n').count(), 1, "not one line: {self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same after an end with this code.
    pub fn json_after(&self, code: i32) -> Value {
        self.ended(code).json()
    }

    /// Checks the exit code.
    pub fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Checks the exit code, that stdout stayed empty, and that stderr names all of these.
    pub fn refused(&self, code: i32, names: &[&str]) {
        self.ended(code);
        assert_eq!(self.out, "", "{self:?}");
        for name in names {
            assert!(self.err.contains(name), "{name:?} is not named: {self:?}");
        }
    }
}

/// The command line of the program, in an environment with nothing in it but what is given.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contactsync"));
    command.env_clear().env("HOME", folder).current_dir(folder).stdin(Stdio::null());
    command
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// A process that lives; it is killed when it is dropped.
pub struct Program {
    child: Child,
    lines: Receiver<(Stream, String)>,
    unread: VecDeque<(Stream, String)>,
    said: Vec<String>,
    out: String,
    err: String,
    ended: bool,
}

impl Program {
    pub fn start(mut command: Command) -> Program {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
        let (sender, lines) = mpsc::channel();
        let out = child.stdout.take().expect("stdout is piped");
        let err = child.stderr.take().expect("stderr is piped");
        for (stream, pipe) in [(Stream::Out, Box::new(out) as Box<dyn Read + Send>), (Stream::Err, Box::new(err))] {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut pipe = BufReader::new(pipe);
                let mut line = Vec::new();
                while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if sender.send((stream, text)).is_err() {
                        return;
                    }
                }
            });
        }
        let (unread, said) = (VecDeque::new(), Vec::new());
        Program { child, lines, unread, said, out: String::new(), err: String::new(), ended: false }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line on stdout.
    pub fn answer(&mut self) -> String {
        self.line(|stream, _| stream == Stream::Out, "any answer")
    }

    /// The next line on stderr that holds this text; those before it are passed over.
    pub fn remark(&mut self, text: &str) -> String {
        self.line(|stream, line| stream == Stream::Err && line.contains(text), text)
    }

    fn line(&mut self, is_it: impl Fn(Stream, &str) -> bool, what: &str) -> String {
        loop {
            match self.hear(BOUND) {
                Ok((stream, line)) if is_it(stream, &line) => return line,
                Ok(_) => {}
                Err(why) => panic!("waiting for {what:?}: {why:?}; so far: {:?}", self.said),
            }
        }
    }

    fn hear(&mut self, bound: Duration) -> Result<(Stream, String), RecvTimeoutError> {
        if let Some(line) = self.unread.pop_front() {
            return Ok(line);
        }
        let (stream, line) = self.lines.recv_timeout(bound)?;
        self.said.push(line.clone());
        match stream {
            Stream::Out => self.out += &line,
            Stream::Err => self.err += &line,
        }
        Ok((stream, line))
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let target = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &target]).status().expect("kill");
        assert!(sent.success(), "SIG{name}");
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ran {
        assert!(self.ends_within(BOUND), "it goes on; so far: {:?}", self.said);
        self.ran()
    }

    /// Whether it has ended already.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Whether it ends within this time.
    pub fn ends_within(&mut self, bound: Duration) -> bool {
        // Both pipes close when the process ends, and not before.
        let mut heard = Vec::new();
        loop {
            match self.hear(bound) {
                Ok(line) => heard.push(line),
                Err(why) => {
                    self.unread.extend(heard);
                    return why == RecvTimeoutError::Disconnected;
                }
            }
        }
    }

    /// Ends it at once, as a power failure does, and tells what it said.
    pub fn kill(mut self) -> Ran {
        // It may have ended by itself just now.
        let _ = self.child.kill();
        assert!(self.ends_within(BOUND), "a killed process goes on");
        self.ran()
    }

    fn ran(&mut self) -> Ran {
        let status = self.child.wait().expect("an end");
        self.ended = true;
        let ran = Ran { code: status.code(), out: std::mem::take(&mut self.out), err: std::mem::take(&mut self.err) };
        assert!(!ran.err.contains("panicked at"), "it panicked: {ran:?}");
        ran
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended by itself; what matters is that nothing stays behind.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
