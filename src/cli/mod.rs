//! The command line: the composition root, the only place that builds everything and hands it down.
//!
//! One file is one command: its arguments and its body. [`run()`] reads the configuration, opens the store when the
//! command needs it, dispatches, and turns the outcome into an [`Exit`]. Answers go to stdout, everything else to stderr
//! ([`output`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use futures_util::future::LocalBoxFuture;

use crate::config::{Config, Surroundings};
use crate::telemetry::{self, Log, LogColours, LogFormat, LogLevel};

pub mod activity;
pub mod apply;
pub mod approve;
pub mod backup;
pub mod bin;
pub mod brief;
mod callback;
pub mod card_flags;
pub mod check_config;
pub mod conditions;
pub mod conflict;
mod consent;
pub mod contact;
pub mod deal;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod duplicates;
pub mod entry;
pub mod exit;
pub mod explain;
pub mod export;
pub mod field;
pub mod filter;
pub mod forget;
pub mod history;
pub mod import;
mod import_report;
pub mod label;
pub mod list;
pub mod login;
pub mod manual;
pub mod merge;
pub mod note;
pub mod output;
pub mod photo;
pub mod pipeline;
pub mod plan;
pub mod plan_id;
pub mod progress;
pub mod question;
pub mod relation;
pub mod restore;
pub mod run;
pub mod sandbox;
mod scratch;
mod skip_file;
pub mod status;
pub mod stop;
pub mod sync;
pub mod take_back;
mod typed_values;
pub mod undo;
pub mod whom;

pub use exit::Exit;

use desk::Desk;
use output::{Colour, Form, Output, Verbosity};

/// How long the end of a command waits for the database to be closed.
const CLOSING: Duration = Duration::from_secs(2);

const EXIT_CODES: &str = "\
Exit codes:
  0   done, or stopped on request
  1   unexpected failure
  2   wrong usage
  3   finished, but records failed, conflicts wait or a guard parked work; or
      the plan to apply is out of date, and nothing was written
  75  try again later: remote or database unreachable, lease held elsewhere
  77  consent missing or withdrawn
  78  configuration missing or invalid, or the access to Google is not set up";

/// Keep a contact store and the contact groups of Google accounts equal, in both directions
#[derive(Debug, Clone, Parser)]
#[command(name = "contactsync", version, after_long_help = EXIT_CODES, propagate_version = true)]
pub struct Arguments {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub global: GlobalFlags,

    #[command(subcommand)]
    #[expect(missing_docs, reason = "a text here would become help")]
    pub command: Command,
}

/// The heading of flags that every command has, so that they do not hide among its own.
const GLOBAL: &str = "Global options";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub struct GlobalFlags {
    /// Read this configuration
    ///
    /// Without it: $CONTACTSYNC_CONFIG, else $XDG_CONFIG_HOME/contactsync/contactsync.toml, else
    /// /etc/contactsync/contactsync.toml
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Answer with JSON on stdout; everything else goes to stderr
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,

    /// Say more; twice says why
    #[arg(short, long, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,

    /// Say nothing but warnings and errors
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub quiet: bool,

    /// Use colours
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t, value_name = "WHEN", alias = "colour")]
    pub color: Colour,
}

