//! The `contactsync` program: parses arguments, calls the command line, ends with its exit code.

use std::process::ExitCode;

use clap::Parser;

use contactsync::cli::{self, Arguments, Exit};

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
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(arguments)).into(),
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            Exit::Failed.into()
        }
    }
}
