//! `sitelog monitor`: domains that are scanned on a schedule.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::extra_files::ExtraFiles;
use super::input::{self, BadArgument};
use super::{note_line, print_line};
use crate::aggregates::MonitorError;
use crate::api::batch_input::BatchInput;
use crate::api::json_error::mismatch_in;
use crate::api::problem::Problem;
use crate::api::v4::create_monitor::create;
use crate::api::v4::monitor_subscribers::{SubscriberView, subscribe};
use crate::api::v4::monitor_views::{MonitorView, RunView, WantedMonitor, require_filter};
use crate::app::App;
use crate::commands::maintain_monitor::{MonitorWork, maintain_monitor};
use crate::commands::run_monitor::Run;
use crate::commands::{CommandContext, CommandError};
use crate::config::Config;
use crate::database::Database;
use crate::monitors::RunError;
use crate::monitors::rows;
use crate::monitors::subscribers;
use crate::values::amount::counted;
use crate::values::batch_list::Source;
use crate::values::monitor::{DomainSelection, MonitorChange, WatchedDomains};
use crate::values::rhythm::{Rhythm, Zone};
use crate::values::{BatchOptions, MonitorId, TenantId};

/// How long a list waits for what was just decided.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);
/// Monitors that are read at once.
const PAGE: i64 = 500;
/// Runs that are shown.
const RUNS: i64 = 20;

/// Creates, lists, pauses, runs and deletes monitors; a running server runs them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Creates a monitor: domains that are scanned on a schedule
    Create(Box<Create>),
    /// Lists monitors: when each runs next, and the result of its last run
    List(Whose),
    /// Shows a monitor and its last runs
    Show(Which),
    /// Pauses a monitor
    Pause(Which),
    /// Resumes a monitor; missed runs are skipped
    Resume(Which),
    /// Runs a monitor now, in addition to its schedule
    Run(Which),
    /// Subscribes an email address: it gets an email for each run that finds changes
    Subscribe(Subscribe),
    /// Unsubscribes an email address
    Unsubscribe(Subscribe),
    /// Deletes a monitor; the results of its runs are kept
    Delete(Which),
}

#[derive(Debug, clap::Args)]
struct Whose {
    /// The tenant. Default: the default tenant (550e8400-e29b-41d4-a716-446655440000)
    #[arg(long, value_name = "ID", default_value_t = TenantId::DEFAULT, hide_default_value = true)]
    tenant: TenantId,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Name of the monitor
    #[arg(value_name = "NAME")]
    name: String,
    /// The domains: CSV, Excel (.xlsx), NDJSON or plain text; `-` reads standard input
    #[arg(value_name = "FILE", conflicts_with = "filter")]
    file: Option<String>,
    /// Instead of a file: all known domains that match, evaluated at each run, for example technology=Shopify; the names
    /// are those of the filters of GET /domains
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    filter: Vec<String>,
    /// The schedule: hourly, daily, "weekly on monday" or monthly, optionally with an hour ("daily at 6"), or a cron
    /// expression of five fields
    #[arg(long = "schedule", alias = "rhythm", value_name = "SCHEDULE", default_value = Rhythm::DAILY)]
    rhythm: Rhythm,
    /// The time zone of the schedule, for example Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: Zone,
    /// The column with the domains, by name or number; by default sitelog detects it
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Maximum number of HTML pages per domain, 1 to 100
    #[arg(long, value_name = "N")]
    max_pages: Option<i64>,
    /// Maximum number of concurrent scans of a run, 1 to 1000
    #[arg(long, value_name = "N")]
    max_concurrent: Option<i64>,
    #[command(flatten)]
    extra_files: ExtraFiles,
    /// Reports only changes to these fields, for example title or status
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    fields: Vec<String>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The monitor
    #[arg(value_name = "ID")]
    monitor: MonitorId,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
struct Subscribe {
    #[command(flatten)]
    which: Which,
    /// The email address
    #[arg(value_name = "ADDRESS")]
    address: String,
}

/// A refusal: reported, but not an error of the environment.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    // A list that cannot be read needs no database.
    let wanted = match &args.command {
        Command::Create(args) => Some(args.wanted()?),
        _ => None,
    };
    let database = Database::open(config).await?;
    let app = App::build(config, database.pools.clone()).await?;
    let done = match wanted {
        Some(wanted) => create_monitor(&args.command, wanted, &app).await,
        None => execute(&args.command, &app, &database).await,
    };
    drop(app);
    database.close().await;
    done.map(|()| ExitCode::SUCCESS).or_else(|error| {
        let refused = error.downcast::<Refused>()?;
        note_line(&format!("sitelog: {refused}"));
        Ok(ExitCode::FAILURE)
    })
}

