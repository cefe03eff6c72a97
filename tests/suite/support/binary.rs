//! The program itself, run as a user runs it, with a folder of its own and none of the user's environment.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder with a configuration, and the program to run there.
pub struct Binary {
    folder: tempfile::TempDir,
}

/// What a run of the program left behind.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it answered.
    pub stdout: String,
    /// What else it said.
    pub stderr: String,
}

impl Binary {
    /// A folder without a configuration.
    pub fn bare() -> Self {
        Binary { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A folder with a configuration of a store of its own, and what else the configuration is to say.
    pub fn with_config(rest: &str) -> Self {
        let binary = Binary::bare();
        binary.write("contactsync.toml", &format!("[store]\nurl = \"sqlite:contacts.db\"\n{rest}"));
        binary
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that only its owner may read.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
        path
    }

    /// The program with these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_contactsync"));
        command.args(arguments).current_dir(self.folder()).env_clear();
        command.env("HOME", self.folder()).env("CONTACTSYNC_CONFIG", self.folder().join("contactsync.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("the program"))
    }

    /// Runs the program to its end with this on its stdin.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the program");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        Ran::from(child.wait_with_output().expect("its end"))
    }

    /// Runs the program with `--json` and reads its one answer; anything but success is a failure of the test.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["--json"], arguments].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("one JSON value")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
