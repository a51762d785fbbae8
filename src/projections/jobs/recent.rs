//! How the latest scans of a tenant ended, per day.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::projections::{ProjectionError, ReadModels};
use crate::values::{FailureReason, TenantId};

/// Scans that are examined: enough for a picture, few enough to count for every visitor.
pub const LATEST: i64 = 10_000;

/// Days that are counted, today among them.
pub const DAYS: i32 = 30;

/// The scans of the last days, or the latest of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// By the day of their request (UTC), all days without gaps; the last is today.
    pub days: Vec<DayCount>,
    /// Scans that wait or run.
    pub open: i64,
    /// Failed scans by reason.
    pub failures: BTreeMap<FailureReason, i64>,
    /// Whether there were more than `LATEST`, so that the earlier ones are not counted.
    pub is_cut: bool,
}

impl Recent {
    /// Whether nothing was scanned in these days, and nothing waits.
    pub fn is_empty(&self) -> bool {
        let is_idle = |day: &DayCount| day.completed == 0 && day.failed == 0;
        self.open == 0 && self.days.iter().all(is_idle)
    }
}

/// The scans that were requested on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// In UTC.
    pub day: NaiveDate,
    /// Scans with a result.
    pub completed: i64,
    /// Scans without one.
    pub failed: i64,
}

/// Counts the latest scans of a tenant.
pub async fn recent(models: &ReadModels, tenant: TenantId) -> Result<Recent, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    // All rows of the days come from one query, so that they are counted at one moment; those of the calendar have no
    // status. An id of the list is a range of its index, so nothing but the latest scans is read.
    let counted: Vec<(NaiveDate, Option<String>, Option<String>, i64)> = sqlx::query_as(&format!(
        "with latest as materialized \
           (select (created_at at time zone 'UTC')::date as day, status, reason from {}.jobs \
             where tenant_id = $1 order by requested_position desc limit $2), \
         today as (select (now() at time zone 'UTC')::date as day) \
         select (day - n)::date, null::text, null::text, (select count(*) from latest) \
           from today, generate_series(0, $3::int - 1) n \
         union all \
         select latest.day, status, reason, count(*) from latest, today \
          where latest.day > today.day - $3 and latest.day <= today.day group by 1, 2, 3",
        models.jobs
    ))
    // Planned for this very tenant, whether it has ten rows or 100,000.
    .persistent(false)
    .bind(tenant.0)
    .bind(LATEST)
    .bind(DAYS)
    .fetch_all(&mut *reading)
    .await?;
    let mut recent = Recent::default();
    let mut days = BTreeMap::new();
    for (day, status, reason, count) in counted {
        let of_day = days.entry(day).or_insert(DayCount {
            day,
            completed: 0,
            failed: 0,
        });
        match status.as_deref() {
            None => recent.is_cut = count >= LATEST,
            Some("completed") => of_day.completed += count,
            Some("failed") => {
                of_day.failed += count;
                if let Some(reason) = reason.and_then(|reason| reason.parse().ok()) {
                    *recent.failures.entry(reason).or_default() += count;
                }
            }
            Some("pending" | "running") => recent.open += count,
            Some(_) => {}
        }
    }
    recent.days = days.into_values().collect();
    Ok(recent)
}