impl Create {
    fn wanted(&self) -> Result<WantedMonitor, BadArgument> {
        let bad_argument = |problem: Problem| BadArgument(problem.detail);
        if self.file.is_none() && self.filter.is_empty() {
            let words = "give the FILE with the domains, or --filter NAME=VALUE for known domains that match";
            return Err(BadArgument(words.to_owned()));
        }
        let list = self.file.as_deref().map(|file| self.list(file)).transpose()?;
        let filter = match list {
            Some(_) => None,
            None => Some(selection(&self.filter)?),
        };
        if let Some(filter) = &filter {
            require_filter(filter).map_err(bad_argument)?;
        }
        let change = MonitorChange {
            name: Some(self.name.clone()),
            domains: filter.map(WatchedDomains::Filter),
            rhythm: Some(self.rhythm.clone()),
            time_zone: Some(self.time_zone),
            scan: self.extra_files.with(self.max_pages),
            changes_files: true,
            max_concurrent: self.max_concurrent,
            fields: Some(self.fields.clone()),
        };
        Ok(WantedMonitor { change, list })
    }

    fn list(&self, file: &str) -> Result<BatchInput, BadArgument> {
        let content = input::read(Path::new(file))?;
        let source = Source {
            content: &content,
            column: self.column.as_deref(),
            ..Source::default()
        };
        let list = source.read().map_err(|error| BadArgument(error.to_string()))?;
        let input = BatchInput::of(list, BatchOptions::new(None, None));
        let input = input.map_err(|problem| BadArgument(problem.detail))?;
        for note in &input.notes {
            note_line(note);
        }
        for line in &input.rejected {
            note_line(&input::rejected(line));
        }
        Ok(input)
    }
}

/// Filters as `NAME=VALUE`; the names and values are those of `GET /domains`.
fn selection(filters: &[String]) -> Result<DomainSelection, BadArgument> {
    let mut fields = Map::new();
    for filter in filters {
        let Some((name, value)) = filter.split_once('=') else {
            return Err(BadArgument(format!("--filter {filter}: it must be NAME=VALUE")));
        };
        let value = match value {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::String(text.to_owned()),
        };
        fields.insert(name.trim().to_owned(), value);
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| BadArgument(format!("--filter: {}", mismatch_in("", &error).detail)))
}

async fn create_monitor(command: &Command, wanted: WantedMonitor, app: &App) -> anyhow::Result<()> {
    let Command::Create(args) = command else {
        return Ok(());
    };
    let context = CommandContext::internal(args.whose.tenant, "cli");
    let created = create(&app.api_state(), wanted, &context).await;
    let (created, list, settings) = created.map_err(|problem| Refused(problem.detail))?;
    let next = settings.schedule(created.id).next_after(app.log.now().await?);
    if args.whose.json {
        let created = json!({
            "monitor_id": created.id, "next_run": next, "list": list, "position": created.position,
        });
        return Ok(print_line(&created.to_string())?);
    }
    if let Some(next) = next {
        note_line(&format!(
            "First run: {}",
            next.to_rfc3339_opts(SecondsFormat::Secs, true)
        ));
    }
    Ok(print_line(&created.id.to_string())?)
}

async fn execute(command: &Command, app: &App, database: &Database) -> anyhow::Result<()> {
    match command {
        // It was done already.
        Command::Create(_) => Ok(()),
        Command::List(whose) => list(whose, app, database).await,
        Command::Show(which) => show(which, app, database).await,
        Command::Pause(which) => maintain(app, which, MonitorWork::Pause).await,
        Command::Resume(which) => maintain(app, which, MonitorWork::Resume).await,
        Command::Delete(which) => maintain(app, which, MonitorWork::Delete).await,
        Command::Run(which) => run_now(app, which).await,
        Command::Subscribe(args) => add_subscriber(app, args).await,
        Command::Unsubscribe(args) => remove_subscriber(database, args).await,
    }
}

async fn maintain(app: &App, which: &Which, work: MonitorWork) -> anyhow::Result<()> {
    let context = CommandContext::internal(which.whose.tenant, "cli");
    let now = app.log.now().await?;
    let position = maintain_monitor(&app.bus, which.monitor, work, now, &context).await;
    let position = position.map_err(refusal)?;
    if which.whose.json {
        return Ok(print_line(
            &json!({ "monitor_id": which.monitor, "position": position }).to_string(),
        )?);
    }
    note_line(match work {
        MonitorWork::Pause => "Monitor paused.",
        MonitorWork::Resume => "Monitor resumed.",
        MonitorWork::Delete => "Monitor deleted.",
    });
    Ok(())
}

async fn add_subscriber(app: &App, args: &Subscribe) -> anyhow::Result<()> {
    let (tenant, id) = (args.which.whose.tenant, args.which.monitor);
    let added = subscribe(&app.api_state(), tenant, id, &args.address).await;
    let row = added.map_err(|problem| Refused(problem.detail))?;
    if args.which.whose.json {
        return Ok(print_line(&serde_json::to_string(&SubscriberView::from(row))?)?);
    }
    note_line(&format!(
        "{} gets an email for each run that finds changes",
        row.address
    ));
    Ok(())
}

