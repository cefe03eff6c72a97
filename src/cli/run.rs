//! `run`: the daemon in the foreground.

use std::sync::Arc;

use crate::config::{Config, Surroundings};
use crate::daemon::service::Service;

use super::desk::Desk;
use super::exit::Exit;

/// How to run. Everything is said by the configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {}

/// Runs until somebody asks to stop.
///
/// # Errors
/// What keeps the daemon from starting.
pub async fn run(_: &RunArgs, desk: Desk) -> anyhow::Result<Exit> {
    desk.check_secrets()?;
    service(desk)?.run(|| ()).await?;
    Ok(Exit::Done)
}

/// The daemon of a desk.
pub(super) fn service(desk: Desk) -> anyhow::Result<Service> {
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
    Ok(Service::new(config, read_config, make_worker)?)
}
