//! `sitelog batch`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::input;
use super::local::Local;
use super::{note_line, output, print_line, style};
use crate::aggregates::ScanStatus;
use crate::api::v4::views::Batch;
use crate::commands::CommandContext;
use crate::commands::request_batch::{BatchItem, request_batch};
use crate::config::Config;
use crate::projections::batch_jobs::{self, BatchRow};
use crate::projections::jobs::query::JobFilter;
use crate::projections::jobs::{self, JobRow, Jobs};
use crate::projections::query::wait_for;
use crate::values::batch_list::{MAX_COLUMNS, MAX_DOMAINS, Source};
use crate::values::{BatchId, BatchList, BatchOptions, TenantId};

/// Scans a list of domains and waits for the results.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CSV, Excel (.xlsx), NDJSON or plain text; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The column with the domains, by name or number; by default sitelog detects it
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Maximum number of HTML pages per domain, 1 to 100
    #[arg(long, value_name = "N")]
    max_pages: Option<i64>,
    /// Maximum number of concurrent scans, 1 to 1000
    #[arg(long, value_name = "N")]
    max_concurrent: Option<i64>,
    #[command(flatten)]
    extra_files: super::extra_files::ExtraFiles,
    /// Prints the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// How long the summary waits for the last scans to be seen.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Failed domains that the summary names.
const FAILED_SHOWN: i64 = 20;
/// How often the batch's row is polled.
const POLL: Duration = Duration::from_millis(200);

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let mut list = match read(args) {
        Ok(list) if list.accepted.is_empty() => return Ok(refuse(&list, "no line contains a valid domain")),
        Ok(list) if list.is_too_long() => {
            return Ok(refuse(
                &list,
                &format!("more than {MAX_DOMAINS} domains; split the list"),
            ));
        }
        Ok(list) if list.is_too_wide() => {
            return Ok(refuse(&list, &format!("more than {MAX_COLUMNS} columns")));
        }
        Ok(list) => list,
        Err(error) => return Ok(refuse(&BatchList::default(), &format!("{error:#}"))),
    };
    let local = Local::start(config).await?;
    let items = BatchItem::of_list(&mut list);
    let options = BatchOptions::wanted(args.extra_files.with(args.max_pages), args.max_concurrent);
    let context = CommandContext::internal(TenantId::DEFAULT, "cli");
    let batch = request_batch(&local.app.bus, &items, options, json!(null), &context).await?;
    let row = watch(&local, batch.batch_id, items.len()).await?;
    // Each read model follows the log at its own pace.
    wait_for::<Jobs>(&local.app.models, row.position, WAIT_TIMEOUT).await?;
    let failed = JobFilter {
        status: Some(ScanStatus::Failed),
        batch: Some(batch.batch_id),
        limit: FAILED_SHOWN,
        ..JobFilter::default()
    };
    let failed = jobs::query::list(&local.app.models, TenantId::DEFAULT, &failed).await?;
    local.finish().await;
    let all_well = row.failed_domains == 0 && list.rejected.is_empty();
    summary(row, &failed.items, &list, args.json)?;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(args: &Args) -> anyhow::Result<BatchList> {
    let content = input::read(Path::new(&args.file))?;
    let source = Source {
        content: &content,
        column: args.column.as_deref(),
        ..Source::default()
    };
    Ok(source.read()?)
}

fn refuse(list: &BatchList, why: &str) -> ExitCode {
    if let Some(column) = &list.column {
        note_line(&format!(
            "domains were read from the column '{}'; use --column to select another",
            column.name
        ));
    }
    for note in &list.notes {
        note_line(note);
    }
    for line in &list.rejected {
        note_line(&input::rejected(line));
    }
    note_line(&format!("sitelog: nothing was scanned: {why}"));
    ExitCode::from(super::USAGE)
}

async fn watch(local: &Local, batch: BatchId, total: usize) -> anyhow::Result<BatchRow> {
    let bar = if output::is_watched() {
        ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX))
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} domains  {per_sec}  {eta} left  {msg}",
    )?);
    loop {
        if let Some(row) = batch_jobs::query::find(&local.app.models, TenantId::DEFAULT, batch).await? {
            let ended = row.completed_domains + row.failed_domains + row.cancelled_domains;
            bar.set_position(u64::try_from(ended).unwrap_or(0));
            bar.set_message(format!("{} failed", row.failed_domains));
            if row.status.is_ended() {
                bar.finish_and_clear();
                return Ok(row);
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

fn summary(row: BatchRow, failed: &[JobRow], list: &BatchList, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let mut summary = serde_json::to_value(Batch::from(row))?;
        summary["duplicates"] = json!(list.duplicates);
        summary["rejected"] = json!(list.rejected);
        summary["column"] = json!(list.column);
        summary["notes"] = json!(list.notes);
        return Ok(print_line(&summary.to_string())?);
    }
    let status = row.status.to_string();
    print_line([format!("batch {}: ", row.batch_id).into(), style::status(&status)])?;
    print_line(&format!(
        "  {} completed, {} failed, {} cancelled",
        row.completed_domains, row.failed_domains, row.cancelled_domains
    ))?;
    if !row.failures.is_empty() {
        print_line("  failures:")?;
    }
    for (reason, count) in &row.failures {
        print_line([format!("    {count:>6} ").into(), style::bad(reason)])?;
    }
    for scan in failed {
        let error = scan.error.as_deref().unwrap_or_default();
        print_line(&format!("  {}: {error}", scan.domain))?;
    }
    if usize::try_from(row.failed_domains).is_ok_and(|all| all > failed.len()) {
        print_line(&format!(
            "  … list all failures with: sitelog export scans --batch {} --status failed",
            row.batch_id
        ))?;
    }
    if let Some(column) = &list.column {
        print_line(&format!("  domains were read from the column '{}'", column.name))?;
    }
    for note in &list.notes {
        print_line(&format!("  {note}"))?;
    }
    if list.duplicates > 0 {
        print_line(&format!("  duplicates: {}", list.duplicates))?;
    }
    for line in &list.rejected {
        print_line(&format!("  {}", input::rejected(line)))?;
    }
    Ok(())
}
