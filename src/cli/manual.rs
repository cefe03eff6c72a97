//! `completions` and `man`: what is generated from the definitions of the command line.

use std::path::PathBuf;

use clap::CommandFactory;

use super::Arguments;
use super::exit::{Exit, named_file};
use super::output::Output;

/// Which man pages to write, and where.
#[derive(Debug, Clone, clap::Args)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder instead of the main page to stdout
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Which shell the completions are for.
#[derive(Debug, Clone, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Prints the completions of a shell.
///
/// # Errors
/// What the stream says.
pub fn completions(args: &CompletionsArgs, out: &Output) -> anyhow::Result<Exit> {
    // Into a buffer first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "contactsync", &mut script);
    out.bytes(&script)?;
    Ok(Exit::Done)
}

/// Prints the main man page, or writes all of them.
///
/// # Errors
/// What the stream or the file system says.
pub fn man(args: &ManArgs, out: &Output) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.folder {
        std::fs::create_dir_all(folder).map_err(|error| named_file("create", folder, error))?;
        clap_mangen::generate_to(Arguments::command(), folder)
            .map_err(|error| named_file("write into", folder, error))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    out.bytes(&page)?;
    Ok(Exit::Done)
}
