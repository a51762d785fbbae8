//! `sitelog log`.

use std::process::ExitCode;

use clap::Subcommand;

use super::say;
use crate::app::Database;
use crate::config::Config;
use crate::log::EventLog;

/// Looks after the log.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks that no event is missing and none, nor a body, was altered; exit code 1 if so
    Verify,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    let log = EventLog::open(database.pool.clone());
    let found = match args.action {
        Action::Verify => log.verify().await?,
    };
    drop(log);
    database.close().await;
    for finding in &found.findings {
        say(finding)?;
    }
    if !found.holds() {
        say(&format!(
            "{} findings in {} events and {} bodies",
            found.wrong, found.events, found.bodies
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    say(&format!(
        "{} events and {} bodies are as they were written",
        found.events, found.bodies
    ))?;
    say(&format!(
        "tree head {} over {} leaves",
        hex::encode(found.root),
        found.events
    ))?;
    Ok(ExitCode::SUCCESS)
}
