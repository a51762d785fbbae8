//! Reading batches.

use sqlx::QueryBuilder;

use super::{BatchJobs, BatchRow};
use crate::aggregates::BatchStatus;
use crate::projections::query::Listed;
use crate::projections::{ProjectionError, ReadModels, rows};
use crate::values::{BatchId, MonitorId, TenantId};

/// A filter of batches.
#[derive(Clone, Debug, Default)]
pub struct BatchFilter {
    /// Only those with this status.
    pub status: Option<BatchStatus>,
    /// Only runs of this monitor.
    pub monitor: Option<MonitorId>,
    /// Only older than the batch with this request position.
    pub before: Option<i64>,
    /// Maximum number.
    pub limit: i64,
}

/// One batch of a tenant.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    batch: BatchId,
) -> Result<Option<BatchRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(b)::text from {}.batch_jobs b where batch_id = $1 and tenant_id = $2",
        models.batch_jobs
    );
    let row: Option<String> = sqlx::query_scalar(&sql)
        .bind(batch.0)
        .bind(tenant.0)
        .fetch_optional(&mut *reading)
        .await?;
    row.as_deref().map(rows::from_json::<BatchJobs>).transpose()
}

/// Batches of a tenant, newest first.
pub async fn list(
    models: &ReadModels,
    tenant: TenantId,
    filter: &BatchFilter,
) -> Result<Listed<BatchRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let mut query = QueryBuilder::new(format!(
        "select to_jsonb(b)::text from {}.batch_jobs b where tenant_id = ",
        models.batch_jobs
    ));
    query.push_bind(tenant.0);
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status.to_string());
    }
    if let Some(monitor) = filter.monitor {
        query.push(" and monitor_id = ").push_bind(monitor.0);
    }
    if let Some(before) = filter.before {
        query.push(" and requested_position < ").push_bind(before);
    }
    query
        .push(" order by requested_position desc limit ")
        .push_bind(filter.limit + 1);
    let found: Vec<String> = query.build_query_scalar().fetch_all(&mut *reading).await?;
    let found = found
        .into_iter()
        .map(|row| rows::from_json::<BatchJobs>(&row))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Listed::of(found, filter.limit, |row| {
        row.requested_position.to_string()
    }))
}
