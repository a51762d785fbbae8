//! `sitelog restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::input::require_readable;
use super::log::verify;
use super::projections::work;
use super::{print_line, progress};
use crate::backup::{Archive, restore};
use crate::config::Config;
use crate::database::Database;
use crate::log::EventLog;
use crate::log::head::TreeHead;
use crate::projections::task::TaskKind;
use crate::projections::{all, row_security, status};

/// Restores a backup into an empty database, and verifies log and read models; exit code 1 if they are damaged.
///
/// All or nothing: if the restore fails, the database stays empty. The restoring user owns the restored tables.
/// Roles that had rights in the backup and are missing here are created, without a login.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file that 'sitelog backup' wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An empty database. Default: the one in the settings (`DATABASE_URL`, or a private one in the data directory)
    #[arg(long, value_name = "URL")]
    into: Option<String>,
    /// Prints JSON: one object for the log, and one for each read model
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    require_readable(&args.file)?;
    let archive = Archive::open(&args.file)?;
    let mut config = config.clone();
    if args.into.is_some() {
        config.database_url.clone_from(&args.into);
    }
    let database = Database::connect(&config).await?;
    let done = restore_database(args, &archive, &config, &database).await;
    database.close().await;
    Ok(if done? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// True if all that was restored holds.
async fn restore_database(
    args: &Args,
    archive: &Archive,
    config: &Config,
    database: &Database,
) -> anyhow::Result<bool> {
    let url = database
        .url()
        .map(str::to_owned)
        .or_else(|| config.database_url.clone());
    let url = url.context("no database found")?;
    let bar = progress::of_length("restored", archive.size())?;
    restore(&url, archive, |bytes| bar.set_position(bytes)).await?;
    bar.finish_and_clear();
    // A backup of an earlier release has its tables.
    sqlx::migrate!().run(&database.pools.work).await?;
    row_security::ensure_reader(&database.pools.work).await?;
    status::ensure_all(&database.pools.work).await?;
    let log = EventLog::open(database.pools.work.clone());
    let head: TreeHead = format!("{}:{}", archive.manifest.events, archive.manifest.root).parse()?;
    let log_holds = verify::check(&log, Some(head), args.json).await?;
    let models_hold = work::perform(&log, &all(), TaskKind::Verify, args.json).await?;
    let all_well = log_holds && models_hold;
    if !args.json {
        let file = args.file.display();
        print_line(&if all_well {
            format!("{file} is restored; start the service with 'sitelog serve'")
        } else {
            format!("{file} is restored, but its content is damaged; see the messages above")
        })?;
    }
    Ok(all_well)
}
