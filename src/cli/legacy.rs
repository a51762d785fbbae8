//! `sitelog legacy`: imports the predecessor's data, and compares it with sitelog's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::input::BadArgument;
use crate::app::App;
use crate::config::Config;
use crate::database::Database;
use crate::legacy::compare::{Comparison, compare};
use crate::legacy::import::{Report, Unfinished, import};
use crate::legacy::source::OldDatabase;
use crate::legacy::tables;
use crate::projections::status::statuses;
use crate::values::amount::counted;

/// Imports the predecessor's data, and compares it with sitelog's.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Imports domains, jobs, batches and sitemaps as events
    Import(ImportArgs),
    /// Compares the predecessor's tables with sitelog's, row by row; exit code 0 only if every difference has a known reason
    Compare(CompareArgs),
}

/// A second run skips rows that were already imported. If a run was interrupted, start it again.
#[derive(Debug, ClapArgs)]
struct ImportArgs {
    /// The predecessor's database: postgres://…; add ?options=-csearch_path%3DSCHEMA for a schema other than public
    #[arg(long, value_name = "URL")]
    from: String,
    /// How to import scans that the predecessor started but did not finish
    #[arg(long, value_enum, default_value_t = UnfinishedWork::Fail)]
    unfinished: UnfinishedWork,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum UnfinishedWork {
    /// As failed: the process that ran them has ended
    Fail,
    /// Not at all: they are left for a later import
    Leave,
    /// As new scans: sitelog runs them
    Rescan,
}

#[derive(Debug, ClapArgs)]
struct CompareArgs {
    /// The predecessor's database, as for the import
    #[arg(long = "with", value_name = "URL")]
    with: String,
    /// Prints the comparison as JSON instead of Markdown
    #[arg(long)]
    json: bool,
    /// Also writes the comparison into this file: JSON if its name ends in .json, otherwise Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Import(args) => run_import(args, config).await,
        Command::Compare(args) => run_compare(args, config).await,
    }
}

async fn run_import(args: &ImportArgs, config: &Config) -> anyhow::Result<ExitCode> {
    if !args.from.starts_with("postgres://") && !args.from.starts_with("postgresql://") {
        let words = "--from is not the URL of a PostgreSQL database; it must begin with postgres://";
        return Err(BadArgument(words.to_owned()).into());
    }
    let mut source = OldDatabase::open(&args.from).await?;
    let following = Following::start(config).await?;
    let app = &following.app;
    let unfinished = match args.unfinished {
        UnfinishedWork::Fail => Unfinished::Fail,
        UnfinishedWork::Leave => Unfinished::Leave,
        UnfinishedWork::Rescan => Unfinished::Rescan,
    };
    let bar = progress_bar();
    let on_progress = |table: &str, rows: u64| show_progress(&bar, table, rows);
    let report = import(&app.bus, app.log.pool(), &mut source, unfinished, &on_progress).await;
    bar.finish_and_clear();
    let report = report?;
    following.catch_up().await?;
    following.finish().await;
    if args.json {
        super::print_lines(&serde_json::to_string_pretty(&report)?)?;
    } else {
        print_report(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_compare(args: &CompareArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let mut source = OldDatabase::open(&args.with).await?;
    let following = Following::start(config).await?;
    following.catch_up().await?;
    let bar = progress_bar();
    let on_progress = |table: &str, rows: u64| show_progress(&bar, table, rows);
    let comparison = compare(&following.app.models, &mut source, &on_progress).await;
    bar.finish_and_clear();
    let comparison = comparison?;
    following.finish().await;
    if let Some(path) = &args.report {
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        std::fs::write(path, shown(&comparison, is_json)?)
            .with_context(|| format!("cannot write the report to {}", path.display()))?;
    }
    super::print_lines(&shown(&comparison, args.json)?)?;
    Ok(ExitCode::from(u8::from(!comparison.holds())))
}

fn shown(comparison: &Comparison, as_json: bool) -> anyhow::Result<String> {
    if as_json {
        Ok(serde_json::to_string_pretty(comparison)?)
    } else {
        Ok(comparison.to_markdown())
    }
}

/// The read models follow while rows come in; nothing is scanned.
struct Following {
    app: App,
    database: Database,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Following {
    async fn start(config: &Config) -> anyhow::Result<Self> {
        let database = Database::open(config).await?;
        let app = App::build(config, database.pools.clone()).await?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_projector(&tracker, &stop);
        Ok(Self {
            app,
            database,
            tracker,
            stop,
        })
    }

    /// Waits until the read models have reached the end of the log, and readers of the old tables see them.
    async fn catch_up(&self) -> anyhow::Result<()> {
        let head = self.app.log.head().await?;
        loop {
            let all = statuses(self.app.log.pool()).await?;
            if all
                .iter()
                .all(|status| status.generation.is_some() && status.position >= head)
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tables::ensure(&self.app.models).await?;
        Ok(())
    }

    async fn finish(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        drop(self.app);
        self.database.close().await;
    }
}

/// Shown on a terminal only.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {pos} rows").expect("the template is valid");
    ProgressBar::new_spinner().with_style(style)
}

fn show_progress(bar: &ProgressBar, table: &str, rows: u64) {
    bar.set_message(table.to_owned());
    bar.set_position(rows);
}

fn print_report(report: &Report) -> anyhow::Result<()> {
    for (name, tally) in &report.tables {
        super::print_line(&format!(
            "{name}: {}, {} imported",
            counted(tally.rows(), "row"),
            tally.imported
        ))?;
        for (title, counts) in [
            ("merged into another row", &tally.merged),
            ("rejected", &tally.refused),
            ("repaired", &tally.notes),
        ] {
            for (reason, rows) in counts {
                super::print_line(&format!("  {title}: {rows} {reason}"))?;
            }
        }
    }
    if !report.refused.is_empty() {
        super::print_line("rejected (table, ID, reason):")?;
    }
    for (table, id, reason) in &report.refused {
        super::print_line(&format!("  {table}\t{id}\t{reason}"))?;
    }
    Ok(())
}
