//! The rows of endpoints and attempts.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::{TablesError, retry};
use crate::aggregates::webhook::WebhookEvent;
use crate::log::{LogError, LogEvent};
use crate::values::webhook::{WebhookSettings, WebhookTopic};
use crate::values::{TenantId, WebhookId};

/// An endpoint, as it is shown.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct WebhookRow {
    pub webhook_id: Uuid,
    pub url: String,
    pub description: Option<String>,
    pub format: String,
    pub ordered: bool,
    pub events: Vec<String>,
    pub domains: Vec<String>,
    pub fields: Vec<String>,
    pub status: String,
    pub disabled_reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub position: i64,
    pub replay_to: Option<i64>,
    pub failures: i32,
    /// Events that failed and wait while later ones are sent.
    pub retrying: i64,
    pub failing_since: Option<DateTime<Utc>>,
    /// When the next attempt is due after a failed one.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// How an endpoint is, for pages and the command line: one word for one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Events are sent.
    Active,
    /// Attempts fail; they are repeated.
    Failing,
    /// Nothing is sent.
    Disabled,
}

impl Condition {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
        }
    }
}

impl WebhookRow {
    /// How the endpoint is.
    pub fn condition(&self) -> Condition {
        if self.status == "disabled" {
            Condition::Disabled
        } else if self.failures > 0 || self.retrying > 0 {
            Condition::Failing
        } else {
            Condition::Active
        }
    }
}

/// An attempt to deliver an event.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct DeliveryRow {
    pub delivery_id: i64,
    pub position: i64,
    pub message_id: String,
    pub event: String,
    pub attempt: i32,
    pub sent_at: DateTime<Utc>,
    pub status: Option<i32>,
    pub answer: Option<String>,
    pub error: Option<String>,
    pub duration_ms: i32,
}

const COLUMNS: &str = "webhook_id, url, description, format, ordered, events, domains, fields, status, disabled_reason, \
     created_at, position, replay_to, failures, failing_since, \
     (select count(*) from webhook_retry r where r.webhook_id = webhook.webhook_id) as retrying, \
     case when status = 'active' and next_attempt_at > '-infinity' then next_attempt_at end as next_attempt_at";

/// The endpoints of a tenant, oldest first.
pub async fn list(pool: &PgPool, tenant: TenantId) -> Result<Vec<WebhookRow>, TablesError> {
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from webhook where tenant_id = $1 and status <> 'deleted' order by created_at, webhook_id"
    ))
    .bind(tenant.0)
    .fetch_all(pool)
    .await?)
}

/// How many endpoints a tenant has.
pub async fn count(pool: &PgPool, tenant: TenantId) -> Result<i64, TablesError> {
    Ok(
        sqlx::query_scalar("select count(*) from webhook where tenant_id = $1 and status <> 'deleted'")
            .bind(tenant.0)
            .fetch_one(pool)
            .await?,
    )
}

/// One endpoint of a tenant.
pub async fn find(pool: &PgPool, tenant: TenantId, id: WebhookId) -> Result<Option<WebhookRow>, TablesError> {
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from webhook where webhook_id = $1 and tenant_id = $2 and status <> 'deleted'"
    ))
    .bind(id.0)
    .bind(tenant.0)
    .fetch_optional(pool)
    .await?)
}