impl GlobalFlags {
    fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Human }
    }

    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground: schedules and signals
    Run(run::RunArgs),
    /// Synchronize every account once, then exit
    Sync(sync::SyncArgs),
    /// Tell what sync would do and why, without writing anywhere
    Plan(plan::PlanArgs),
    /// Carry out a plan, and only that
    ///
    /// Refuses when somebody has changed something since the plan was made. What the plan lists counts as approved, what
    /// it shows as parked stays parked
    Apply(apply::ApplyArgs),
    /// Let through what a guard has parked, and carry it out
    ///
    /// Approved is what this run or an earlier one has parked, as long as it is still the same
    Approve(approve::ApproveArgs),
    /// Take back what a run did, as far as nothing has changed since
    ///
    /// Without --yes it tells what that comes to and writes nowhere
    Undo(undo::UndoArgs),
    /// Show how each account is doing
    Status,
    /// Show who changed what, when, on which replica
    History(history::HistoryArgs),
    /// Show why a contact is as it is, on both sides, and what the next run will do
    Explain(explain::ExplainArgs),
    /// Work with persons
    #[command(subcommand, visible_alias = "people")]
    Person(contact::PersonCommand),
    /// Work with organizations
    #[command(subcommand, visible_alias = "org")]
    Organization(contact::OrganizationCommand),
    /// Work with deals
    #[command(subcommand)]
    Deal(deal::DealCommand),
    /// Work with activities
    #[command(subcommand)]
    Activity(activity::ActivityCommand),
    /// Work with notes
    #[command(subcommand)]
    Note(note::NoteCommand),
    /// Show contacts that may be the same, and why
    Duplicates(duplicates::DuplicatesArgs),
    /// Show the contacts that were deleted, since when, and by whom
    ///
    /// Nothing goes out of the bin by itself; `person restore` and `organization restore` bring contacts back
    Bin(bin::BinArgs),
    /// Work with labels
    #[command(subcommand)]
    Label(label::LabelCommand),
    /// Work with custom fields
    #[command(subcommand)]
    Field(field::FieldCommand),
    /// Work with the stages of deals
    #[command(subcommand)]
    Pipeline(pipeline::PipelineCommand),
    /// Work with saved filters, which narrow lists and select contacts for groups
    #[command(subcommand)]
    Filter(filter::FilterCommand),
    /// Import contacts from a CSV, XLSX, XLS or vCard file
    Import(import::ImportArgs),
    /// Export the store
    Export(export::ExportArgs),
    /// Work with fields that both sides changed
    #[command(subcommand)]
    Conflict(conflict::ConflictCommand),
    /// Work with contacts of which only a person can tell who they are on the other side
    #[command(subcommand)]
    Match(question::MatchCommand),
    /// Ask the user of an account for consent, in the browser
    Login(login::LoginArgs),
    /// Give the consent of an account back
    Logout(login::LogoutArgs),
    /// Forget what is known of an account that is not configured any more
    ///
    /// Its links, change tokens and consent go, and its counter in the versions of contacts. No contact is changed anywhere
    Forget(forget::ForgetArgs),
    /// Write a copy of the whole store into a file, while everything goes on
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the store, which is kept
    ///
    /// Without --yes it tells what that comes to and changes nothing. The next run of every account compares everything and
    /// deletes nothing
    Restore(restore::RestoreArgs),
    /// Print the effective configuration, secrets redacted
    CheckConfig,
    /// Check configuration, store, consents, groups, clock and quota; each failure names its cure
    Doctor,
    /// Emulate Google's People API on loopback
    Sandbox(sandbox::SandboxArgs),
    /// Show everything at once: sandbox, sample contacts and daemon
    Demo(demo::DemoArgs),
    /// Print completions for a shell
    Completions(manual::CompletionsArgs),
    /// Print the man page, or write all of them
    Man(manual::ManArgs),
}

/// Carries out the command line, tells what went wrong, and says how to end.
pub fn run(arguments: Arguments) -> LocalBoxFuture<'static, Exit> {
    // Boxed, so that all of it is compiled with the library and the program is but a shell.
    Box::pin(carry_through(arguments))
}

async fn carry_through(arguments: Arguments) -> Exit {
    let global = &arguments.global;
    let out = Arc::new(Output::of_process(global.form(), global.verbosity(), global.color));
    match dispatch(&arguments, &out).await {
        Ok(exit) => exit,
        Err(error) => {
            let exit = Exit::of_error(&error);
            // A reader that went away needs no message.
            if exit != Exit::Done {
                out.error(&error);
            }
            exit
        }
    }
}

async fn dispatch(arguments: &Arguments, out: &Arc<Output>) -> anyhow::Result<Exit> {
    let around = Surroundings::of_process(arguments.global.config.clone());
    match &arguments.command {
        // These need neither configuration nor store.
        Command::Completions(args) => manual::completions(args, out),
        Command::Man(args) => manual::man(args, out),
        Command::Sandbox(args) => sandbox::sandbox(args, out).await,
        Command::Demo(args) => demo::demo(args, out).await,
        Command::CheckConfig => check_config::check_config(&Config::load(&around)?, out),
        Command::Restore(args) => restore::restore(args, &Config::load(&around)?, out).await,
        Command::Doctor => doctor::doctor(Config::load(&around)?, Arc::clone(out)).await,
        // The rest works on the store.
        command => {
            let config = Config::load(&around)?;
            let log = start_log(command, &config, arguments.global.color, out.verbosity)?;
            on_the_store(command, config, log, out).await
        }
    }
}

