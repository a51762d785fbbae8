//! Leases of endpoints with a fence, as for tasks: they decide which process sends to which endpoint. A process that
//! lost its lease cannot advance the endpoint's position.

use std::time::Duration;

use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::pause;
use crate::values::webhook::{WebhookFormat, WebhookSettings};
use crate::values::{TenantId, WebhookId};

/// Maximum number of concurrent deliveries of a tenant, over all processes.
const PER_TENANT: i32 = 8;
/// The lock under which endpoints are claimed, so that the limits are exact.
const CLAIM_LOCK: i64 = 7_305_116_418;

/// An endpoint that this process has claimed, for `longest_webhook_lease` at most.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) id: WebhookId,
    pub(super) tenant: TenantId,
    pub(super) settings: WebhookSettings,
    pub(super) position: i64,
    /// Events after this position are not known to be for this endpoint.
    pub(super) wanted: i64,
    pub(super) replay_to: Option<i64>,
    pub(super) failures: u32,
    /// Whether the next event in order is due.
    pub(super) is_due: bool,
    pub(super) fence: i64,
}

#[derive(FromRow)]
struct Row {
    webhook_id: Uuid,
    tenant_id: Uuid,
    url: String,
    description: Option<String>,
    events: Vec<String>,
    domains: Vec<String>,
    fields: Vec<String>,
    format: String,
    ordered: bool,
    position: i64,
    wanted: i64,
    replay_to: Option<i64>,
    failures: i32,
    is_due: bool,
    fence: i64,
}

/// An attempt that was made.
pub(super) struct Attempt<'a> {
    pub(super) position: i64,
    pub(super) message_id: &'a str,
    pub(super) event: &'a str,
    /// From 1.
    pub(super) number: u32,
    pub(super) status: Option<u16>,
    pub(super) answer: Option<String>,
    pub(super) error: Option<String>,
    pub(super) duration: Duration,
}

/// Whether an endpoint may have events to send. Checked often, so the query reads few rows.
pub(super) async fn is_any_due(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select from webhook w where w.status = 'active' and w.position < w.wanted) \
             or exists (select from webhook_extra x join webhook w on w.webhook_id = x.webhook_id where w.status = 'active') \
             or exists (select from webhook_retry r join webhook w on w.webhook_id = r.webhook_id \
                         where w.status = 'active' and (r.due_at <= now() or r.due_at > now() + longest_webhook_wait()))",
    )
    .fetch_one(pool)
    .await
}

/// Releases an endpoint unchanged.
pub(super) async fn release_unchanged(pool: &PgPool, claimed: &Claimed) -> Result<(), sqlx::Error> {
    sqlx::query("update webhook set leased_until = null where webhook_id = $1 and fence = $2")
        .bind(claimed.id.0)
        .bind(claimed.fence)
        .execute(pool)
        .await?;
    Ok(())
}

/// Claims up to this many endpoints that have events to send, of each tenant those first whose last turn was longest ago.
pub(super) async fn claim(pool: &PgPool, most: i32) -> Result<Vec<Claimed>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(CLAIM_LOCK)
        .execute(&mut *tx)
        .await?;
    let rows: Vec<Row> = sqlx::query_as(
        "with due as (\
            select w.webhook_id, row_number() over (partition by w.tenant_id order by w.fence) as turn, \
                   (select count(*) from webhook l where l.tenant_id = w.tenant_id and l.leased_until is not null \
                       and still_ahead(l.leased_until, longest_webhook_lease(), clock_timestamp())) as held \
              from webhook w \
             where w.status = 'active' \
               and still_ahead(w.leased_until, longest_webhook_lease(), clock_timestamp()) is not true \
               and (w.position < w.wanted and not still_ahead(w.next_attempt_at, longest_webhook_wait(), clock_timestamp()) \
                    or exists (select from webhook_extra x where x.webhook_id = w.webhook_id) \
                    or not still_ahead(w.next_attempt_at, longest_webhook_wait(), clock_timestamp()) \
                       and exists (select from webhook_retry r where r.webhook_id = w.webhook_id \
                                      and (r.due_at <= now() or r.due_at > now() + longest_webhook_wait())))), \
         mine as (select w.webhook_id from webhook w join due d on d.webhook_id = w.webhook_id \
                   where d.turn + d.held <= $2 order by d.turn limit $1 for update of w skip locked) \
         update webhook w set fence = nextval('webhook_fence'), leased_until = clock_timestamp() + longest_webhook_lease() \
           from mine where w.webhook_id = mine.webhook_id \
         returning w.webhook_id, w.tenant_id, w.url, w.description, w.events, w.domains, w.fields, w.format, w.ordered, \
                   w.position, w.wanted, w.replay_to, w.failures, w.fence, \
                   not still_ahead(w.next_attempt_at, longest_webhook_wait(), clock_timestamp()) as is_due",
    )
    .bind(most)
    .bind(PER_TENANT)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(Claimed::from).collect())
}