/// Attempts to deliver to an endpoint of a tenant, the newest first, before one of them.
pub async fn deliveries(
    pool: &PgPool,
    tenant: TenantId,
    id: WebhookId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, TablesError> {
    Ok(sqlx::query_as(
        "select delivery_id, position, message_id, event, attempt, sent_at, status, answer, error, duration_ms \
           from webhook_delivery where webhook_id = $1 and tenant_id = $2 and delivery_id < $3 \
          order by delivery_id desc limit $4",
    )
    .bind(id.0)
    .bind(tenant.0)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// The log position up to which the rows are up to date.
pub async fn reached(pool: &PgPool) -> Result<i64, TablesError> {
    let position: Option<i64> =
        sqlx::query_scalar("select position from policy where name = 'follow_webhooks'")
            .fetch_optional(pool)
            .await?;
    Ok(position.unwrap_or_default())
}

/// Removes old attempts.
pub(super) async fn remove_old_deliveries(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("delete from webhook_delivery where sent_at < clock_timestamp() - interval '30 days'")
        .execute(pool)
        .await?;
    Ok(())
}

/// Notes what events say of endpoints, and which endpoints they may be for.
pub async fn follow(connection: &mut PgConnection, events: &[Arc<LogEvent>]) -> Result<(), LogError> {
    let mut news = News::new();
    for event in events {
        if event.aggregate_type == "webhook" {
            // In the order of the log: what was decided counts from here on.
            announce(connection, std::mem::take(&mut news)).await?;
            apply(connection, event).await?;
        } else if let Some(topic) = WebhookTopic::of_event(&event.event_type) {
            news.insert((event.tenant_id.0, topic.as_str()), event.position);
        }
    }
    Ok(announce(connection, news).await?)
}

/// The last event of each tenant and topic.
type News = BTreeMap<(Uuid, &'static str), i64>;

async fn announce(connection: &mut PgConnection, news: News) -> Result<(), sqlx::Error> {
    if news.is_empty() {
        return Ok(());
    }
    let tenants: Vec<Uuid> = news.keys().map(|(tenant, _)| *tenant).collect();
    let topics: Vec<&str> = news.keys().map(|(_, topic)| *topic).collect();
    let positions: Vec<i64> = news.values().copied().collect();
    sqlx::query(
        "update webhook w set wanted = n.position \
           from (select v.webhook_id, max(e.position) as position \
                   from unnest($1::uuid[], $2::text[], $3::bigint[]) as e(tenant_id, topic, position) \
                   join webhook v on v.tenant_id = e.tenant_id and e.topic = any(v.events) \
                  where v.status <> 'deleted' group by v.webhook_id) n \
          where w.webhook_id = n.webhook_id and w.wanted < n.position",
    )
    .bind(tenants)
    .bind(topics)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}

/// One event of an endpoint's stream. One that the row has already changes nothing.
async fn apply(connection: &mut PgConnection, event: &LogEvent) -> Result<(), LogError> {
    let Ok(id) = event.aggregate_id.parse::<Uuid>() else {
        return Ok(());
    };
    let position = event.position;
    match event.decode::<WebhookEvent>()? {
        WebhookEvent::WebhookCreated { settings } => create(connection, id, event, &settings).await?,
        WebhookEvent::WebhookChanged { settings } => {
            change(&mut *connection, id, position, &settings).await?;
            retry::retry_all_now(connection, id).await?;
        }
        WebhookEvent::WebhookSecretRotated {} => {}
        WebhookEvent::WebhookDisabled { reason, .. } => {
            sqlx::query(
                "update webhook set status = 'disabled', disabled_reason = $3, changed_at = $2, leased_until = null, \
                        fence = nextval('webhook_fence') where webhook_id = $1 and changed_at < $2",
            )
            .bind(id)
            .bind(position)
            .bind(reason.as_str())
            .execute(connection)
            .await?;
        }
        WebhookEvent::WebhookEnabled {} => {
            sqlx::query(
                "update webhook set status = 'active', disabled_reason = null, changed_at = $2, failures = 0, \
                        failing_since = null, next_attempt_at = '-infinity' where webhook_id = $1 and changed_at < $2",
            )
            .bind(id)
            .bind(position)
            .execute(&mut *connection)
            .await?;
            retry::retry_all_now(connection, id).await?;
        }
        WebhookEvent::WebhookReplayRequested { after, to } => {
            // The process that works on it must not advance the position.
            sqlx::query(
                "update webhook set resume_at = coalesce(resume_at, position), position = $3, replay_to = $4, \
                        wanted = greatest(wanted, $4), changed_at = $2, failures = 0, failing_since = null, \
                        next_attempt_at = '-infinity', leased_until = null, fence = nextval('webhook_fence') \
                  where webhook_id = $1 and changed_at < $2",
            )
            .bind(id)
            .bind(position)
            .bind(after)
            .bind(to)
            .execute(connection)
            .await?;
        }
        WebhookEvent::WebhookResendRequested { position: wanted } => {
            request_extra(connection, id, position, wanted).await?;
        }
        WebhookEvent::WebhookTested {} => request_extra(connection, id, position, position).await?,
        WebhookEvent::WebhookDeleted {} => delete(connection, id, position).await?,
    }
    Ok(())
}

async fn create(
    connection: &mut PgConnection,
    id: Uuid,
    event: &LogEvent,
    settings: &WebhookSettings,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook (webhook_id, tenant_id, url, description, events, domains, fields, format, ordered, \
                              status, changed_at, created_at, position, wanted) \
         values ($1, $2, $3, $4, $5, $6, $7, $10, $11, 'active', $8, $9, $8, $8) on conflict do nothing",
    )
    .bind(id)
    .bind(event.tenant_id.0)
    .bind(&settings.url)
    .bind(&settings.description)
    .bind(words(settings))
    .bind(&settings.domains)
    .bind(&settings.fields)
    .bind(event.position)
    .bind(event.recorded_at)
    .bind(settings.format.as_str())
    .bind(settings.ordered)
    .execute(connection)
    .await?;
    Ok(())
}

/// An endpoint that has received everything gets new events from now on, and nothing older of types that it did not
/// request before.
async fn change(
    connection: &mut PgConnection,
    id: Uuid,
    position: i64,
    settings: &WebhookSettings,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook set url = $3, description = $4, events = $5, domains = $6, fields = $7, format = $8, \
                ordered = $9, changed_at = $2, \
                next_attempt_at = '-infinity', \
                position = case when position >= wanted then $2 else position end, wanted = greatest(wanted, $2) \
          where webhook_id = $1 and changed_at < $2",
    )
    .bind(id)
    .bind(position)
    .bind(&settings.url)
    .bind(&settings.description)
    .bind(words(settings))
    .bind(&settings.domains)
    .bind(&settings.fields)
    .bind(settings.format.as_str())
    .bind(settings.ordered)
    .execute(connection)
    .await?;
    Ok(())
}

async fn request_extra(
    connection: &mut PgConnection,
    id: Uuid,
    requested_by: i64,
    position: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with noted as (update webhook set changed_at = $2 where webhook_id = $1 and changed_at < $2 returning webhook_id) \
         insert into webhook_extra (webhook_id, requested_by, position) select webhook_id, $2, $3 from noted",
    )
    .bind(id)
    .bind(requested_by)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut PgConnection, id: Uuid, position: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook set status = 'deleted', changed_at = $2, leased_until = null, fence = nextval('webhook_fence') \
          where webhook_id = $1",
    )
    .bind(id)
    .bind(position)
    .execute(&mut *connection)
    .await?;
    for table in [
        "webhook_extra",
        "webhook_retry",
        "webhook_secret",
        "webhook_delivery",
    ] {
        sqlx::query(&format!("delete from {table} where webhook_id = $1"))
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn words(settings: &WebhookSettings) -> Vec<&'static str> {
    settings.events.iter().map(|topic| topic.as_str()).collect()
}
