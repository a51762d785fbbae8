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

/// Verifies, proves, seals and exports the log.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks that no event is missing and that no event or body was changed; exit code 1 otherwise
    Verify(verify::Args),
    /// Prints the tree head (Merkle tree over all events); keep it elsewhere to detect later changes to the log
    Head(head::Args),
    /// Proves that an event is in the log, or that events were only added since an earlier head
    Proof(proof::Args),
    /// Records the tree heads of complete segments; 'log verify' then checks each segment against its recorded root
    Seal(segment::SealArgs),
    /// Exports a range of events into a file that can be verified without the database
    Export(segment::ExportArgs),
    /// Verifies an exported file, without a database
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
