//! The queue of emails in the database, so that no email is lost with a process.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::subscribers::UnsubscribeToken;
use crate::values::monitor::MonitorSettings;
use crate::values::{BatchId, MonitorId, TenantId};

/// How long the sending of an email is retried.
const MAX_RETRY_TIME: Duration = Duration::from_hours(24);
/// Seconds after the first failed attempt, the second, and so on; the last applies to all further ones.
const PAUSES: [u64; 6] = [30, 120, 600, 1800, 3600, 7200];

/// A mail that is ours to send, for as long as `longest_mail_lease` says.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) batch: BatchId,
    pub(super) subscriber: Uuid,
    pub(super) tenant: TenantId,
    pub(super) monitor: MonitorId,
    pub(super) settings: MonitorSettings,
    pub(super) address: String,
    pub(super) token: UnsubscribeToken,
    failures: i32,
    fence: i64,
    is_old: bool,
}

/// The outcome of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    /// There were no changes to report.
    Empty,
    /// It is retried, unless that went on for a day.
    Failed(String),
    /// It is not retried.
    Refused(String),
}

#[derive(FromRow)]
struct Row {
    batch_id: Uuid,
    subscriber_id: Uuid,
    failures: i32,
    fence: i64,
    is_old: bool,
    tenant_id: Uuid,
    monitor_id: Uuid,
    settings: Json<MonitorSettings>,
    address: String,
    token: String,
}

/// Queues a mail to each subscriber of the monitor whose run has ended; nothing if the batch is not a run. A mail that
/// is queued already stays as it is. Later subscribers get none.
pub async fn queue(
    connection: &mut PgConnection,
    batch: &str,
    ended_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let monitor: Option<Option<Uuid>> = sqlx::query_scalar(
        "select (payload #>> '{BatchRequested,monitor_id}')::uuid from events \
          where aggregate_type = 'batch_scan' and aggregate_id = $1 and sequence = 1",
    )
    .bind(batch)
    .fetch_optional(&mut *connection)
    .await?;
    let (Some(monitor), Ok(batch)) = (monitor.flatten(), batch.parse::<Uuid>()) else {
        return Ok(());
    };
    sqlx::query(
        "insert into monitor_mail (batch_id, subscriber_id) \
         select $1, subscriber_id from monitor_subscriber where monitor_id = $2 and created_at <= $3 \
         on conflict do nothing",
    )
    .bind(batch)
    .bind(monitor)
    .bind(ended_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Drops emails that were not sent within a day. Returns their number.
pub(super) async fn drop_old(pool: &PgPool) -> Result<u64, sqlx::Error> {
    const OLD: &str = "not recently(q.queued_at, $1, clock_timestamp()) \
        and still_ahead(q.leased_until, longest_mail_lease(), clock_timestamp()) is not true";
    sqlx::query(&format!(
        "update monitor_subscriber s set error = 'not sent within a day' \
          where exists (select from monitor_mail q where q.subscriber_id = s.subscriber_id and {OLD})"
    ))
    .bind(MAX_RETRY_TIME)
    .execute(pool)
    .await?;
    let done = sqlx::query(&format!("delete from monitor_mail q where {OLD}"))
        .bind(MAX_RETRY_TIME)
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}

/// Takes up to this many mails that are due, those that have waited longest first.
/// (By `ctid`: the rows are locked, so they stay where they are.)
pub(super) async fn claim(pool: &PgPool, most: i64) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "with mine as (\
            select ctid from monitor_mail \
             where not still_ahead(due_at, longest_mail_wait(), clock_timestamp()) \
               and still_ahead(leased_until, longest_mail_lease(), clock_timestamp()) is not true \
             order by due_at, queued_at limit $1 for update skip locked) \
         update monitor_mail q set fence = nextval('monitor_mail_fence'), \
                leased_until = clock_timestamp() + longest_mail_lease() \
           from monitor_subscriber s join monitor m using (monitor_id) \
          where q.ctid = any(array(select ctid from mine)) and s.subscriber_id = q.subscriber_id \
         returning q.batch_id, q.subscriber_id, q.failures, q.fence, q.queued_at < clock_timestamp() - $2 as is_old, \
                   s.tenant_id, s.monitor_id, m.settings, s.address, s.token",
    )
    .bind(most)
    .bind(MAX_RETRY_TIME)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Claimed::from).collect())
}

impl From<Row> for Claimed {
    fn from(row: Row) -> Self {
        Self {
            batch: BatchId(row.batch_id),
            subscriber: row.subscriber_id,
            tenant: TenantId(row.tenant_id),
            monitor: MonitorId(row.monitor_id),
            settings: row.settings.0,
            address: row.address,
            token: UnsubscribeToken::shown(&row.token),
            failures: row.failures,
            fence: row.fence,
            is_old: row.is_old,
        }
    }
}

/// Records the outcome of a mail; nothing if it is no longer ours.
pub(super) async fn settle(pool: &PgPool, mail: &Claimed, outcome: &Outcome) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // The subscriber first, as by who removes one, so that the two do not wait for each other.
    sqlx::query("select from monitor_subscriber where subscriber_id = $1 for update")
        .bind(mail.subscriber)
        .fetch_optional(&mut *tx)
        .await?;
    let is_repeated = matches!(outcome, Outcome::Failed(_)) && !mail.is_old;
    let noted = if is_repeated {
        let place = usize::try_from(mail.failures)
            .unwrap_or_default()
            .min(PAUSES.len() - 1);
        sqlx::query(
            "update monitor_mail set failures = failures + 1, leased_until = null, due_at = clock_timestamp() + $4 \
              where batch_id = $1 and subscriber_id = $2 and fence = $3",
        )
        .bind(mail.batch.0)
        .bind(mail.subscriber)
        .bind(mail.fence)
        .bind(Duration::from_secs(PAUSES[place]))
        .execute(&mut *tx)
        .await?
    } else {
        sqlx::query("delete from monitor_mail where batch_id = $1 and subscriber_id = $2 and fence = $3")
            .bind(mail.batch.0)
            .bind(mail.subscriber)
            .bind(mail.fence)
            .execute(&mut *tx)
            .await?
    };
    let error = match outcome {
        Outcome::Empty => None,
        Outcome::Sent => Some(None),
        Outcome::Failed(error) | Outcome::Refused(error) => Some(Some(error)),
    };
    if noted.rows_affected() > 0
        && let Some(error) = error
    {
        sqlx::query(
            "update monitor_subscriber set error = $2, \
                    sent_at = case when $2 is null then clock_timestamp() else sent_at end where subscriber_id = $1",
        )
        .bind(mail.subscriber)
        .bind(error)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}
