//! `sitelog log seal`, `log export` and `log verify-segment`.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::verify::read_head;
use crate::cli::input::BadArgument;
use crate::cli::output::chain;
use crate::cli::print_line;
use crate::log::EventLog;
use crate::log::segment::{SEGMENT_SIZE, SegmentError, verify_segment};

/// Records the tree heads of complete segments that are not sealed yet, and prints all sealed segments.
#[derive(Debug, clap::Args)]
pub(super) struct SealArgs {
    /// Number of events per segment
    #[arg(long, value_name = "N", default_value_t = SEGMENT_SIZE, value_parser = clap::value_parser!(u64).range(1..))]
    segment_size: u64,
    /// Prints one JSON object per segment
    #[arg(long)]
    json: bool,
}

/// Exports a range of events into a file: zstd-compressed NDJSON with the canonical text of each event.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Position of the first event
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    from: u64,
    /// Position of the last event
    #[arg(long, value_name = "POSITION")]
    to: u64,
    /// Includes findings and lists of URLs. 'sitelog forget' cannot erase data in exported files
    #[arg(long)]
    bodies: bool,
    /// The file to write; it must not exist yet
    file: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// Verifies an exported file, without a database.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The file
    file: PathBuf,
    /// The tree head at the last event in the file: a file with the output of 'log head', or SIZE:ROOT
    #[arg(long, value_name = "FILE|SIZE:ROOT")]
    head: Option<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn seal(args: &SealArgs, log: &EventLog) -> anyhow::Result<ExitCode> {
    for segment in log.seal(args.segment_size).await? {
        if args.json {
            print_line(&serde_json::to_string(&segment)?)?;
        } else {
            print_line(&format!(
                "events {} to {}  root {}",
                segment.first, segment.last, segment.root
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn export(args: &ExportArgs, log: &EventLog) -> anyhow::Result<ExitCode> {
    let shown = args.file.display();
    // An existing file may be the only copy of something.
    if args.file.exists() {
        return Err(BadArgument(format!("{shown} already exists")).into());
    }
    let mut partial = args.file.clone().into_os_string();
    partial.push(".partial");
    let file =
        File::create(&partial).map_err(|error| BadArgument(format!("cannot write {shown}: {error}")))?;
    let outcome = log.export_segment(args.from, args.to, args.bodies, &file).await;
    let header = match outcome {
        Ok(header) => header,
        Err(error) => {
            std::fs::remove_file(&partial)?;
            return Err(match error {
                SegmentError::Range(refused) => BadArgument(refused.to_string()).into(),
                other => other.into(),
            });
        }
    };
    file.sync_all()?;
    std::fs::rename(&partial, &args.file)?;
    if args.json {
        let report = json!({
            "file": args.file, "first": header.first, "last": header.last, "root": header.root,
        });
        print_line(&report.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    print_line(&format!(
        "events {} to {} written to {shown}",
        header.first, header.last
    ))?;
    print_line(&format!("tree head {} over {} leaves", header.root, header.last))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let shown = args.file.display();
    let kept = args.head.as_deref().map(read_head).transpose()?;
    let file =
        File::open(&args.file).map_err(|error| BadArgument(format!("cannot read {shown}: {error}")))?;
    let found = match verify_segment(file) {
        Ok(found) => found,
        Err(error) => {
            let error = chain(&anyhow::Error::new(error));
            print_line(&if args.json {
                json!({ "file": args.file, "holds": false, "error": error }).to_string()
            } else {
                format!("{shown}: {error}")
            })?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let head = found.head;
    if args.json && kept.as_ref().is_none_or(|kept| kept.size == head.size) {
        let is_kept = kept.map(|kept| kept == head);
        let holds = is_kept.unwrap_or(true);
        let report = json!({
            "file": args.file, "holds": holds, "size": head.size, "root": hex::encode(head.root),
            "is_kept_head": is_kept,
        });
        print_line(&report.to_string())?;
        return Ok(if holds {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    print_line(&format!(
        "tree head {} over {} leaves",
        hex::encode(head.root),
        head.size
    ))?;
    let Some(kept) = kept else {
        return Ok(ExitCode::SUCCESS);
    };
    if kept.size != head.size {
        let message = format!(
            "the head covers {} events, but the file ends at event {}. For a later head, prove with 'sitelog log \
             proof --consistency {}' that the log only grew since",
            kept.size, head.size, head.size
        );
        return Err(BadArgument(message).into());
    }
    if kept != head {
        print_line(&format!(
            "DOES NOT MATCH the given head, {} over {} leaves",
            hex::encode(kept.root),
            kept.size
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    print_line("matches the given head: these events are in that log")?;
    Ok(ExitCode::SUCCESS)
}
