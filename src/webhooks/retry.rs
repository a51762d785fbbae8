//! Events of unordered endpoints that wait for a retry while later ones are sent.

use std::time::Duration;

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::claim::{Attempt, Claimed, note};
use super::pause;

/// Events of one endpoint that wait; with more, it continues in order, so that what waits stays bounded.
const MAX_WAITING: i64 = 1000;
/// Maximum number of events that are retried in one turn.
const AT_ONCE: i64 = 20;

/// An event that is due again.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct Retry {
    pub(super) position: i64,
    pub(super) failures: i32,
}

/// The result of postponing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Postponed {
    /// It waits for its retry; whether it has failed for a day.
    Waits { has_failed_too_long: bool },
    /// Too many wait already; nothing was noted.
    Full,
    /// The endpoint is no longer ours; nothing was noted.
    Lost,
}

/// Events that are due again, those that have waited longest first.
pub(super) async fn due(pool: &PgPool, claimed: &Claimed) -> Result<Vec<Retry>, sqlx::Error> {
    sqlx::query_as(
        "select position, failures from webhook_retry where webhook_id = $1 \
            and (due_at <= now() or due_at > now() + longest_webhook_wait()) order by due_at limit $2",
    )
    .bind(claimed.id.0)
    .bind(AT_ONCE)
    .fetch_all(pool)
    .await
}

/// Records a failed attempt and postpones the event: it is retried later. `moves` says whether it was the next in order:
/// then the endpoint's position moves past it.
pub(super) async fn postpone(
    pool: &PgPool,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
    moves: bool,
    pause: Duration,
) -> Result<Postponed, sqlx::Error> {
    let mut tx = pool.begin().await?;
    if !still_ours(&mut tx, claimed, moves.then_some(attempt.position)).await? {
        return Ok(Postponed::Lost);
    }
    let seconds_of_failures: Option<f64> = sqlx::query_scalar(
        "insert into webhook_retry as r (webhook_id, position, failures, failing_since, due_at) \
         select $1, $2, 1, clock_timestamp(), clock_timestamp() + $3 \
          where not $4 or (select count(*) from webhook_retry where webhook_id = $1) < $5 \
         on conflict (webhook_id, position) do update set failures = r.failures + 1, due_at = excluded.due_at, \
                failing_since = least(r.failing_since, excluded.failing_since) \
         returning extract(epoch from clock_timestamp() - failing_since)::float8",
    )
    .bind(claimed.id.0)
    .bind(attempt.position)
    .bind(pause)
    .bind(moves)
    .bind(MAX_WAITING)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(has_failed_too_long) = seconds_of_failures.map(pause::is_disabled_after) else {
        return Ok(Postponed::Full);
    };
    note(&mut tx, claimed, attempt).await?;
    // The endpoint has accepted other events since: only this event fails.
    let is_given_up = has_failed_too_long
        && sqlx::query_scalar(
            "select exists (select from webhook_delivery d join webhook_retry r using (webhook_id) \
               where d.webhook_id = $1 and r.position = $2 and d.sent_at > r.failing_since and d.status between 200 and 299)",
        )
        .bind(claimed.id.0)
        .bind(attempt.position)
        .fetch_one(&mut *tx)
        .await?;
    if is_given_up {
        delete(&mut tx, claimed, attempt.position).await?;
    }
    tx.commit().await?;
    Ok(Postponed::Waits {
        has_failed_too_long: has_failed_too_long && !is_given_up,
    })
}

/// Records that a postponed event was delivered, or that it no longer exists; false if the endpoint is no longer ours.
pub(super) async fn done(
    pool: &PgPool,
    claimed: &Claimed,
    position: i64,
    attempt: Option<&Attempt<'_>>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    if !still_ours(&mut tx, claimed, None).await? {
        return Ok(false);
    }
    if let Some(attempt) = attempt {
        note(&mut tx, claimed, attempt).await?;
    }
    delete(&mut tx, claimed, position).await?;
    tx.commit().await?;
    Ok(true)
}

async fn delete(connection: &mut PgConnection, claimed: &Claimed, position: i64) -> Result<(), sqlx::Error> {
    sqlx::query("delete from webhook_retry where webhook_id = $1 and position = $2")
        .bind(claimed.id.0)
        .bind(position)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes all postponed events due now, as if they had failed for the first time: the endpoint or its settings changed.
pub(super) async fn retry_all_now(connection: &mut PgConnection, webhook: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_retry set failing_since = clock_timestamp(), due_at = '-infinity' where webhook_id = $1",
    )
    .bind(webhook)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the endpoint is still ours; then it stays so for the length of a lease, and its place moves on if it is to.
async fn still_ours(
    connection: &mut PgConnection,
    claimed: &Claimed,
    position: Option<i64>,
) -> Result<bool, sqlx::Error> {
    let ours = sqlx::query(
        "update webhook set position = coalesce($3, position), \
                failures = case when $3 is null then failures else 0 end, \
                failing_since = case when $3 is null then failing_since end, \
                leased_until = clock_timestamp() + longest_webhook_lease() where webhook_id = $1 and fence = $2",
    )
    .bind(claimed.id.0)
    .bind(claimed.fence)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(ours.rows_affected() > 0)
}
