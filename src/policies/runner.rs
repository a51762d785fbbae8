//! Runs one policy: lease, page, commands, rows and checkpoint, sweep.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Policy, PolicyError};
use crate::log::EventLog;
use crate::log::read::{Page, read_page};

/// How long a process may go silent before another takes a policy over.
const LEASE: Duration = Duration::from_secs(15);
/// How long an idle policy waits for news before it looks by itself.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a page that was not full: what comes meanwhile makes one page instead of many.
const GATHER: Duration = Duration::from_millis(20);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a policy until it is told to stop; failures are logged and tried again.
pub async fn run<P: Policy>(policy: P, log: EventLog, stop: CancellationToken) {
    let holder = Uuid::now_v7();
    let mut news = log.watch();
    while !stop.is_cancelled() {
        let pause = match step(&policy, &log, holder).await {
            Ok(Progress::More) => continue,
            Ok(Progress::Done) => {
                tokio::time::sleep(GATHER).await;
                continue;
            }
            Ok(Progress::Idle) => POLL,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Policy {} failed and tries again",
                    P::NAME
                );
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            _ = news.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    release(log.pool(), P::NAME, holder).await;
}

/// What a look at the log came to.
enum Progress {
    /// A page was dealt with, and more is known to follow.
    More,
    /// A page was dealt with.
    Done,
    /// There was nothing to do, or another process does it.
    Idle,
}

async fn step<P: Policy>(policy: &P, log: &EventLog, holder: Uuid) -> Result<Progress, PolicyError> {
    let Some(position) = lease(log.pool(), P::NAME, holder).await? else {
        return Ok(Progress::Idle);
    };
    let page = {
        let mut connection = log.pool().acquire().await?;
        read_page(&mut connection, position, P::EVENT_TYPES, P::PAGE).await?
    };
    if page.position == position {
        policy.sweep().await?;
        return Ok(Progress::Idle);
    }
    with_lease_kept(log.pool(), P::NAME, holder, policy.command(&page.events)).await?;
    if !checkpoint(policy, log.pool(), holder, position, &page).await? {
        tracing::info!("Policy {} was taken over by another process", P::NAME);
        return Ok(Progress::Idle);
    }
    if !page.events.is_empty() {
        policy.sweep().await?;
    }
    Ok(if page.more { Progress::More } else { Progress::Done })
}

/// Takes or prolongs the lease; returns the checkpoint if it is ours. Notes that there is nothing to do, if so.
async fn lease(pool: &PgPool, name: &str, holder: Uuid) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "insert into policy as p (name, holder, leased_until) values ($1, $2, clock_timestamp() + $3) \
         on conflict (name) do update set holder = $2, leased_until = clock_timestamp() + $3, \
             caught_up_at = case when p.position >= (select h.position from log_head h) \
                                 then clock_timestamp() else p.caught_up_at end \
          where p.holder is null or p.holder = $2 \
             or not still_ahead(p.leased_until, longest_lease(), clock_timestamp()) \
         returning position",
    )
    .bind(name)
    .bind(holder)
    .bind(LEASE)
    .fetch_optional(pool)
    .await
}

/// Prolongs the lease while a long command is under way.
async fn with_lease_kept<T>(pool: &PgPool, name: &str, holder: Uuid, work: impl Future<Output = T>) -> T {
    let mut beat = tokio::time::interval(LEASE / 3);
    tokio::pin!(work);
    beat.tick().await;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = beat.tick() => {
                if let Err(error) = lease(pool, name, holder).await {
                    tracing::warn!(%error, "The lease of policy {name} could not be prolonged");
                }
            }
        }
    }
}

/// Rows and checkpoint in one transaction; false if the policy is no longer ours.
async fn checkpoint<P: Policy>(
    policy: &P,
    pool: &PgPool,
    holder: Uuid,
    from: i64,
    page: &Page,
) -> Result<bool, PolicyError> {
    let mut tx = pool.begin().await?;
    // Lost with its checkpoint, a page is simply taken again: the commit need not wait for the disk.
    let moved = sqlx::query(
        "update policy set position = $3, updated_at = clock_timestamp() \
          where name = $1 and holder = $2 and position = $4 \
         returning set_config('synchronous_commit', 'off', true)",
    )
    .bind(P::NAME)
    .bind(holder)
    .bind(page.position)
    .bind(from)
    .fetch_optional(&mut *tx)
    .await?;
    if moved.is_none() {
        return Ok(false);
    }
    policy.write(&mut tx, &page.events).await?;
    tx.commit().await?;
    Ok(true)
}

/// Lets another process take over at once.
async fn release(pool: &PgPool, name: &str, holder: Uuid) {
    let released =
        sqlx::query("update policy set holder = null, leased_until = null where name = $1 and holder = $2")
            .bind(name)
            .bind(holder)
            .execute(pool)
            .await;
    if let Err(error) = released {
        tracing::debug!(%error, "The lease of policy {name} runs out by itself");
    }
}
