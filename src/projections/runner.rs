//! Follows the log: a page of events, their rows, and the checkpoint, in one transaction.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::KeyValue;
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::apply::{WriteMode, apply, in_full};
use super::quarantine::{Poison, Quarantine, quarantine};
use super::subject::attach_findings;
use super::{Fact, Generation, Projection, ProjectionError};
use crate::log::batch_delay::BatchDelay;
use crate::log::read::Page;
use crate::log::tail::Tail;
use crate::log::{EventLog, LogError};
use crate::traces::{self, ParentSpan};
use crate::turns::Steps;
use crate::values::EventType;

/// How long an idle projection waits for a notification before it polls.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a page that was not full, so that the following events make one page instead of many.
const BATCH_DELAY: BatchDelay = BatchDelay {
    least: Duration::from_millis(40),
    most: Duration::from_millis(250),
};
/// How often an idle projection says that it has nothing to do.
const NOTED_EVERY: Duration = Duration::from_secs(10);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a projection until it is stopped. Several processes may run it: the one that holds the row's lock continues.
pub async fn run<P: Projection>(log: EventLog, stop: CancellationToken) {
    let mut news = log.watch();
    let mut noted: Option<Instant> = None;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let pause = match follow::<P>(&log, Which::Live).await {
            Ok(Progress::More) => {
                // Even if it is far behind, it pauses, so that requests get the CPU.
                tokio::time::sleep(begun.elapsed() / 2).await;
                continue;
            }
            Ok(Progress::Done) => {
                tokio::time::sleep(BATCH_DELAY.after(begun.elapsed())).await;
                continue;
            }
            Ok(Progress::Idle) => {
                if noted.is_none_or(|at| at.elapsed() >= NOTED_EVERY) {
                    note_caught_up::<P>(&log).await;
                    noted = Some(Instant::now());
                }
                POLL
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Projection {} failed; retrying",
                    P::NAME
                );
                log.tail().forget().await;
                note_error::<P>(&log, &error).await;
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

/// Which generation continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The one that counts.
    Live,
    /// One that is being built, or was retired.
    Number(i32),
}

/// The result of reading the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// A page was applied, and more events follow.
    More,
    /// A page was applied.
    Done,
    /// There was nothing to do, or another process does it.
    Idle,
}

/// Applies one page.
pub(super) async fn follow<P: Projection>(log: &EventLog, which: Which) -> Result<Progress, ProjectionError> {
    match follow_with::<P>(log, which, WriteMode::Batch).await {
        Err(error) if error.is_about_data() => follow_with::<P>(log, which, WriteMode::Bisect).await,
        done => done,
    }
}

