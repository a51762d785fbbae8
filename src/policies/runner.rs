//! Runs one policy: lease, page, commands, rows and checkpoint, sweep.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{Policy, PolicyError};
use crate::log::EventLog;
use crate::log::batch_delay::BatchDelay;
use crate::log::read::Page;

/// How long a process may go silent before another takes a policy over.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How long an idle policy waits for a notification before it polls.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a page that was not full, so that the following events make one page instead of many.
const BATCH_DELAY: BatchDelay = BatchDelay {
    least: Duration::from_millis(20),
    most: Duration::from_millis(250),
};
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a policy until it is stopped; failures are logged and retried.
pub async fn run<P: Policy>(policy: P, log: EventLog, stop: CancellationToken) {
    let holder = Uuid::now_v7();
    let mut news = log.watch();
    let mut limit = P::PAGE;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let pause = match step(&policy, &log, holder, limit).await {
            Ok(progress) => {
                limit = P::PAGE;
                match progress {
                    Progress::More => continue,
                    Progress::Done => {
                        tokio::time::sleep(BATCH_DELAY.after(begun.elapsed())).await;
                        continue;
                    }
                    Progress::Idle => POLL,
                }
            }
            // One event of the page is at fault: alone it can be named and quarantined.
            Err(error) if error.is_about_an_event() && limit > 1 => {
                limit = 1;
                continue;
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Policy {} failed; retrying",
                    P::NAME
                );
                log.tail().forget().await;
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

/// The result of reading the log.
enum Progress {
    /// A page was processed, and more events follow.
    More,
    /// A page was dealt with.
    Done,
    /// There was nothing to do, or another process does it.
    Idle,
}

async fn step<P: Policy>(
    policy: &P,
    log: &EventLog,
    holder: Uuid,
    limit: i64,
) -> Result<Progress, PolicyError> {
    let Some(position) = lease(log.pool(), P::NAME, holder, LeasePurpose::NewPage).await? else {
        // If all policies are paused, the process that paused them waits for this.
        release(log.pool(), P::NAME, holder).await;
        return Ok(Progress::Idle);
    };
    let page = {
        let mut connection = log.pool().acquire().await?;
        log.tail()
            .page(&mut connection, position, P::FOLLOWER.event_types(), limit)
            .await?
    };
    if page.position == position {
        policy.sweep().await?;
        return Ok(Progress::Idle);
    }
    let moved = match act(policy, log.pool(), holder, position, &page).await {
        Err(error) if error.is_about_an_event() && limit == 1 => {
            quarantine::<P>(log.pool(), holder, position, &page, &error).await?
        }
        done => done?,
    };
    if !moved {
        tracing::info!("Policy {} was taken over by another process", P::NAME);
        return Ok(Progress::Idle);
    }
    if !page.events.is_empty() {
        policy.sweep().await?;
    }
    Ok(if page.more { Progress::More } else { Progress::Done })
}

/// Commands, then rows and checkpoint; false if the policy is no longer ours.
async fn act<P: Policy>(
    policy: &P,
    pool: &PgPool,
    holder: Uuid,
    from: i64,
    page: &Page,
) -> Result<bool, PolicyError> {
    let beat = keep_lease(pool.clone(), P::NAME, holder);
    policy.command(&page.events).await?;
    drop(beat);
    checkpoint(policy, pool, holder, from, page).await
}

/// Why the lease is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeasePurpose {
    /// To begin a page; none begins while the policies are paused.
    NewPage,
    /// To finish a page that is in progress.
    OpenPage,
}

/// Takes or renews the lease, which a crash of PostgreSQL may lose; returns the checkpoint if it is ours. Notes that
/// there is nothing to do, if so.
async fn lease(
    pool: &PgPool,
    name: &str,
    holder: Uuid,
    purpose: LeasePurpose,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "insert into policy as p (name, holder, leased_until) select $1, $2, clock_timestamp() + $3 \
          where $4 or not exists (select from policy_pause z \
                                   where still_ahead(z.held_until, longest_lease(), clock_timestamp())) \
         on conflict (name) do update set holder = $2, leased_until = clock_timestamp() + $3, \
             caught_up_at = case when p.position >= (select h.position from log_head h) \
                                 then clock_timestamp() else p.caught_up_at end \
          where p.holder is null or p.holder = $2 \
             or not still_ahead(p.leased_until, longest_lease(), clock_timestamp()) \
         returning position, set_config('synchronous_commit', 'off', true)",
    )
    .bind(name)
    .bind(holder)
    .bind(LEASE)
    .bind(purpose == LeasePurpose::OpenPage)
    .fetch_optional(pool)
    .await
}

/// Renews the lease until the handle is dropped. On a task of its own: a command that holds connections, or waits for
/// them, cannot keep the lease from one.
fn keep_lease(pool: PgPool, name: &'static str, holder: Uuid) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut beat = tokio::time::interval(LEASE / 3);
        beat.tick().await;
        loop {
            beat.tick().await;
            if let Err(error) = lease(&pool, name, holder, LeasePurpose::OpenPage).await {
                tracing::warn!(%error, "Cannot renew the lease of policy {name}");
            }
        }
    }))
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
    if !move_checkpoint::<P>(&mut tx, holder, from, page.position).await? {
        return Ok(false);
    }
    policy.write(&mut tx, &page.events).await?;
    tx.commit().await?;
    Ok(true)
}

/// Moves the checkpoint over an event that the policy cannot act on, and records the event in the table of quarantined
/// events, `policy_parked`.
async fn quarantine<P: Policy>(
    pool: &PgPool,
    holder: Uuid,
    from: i64,
    page: &Page,
    error: &PolicyError,
) -> Result<bool, PolicyError> {
    let mut tx = pool.begin().await?;
    if !move_checkpoint::<P>(&mut tx, holder, from, page.position).await? {
        return Ok(false);
    }
    for event in &page.events {
        let stream = format!("{}/{}", event.aggregate_type, event.aggregate_id);
        tracing::error!(
            error = error as &dyn std::error::Error,
            position = event.position,
            "Policy {} quarantined event {} of {stream}",
            P::NAME,
            event.position
        );
        sqlx::query(
            "insert into policy_parked (name, position, event_type, aggregate_type, aggregate_id, error) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        )
        .bind(P::NAME)
        .bind(event.position)
        .bind(&event.event_type)
        .bind(&event.aggregate_type)
        .bind(&event.aggregate_id)
        .bind(error.to_string())
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn move_checkpoint<P: Policy>(
    connection: &mut PgConnection,
    holder: Uuid,
    from: i64,
    to: i64,
) -> Result<bool, sqlx::Error> {
    // If the page is lost, its checkpoint is lost as well, and the page is read again. So the commit need not
    // wait for the disk.
    let moved = sqlx::query(
        "update policy set position = $3, updated_at = clock_timestamp() \
          where name = $1 and holder = $2 and position = $4 \
         returning set_config('synchronous_commit', 'off', true)",
    )
    .bind(P::NAME)
    .bind(holder)
    .bind(to)
    .bind(from)
    .fetch_optional(connection)
    .await?;
    Ok(moved.is_some())
}

/// Lets another process take over immediately.
async fn release(pool: &PgPool, name: &str, holder: Uuid) {
    let released =
        sqlx::query("update policy set holder = null, leased_until = null where name = $1 and holder = $2")
            .bind(name)
            .bind(holder)
            .execute(pool)
            .await;
    if let Err(error) = released {
        tracing::debug!(%error, "Cannot release the lease of policy {name}; it expires in a few seconds");
    }
}
