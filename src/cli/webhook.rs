//! `sitelog webhook`: manages webhooks.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::input::BadArgument;
use super::{note_line, print_line};
use crate::aggregates::WebhookError;
use crate::aggregates::webhook::DisableReason;
use crate::app::App;
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::commands::{CommandContext, CommandError};
use crate::config::Config;
use crate::database::Database;
use crate::projections::as_of::{self, Point};
use crate::values::webhook::{WebhookFormat, WebhookSettings, WebhookTopic};
use crate::values::{TenantId, WebhookId};
use crate::webhooks::endpoint::EndpointError;
use crate::webhooks::{Condition, WebhookRow, endpoint, rows};

/// How long the list waits for what was just decided.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Creates, lists, tests and deletes webhooks; a running server sends the events. The API also changes them, lists
/// deliveries and resends single events.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Creates a webhook and prints its secret once
    Create(Create),
    /// Lists webhooks, without their secrets
    List(Whose),
    /// Sends a test event
    Test(Which),
    /// Enables a webhook; it resumes where it stopped
    Enable(Which),
    /// Disables a webhook until it is enabled again
    Disable(Which),
    /// Generates a new secret and prints it once; the old one stays valid for 24 hours
    Rotate(Which),
    /// Replays events, in order
    Replay(Replay),
    /// Deletes a webhook
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
    /// Where events are sent
    #[arg(value_name = "URL")]
    url: String,
    /// One or more of batch.completed, scan.completed, scan.failed, domain.changed, monitor.ran and monitor.skipped
    #[arg(
        long,
        value_name = "TYPE",
        value_delimiter = ',',
        default_value = "domain.changed"
    )]
    events: Vec<String>,
    /// Only events of these domains
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    domains: Vec<String>,
    /// Only changes to one of these fields, for example title or status
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    fields: Vec<String>,
    /// What the webhook is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The format: standard, or a chat message for slack, teams or discord
    #[arg(long, value_name = "FORMAT", default_value_t = WebhookFormat::Standard)]
    format: WebhookFormat,
    /// Delivers later events while a failed one is retried
    #[arg(long)]
    unordered: bool,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The webhook
    #[arg(value_name = "ID")]
    webhook: WebhookId,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
struct Replay {
    /// Events after this log position or time
    #[arg(long, value_name = "POSITION|TIME")]
    since: Point,
    /// Events up to this log position or time; by default all so far
    #[arg(long, value_name = "POSITION|TIME")]
    until: Option<Point>,
    #[command(flatten)]
    which: Which,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    let app = App::build(config, database.pools.clone()).await?;
    let done = execute(&args.command, &app, &database).await.or_else(refused);
    drop(app);
    database.close().await;
    done
}

/// A refusal: reported, but not an error of the environment.
fn refused(error: anyhow::Error) -> anyhow::Result<ExitCode> {
    let command = error.downcast_ref::<CommandError<WebhookError>>();
    let endpoint = error.downcast_ref::<EndpointError>();
    let is_refusal = |error: &CommandError<WebhookError>| !matches!(error, CommandError::Log(_));
    let is_refused = match (command, endpoint) {
        (Some(error), _) | (_, Some(EndpointError::Command(error))) => is_refusal(error),
        (_, Some(EndpointError::TooMany)) => true,
        _ => false,
    };
    if !is_refused {
        return Err(error);
    }
    note_line(&format!("sitelog: {error}"));
    Ok(ExitCode::FAILURE)
}

