//! `sitelog log`.

mod head;
mod proof;
mod segment;
pub(super) mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::database::Database;
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
    Verify(verify::Args),
    /// Prints the head of the Merkle tree over all events: kept elsewhere, it proves that nothing before it changed
    Head(head::Args),
    /// Proves that an event is in the log, or that the log only grew since an earlier head
    Proof(proof::Args),
    /// Closes whole segments of the log: from then on 'log verify' holds each against the root it had
    Seal(segment::SealArgs),
    /// Writes a stretch of the log into a file that can be checked without it
    Export(segment::ExportArgs),
    /// Checks such a file, without a database
    VerifySegment(segment::VerifyArgs),
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    if let Action::VerifySegment(args) = &args.action {
        return segment::verify(args);
    }
    let database = Database::open(config).await?;
    let log = EventLog::open(database.pools.work.clone());
    let done = match &args.action {
        Action::Verify(args) => verify::run(args, &log).await,
        Action::Head(args) => head::run(args, &log).await,
        Action::Proof(args) => proof::run(args, &log).await,
        Action::Seal(args) => segment::seal(args, &log).await,
        Action::Export(args) => segment::export(args, &log).await,
        Action::VerifySegment(args) => segment::verify(args),
    };
    drop(log);
    database.close().await;
    done
}
