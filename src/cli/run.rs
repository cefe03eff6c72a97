//! `run`: the daemon in the foreground.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{Config, Surroundings};
use crate::daemon::control::Control;
use crate::daemon::counted::Counted;
use crate::daemon::metrics::Metrics;
use crate::daemon::service::{Follow, Service};
use crate::engine::chain;
use crate::remotes::http::Transport;
use crate::telemetry::{Log, LogLevel};
use crate::web::{self, Door};

use super::desk::{Desk, network};
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
    serve(desk, Box::new(follow)).await?;
    Ok(Exit::Done)
}

/// The daemon of a desk, with what it serves over HTTP. `follow` is told of each configuration that is taken over later.
///
/// # Errors
/// What keeps the daemon from starting.
pub(super) async fn serve(desk: Desk, follow: Follow) -> anyhow::Result<()> {
    let (doors, door) = watch::channel(Door::of(&desk.config.web)?);
    let control = Arc::new(control(&desk));
    let follow = Box::new(move |config: &Config| {
        // Its password was read when the configuration was checked; one that went since leaves the old door open.
        match Door::of(&config.web) {
            Ok(door) => _ = doors.send_if_modified(|open| std::mem::replace(open, door.clone()) != door),
            Err(error) => tracing::error!(error = %chain(&error), "what is served over HTTP stays as it is"),
        }
        follow(config);
    });
    let entropy = Arc::clone(&desk.entropy);
    let service = service(desk, follow, Arc::clone(&control))?;
    // With the service its follower goes, the sender of doors, and with that the server.
    let serve = async move {
        // Whoever cannot ask any more has to learn why.
        if let Err(cause) = tokio::spawn(web::serve(control, entropy, door)).await {
            tracing::error!(error = %cause, "nothing is served over HTTP any more; a restart helps");
        }
    };
    service.run(move || _ = tokio::spawn(serve)).await?;
    Ok(())
}

fn control(desk: &Desk) -> Control {
    let path = &desk.config.store.path;
    let beside = |suffix: &str| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    let files = vec![path.clone(), beside("-wal"), beside("-shm")];
    Control::new(Arc::clone(&desk.store), Arc::clone(&desk.clock), Arc::new(Metrics::new()), files)
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
fn service(desk: Desk, follow: Follow, control: Arc<Control>) -> anyhow::Result<Service> {
    let config = desk.config.clone();
    let around = Surroundings::of_process(Some(config.file.clone()));
    let read_config = Box::new(move || {
        let config = Config::load(&around)?;
        match config.check_secrets().into_iter().next() {
            Some(fault) => Err(fault.into()),
            None => Ok(config),
        }
    });
    let transport: Arc<dyn Transport> = Arc::new(Counted::new(network()?, Arc::clone(control.counters())));
    let make_worker = Box::new(move |config: &Config| {
        let worker = desk.worker_for(config, Arc::clone(&transport)).map_err(|error| format!("{error:#}"))?;
        Ok(Arc::new(worker))
    });
    Ok(Service::new(config, read_config, make_worker, follow, control)?)
}
