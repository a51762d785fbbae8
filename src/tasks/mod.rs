//! The durable queue of scans: fair between tenants, leased and fenced. A task says which scan must run; only the log
//! knows the status of the scan. Sole owner of the tables of `migrations/0002_scan_tasks.sql` and of `host_rest`.
//!
//! Only the database's clock counts: processes pass durations, never times. `migrations/0012_wrong_clocks.sql` says
//! how times that are too far ahead are treated. The SQL function `claim_scan_tasks` decides which tenant's scan is
//! next; its current text is in `migrations/0029_several_machines.sql`.

mod inspect;
pub mod workers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool, Row};
use tokio::sync::Notify;
use uuid::Uuid;

pub use inspect::{TaskCondition, TaskRow};
use workers::Workers;

use crate::pools::in_time;
use crate::values::{BatchId, ScanId, TenantId};

/// How long a lease lasts without a renewal.
pub const LEASE: Duration = Duration::from_secs(15);

/// A handle to the queue.
#[derive(Clone)]
pub struct ScanTasks {
    pool: PgPool,
    news: Arc<Notify>,
}

/// A task to queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// The scan to run.
    pub scan_id: ScanId,
    /// The tenant.
    pub tenant: TenantId,
    /// The batch it belongs to; scans of a batch share its limit.
    pub batch: Option<BatchId>,
    /// Maximum number of concurrent scans of the batch; single scans have no such limit.
    pub max_concurrent: Option<u32>,
    /// Only one scan per host runs at a time.
    pub host: String,
    /// Position of the event it follows from: the order of first attempts.
    pub position: i64,
}

/// A task that this process may work on while it holds the lease.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedTask {
    /// The scan to run.
    pub scan_id: ScanId,
    /// The tenant.
    pub tenant: TenantId,
    /// Its host.
    pub host: String,
    /// Number of the lease; a later lease of any task has a higher one.
    pub fence: i64,
    /// When it was claimed, by the database's clock and by ours.
    claimed: (DateTime<Utc>, Instant),
}

impl ClaimedTask {
    /// A task that another process has claimed, in its current state.
    pub fn received(scan_id: ScanId, tenant: TenantId, host: String, fence: i64) -> Self {
        Self {
            scan_id,
            tenant,
            host,
            fence,
            claimed: (Utc::now(), Instant::now()),
        }
    }

    /// The time since it was claimed or received.
    pub fn held_for(&self) -> Duration {
        self.claimed.1.elapsed()
    }

    /// The same task as if it had been claimed this long ago.
    #[must_use]
    pub fn at(&self, age: Duration) -> Self {
        let since = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        Self {
            claimed: (self.claimed.0, since),
            ..self.clone()
        }
    }

    /// The time by the clock that the claim was made by, however this machine's clock is set meanwhile.
    pub fn now(&self) -> DateTime<Utc> {
        let (at, since) = self.claimed;
        at + TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX)
    }
}

/// How a task continues after its attempt was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settled {
    /// Nothing is left to do.
    Done,
    /// Another attempt is due after that time.
    RetryIn(Duration),
}

