//! What is wrong with a configuration, said so that it can be repaired: file, line, column, key, and what is expected.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place in the file, counted from one; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each number is what its name says")]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }
}

/// One thing that is wrong, or that a person should know.
///
/// Never holds a line of the file: it could hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub position: Position,
    /// The key, dotted from the root of the file; empty when the file cannot be read as TOML at all.
    pub key: String,
    /// What is expected there.
    pub message: String,
}

impl Problem {
    /// The problem as one line, with the file in front so that editors can jump there.
    pub fn in_file(&self, file: &Path) -> String {
        let Position { line, column } = self.position;
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        format!("{}:{line}:{column}: {key}{}", file.display(), self.message)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file was found.
    #[error("no configuration file; looked for {}", list(.looked_for))]
    Missing {
        /// Where it was looked for, in order.
        looked_for: Vec<PathBuf>,
    },
    /// The file is there, but cannot be read.
    #[error("cannot read the configuration file {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// The file says something it must not say.
    #[error("{}", report(file, problems))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Everything that was found, in the order of the file.
        problems: Vec<Problem>,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn report(file: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| problem.in_file(file)).collect();
    match lines.as_slice() {
        [only] => format!("the configuration is invalid: {only}"),
        several => format!("the configuration is invalid:\n  {}", several.join("\n  ")),
    }
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// None of the places it could come from has it.
    #[error("{file}: {key} is missing; {cure}", file = file.display())]
    Missing {
        /// The configuration file.
        file: PathBuf,
        /// The key.
        key: &'static str,
        /// Where it may come from.
        cure: &'static str,
    },
    /// Others may read the file.
    #[error("{at}: {key}: other users may read {}; run: chmod 600 {}", secret.display(), quoted(secret))]
    Exposed {
        /// File and line of the configuration.
        at: At,
        /// The key.
        key: &'static str,
        /// The file with the secret.
        secret: PathBuf,
    },
    /// The file is empty, too long, or no text.
    #[error("{at}: {key}: {} holds no usable secret: {why}", secret.display())]
    Unusable {
        /// File and line of the configuration.
        at: At,
        /// The key.
        key: &'static str,
        /// The file with the secret.
        secret: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file cannot be read.
    #[error("{at}: {key}: cannot read {}", secret.display())]
    Unreadable {
        /// File and line of the configuration.
        at: At,
        /// The key.
        key: &'static str,
        /// The file with the secret.
        secret: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub position: Position,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.position.line, self.position.column)
    }
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "a = 1\nä = \"ß\" x";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of(text, text.len() - 1), Position { line: 2, column: 9 });
    }

    #[test]
    fn a_path_with_a_blank_is_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("/etc/my secrets/it's")), r"'/etc/my secrets/it'\''s'");
        assert_eq!(quoted(Path::new("/etc/contactsync/secret")), "/etc/contactsync/secret");
    }
}
