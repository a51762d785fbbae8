//! Follows the log live: a page of events, the rows they are about, and the checkpoint, in one transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::generation::schema_name;
use super::{Fact, Projection, ProjectionError, rows};
use crate::log::read::read_page;
use crate::log::{EventLog, body};

/// How long an idle projection waits for news before it looks by itself.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a page that was not full: what comes meanwhile makes one page instead of many.
const GATHER: Duration = Duration::from_millis(40);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a projection until it is told to stop. Several processes may run it: whoever holds the row's lock goes on.
pub async fn run<P: Projection>(log: EventLog, stop: CancellationToken) {
    let mut news = log.watch();
    while !stop.is_cancelled() {
        let pause = match follow::<P>(&log).await {
            Ok(Progress::More) => continue,
            Ok(Progress::Done) => {
                tokio::time::sleep(GATHER).await;
                continue;
            }
            Ok(Progress::Idle) => POLL,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Projection {} stands still and tries again",
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
}

/// What a look at the log came to.
enum Progress {
    /// A page was applied, and more is known to follow.
    More,
    /// A page was applied.
    Done,
    /// There was nothing to do, or another process does it.
    Idle,
}

/// Applies one page.
async fn follow<P: Projection>(log: &EventLog) -> Result<Progress, ProjectionError> {
    let mut tx = log.pool().begin().await?;
    // Rows and checkpoint go together and can be had again from the log: their commit need not wait for the disk.
    let held: Option<(i32, i64)> = sqlx::query_as(
        "select generation, position, set_config('synchronous_commit', 'off', true) from projection \
          where name = $1 and shape = $2 and state = 'live' for update skip locked",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((generation, position)) = held else {
        return Ok(Progress::Idle);
    };
    let page = read_page(&mut tx, position, P::EVENT_TYPES, P::PAGE).await?;
    if page.position == position {
        return Ok(Progress::Idle);
    }
    let mut facts = Vec::with_capacity(page.events.len());
    for event in &page.events {
        facts.extend(Fact::decode(event)?);
    }
    if P::READS_FINDINGS {
        let bodies = body::load_bodies(&mut *tx, facts.iter().filter_map(Fact::findings_ref)).await?;
        for fact in &mut facts {
            fact.attach_findings(&bodies);
        }
    }
    let schema = schema_name(P::NAME, P::SHAPE, generation);
    apply::<P>(&mut tx, &schema, &facts).await?;
    sqlx::query(
        "update projection set position = $4, updated_at = clock_timestamp() \
          where name = $1 and shape = $2 and generation = $3",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(generation)
    .bind(page.position)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(if page.more { Progress::More } else { Progress::Done })
}

/// Folds a page into the rows it is about and writes those that changed.
async fn apply<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    facts: &[Fact],
) -> Result<(), ProjectionError> {
    let mut by_key: BTreeMap<P::Key, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        if let Some(key) = P::key(fact) {
            by_key.entry(key).or_default().push(fact);
        }
    }
    if by_key.is_empty() {
        return Ok(());
    }
    let keys: Vec<P::Key> = by_key.keys().cloned().collect();
    let mut known = rows::load::<P>(connection, schema, &keys).await?;
    let mut changed: Vec<(Option<P::Row>, P::Row)> = Vec::new();
    for (key, facts) in by_key {
        let before = known.remove(&key);
        let after = facts.into_iter().fold(before.clone(), P::evolve);
        if let Some(after) = after.filter(|after| before.as_ref() != Some(after)) {
            changed.push((before, after));
        }
    }
    let after: Vec<&P::Row> = changed.iter().map(|(_, after)| after).collect();
    if !after.is_empty() {
        rows::store::<P>(connection, schema, &after).await?;
        P::write_details(connection, schema, &changed).await?;
    }
    Ok(())
}
