//! `check-config`: what the program understood of its configuration.

use crate::config::Config;

use super::exit::Exit;
use super::output::Output;

/// Prints the effective configuration, and what is wrong with the secrets it names.
///
/// # Errors
/// What the stream says.
pub fn check_config(config: &Config, out: &Output) -> anyhow::Result<Exit> {
    let effective = config.effective();
    if out.is_json() {
        out.json(&toml::from_str::<serde_json::Value>(&effective)?)?;
    } else {
        out.text(&effective)?;
    }
    for warning in &config.warnings {
        out.warn(&warning.in_file(&config.file));
    }
    let errors = config.check_secrets();
    let is_sound = errors.is_empty();
    for error in errors {
        out.error(&error.into());
    }
    Ok(if is_sound { Exit::Done } else { Exit::Config })
}
