//! Which monitors to check. The rows are hints: an unnecessary check changes nothing.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::values::MonitorId;
use crate::values::rhythm::DueCheck;

/// A monitor that this process has claimed, for `longest_monitor_lease` at most.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct Due {
    monitor_id: Uuid,
    /// The last event of the monitor that the row had.
    changed_at: i64,
    /// When the next check was decided.
    pub(super) next_run: Option<DateTime<Utc>>,
    /// The current time.
    pub(super) now: DateTime<Utc>,
}

impl Due {
    pub(super) fn id(&self) -> MonitorId {
        MonitorId(self.monitor_id)
    }
}

/// Takes up to this many monitors that are due, or whose last time is still to come: that was written under a wrong
/// clock.
pub(super) async fn claim(pool: &PgPool, most: i64) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as(
        "with found as materialized (\
            (select monitor_id from monitor where status = 'active' and next_run <= now() \
                and not still_ahead(leased_until, longest_monitor_lease(), now()) order by next_run limit $1) \
            union all \
            (select monitor_id from monitor where status = 'active' and last > now() \
                and not still_ahead(leased_until, longest_monitor_lease(), now()) order by last limit $1)), \
         mine as (select m.monitor_id from monitor m where m.monitor_id = any(array(select monitor_id from found)) \
                    for update skip locked) \
         update monitor set leased_until = now() + longest_monitor_lease() \
          where monitor_id = any(array(select monitor_id from mine)) \
         returning monitor_id, changed_at, next_run, now() as now",
    )
    .bind(most)
    .fetch_all(pool)
    .await
}

/// Returns a claimed monitor, with the time of its next check. A `last` that was written under a wrong clock is
/// corrected here, so that the next check uses the planned time. If the row has a later event by now, nothing changes.
pub(super) async fn release(pool: &PgPool, due: &Due, check: &DueCheck) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update monitor set leased_until = null, next_run = $3, last = least(last, $4) \
          where monitor_id = $1 and changed_at = $2",
    )
    .bind(due.monitor_id)
    .bind(due.changed_at)
    .bind(check.next)
    .bind(due.now)
    .execute(pool)
    .await?;
    Ok(())
}
