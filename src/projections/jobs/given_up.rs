//! Scans that failed because of an error in sitelog rather than the site.

use super::{JobRow, Jobs};
use crate::projections::{ProjectionError, ReadModels, rows};
use crate::values::{FailureReason, TenantId};

/// Reasons caused by sitelog: workers that crashed repeatedly, and internal errors.
const OURS: [FailureReason; 2] = [FailureReason::Abandoned, FailureReason::Internal];

/// A tenant's scans that failed for such a reason, newest first; without their results.
pub async fn given_up(
    models: &ReadModels,
    tenant: TenantId,
    limit: i64,
) -> Result<Vec<JobRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(j)::text from {}.jobs j \
          where tenant_id = $1 and status = 'failed' and reason = any($2) order by requested_position desc limit $3",
        models.jobs
    );
    let found: Vec<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(OURS.map(FailureReason::as_str).as_slice())
        .bind(limit)
        .fetch_all(&mut *reading)
        .await?;
    found.iter().map(|row| rows::from_json::<Jobs>(row)).collect()
}
