//! The events that say that a domain changed. They are few among many, so they have their own indexes.

use sqlx::QueryBuilder;

use super::read::{COLUMNS, event_of};
use super::{EventLog, LogError, LogEvent};
use crate::values::{BatchId, MonitorId, TenantId};

/// A filter of changes.
#[derive(Clone, Debug)]
pub struct ChangeFilter {
    /// The tenant.
    pub tenant: TenantId,
    /// Only of this domain.
    pub domain: Option<String>,
    /// Only those in which this field changed.
    pub field: Option<String>,
    /// Only those found by scans of this batch.
    pub batch: Option<BatchId>,
    /// Only those found by runs of this monitor.
    pub monitor: Option<MonitorId>,
    /// Only those in which one of these fields changed; all if empty.
    pub fields: Vec<String>,
    /// Only after this position.
    pub since: i64,
    /// Only up to this position.
    pub up_to: Option<i64>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// Only after this position in that order.
    pub after: Option<i64>,
    /// Maximum number.
    pub limit: i64,
}

impl EventLog {
    /// Changes of domains of a tenant.
    pub async fn domain_changes(&self, filter: &ChangeFilter) -> Result<Vec<LogEvent>, LogError> {
        let mut query = QueryBuilder::new(format!("select {COLUMNS} from "));
        match filter.monitor {
            // Run by run: each is one lookup in the index of changes by batch.
            Some(monitor) => {
                query.push(
                    "(select e.* from events b cross join lateral (select * from events e \
                      where e.event_type = 'DomainChanged' and e.tenant_id = b.tenant_id \
                        and e.payload #>> '{DomainChanged,batch_id}' is not null \
                        and e.payload #>> '{DomainChanged,batch_id}' = b.aggregate_id and e.position > ",
                );
                query.push_bind(filter.since);
                query.push(
                    " offset 0) e \
                      where b.event_type = 'BatchRequested' and b.payload #>> '{BatchRequested,monitor_id}' is not null \
                        and b.payload #>> '{BatchRequested,monitor_id}' = ",
                );
                query.push_bind(monitor.to_string());
                query.push(" and b.tenant_id = ").push_bind(filter.tenant.0);
                query.push(") events");
            }
            None => {
                query.push("events");
            }
        }
        query.push(" where event_type = 'DomainChanged' and tenant_id = ");
        query.push_bind(filter.tenant.0);
        query.push(" and position > ").push_bind(filter.since);
        if let Some(up_to) = filter.up_to {
            query.push(" and position <= ").push_bind(up_to);
        }
        if let Some(domain) = &filter.domain {
            query
                .push(" and left(payload #>> '{DomainChanged,domain}', 253) = ")
                .push_bind(domain);
        }
        if let Some(field) = &filter.field {
            query
                .push(" and payload #> '{DomainChanged,fields}' @> to_jsonb(")
                .push_bind(field);
            query.push("::text)");
        }
        if !filter.fields.is_empty() {
            query
                .push(" and payload #> '{DomainChanged,fields}' ?| ")
                .push_bind(&filter.fields);
        }
        if let Some(batch) = filter.batch {
            query
                .push(" and payload #>> '{DomainChanged,batch_id}' is not null and payload #>> '{DomainChanged,batch_id}' = ")
                .push_bind(batch.to_string());
        }
        let (behind, order) = if filter.newest_first {
            (" < ", "desc")
        } else {
            (" > ", "asc")
        };
        if let Some(after) = filter.after {
            query.push(" and position").push(behind).push_bind(after);
        }
        query
            .push(format!(" order by position {order} limit "))
            .push_bind(filter.limit);
        let rows = query.build().persistent(false).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }

    /// The tenant's event at a position.
    pub async fn event_at(&self, tenant: TenantId, position: i64) -> Result<Option<LogEvent>, LogError> {
        let row = sqlx::query(&format!(
            "select {COLUMNS} from events where position = $1 and tenant_id = $2"
        ))
        .bind(position)
        .bind(tenant.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.as_ref().map(event_of).transpose()?)
    }

    /// A tenant's events of some types at the positions after `after` up to `up_to`, in order.
    pub async fn of_types(
        &self,
        tenant: TenantId,
        types: &[&str],
        (after, up_to): (i64, i64),
        limit: i64,
    ) -> Result<Vec<LogEvent>, LogError> {
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where tenant_id = $1 and position > $2 and position <= $3 \
                and event_type = any($4) order by position limit $5"
        ))
        .bind(tenant.0)
        .bind(after)
        .bind(up_to)
        .bind(types)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(event_of(row)?)).collect()
    }
}
