//! Reading by position. Positions are dense and in commit order, so `position > n` misses nothing and sees each
//! event once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, QueryBuilder, Row};

use super::{EventLog, LogError, LogEvent};
use crate::values::TenantId;

/// The columns of a [`LogEvent`].
pub(super) const COLUMNS: &str = "position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                       recorded_at, tenant_id, payload, metadata";

/// A page of the log, and the position up to which it was read.
pub struct Page {
    /// Events of the wanted types, in order.
    pub events: Vec<Arc<LogEvent>>,
    /// The position up to which the log was read; the next page starts after it.
    pub position: i64,
    /// Whether more is known to follow.
    pub more: bool,
}

/// A filter of the audit trail.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only the streams with this id, of these types.
    pub stream: Option<(&'static [&'static str], String)>,
    /// Only after this position.
    pub after: i64,
    /// Maximum number.
    pub limit: i64,
}

/// Reads the events of some types after position `after`, up to `limit` of them, and the position that is covered with
/// them.
pub async fn read_page(
    connection: &mut PgConnection,
    after: i64,
    types: &[&str],
    limit: i64,
) -> Result<Page, LogError> {
    // The head first: what commits after this statement belongs to the next page.
    let head: i64 = sqlx::query_scalar("select position from log_head")
        .fetch_one(&mut *connection)
        .await?;
    if head <= after {
        return Ok(Page {
            events: Vec::new(),
            position: after,
            more: false,
        });
    }
    let rows = sqlx::query(&format!(
        "select {COLUMNS} from events \
          where position > $1 and position <= $2 and event_type = any($3) order by position limit $4"
    ))
    .bind(after)
    .bind(head)
    .bind(types)
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    let events = rows
        .iter()
        .map(|row| event_of(row).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count >= limit);
    let position = if full {
        events.last().map_or(head, |event| event.position)
    } else {
        head
    };
    Ok(Page {
        events,
        position,
        more: full,
    })
}

/// The events of some types at the positions after `after` up to `up_to`.
pub async fn read_range(
    connection: &mut PgConnection,
    after: i64,
    up_to: i64,
    types: &[&str],
) -> Result<Vec<LogEvent>, LogError> {
    let rows = sqlx::query(&format!(
        "select {COLUMNS} from events \
          where position > $1 and position <= $2 and event_type = any($3) order by position"
    ))
    .bind(after)
    .bind(up_to)
    .bind(types)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(event_of(row)?)).collect()
}

/// The events of some types in some streams (type, ids) up to a position, in the order of the log.
pub async fn read_streams(
    connection: &mut PgConnection,
    streams: &[(String, Vec<String>)],
    types: &[&str],
    up_to: i64,
) -> Result<Vec<LogEvent>, LogError> {
    let mut events = Vec::new();
    for (aggregate_type, ids) in streams {
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where aggregate_type = $1 and aggregate_id = any($2) \
                and event_type = any($3) and position <= $4"
        ))
        .bind(aggregate_type)
        .bind(ids)
        .bind(types)
        .bind(up_to)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            events.push(event_of(row)?);
        }
    }
    events.sort_by_key(|event| event.position);
    Ok(events)
}

