//! The rows of monitors and runs, updated from the log.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::TablesError;
use crate::aggregates::MonitorEvent;
use crate::log::{LogError, LogEvent};
use crate::values::monitor::MonitorSettings;
use crate::values::{MonitorId, TenantId};

/// A monitor, as it is shown.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct MonitorRow {
    pub monitor_id: Uuid,
    pub settings: Json<MonitorSettings>,
    pub status: String,
    pub created_at: DateTime<Utc>,
    pub position: i64,
    /// When it runs next; `None` while it is paused, or if it is never due.
    pub next_run: Option<DateTime<Utc>>,
    /// When its feed got its token; `None` if it has none.
    pub feed_since: Option<DateTime<Utc>>,
    /// Its last run.
    #[sqlx(flatten)]
    pub run: LastRun,
}

/// The last run of a monitor.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct LastRun {
    pub run_at: Option<DateTime<Utc>>,
    pub run_slot: Option<DateTime<Utc>>,
    pub run_batch_id: Option<Uuid>,
    pub run_reason: Option<String>,
}

/// A run that took place or was skipped.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct RunRow {
    pub position: i64,
    pub at: DateTime<Utc>,
    pub slot: Option<DateTime<Utc>>,
    pub batch_id: Option<Uuid>,
    pub total: Option<i32>,
    pub reason: Option<String>,
    pub missed: i32,
}

const SELECT: &str = "select m.monitor_id, m.settings, m.status, m.created_at, m.position, \
     case when m.status = 'active' then m.next_run end as next_run, r.at as run_at, r.slot as run_slot, \
     r.batch_id as run_batch_id, r.reason as run_reason, \
     (select f.created_at from monitor_feed f where f.monitor_id = m.monitor_id) as feed_since \
     from monitor m left join lateral (select * from monitor_run r where r.monitor_id = m.monitor_id \
     order by r.position desc limit 1) r on true where m.status <> 'deleted'";