/// The queue cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach or write the task queue")]
pub struct TaskError(#[from] sqlx::Error);

/// In a statement by itself: its commit does not wait for the disk, and no append waits for that. What is lost in a
/// crash of PostgreSQL is done again. That is safe: all results of a task are appended to the log, and the commit of an
/// append waits for the disk with everything before it.
const COMMIT_WITHOUT_WAITING: &str = "set_config('synchronous_commit', 'off', true)";

/// The tasks that are still held under their fences, locked in one order, so that two statements cannot block each other.
/// As an array, not as a join: PostgreSQL then finds each by its key, even if the last `vacuum` saw an empty queue. Of a
/// join it would read the whole queue for each task, because it takes it for a single row.
const LOCKED: &str = "array(select scan_id from scan_task \
    where scan_id = any($1) and (scan_id, fence) in (select * from unnest($1::uuid[], $2::bigint[])) \
    order by scan_id for update)";

/// Of a claim: where a standby has to confirm commits, this one waits for it. Otherwise a failover could take back the
/// number of a fence that is in use.
const COMMIT_CONFIRMED: &str = "set_config('synchronous_commit', \
    case current_setting('synchronous_standby_names') when '' then 'off' else 'on' end, true)";

impl ScanTasks {
    /// A queue in a migrated database.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            news: Arc::new(Notify::new()),
        }
    }

    /// The workers that take these tasks.
    pub fn workers(&self) -> Workers {
        Workers::new(self.pool.clone())
    }

    /// Resolves when a task may have become ready in this process.
    pub async fn wait_for_news(&self) {
        self.news.notified().await;
    }

    /// Wakes waiting workers of this process.
    pub fn announce(&self) {
        self.news.notify_one();
    }

    /// Takes up to `wanted` tasks that are due, after settling what the worker has done since.
    pub async fn claim(&self, worker: &str, wanted: i32) -> Result<Vec<ClaimedTask>, TaskError> {
        let statement = format!(
            "select scan_id, tenant_id, host, fence, clock_timestamp() as claimed_at, {COMMIT_CONFIRMED} \
               from claim_scan_tasks($1, $2, $3)"
        );
        let claim = sqlx::query(&statement).bind(wanted).bind(worker).bind(LEASE);
        let rows = in_time(&self.pool, async |connection| claim.fetch_all(connection).await).await?;
        let now = Instant::now();
        rows.iter()
            .map(|row| {
                Ok(ClaimedTask {
                    scan_id: ScanId(row.try_get("scan_id")?),
                    tenant: TenantId(row.try_get("tenant_id")?),
                    host: row.try_get("host")?,
                    fence: row.try_get("fence")?,
                    claimed: (row.try_get("claimed_at")?, now),
                })
            })
            .collect()
    }

    /// The task that a fence holds: nothing if a later lease has it, or if it is settled.
    pub async fn held_under(&self, scan: ScanId, fence: i64) -> Result<Option<ClaimedTask>, TaskError> {
        let row = sqlx::query(
            "select tenant_id, host, coalesce(claimed_at, clock_timestamp()) as claimed_at \
               from scan_task where scan_id = $1 and fence = $2",
        )
        .bind(scan.0)
        .bind(fence)
        .fetch_optional(&self.pool)
        .await?;
        let task = |row: sqlx::postgres::PgRow| {
            Ok(ClaimedTask {
                scan_id: scan,
                tenant: TenantId(row.try_get("tenant_id")?),
                host: row.try_get("host")?,
                fence,
                claimed: (row.try_get("claimed_at")?, Instant::now()),
            })
        };
        row.map(task).transpose()
    }

    /// Returns leases in one statement. A lease that was lost meanwhile stays with its new holder.
    pub async fn settle(&self, settled: &[(ClaimedTask, Settled)]) -> Result<(), TaskError> {
        let (done, later): (Vec<_>, Vec<_>) = settled.iter().partition(|(_, what)| *what == Settled::Done);
        if !done.is_empty() {
            sqlx::query(&format!(
                "delete from scan_task where scan_id = any({LOCKED}) returning {COMMIT_WITHOUT_WAITING}"
            ))
            .bind(done.iter().map(|(task, _)| task.scan_id.0).collect::<Vec<_>>())
            .bind(done.iter().map(|(task, _)| task.fence).collect::<Vec<_>>())
            .execute(&self.pool)
            .await?;
        }
        for (task, what) in later {
            let Settled::RetryIn(pause) = what else { continue };
            sqlx::query(&format!(
                "update scan_task set leased_until = null, worker = null, \
                        due_at = clock_timestamp() + least($3::interval, longest_wait()) \
                  where scan_id = $1 and fence = $2 returning {COMMIT_WITHOUT_WAITING}"
            ))
            .bind(task.scan_id.0)
            .bind(task.fence)
            .bind(interval(*pause))
            .execute(&self.pool)
            .await?;
        }
        Ok(())
    }

    /// Renews leases; returns the fences that are still held. The others were lost or their scans cancelled.
    pub async fn heartbeat(&self, tasks: &[ClaimedTask]) -> Result<Vec<i64>, TaskError> {
        let statement = format!(
            "update scan_task set leased_until = clock_timestamp() + $3 \
              where scan_id = any({LOCKED}) and leased_until is not null \
             returning fence, {COMMIT_WITHOUT_WAITING}"
        );
        let beat = sqlx::query_scalar(&statement)
            .bind(tasks.iter().map(|task| task.scan_id.0).collect::<Vec<_>>())
            .bind(tasks.iter().map(|task| task.fence).collect::<Vec<_>>())
            .bind(LEASE);
        Ok(in_time(&self.pool, async |connection| beat.fetch_all(connection).await).await?)
    }

    /// Sets the cooldown of a host, for all workers of all processes; it never shortens an earlier one.
    pub async fn set_cooldown(&self, host: &str, rest: Duration) -> Result<(), TaskError> {
        sqlx::query(&format!(
            "insert into host_rest as h (host, rest_until) \
             values ($1, clock_timestamp() + least($2::interval, longest_wait())) \
             on conflict (host) do update set rest_until = case \
                 when still_ahead(h.rest_until, longest_wait(), clock_timestamp()) \
                 then greatest(h.rest_until, excluded.rest_until) else excluded.rest_until end \
             returning {COMMIT_WITHOUT_WAITING}"
        ))
        .bind(host)
        .bind(interval(rest))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Queues tasks within the caller's transaction; queued ones do not change.
pub async fn enqueue(connection: &mut PgConnection, tasks: &[NewTask]) -> Result<(), sqlx::Error> {
    if tasks.is_empty() {
        return Ok(());
    }
    let tenants: Vec<_> = tasks.iter().map(|task| task.tenant.0).collect();
    let lanes: Vec<_> = tasks
        .iter()
        .map(|task| task.batch.map_or(task.tenant.0, |batch| batch.0))
        .collect();
    let limits: Vec<_> = tasks
        .iter()
        .map(|task| {
            task.max_concurrent
                .and_then(|n| i32::try_from(n).ok())
                .unwrap_or(i32::MAX)
        })
        .collect();
    // A tenant that was idle starts at the virtual time of the active ones, so that idle time gives no advantage.
    let idle: Vec<(Uuid, f64)> = sqlx::query_as(
        "select given.tenant_id, \
                coalesce((select w.vtime from task_tenant w where exists (select from task_lane l \
                             where l.tenant_id = w.tenant_id \
                               and (select true from scan_task s where s.lane_id = l.lane_id limit 1)) \
                           order by w.vtime limit 1), 0) \
           from (select distinct unnest($1::uuid[]) as tenant_id) given \
          where not exists (select from task_lane l where l.tenant_id = given.tenant_id \
                               and (select true from scan_task s where s.lane_id = l.lane_id limit 1))",
    )
    .bind(&tenants)
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query(
        "insert into task_tenant (tenant_id) select distinct unnest($1::uuid[]) on conflict (tenant_id) do nothing",
    )
    .bind(&tenants)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into task_lane (lane_id, tenant_id, max_concurrent, vtime) \
         select distinct on (g.lane_id) g.lane_id, g.tenant_id, g.max_concurrent, \
                coalesce((select min(l.vtime) from task_lane l where l.tenant_id = g.tenant_id), 0) \
           from unnest($1::uuid[], $2::uuid[], $3::int[]) as g(lane_id, tenant_id, max_concurrent) \
         on conflict (lane_id) do nothing",
    )
    .bind(&lanes)
    .bind(&tenants)
    .bind(&limits)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into scan_task (scan_id, tenant_id, lane_id, host, position) \
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) \
         on conflict (scan_id) do nothing",
    )
    .bind(tasks.iter().map(|task| task.scan_id.0).collect::<Vec<_>>())
    .bind(&tenants)
    .bind(&lanes)
    .bind(tasks.iter().map(|task| task.host.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.position).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    if idle.is_empty() {
        return Ok(());
    }
    // Last, and under the claim's lock: claims change the same rows in an order of their own.
    sqlx::query("select pg_advisory_xact_lock(claim_lock())")
        .execute(&mut *connection)
        .await?;
    let (tenants, times): (Vec<_>, Vec<_>) = idle.into_iter().unzip();
    sqlx::query(
        "update task_tenant t set vtime = idle.vtime from unnest($1::uuid[], $2::float8[]) as idle(tenant_id, vtime) \
          where t.tenant_id = idle.tenant_id and t.vtime < idle.vtime",
    )
    .bind(tenants)
    .bind(times)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Removes the tasks of ended scans from the queue, within the caller's transaction.
pub async fn dequeue(connection: &mut PgConnection, scans: &[ScanId]) -> Result<(), sqlx::Error> {
    if scans.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "delete from scan_task where scan_id = any(array( \
            select scan_id from scan_task where scan_id = any($1) order by scan_id for update))",
    )
    .bind(scans.iter().map(|scan| scan.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// An interval as PostgreSQL accepts it: whole microseconds.
fn interval(length: Duration) -> TimeDelta {
    TimeDelta::microseconds(i64::try_from(length.as_micros()).unwrap_or(i64::MAX))
}

/// Removes hosts whose cooldown is over.
pub async fn drop_past_rests(pool: &PgPool) -> Result<u64, sqlx::Error> {
    // `not still_ahead`, as an index can find it.
    let mut dropped = 0;
    for is_past in ["rest_until <= now()", "rest_until > now() + longest_wait()"] {
        let done = sqlx::query(&format!("delete from host_rest where {is_past}"))
            .execute(pool)
            .await?;
        dropped += done.rows_affected();
    }
    Ok(dropped)
}

/// Removes empty lanes, so that a claim looks only at those in use.
pub async fn drop_empty_lanes(pool: &PgPool) -> Result<u64, sqlx::Error> {
    // A locked lane is in use at the moment; it is checked again next time.
    let done = sqlx::query(
        "delete from task_lane l \
          where l.lane_id = any(array( \
                  select e.lane_id from task_lane e where e.lane_id <> e.tenant_id \
                     and (select true from scan_task t where t.lane_id = e.lane_id limit 1) is null \
                     for update skip locked)) \
            and (select true from scan_task t where t.lane_id = l.lane_id limit 1) is null",
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
