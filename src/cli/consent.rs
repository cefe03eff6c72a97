//! Asking before something is written: on a terminal a person is asked, elsewhere a flag says it.

use std::io::{IsTerminal as _, Write as _};

/// Whether somebody is there to be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal; everything but a yes is a no.
///
/// # Errors
/// What the terminal says.
pub fn consents(question: &str) -> std::io::Result<bool> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
