//! The `contactsync` program: parses arguments, calls the command line, ends with its exit code.

use std::process::ExitCode;

use clap::Parser;

use contactsync::cli::{self, Arguments, Exit};

/// A run of an account is many steps inside each other. Only what is used of it takes memory.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    // Before anything can build a client: without a provider, that panics. A second installation is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and are no error. A reader that went away is none either.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    match builder.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime.block_on(cli::run(arguments)).into(),
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            Exit::Failed.into()
        }
    }
}