impl From<Row> for Claimed {
    fn from(row: Row) -> Self {
        Self {
            id: WebhookId(row.webhook_id),
            tenant: TenantId(row.tenant_id),
            settings: WebhookSettings {
                url: row.url,
                // A name from a later release is nothing that this release can send.
                events: row.events.iter().filter_map(|word| word.parse().ok()).collect(),
                domains: row.domains,
                fields: row.fields,
                description: row.description,
                format: row.format.parse().unwrap_or(WebhookFormat::Standard),
                ordered: row.ordered,
            },
            position: row.position,
            wanted: row.wanted,
            replay_to: row.replay_to,
            failures: u32::try_from(row.failures).unwrap_or_default(),
            is_due: row.is_due,
            fence: row.fence,
        }
    }
}

/// Notes that an event was delivered; false if the endpoint is no longer ours.
pub(super) async fn delivered(
    pool: &PgPool,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    note(&mut tx, claimed, attempt).await?;
    let ours = sqlx::query(
        "update webhook set position = $3, failures = 0, failing_since = null, next_attempt_at = '-infinity', \
                leased_until = clock_timestamp() + longest_webhook_lease() where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(attempt.position)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(ours.rows_affected() > 0)
}

/// Records a failed attempt, and pauses the endpoint. Says whether it has failed for a day.
pub(super) async fn failed(
    pool: &PgPool,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
    pause: Duration,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    note(&mut tx, claimed, attempt).await?;
    let seconds_of_failures: Option<f64> = sqlx::query_scalar(
        "update webhook set failures = failures + 1, leased_until = null, \
                failing_since = least(failing_since, clock_timestamp()), next_attempt_at = clock_timestamp() + $3 \
          where webhook_id = $1 and fence = $2 returning extract(epoch from clock_timestamp() - failing_since)::float8",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(pause)
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(seconds_of_failures.is_some_and(pause::is_disabled_after))
}

/// Pauses an endpoint, and releases it.
pub(super) async fn defer(pool: &PgPool, claimed: &Claimed, pause: Duration) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook set leased_until = null, next_attempt_at = clock_timestamp() + $3 \
          where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(pause)
    .execute(pool)
    .await?;
    Ok(())
}

/// Notes an attempt in addition to the order, which was the only one; false if the endpoint is no longer ours.
pub(super) async fn extra_done(
    pool: &PgPool,
    claimed: &Claimed,
    requested_by: i64,
    attempt: Option<&Attempt<'_>>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    if let Some(attempt) = attempt {
        note(&mut tx, claimed, attempt).await?;
    }
    sqlx::query("delete from webhook_extra where webhook_id = $1 and requested_by = $2")
        .bind(claimed.id.0)
        .bind(requested_by)
        .execute(&mut *tx)
        .await?;
    let ours = sqlx::query(
        "update webhook set leased_until = clock_timestamp() + longest_webhook_lease() where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(ours.rows_affected() > 0)
}

/// A resend, out of order: who requested it, and the event.
pub(super) async fn extras(pool: &PgPool, claimed: &Claimed) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select requested_by, position from webhook_extra where webhook_id = $1 order by requested_by limit 20",
    )
    .bind(claimed.id.0)
    .fetch_all(pool)
    .await
}

/// Moves the position past events that are not for the endpoint, and keeps the lease; false if it is no longer ours.
pub(super) async fn advance(pool: &PgPool, claimed: &Claimed, position: i64) -> Result<bool, sqlx::Error> {
    let ours = sqlx::query(
        "update webhook set position = $3, leased_until = clock_timestamp() + longest_webhook_lease() \
          where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(ours.rows_affected() > 0)
}

/// Moves the position past events that are not for the endpoint, and releases the lease. At the end of a replay, it
/// resumes where it was.
pub(super) async fn release(pool: &PgPool, claimed: &Claimed, position: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook set leased_until = null, \
                position = case when $3 >= replay_to then coalesce(resume_at, $3) else $3 end, \
                resume_at = case when $3 >= replay_to then null else resume_at end, \
                replay_to = case when $3 >= replay_to then null else replay_to end \
          where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn note(
    connection: &mut sqlx::PgConnection,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook_delivery (webhook_id, tenant_id, position, message_id, event, attempt, status, answer, error, \
                                       duration_ms) \
         select webhook_id, tenant_id, $2, $3, $4, $5, $6, $7, $8, $9 from webhook where webhook_id = $1 and status <> 'deleted'",
    )
    .bind(claimed.id.0)
    .bind(attempt.position)
    .bind(attempt.message_id)
    .bind(attempt.event)
    .bind(i32::try_from(attempt.number).unwrap_or(i32::MAX))
    .bind(attempt.status.map(i32::from))
    .bind(&attempt.answer)
    .bind(&attempt.error)
    .bind(i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX))
    .execute(connection)
    .await?;
    Ok(())
}