impl EventLog {
    /// All events of some streams of one type, in the order of the log.
    pub async fn streams(&self, aggregate_type: &str, ids: Vec<String>) -> Result<Vec<LogEvent>, LogError> {
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where aggregate_type = $1 and aggregate_id = any($2) order by position"
        ))
        .bind(aggregate_type)
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// The position of the last committed event; 0 for an empty log.
    pub async fn head(&self) -> Result<i64, LogError> {
        Ok(sqlx::query_scalar("select position from log_head")
            .fetch_one(&self.pool)
            .await?)
    }

    /// The time by the database's clock.
    pub async fn now(&self) -> Result<DateTime<Utc>, LogError> {
        Ok(sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&self.pool)
            .await?)
    }

    /// The audit trail, filtered, in order.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<LogEvent>, LogError> {
        self.filtered(filter, None).await
    }

    /// The same from the end: those before a position, the newest first.
    pub async fn latest_events(&self, filter: &EventFilter, before: i64) -> Result<Vec<LogEvent>, LogError> {
        self.filtered(filter, Some(before)).await
    }

    async fn filtered(&self, filter: &EventFilter, before: Option<i64>) -> Result<Vec<LogEvent>, LogError> {
        let mut query = QueryBuilder::new(format!("select {COLUMNS} from events where position > "));
        query.push_bind(filter.after);
        if let Some(before) = before {
            query.push(" and position < ").push_bind(before);
        }
        if let Some(tenant) = filter.tenant {
            query.push(" and tenant_id = ").push_bind(tenant.0);
        }
        if let Some((types, id)) = &filter.stream {
            query.push(" and aggregate_type = any(").push_bind(*types);
            query.push(") and aggregate_id = ").push_bind(id);
        }
        let order = if before.is_some() { "desc" } else { "asc" };
        query
            .push(format!(" order by position {order} limit "))
            .push_bind(filter.limit);
        let rows = query.build().fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// What happened to a batch or to one of its scans at the positions after `after` up to `up_to`, in order; only
    /// events whose payload names the batch are about it.
    pub async fn events_of_batch(
        &self,
        tenant: TenantId,
        batch: &str,
        (after, up_to): (i64, i64),
        limit: i64,
    ) -> Result<Vec<LogEvent>, LogError> {
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where tenant_id = $1 and position > $2 and position <= $3 \
                and (aggregate_type = 'batch_scan' and aggregate_id = $4 \
                     or payload -> event_type ->> 'batch_id' = $4) order by position limit $5"
        ))
        .bind(tenant.0)
        .bind(after)
        .bind(up_to)
        .bind(batch)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// The first position of a stream of a tenant; `None` if there is no such stream.
    pub async fn stream_start(
        &self,
        tenant: TenantId,
        aggregate_type: &str,
        aggregate_id: &str,
    ) -> Result<Option<i64>, LogError> {
        Ok(sqlx::query_scalar(
            "select position from events where aggregate_type = $1 and aggregate_id = $2 and tenant_id = $3 \
                and sequence = 1",
        )
        .bind(aggregate_type)
        .bind(aggregate_id)
        .bind(tenant.0)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Type and position of the last event of a stream that is of one of these types.
    pub async fn last_of_stream(
        &self,
        aggregate_type: &str,
        aggregate_id: &str,
        types: &[&str],
    ) -> Result<Option<(String, i64)>, LogError> {
        Ok(sqlx::query_as(
            "select event_type, position from events where aggregate_type = $1 and aggregate_id = $2 \
                and event_type = any($3) order by sequence desc limit 1",
        )
        .bind(aggregate_type)
        .bind(aggregate_id)
        .bind(types)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The result and position of the first use of an idempotency key, if there was one.
    pub async fn first_use(
        &self,
        tenant: TenantId,
        route: &str,
        key: &str,
        body_hash: &[u8; 32],
    ) -> Result<Option<(serde_json::Value, i64)>, LogError> {
        let used: Option<(Vec<u8>, serde_json::Value, i64)> = sqlx::query_as(
            "select body_hash, result, position from idempotency_key where tenant_id = $1 and route = $2 and key = $3",
        )
        .bind(tenant.0)
        .bind(route)
        .bind(key)
        .fetch_optional(&self.pool)
        .await?;
        match used {
            Some((hash, ..)) if hash != body_hash => Err(LogError::KeyReused),
            Some((_, result, position)) => Ok(Some((result, position))),
            None => Ok(None),
        }
    }

    /// The last event of each of some types in the streams of a tenant's domain; of failed scans, not those that failed
    /// for one of these reasons.
    pub async fn last_of_domain(
        &self,
        tenant: TenantId,
        domain: &str,
        types: &[&str],
        but_for: &[&str],
    ) -> Result<Vec<LogEvent>, LogError> {
        // In parts, so that it is read through the index of a domain's scans and the streams' own.
        let rows = sqlx::query(&format!(
            "with scans as materialized (\
                select aggregate_id from events where event_type = 'ScanRequested' and tenant_id = $1 \
                   and left(payload #>> '{{ScanRequested,domain}}', 253) = $2), \
             ends as materialized (\
                select {COLUMNS} from events where aggregate_type = 'domain_scan' \
                   and aggregate_id in (select aggregate_id from scans) and event_type = any($3) \
                   and coalesce(payload #>> '{{ScanFailed,reason}}' <> all($4), true)) \
             select distinct on (event_type) {COLUMNS} from ends order by event_type, position desc"
        ))
        // A plan that was made while the log was empty may read all of a tenant's events later.
        .persistent(false)
        .bind(tenant.0)
        .bind(domain)
        .bind(types)
        .bind(but_for)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// The events of a type in a stream, in order.
    pub async fn of_stream(
        &self,
        aggregate_type: &str,
        aggregate_id: &str,
        event_type: &str,
    ) -> Result<Vec<LogEvent>, LogError> {
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where aggregate_type = $1 and aggregate_id = $2 and event_type = $3 \
              order by sequence"
        ))
        .bind(aggregate_type)
        .bind(aggregate_id)
        .bind(event_type)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// The last position of a stream of a tenant; `None` if there is no such stream.
    pub async fn stream_position(
        &self,
        tenant: TenantId,
        aggregate_type: &str,
        aggregate_id: &str,
    ) -> Result<Option<i64>, LogError> {
        stream_position(&self.pool, tenant, aggregate_type, aggregate_id).await
    }

    /// The tenant of a stream; `None` if there is no such stream. For requests in which the id alone gives access.
    pub async fn stream_owner(
        &self,
        aggregate_type: &str,
        aggregate_id: &str,
    ) -> Result<Option<TenantId>, LogError> {
        let owner: Option<uuid::Uuid> = sqlx::query_scalar(
            "select tenant_id from events where aggregate_type = $1 and aggregate_id = $2 and sequence = 1",
        )
        .bind(aggregate_type)
        .bind(aggregate_id)
        .fetch_optional(&self.pool)
        .await?;
        Ok(owner.map(TenantId))
    }
}

async fn stream_position(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    aggregate_type: &str,
    aggregate_id: &str,
) -> Result<Option<i64>, LogError> {
    Ok(sqlx::query_scalar(
        "select position from events where aggregate_type = $1 and aggregate_id = $2 and tenant_id = $3 \
          order by sequence desc limit 1",
    )
    .bind(aggregate_type)
    .bind(aggregate_id)
    .bind(tenant.0)
    .fetch_optional(executor)
    .await?)
}

/// A row of [`COLUMNS`].
pub(super) fn event_of(row: &PgRow) -> Result<LogEvent, sqlx::Error> {
    Ok(LogEvent {
        position: row.try_get("position")?,
        event_id: row.try_get("event_id")?,
        aggregate_type: row.try_get("aggregate_type")?,
        aggregate_id: row.try_get("aggregate_id")?,
        sequence: row.try_get("sequence")?,
        event_type: row.try_get("event_type")?,
        event_version: row.try_get("event_version")?,
        recorded_at: row.try_get("recorded_at")?,
        tenant_id: TenantId(row.try_get("tenant_id")?),
        payload: row.try_get::<Json<Box<RawValue>>, _>("payload")?.0,
        metadata: row.try_get::<Json<Box<RawValue>>, _>("metadata")?.0,
    })
}
