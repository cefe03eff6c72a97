//! `run`: the daemon in the foreground.

use std::sync::Arc;

use crate::config::{Config, Surroundings};
use crate::daemon::service::{Follow, Service};
use crate::telemetry::{Log, LogLevel};

use super::desk::Desk;
use super::exit::Exit;
use super::output::Verbosity;

/// How to run. Everything is said by the configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {}

/// Runs until somebody asks to stop.
///
/// # Errors
/// What keeps the daemon from starting.
pub async fn run(_: &RunArgs, desk: Desk, log: Log) -> anyhow::Result<Exit> {
    desk.check_secrets()?;
    let verbosity = desk.out.verbosity;
    let follow = move |config: &Config| {
        log.set_level(log_level(verbosity, config.log.level));
    };
    service(desk, Box::new(follow))?.run(|| ()).await?;
    Ok(Exit::Done)
}

/// How much the daemon logs: what its configuration says, or what its flags ask for beyond that.
pub(super) fn log_level(verbosity: Verbosity, configured: LogLevel) -> LogLevel {
    match verbosity {
        Verbosity::Quiet => LogLevel::Warn,
        Verbosity::Normal => configured,
        Verbosity::Verbose => LogLevel::Info.max(configured),
        Verbosity::Debug => LogLevel::Debug.max(configured),
    }
}

/// The daemon of a desk. `follow` is told of each configuration that is taken over later.
pub(super) fn service(desk: Desk, follow: Follow) -> anyhow::Result<Service> {
    let config = desk.config.clone();
    let around = Surroundings::of_process(Some(config.file.clone()));
    let read_config = Box::new(move || {
        let config = Config::load(&around)?;
        match config.check_secrets().into_iter().next() {
            Some(fault) => Err(fault.into()),
            None => Ok(config),
        }
    });
    let make_worker = Box::new(move |config: &Config| {
        let worker = desk.worker_for(config).map_err(|error| format!("{error:#}"))?;
        Ok(Arc::new(worker))
    });
    Ok(Service::new(config, read_config, make_worker, follow)?)
}