async fn follow_with<P: Projection>(
    log: &EventLog,
    which: Which,
    care: WriteMode,
) -> Result<Progress, ProjectionError> {
    let began = SystemTime::now();
    let mut tx = log.pool().begin().await?;
    let number = match which {
        Which::Live => None,
        Which::Number(number) => Some(number),
    };
    // Rows and checkpoint are committed together and can be derived again from the log, so the commit
    // need not wait for the disk.
    let held: Option<(i32, i64)> = sqlx::query_as(
        "select generation, position, set_config('synchronous_commit', 'off', true) from projection \
          where name = $1 and shape = $2 and case when $3::int is null then state = 'live' else generation = $3 end \
            for update skip locked",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(number)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((number, position)) = held else {
        return Ok(Progress::Idle);
    };
    let generation = Generation::<P>::new(number, position);
    let page = step(&mut tx, log.tail(), &generation, care).await?;
    if page.position == position {
        return Ok(Progress::Idle);
    }
    tx.commit().await?;
    if which == Which::Live {
        trace_scans::<P>(&page, began);
    }
    Ok(if page.more { Progress::More } else { Progress::Done })
}

/// The events that end a scan which ran.
const ENDS: [&str; 2] = [EventType::ScanCompleted.as_str(), EventType::ScanFailed.as_str()];

/// A span for each scan that ended in a page.
fn trace_scans<P: Projection>(page: &Page, began: SystemTime) {
    let ended = page
        .events
        .iter()
        .filter(|event| ENDS.contains(&event.event_type.as_str()));
    for event in ended {
        let Ok(scan) = event.aggregate_id.parse() else {
            continue;
        };
        if let Some(span) = traces::child(ParentSpan::of_scan(scan), format!("project {}", P::NAME), began) {
            span.end(vec![KeyValue::new("sitelog.position", event.position)], None);
        }
    }
}

/// Applies the page after a generation's checkpoint and advances the checkpoint. The caller holds the generation's row.
pub(super) async fn step<P: Projection>(
    connection: &mut PgConnection,
    tail: &Tail,
    generation: &Generation<P>,
    care: WriteMode,
) -> Result<Page, ProjectionError> {
    let page = tail
        .page(
            &mut *connection,
            generation.position,
            P::FOLLOWER.event_types(),
            P::PAGE,
        )
        .await?;
    if page.position == generation.position {
        return Ok(page);
    }
    let mut quarantined = Quarantine::<P>::load(&mut *connection, generation.number).await?;
    let (mut facts, mut poison) = decode::<P>(&mut *connection, &page).await?;
    for (number, error) in attach_findings::<P>(&mut *connection, &mut facts).await? {
        let fact = &facts[number];
        poison.extend(P::key(fact).map(|key| Poison::row(key, fact.position, in_full(&error))));
    }
    for one in &poison {
        quarantined.add(one.key.clone(), one.position);
    }
    poison.extend(apply::<P>(&mut *connection, &generation.schema(), &facts, &quarantined, care).await?);
    quarantine(&mut *connection, generation.number, &poison).await?;
    sqlx::query(
        "update projection set position = $4, error = null, updated_at = clock_timestamp() \
          where name = $1 and shape = $2 and generation = $3",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(generation.number)
    .bind(page.position)
    .execute(connection)
    .await?;
    Ok(page)
}

/// The facts of a page, and the events that cannot be read. An event of a version that this release does not know
/// ends it: nothing is wrong with the event, so nothing is quarantined.
async fn decode<P: Projection>(
    connection: &mut PgConnection,
    page: &Page,
) -> Result<(Vec<Fact>, Vec<Poison<P>>), ProjectionError> {
    let mut facts = Vec::with_capacity(page.events.len());
    let (mut poison, mut steps) = (Vec::new(), Steps::default());
    for event in &page.events {
        steps.did(event.payload.get().len()).await;
        match Fact::decode(event) {
            Ok(fact) => facts.extend(fact),
            Err(error @ LogError::Unreadable { .. }) => {
                poison.push(Poison::unreadable(&mut *connection, event, in_full(&error)).await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((facts, poison))
}

/// Records that a projection has read all events, which distinguishes idle from stuck.
async fn note_caught_up<P: Projection>(log: &EventLog) {
    let noted = sqlx::query(
        "update projection set caught_up_at = clock_timestamp() where name = $1 and shape = $2 and state = 'live' \
            and position >= (select position from log_head)",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .execute(log.pool())
    .await;
    if let Err(error) = noted {
        tracing::debug!(%error, "Cannot record that {} is idle", P::NAME);
    }
}

/// Says in the table why a projection stopped, where that is not the database's fault.
async fn note_error<P: Projection>(log: &EventLog, error: &ProjectionError) {
    if matches!(error, ProjectionError::Database(_)) {
        return;
    }
    let noted = sqlx::query(
        "update projection set error = $3 where name = $1 and shape = $2 and state = 'live' \
            and error is distinct from $3",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(in_full(error))
    .execute(log.pool())
    .await;
    if let Err(error) = noted {
        tracing::debug!(%error, "Cannot record the error of {}", P::NAME);
    }
}
