//! `sitelog doctor`.

use std::process::ExitCode;

use serde::Serialize;

use super::output::chain;
use super::{print_line, print_lines, style};
use crate::config::{Config, Sources, without_password};
use crate::database::Database;
use crate::fleet::{NatsSettings, NatsUser, check_broker, connect};
use crate::progress::{self, ClockCheck, Stuck};

/// Checks the installation and says how to fix problems.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Findings {
    version: &'static str,
    data_dir: Option<String>,
    /// The owner's.
    database_url: Option<String>,
    postgres_version: Option<String>,
    log_position: Option<i64>,
    migrations: Option<i64>,
    /// What has something to do and makes no progress.
    stuck: Vec<Stuck>,
    clock: Option<ClockCheck>,
    problems: Vec<String>,
    /// Past errors, and what needs no action.
    notes: Vec<String>,
}

pub(super) async fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    let mut found = Findings {
        version: env!("CARGO_PKG_VERSION"),
        ..Findings::default()
    };
    match Config::load(sources) {
        Ok(config) => {
            found.data_dir = Some(config.data_dir.display().to_string());
            examine(&config, &mut found).await;
            if let Some(broker) = &config.nats {
                examine_broker(broker, &mut found).await;
            }
        }
        Err(faults) => found.problems.extend(faults.0.iter().map(ToString::to_string)),
    }
    if args.json {
        print_lines(&serde_json::to_string_pretty(&found)?)?;
    } else {
        print(&found)?;
    }
    Ok(if found.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::ENVIRONMENT)
    })
}

async fn examine(config: &Config, found: &mut Findings) {
    let database = match Database::connect(config).await {
        Ok(database) => database,
        Err(error) => return found.problems.push(chain(&anyhow::Error::new(error))),
    };
    found.database_url = config
        .database_url
        .clone()
        .or_else(|| database.url().map(str::to_owned));
    let version = sqlx::query_scalar("select current_setting('server_version')")
        .fetch_one(&database.pools.work)
        .await;
    found.postgres_version = version.ok();
    let applied: Result<i64, _> = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(&database.pools.work)
        .await;
    match applied {
        Ok(applied) => found.migrations = Some(applied),
        Err(_) => found
            .problems
            .push("the database has no tables yet: run 'sitelog migrate'".to_owned()),
    }
    let wanted = i64::try_from(sqlx::migrate!().migrations.len()).unwrap_or(i64::MAX);
    if found.migrations.is_some_and(|applied| applied < wanted) {
        found
            .problems
            .push("the database's tables are older than this program: run 'sitelog migrate'".to_owned());
    }
    let head = sqlx::query_scalar("select position from log_head")
        .fetch_one(&database.pools.work)
        .await;
    found.log_position = head.ok();
    if found.migrations == Some(wanted) {
        let checked = check_progress(&database, found).await;
        found
            .problems
            .extend(checked.err().map(|error| format!("{error:#}")));
    }
    database.close().await;
}

/// Streams and permissions of the broker, if there is one.
async fn examine_broker(broker: &NatsSettings, found: &mut Findings) {
    let checked = match connect(broker, NatsUser::Dispatcher).await {
        Ok(client) => check_broker(&client, &broker.cell).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => found.notes.push(format!("NATS at {} is ready", broker.shown())),
        Err(error) => found.problems.push(chain(&anyhow::Error::new(error))),
    }
}

/// Whether the clocks are right and all background work makes progress.
async fn check_progress(database: &Database, found: &mut Findings) -> anyhow::Result<()> {
    let clock = ClockCheck::read(&database.pools.work).await?;
    found.problems.extend(clock.problems());
    found.notes.extend(clock.note());
    found.clock = Some(clock);
    found.stuck = progress::stuck(&database.pools.work).await?;
    found.problems.extend(found.stuck.iter().map(ToString::to_string));
    Ok(())
}

fn print(found: &Findings) -> anyhow::Result<()> {
    for (name, value) in [
        ("sitelog", Some(found.version.to_owned())),
        ("data", found.data_dir.clone()),
        ("database", found.database_url.as_deref().map(without_password)),
        ("PostgreSQL", found.postgres_version.clone()),
        ("migrations", found.migrations.map(|applied| applied.to_string())),
        (
            "log position",
            found.log_position.map(|position| position.to_string()),
        ),
    ] {
        // A problem below explains what could not be determined.
        if let Some(value) = value {
            print_line(&format!("{name:<12}  {value}"))?;
        }
    }
    for problem in &found.problems {
        // Some say over several lines what to do.
        let (first, more) = problem.split_once('\n').unwrap_or((problem, ""));
        print_line([style::bad("ERROR"), format!("         {first}").into()])?;
        print_lines(more)?;
    }
    for note in &found.notes {
        print_line(&format!("note          {note}"))?;
    }
    if found.problems.is_empty() {
        print_line(style::good("no problems found"))?;
    }
    Ok(())
}