async fn on_the_store(command: &Command, config: Config, log: Log, out: &Arc<Output>) -> anyhow::Result<Exit> {
    let desk = match command {
        Command::Plan(_) => Desk::open_to_look(config, Arc::clone(out)).await?,
        _ => Desk::open(config, Arc::clone(out)).await?,
    };
    let (database, clock) = (desk.database.clone(), Arc::clone(&desk.clock));
    let ended = match command {
        // The daemon keeps the desk.
        Command::Run(args) => run::run(args, desk, log).await,
        command => carry_out(command, &desk).await,
    };
    // A database that is not closed is whole all the same, but in more files than one. Whoever still writes goes first,
    // within reason.
    tokio::select! {
        () = database.close() => {}
        () = clock.sleep(CLOSING) => {}
    }
    ended
}

/// Carries out a command that works on the store.
async fn carry_out(command: &Command, desk: &Desk) -> anyhow::Result<Exit> {
    match command {
        Command::Person(command) => contact::person(command, desk).await,
        Command::Organization(command) => contact::organization(command, desk).await,
        Command::Deal(command) => deal::deal(command, desk).await,
        Command::Activity(command) => activity::activity(command, desk).await,
        Command::Note(command) => note::note(command, desk).await,
        Command::Duplicates(args) => duplicates::duplicates(args, desk).await,
        Command::Bin(args) => bin::show(args, desk).await,
        Command::Label(command) => label::label(command, desk).await,
        Command::Field(command) => field::field(command, desk).await,
        Command::Pipeline(command) => pipeline::pipeline(command, desk).await,
        Command::Filter(command) => filter::filter(command, desk).await,
        Command::Status => status::status(desk).await,
        Command::History(args) => history::history(args, desk).await,
        Command::Explain(args) => explain::explain(args, desk).await,
        Command::Conflict(command) => conflict::conflict(command, desk).await,
        Command::Match(command) => question::question(command, desk).await,
        Command::Sync(args) => sync::sync(args, desk).await,
        Command::Plan(args) => plan::plan(args, desk).await,
        Command::Apply(args) => apply::apply(args, desk).await,
        Command::Undo(args) => undo::undo(args, desk).await,
        Command::Approve(args) => approve::approve(args, desk).await,
        Command::Import(args) => import::import(args, desk).await,
        Command::Export(args) => export::export(args, desk).await,
        Command::Login(args) => login::login(args, desk).await,
        Command::Logout(args) => login::logout(args, desk).await,
        Command::Forget(args) => forget::forget(args, desk).await,
        Command::Backup(args) => backup::backup(args, desk).await,
        Command::Run(_)
        | Command::CheckConfig
        | Command::Doctor
        | Command::Restore(_)
        | Command::Sandbox(_)
        | Command::Demo(_)
        | Command::Completions(_)
        | Command::Man(_) => {
            // INVARIANT: `dispatch` carries these out before it opens the store.
            Ok(Exit::Done)
        }
    }
}

/// Starts the log. The daemon logs as its configuration says, other commands only what their flags ask for: their
/// answer is what matters.
fn start_log(command: &Command, config: &Config, colour: Colour, verbosity: Verbosity) -> anyhow::Result<Log> {
    let colours = match colour {
        Colour::Auto => LogColours::Auto,
        Colour::Always => LogColours::Always,
        Colour::Never => LogColours::Never,
    };
    let is_daemon = matches!(command, Command::Run(_));
    let level = match verbosity {
        _ if is_daemon => run::log_level(verbosity, config.log.level),
        Verbosity::Quiet => LogLevel::Error,
        Verbosity::Normal => LogLevel::Warn,
        Verbosity::Verbose => LogLevel::Info.max(config.log.level),
        Verbosity::Debug => LogLevel::Debug.max(config.log.level),
    };
    let format = if is_daemon || config.log.format != LogFormat::Auto { config.log.format } else { LogFormat::Text };
    Ok(telemetry::start(format, level, colours)?)
}

#[cfg(test)]
mod tests;
