//! `sitelog serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{note_line, output, print_line};
use crate::access::AuthMode;
use crate::access::first_key::{FirstKey, FirstKeyDestination};
use crate::app::{self, Roles, Started};
use crate::config::Config;

/// Runs the service.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The roles of this process: one or more of api, worker, projector, dispatcher and relay. A dispatcher serves
    /// workers on other machines, and a relay copies the log for followers; both need NATS
    #[arg(long, value_delimiter = ',', default_value = "api,worker,projector")]
    roles: Vec<Role>,
    /// Writes the first API key (full access) to this new file, which only its owner can read. Default: the key is
    /// printed if standard output is a terminal
    #[arg(long, value_name = "FILE")]
    first_key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    Api,
    Worker,
    Projector,
    Dispatcher,
    Relay,
}

pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let roles = Roles {
        api: args.roles.contains(&Role::Api),
        worker: args.roles.contains(&Role::Worker),
        projector: args.roles.contains(&Role::Projector),
        dispatcher: args.roles.contains(&Role::Dispatcher),
        relay: args.roles.contains(&Role::Relay),
    };
    allow_many_connections();
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    if roles.worker {
        warn_without_contact(&config);
    }
    let place = match &args.first_key_file {
        Some(file) => FirstKeyDestination::File(file.clone()),
        None if output::is_terminal() => FirstKeyDestination::Terminal,
        None => FirstKeyDestination::Nowhere,
    };
    app::serve(&config, roles, &place, stop, |started| introduce(started, roles)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Warns if the user agent has no contact: site owners must be able to reach the operator.
pub(super) fn warn_without_contact(config: &Config) {
    if !config.fetch.tells_contact() {
        tracing::warn!(
            "The user agent names no contact: set SITELOG_FETCH__CONTACT to a web or email address"
        );
    }
}

/// Raises the limit of open files to the maximum: the usual soft limit, 1024, is less than the number of connections.
fn allow_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "Cannot raise the limit of open files");
    }
}

/// Prints what the user needs to know at the start. Standard error is the log, so the first key is not printed there.
fn introduce(started: &Started<'_>, roles: Roles) {
    let (config, address) = (started.config, started.address);
    let place = match started.database.url() {
        Some(_) => config.data_dir.display().to_string(),
        None => "the database of DATABASE_URL".to_owned(),
    };
    if !roles.api {
        note_line("sitelog runs without HTTP, because --roles does not include api");
        note_line(&format!("data is stored in {place}"));
        return;
    }
    let guarded = config.auth.mode == AuthMode::Required;
    note_line(&if guarded {
        format!("sitelog listens on http://{address}")
    } else {
        format!(
            "sitelog listens on http://{address}  (NO ACCESS CONTROL: everyone on this machine has full access)"
        )
    });
    note_line(&format!("data is stored in {place}"));
    match &started.first_key {
        FirstKey::NotNeeded => {}
        FirstKey::ToShow(key) => {
            // If the terminal is gone, continue.
            let _shown = print_line("The first API key (operator; shown only once):")
                .and_then(|()| print_line(&format!("export SITELOG_KEY={}", key.reveal())));
        }
        FirstKey::Written(file) => note_line(&format!(
            "The first API key (operator) was written to {}",
            file.display()
        )),
        FirstKey::NotMade => note_line(
            "there is no API key yet, and no terminal to print one on: create one with 'sitelog key create --scopes operator', \
             or start with --first-key-file FILE",
        ),
    }
    let credential = if guarded {
        " -H \"authorization: Bearer $SITELOG_KEY\""
    } else {
        ""
    };
    note_line(&format!(
        "try: curl -s -X POST http://{address}/api/v4/scans{credential} -H 'content-type: application/json' \
         -d '{{\"domain\": \"example.com\"}}'"
    ));
}

/// SIGTERM and Ctrl-C drain; a second one ends at once.
pub(super) async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    let mut next = async || tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} };
    next().await;
    tracing::info!("Stopping: running scans are finished or returned to the queue");
    stop.cancel();
    next().await;
    std::process::exit(1);
}
