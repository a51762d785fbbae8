//! `sitelog projections`.

mod as_of;
mod status;
pub(super) mod work;

use std::process::ExitCode;

use clap::Subcommand;

use super::input::BadArgument;
use crate::config::Config;
use crate::database::Database;
use crate::log::EventLog;
use crate::projections::all;
use crate::projections::as_of::Point;
use crate::projections::registry::{self, AnyProjection};
use crate::projections::task::TaskKind;

/// Shows, rebuilds, rolls back, verifies and repairs read models.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Prints one JSON object per read model
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows generation, lag, quarantined rows and running tasks
    Status,
    /// Rebuilds read models from the log alongside the live ones, compares them with the log, and switches over
    Rebuild {
        /// The name of the read model, as `status` shows it. Default: all
        name: Option<String>,
    },
    /// Switches back to the generation before the last rebuild
    Rollback {
        /// The name of the read model, as `status` shows it
        name: String,
    },
    /// Compares each row with the log and lists differences; exit code 1 if there are any
    Verify {
        /// The name of the read model, as `status` shows it. Default: all
        name: Option<String>,
        /// Repairs rows that differ from the log, and compares again
        #[arg(long)]
        repair: bool,
    },
    /// Retries quarantined rows: those to which an event could not be applied
    RetryParked {
        /// The name of the read model, as `status` shows it. Default: all
        name: Option<String>,
    },
    /// Builds earlier states of read models in a separate schema, for queries with SQL
    AsOf {
        /// A log position, or a time like 2026-01-31T12:00:00Z
        point: String,
        /// The name of the read model, as `status` shows it. Default: all
        name: Option<String>,
        /// Removes the schema that this command built
        #[arg(long)]
        drop: bool,
    },
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    // Before anything is started: an unknown name is an invalid argument.
    let chosen = match &args.action {
        Action::Status => named(None)?,
        Action::Rebuild { name }
        | Action::Verify { name, .. }
        | Action::RetryParked { name }
        | Action::AsOf { name, .. } => named(name.as_deref())?,
        Action::Rollback { name } => named(Some(name))?,
    };
    let point = match &args.action {
        Action::AsOf { point, .. } => Some(point.parse::<Point>().map_err(BadArgument)?),
        _ => None,
    };
    let database = Database::open(config).await?;
    let log = EventLog::open(database.pools.work.clone());
    // The role must exist before the tables to which it gets access.
    crate::projections::row_security::ensure_reader(&database.pools.work).await?;
    crate::projections::status::ensure_all(&database.pools.work).await?;
    let all_well = match (&args.action, point) {
        (Action::Status, _) => status::show(&database.pools.work, args.json).await,
        (Action::Rebuild { .. }, _) => work::perform(&log, &chosen, TaskKind::Rebuild, args.json).await,
        (Action::Rollback { .. }, _) => work::perform(&log, &chosen, TaskKind::Rollback, args.json).await,
        (Action::Verify { repair: false, .. }, _) => {
            work::perform(&log, &chosen, TaskKind::Verify, args.json).await
        }
        (Action::Verify { repair: true, .. }, _) => {
            work::perform(&log, &chosen, TaskKind::Repair, args.json).await?;
            work::perform(&log, &chosen, TaskKind::Verify, args.json).await
        }
        (Action::RetryParked { .. }, _) => {
            work::perform(&log, &chosen, TaskKind::RetryParked, args.json).await
        }
        (Action::AsOf { drop, .. }, Some(point)) => {
            as_of::perform(&log, &chosen, point, *drop, args.json).await
        }
        (Action::AsOf { .. }, None) => Ok(true),
    };
    drop(log);
    database.close().await;
    Ok(if all_well? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn named(name: Option<&str>) -> Result<Vec<&'static dyn AnyProjection>, BadArgument> {
    let Some(name) = name else {
        return Ok(all());
    };
    let known: Vec<&str> = all().iter().map(|projection| projection.name()).collect();
    match registry::find(name) {
        Some(projection) => Ok(vec![projection]),
        None => Err(BadArgument(format!(
            "unknown read model '{name}'; the read models are {}",
            known.join(", ")
        ))),
    }
}
