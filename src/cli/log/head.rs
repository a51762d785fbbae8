//! `sitelog log head`.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::{print_line, print_lines};
use crate::log::EventLog;
use crate::log::read::EventFilter;

/// Prints the tree head (Merkle tree over all events) as a checkpoint of three lines: the log's name, the number of
/// events, and the root in base64.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Uses only the first SIZE events. Default: all events
    #[arg(long, value_name = "SIZE")]
    size: Option<u64>,
    /// Prints one JSON object, with the time of the last event
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, log: &EventLog) -> anyhow::Result<ExitCode> {
    let checkpoint = log.checkpoint(args.size).await?;
    if !args.json {
        print_lines(&checkpoint.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let last = EventFilter {
        after: i64::try_from(checkpoint.head.size)? - 1,
        limit: 1,
        ..EventFilter::default()
    };
    let last = log.events(&last).await?;
    let report = json!({
        "origin": checkpoint.origin,
        "size": checkpoint.head.size,
        "root": hex::encode(checkpoint.head.root),
        "recorded_at": last.first().filter(|_| checkpoint.head.size > 0).map(|event| event.recorded_at),
        "checkpoint": checkpoint.to_string(),
    });
    print_line(&report.to_string())?;
    Ok(ExitCode::SUCCESS)
}