/// Monitors of a tenant, oldest first, after one of them.
pub async fn list(
    pool: &PgPool,
    tenant: TenantId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<MonitorRow>, TablesError> {
    Ok(sqlx::query_as(&format!(
        "{SELECT} and m.tenant_id = $1 and m.position > $2 order by m.position limit $3"
    ))
    .bind(tenant.0)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// How many monitors a tenant has, counted up to a limit.
pub async fn count(pool: &PgPool, tenant: TenantId, limit: i64) -> Result<i64, TablesError> {
    Ok(sqlx::query_scalar(
        "select count(*) from (select from monitor where tenant_id = $1 and status <> 'deleted' limit $2) counted",
    )
    .bind(tenant.0)
    .bind(limit)
    .fetch_one(pool)
    .await?)
}

/// One monitor of a tenant.
pub async fn find(pool: &PgPool, tenant: TenantId, id: MonitorId) -> Result<Option<MonitorRow>, TablesError> {
    Ok(
        sqlx::query_as(&format!("{SELECT} and m.monitor_id = $1 and m.tenant_id = $2"))
            .bind(id.0)
            .bind(tenant.0)
            .fetch_optional(pool)
            .await?,
    )
}

/// Runs of a monitor of a tenant, the newest first, before one of them.
pub async fn runs(
    pool: &PgPool,
    tenant: TenantId,
    id: MonitorId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<RunRow>, TablesError> {
    Ok(sqlx::query_as(
        "select position, at, slot, batch_id, total, reason, missed from monitor_run \
          where monitor_id = $1 and tenant_id = $2 and position < $3 order by position desc limit $4",
    )
    .bind(id.0)
    .bind(tenant.0)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// The log position of the rows.
pub async fn reached(pool: &PgPool) -> Result<i64, TablesError> {
    let position: Option<i64> =
        sqlx::query_scalar("select position from policy where name = 'follow_monitors'")
            .fetch_optional(pool)
            .await?;
    Ok(position.unwrap_or_default())
}

/// Updates the rows from events. Events that a row already contains change nothing.
pub async fn follow(connection: &mut PgConnection, events: &[Arc<LogEvent>]) -> Result<(), LogError> {
    for event in events {
        if let Ok(id) = event.aggregate_id.parse::<MonitorId>() {
            apply(connection, id, event).await?;
        }
    }
    Ok(())
}

async fn apply(connection: &mut PgConnection, id: MonitorId, event: &LogEvent) -> Result<(), LogError> {
    let place = (id, event.position);
    match event.decode::<MonitorEvent>()? {
        MonitorEvent::MonitorCreated { settings, since } => {
            create(connection, id, event, &settings).await?;
            set_last(connection, place, &settings, since).await?;
        }
        MonitorEvent::MonitorChanged { settings, since } => {
            let last = change(connection, place, &settings).await?;
            if let Some(last) = since.or(last) {
                set_last(connection, place, &settings, last).await?;
            }
        }
        MonitorEvent::MonitorPaused {} => set_status(connection, place, "paused").await?,
        MonitorEvent::MonitorResumed { since } => {
            set_status(connection, place, "active").await?;
            set_handled(connection, place, since).await?;
        }
        MonitorEvent::MonitorRan {
            slot,
            batch_id,
            total,
            missed,
        } => {
            let run = NewRun {
                slot,
                batch_id: Some(batch_id.0),
                total: i32::try_from(total).ok(),
                reason: None,
                missed,
            };
            add_run(connection, id, event, run).await?;
            if let Some(slot) = slot {
                set_handled(connection, place, slot).await?;
            }
        }
        MonitorEvent::MonitorSkipped { slot, reason, missed } => {
            let run = NewRun {
                slot: Some(slot),
                batch_id: None,
                total: None,
                reason: Some(reason.as_str()),
                missed,
            };
            add_run(connection, id, event, run).await?;
            set_handled(connection, place, slot).await?;
        }
        MonitorEvent::MonitorDeleted {} => {
            set_status(connection, place, "deleted").await?;
            for table in [
                "monitor_run",
                "monitor_feed",
                "monitor_subscriber",
                "monitor_unsubscribed",
            ] {
                sqlx::query(&format!("delete from {table} where monitor_id = $1"))
                    .bind(id.0)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn create(
    connection: &mut PgConnection,
    id: MonitorId,
    event: &LogEvent,
    settings: &MonitorSettings,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into monitor (monitor_id, tenant_id, settings, status, created_at, position, changed_at, last) \
         values ($1, $2, $3, 'active', $4, $5, 0, '-infinity') on conflict do nothing",
    )
    .bind(id.0)
    .bind(event.tenant_id.0)
    .bind(Json(settings))
    .bind(event.recorded_at)
    .bind(event.position)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives it other settings; returns the time that was handled last.
async fn change(
    connection: &mut PgConnection,
    (id, position): (MonitorId, i64),
    settings: &MonitorSettings,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar(
        "update monitor set settings = $3 where monitor_id = $1 and changed_at < $2 returning last",
    )
    .bind(id.0)
    .bind(position)
    .bind(Json(settings))
    .fetch_optional(connection)
    .await
}

async fn set_status(
    connection: &mut PgConnection,
    (id, position): (MonitorId, i64),
    status: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update monitor set status = $3, changed_at = case $3 when 'active' then changed_at else $2 end \
          where monitor_id = $1 and changed_at < $2",
    )
    .bind(id.0)
    .bind(position)
    .bind(status)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a scheduled time was handled.
async fn set_handled(
    connection: &mut PgConnection,
    place: (MonitorId, i64),
    last: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let settings: Option<Json<MonitorSettings>> =
        sqlx::query_scalar("select settings from monitor where monitor_id = $1 and changed_at < $2")
            .bind(place.0.0)
            .bind(place.1)
            .fetch_optional(&mut *connection)
            .await?;
    match settings {
        Some(Json(settings)) => set_last(connection, place, &settings, last).await,
        None => Ok(()),
    }
}

async fn set_last(
    connection: &mut PgConnection,
    (id, position): (MonitorId, i64),
    settings: &MonitorSettings,
    last: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update monitor set last = $3, next_run = $4, changed_at = $2, leased_until = null \
          where monitor_id = $1 and changed_at < $2",
    )
    .bind(id.0)
    .bind(position)
    .bind(last)
    .bind(settings.schedule(id).next_after(last))
    .execute(connection)
    .await?;
    Ok(())
}

struct NewRun {
    slot: Option<DateTime<Utc>>,
    batch_id: Option<Uuid>,
    total: Option<i32>,
    reason: Option<&'static str>,
    missed: u32,
}

async fn add_run(
    connection: &mut PgConnection,
    id: MonitorId,
    event: &LogEvent,
    run: NewRun,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into monitor_run (position, monitor_id, tenant_id, at, slot, batch_id, total, reason, missed) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
    )
    .bind(event.position)
    .bind(id.0)
    .bind(event.tenant_id.0)
    .bind(event.recorded_at)
    .bind(run.slot)
    .bind(run.batch_id)
    .bind(run.total)
    .bind(run.reason)
    .bind(i32::try_from(run.missed).unwrap_or(i32::MAX))
    .execute(connection)
    .await?;
    Ok(())
}