async fn remove_subscriber(database: &Database, args: &Subscribe) -> anyhow::Result<()> {
    let pool = &database.pools.access;
    let (tenant, id) = (args.which.whose.tenant, args.which.monitor);
    let rows = subscribers::list(pool, tenant, id).await?;
    let Some(row) = rows.iter().find(|row| row.address == args.address) else {
        return Err(Refused(format!("{} is not subscribed to this monitor", args.address)).into());
    };
    subscribers::remove(pool, tenant, id, row.subscriber_id).await?;
    if args.which.whose.json {
        return Ok(print_line(
            &json!({ "subscriber_id": row.subscriber_id }).to_string(),
        )?);
    }
    note_line(&format!("Unsubscribed {}.", row.address));
    Ok(())
}

async fn run_now(app: &App, which: &Which) -> anyhow::Result<()> {
    let context = CommandContext::internal(which.whose.tenant, "cli");
    let run = app.api_state().monitors.run_now(which.monitor, &context).await;
    let run = run.map_err(|error| match error {
        RunError::Command(error) => refusal(error),
        error => error.into(),
    })?;
    let Run::Began { batch, position } = run else {
        return Err(
            Refused("no monitor has this ID; list all with 'sitelog monitor list'".to_owned()).into(),
        );
    };
    if which.whose.json {
        let begun = json!({ "monitor_id": which.monitor, "batch_id": batch, "position": position });
        return Ok(print_line(&begun.to_string())?);
    }
    note_line("Started batch:");
    Ok(print_line(&batch.to_string())?)
}

fn refusal(error: CommandError<MonitorError>) -> anyhow::Error {
    match error {
        CommandError::Log(_) => error.into(),
        refused => Refused(refused.to_string()).into(),
    }
}

/// A running server keeps the rows up to date with the log.
async fn follow(app: &App, database: &Database) -> anyhow::Result<()> {
    let head = app.log.head().await?;
    let end = tokio::time::Instant::now() + WAIT_TIMEOUT;
    while rows::reached(&database.pools.access).await? < head {
        if tokio::time::Instant::now() > end {
            note_line("sitelog: the list is behind the log; it is updated while a server runs");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn list(whose: &Whose, app: &App, database: &Database) -> anyhow::Result<()> {
    follow(app, database).await?;
    let mut after = None;
    loop {
        let found = rows::list(&database.pools.access, whose.tenant, after, PAGE).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = Some(last.position);
        for row in found {
            let view = MonitorView::from(row);
            print_line(&if whose.json {
                serde_json::to_string(&view)?
            } else {
                line_of(&view)
            })?;
        }
    }
}

async fn show(which: &Which, app: &App, database: &Database) -> anyhow::Result<()> {
    follow(app, database).await?;
    let pool = &database.pools.access;
    let (tenant, id) = (which.whose.tenant, which.monitor);
    let Some(row) = rows::find(pool, tenant, id).await? else {
        return Err(
            Refused("no monitor has this ID; list all with 'sitelog monitor list'".to_owned()).into(),
        );
    };
    let view = MonitorView::from(row);
    let runs = rows::runs(pool, tenant, id, None, RUNS).await?;
    let runs: Vec<RunView> = runs.into_iter().map(RunView::from).collect();
    if which.whose.json {
        let mut whole = serde_json::to_value(&view)?;
        whole["runs"] = serde_json::to_value(&runs)?;
        return Ok(print_line(&whole.to_string())?);
    }
    print_line(&line_of(&view))?;
    for run in &runs {
        let at = run.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let what = match (&run.batch_id, &run.skipped) {
            (Some(batch), _) => format!(
                "batch {batch} of {}",
                counted(run.total.unwrap_or_default(), "domain")
            ),
            (None, reason) => format!("skipped: {}", reason.as_deref().unwrap_or_default()),
        };
        print_line(&format!("  {at}  {what}"))?;
    }
    Ok(())
}

fn line_of(view: &MonitorView) -> String {
    let next = view.next_run.map_or_else(
        || "not scheduled".to_owned(),
        |next| format!("next {}", next.to_rfc3339_opts(SecondsFormat::Secs, true)),
    );
    let last = match &view.last_run {
        None => "no runs yet".to_owned(),
        Some(run) => match &run.skipped {
            Some(reason) => format!("last skipped ({reason})"),
            None => format!("last {}", run.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        },
    };
    format!(
        "{}  {}  {} ({})  {next}  {last}  {}",
        view.monitor_id, view.status, view.rhythm, view.time_zone, view.name
    )
}
