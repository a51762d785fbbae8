//! The throughput of a batch: its ended scans over time.

use chrono::{DateTime, Utc};

use crate::projections::{ProjectionError, ReadModels};
use crate::values::{BatchId, TenantId};

/// Parts that a batch's life is divided into at most.
const MAX_BUCKETS: i64 = 60;

/// The ended scans of a batch over its life.
#[derive(Clone, Debug, PartialEq)]
pub struct Throughput {
    /// When the first bucket begins: with the batch's first scan.
    pub from: DateTime<Utc>,
    /// Length of each bucket in seconds.
    pub seconds: i64,
    /// One after the other, without gaps, up to the batch's end or now; 60 at most.
    pub buckets: Vec<ThroughputBucket>,
    /// Scans that completed or failed in the last 60 seconds.
    pub last_minute: i64,
}

/// The scans that ended in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThroughputBucket {
    /// With a result.
    pub completed: i64,
    /// Without one.
    pub failed: i64,
}

/// The throughput of a batch; `None` if no scan of it has started, or there is no such batch.
pub async fn throughput(
    models: &ReadModels,
    tenant: TenantId,
    batch: BatchId,
) -> Result<Option<Throughput>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let life: Option<(DateTime<Utc>, f64)> = sqlx::query_as(&format!(
        "select start_time, extract(epoch from coalesce(end_time, clock_timestamp()) - start_time)::float8 \
           from {}.batch_jobs where batch_id = $1 and tenant_id = $2 and start_time is not null",
        models.batch_jobs
    ))
    .bind(batch.0)
    .bind(tenant.0)
    .fetch_optional(&mut *reading)
    .await?;
    let Some((from, length)) = life else {
        return Ok(None);
    };
    #[expect(clippy::cast_possible_truncation, reason = "a length in whole seconds")]
    let length = length.max(0.0) as i64 + 1;
    let seconds = (length + MAX_BUCKETS - 1) / MAX_BUCKETS;
    let count = (length + seconds - 1) / seconds;
    // What ended outside of it by another process's clock belongs to the first or last bucket.
    let counted: Vec<(i64, i64, i64, i64)> = sqlx::query_as(&format!(
        "select least(greatest(floor(extract(epoch from completed_at - $3) / $4)::bigint, 0), $5 - 1), \
                count(*) filter (where status = 'completed'), count(*) filter (where status = 'failed'), \
                count(*) filter (where recently(completed_at, interval '60 seconds', now())) \
           from {}.jobs where batch_id = $1 and tenant_id = $2 and completed_at is not null \
            and status in ('completed', 'failed') group by 1",
        models.jobs
    ))
    // Planned for this very batch, whether it has ten rows or 100,000.
    .persistent(false)
    .bind(batch.0)
    .bind(tenant.0)
    .bind(from)
    .bind(seconds)
    .bind(count)
    .fetch_all(&mut *reading)
    .await?;
    let mut buckets = vec![ThroughputBucket::default(); usize::try_from(count).unwrap_or_default()];
    let mut last_minute = 0;
    for (place, completed, failed, recent) in counted {
        last_minute += recent;
        if let Some(bucket) = usize::try_from(place)
            .ok()
            .and_then(|place| buckets.get_mut(place))
        {
            *bucket = ThroughputBucket { completed, failed };
        }
    }
    Ok(Some(Throughput {
        from,
        seconds,
        buckets,
        last_minute,
    }))
}
