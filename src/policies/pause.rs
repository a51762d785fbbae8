//! Pauses all policies of all processes while streams are imported event by event, so that no policy acts on an
//! incomplete stream.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::runner::LEASE;

/// How often a pause checks whether a policy still works on a page.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// While it is held, no policy starts a page. If its process dies, it ends after one lease.
pub struct PausedPolicies {
    pool: PgPool,
    holder: Uuid,
    _beat: AbortOnDropHandle<()>,
}

/// Pauses all policies; returns when no policy works on a page.
pub async fn pause(pool: &PgPool) -> Result<PausedPolicies, sqlx::Error> {
    let holder = Uuid::now_v7();
    extend(pool, holder).await?;
    let paused = PausedPolicies {
        pool: pool.clone(),
        holder,
        _beat: keep_extending(pool.clone(), holder),
    };
    // A policy that may not begin a page releases its lease.
    while is_any_at_work(pool).await? {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(paused)
}

impl PausedPolicies {
    /// Lets the policies continue.
    pub async fn resume(self) -> Result<(), sqlx::Error> {
        sqlx::query("delete from policy_pause where holder = $1")
            .bind(self.holder)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Begins or extends the pause of a holder.
async fn extend(pool: &PgPool, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into policy_pause (holder, held_until) values ($1, clock_timestamp() + $2) \
         on conflict (holder) do update set held_until = excluded.held_until",
    )
    .bind(holder)
    .bind(LEASE)
    .execute(pool)
    .await?;
    Ok(())
}

/// Extends the pause until the handle is dropped.
fn keep_extending(pool: PgPool, holder: Uuid) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut beat = tokio::time::interval(LEASE / 3);
        loop {
            beat.tick().await;
            if let Err(error) = extend(&pool, holder).await {
                tracing::warn!(%error, "Cannot extend the pause of the policies");
            }
        }
    }))
}

async fn is_any_at_work(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select from policy where holder is not null \
                           and still_ahead(leased_until, longest_lease(), clock_timestamp()))",
    )
    .fetch_one(pool)
    .await
}