async fn execute(command: &Command, app: &App, database: &Database) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => return create_webhook(create, app, database).await,
        Command::List(whose) => return list(whose, app, database).await,
        Command::Rotate(which) => {
            let context = CommandContext::internal(which.whose.tenant, "cli");
            let rotated = endpoint::rotate(&app.bus, &database.pools.access, which.webhook, &context).await?;
            return shown(&which.whose, which.webhook, Some(rotated.1.reveal()), rotated.0);
        }
        Command::Test(which) => maintain(app, which, Maintenance::Test).await,
        Command::Enable(which) => maintain(app, which, Maintenance::Enable).await,
        Command::Disable(which) => {
            let command = Maintenance::Disable {
                reason: DisableReason::Requested,
                position: None,
                error: None,
            };
            maintain(app, which, command).await
        }
        Command::Delete(which) => maintain(app, which, Maintenance::Delete).await,
        Command::Replay(replay) => {
            let pool = &database.pools.work;
            let after = as_of::position(pool, replay.since).await?;
            let to = match replay.until {
                Some(until) => as_of::position(pool, until).await?,
                None => app.log.head().await?,
            };
            if to < after {
                return Err(BadArgument("--until is before --since".to_owned()).into());
            }
            maintain(app, &replay.which, Maintenance::Replay { after, to }).await
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn create_webhook(args: &Create, app: &App, database: &Database) -> anyhow::Result<ExitCode> {
    let events: Result<Vec<WebhookTopic>, _> = args.events.iter().map(|word| word.parse()).collect();
    let settings = WebhookSettings {
        url: args.url.clone(),
        events: events.map_err(|error| BadArgument(format!("--events: {error}")))?,
        domains: args.domains.clone(),
        fields: args.fields.clone(),
        description: args.description.clone(),
        format: args.format,
        ordered: !args.unordered,
    };
    let settings = settings
        .checked()
        .map_err(|error| BadArgument(error.to_string()))?;
    let context = CommandContext::internal(args.whose.tenant, "cli");
    let (created, secret) = endpoint::create(&app.bus, &database.pools.access, settings, &context).await?;
    let secret = secret.map(|secret| secret.reveal());
    shown(&args.whose, created.id, secret, created.position)
}

fn shown(whose: &Whose, id: WebhookId, secret: Option<String>, position: i64) -> anyhow::Result<ExitCode> {
    if whose.json {
        print_line(&json!({ "webhook_id": id, "secret": secret, "position": position }).to_string())?;
    } else {
        note_line(&format!("Webhook {id}. Secret (shown only once):"));
        print_line(&secret.unwrap_or_default())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(whose: &Whose, app: &App, database: &Database) -> anyhow::Result<ExitCode> {
    let pool = &database.pools.access;
    // A running server keeps the list up to date with the log.
    let head = app.log.head().await?;
    let end = tokio::time::Instant::now() + WAIT_TIMEOUT;
    while rows::reached(pool).await? < head {
        if tokio::time::Instant::now() > end {
            note_line("sitelog: the list is behind the log; it is updated while a server runs");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for row in rows::list(pool, whose.tenant).await? {
        print_line(&if whose.json {
            object_of(&row).to_string()
        } else {
            line_of(&row)
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line_of(row: &WebhookRow) -> String {
    let state = match (row.condition(), &row.disabled_reason) {
        (Condition::Disabled, Some(reason)) => format!("disabled ({reason})"),
        (condition, _) => condition.as_str().to_owned(),
    };
    format!(
        "{}  {state}  {}  {}",
        row.webhook_id,
        row.events.join(","),
        row.url
    )
}

fn object_of(row: &WebhookRow) -> serde_json::Value {
    json!({
        "webhook_id": row.webhook_id, "url": row.url, "description": row.description, "events": row.events,
        "format": row.format, "ordered": row.ordered, "domains": row.domains, "fields": row.fields, "status": row.status, "disabled_reason": row.disabled_reason,
        "created_at": row.created_at, "position": row.position, "failures": row.failures,
        "retrying": row.retrying,
    })
}

async fn maintain(app: &App, which: &Which, command: Maintenance) -> anyhow::Result<()> {
    let done = match &command {
        Maintenance::Enable => "Webhook enabled.",
        Maintenance::Disable { .. } => "Webhook disabled.",
        Maintenance::Test => "Test event queued.",
        Maintenance::Delete => "Webhook deleted.",
        Maintenance::Resend { .. } | Maintenance::Replay { .. } => "Events queued.",
        Maintenance::Create(_) | Maintenance::Change(_) | Maintenance::RotateSecret => "Webhook changed.",
    };
    let context = CommandContext::internal(which.whose.tenant, "cli");
    let position = maintain_webhook(&app.bus, which.webhook, command, &context).await?;
    if which.whose.json {
        print_line(&json!({ "webhook_id": which.webhook, "position": position }).to_string())?;
    } else {
        note_line(done);
    }
    Ok(())
}
