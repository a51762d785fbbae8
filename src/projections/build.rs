//! Builds a read model alongside the live one, and switches to it. If a build is interrupted, the process that takes
//! over the task starts again, or continues if the tables are already filled. Readers see nothing until the switch.

use std::collections::HashMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::apply::WriteMode;
use super::fold::{Fold, FoldOptions, Shard};
use super::generation::{begin_with_lock_timeout, drop_old_generations, exists, is_lock_conflict};
use super::pass::Passes;
use super::quarantine::{Poison, Quarantine, quarantine};
use super::row_format::RowFormat;
use super::runner::{Progress, Which, follow, step};
use super::task::{Claim, TaskPhase};
use super::verify::{verify_filled, verify_generation};
use super::{Generation, Projection, ProjectionError, copy};
use crate::log::EventLog;

/// Number of connections that copy rows concurrently.
const COPIES: usize = 2;
/// Pause before the next attempt to lock out readers.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Builds a new generation from the log and switches to it.
pub(super) async fn rebuild<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    claim: &Claim,
    options: FoldOptions,
) -> Result<Value, ProjectionError> {
    let begun = begun::<P>(log, claim).await?;
    if let Some((generation, true)) = begun {
        drop_old_generations::<P>(log.pool()).await?;
        return result_of(log, &generation).await;
    }
    let (generation, written) = if let Some((generation, _)) = begun.filter(|(found, _)| found.position > 0) {
        (generation, None)
    } else {
        let fold = Fold::<P>::up_to_head(log, passes, options).await?;
        let generation = Generation::<P>::begin(log.pool(), claim).await?;
        let (generation, written) = fold_into(log, &generation, fold, claim).await?;
        (generation, Some(written))
    };
    claim.begin(TaskPhase::Indexing, 0).await?;
    generation.make_indexes(log.pool(), claim).await?;
    catch_up::<P>(log, claim, generation.number).await?;
    verify(log, passes, claim, &generation, options, written).await?;
    refuse_new_poison(log, &generation).await?;
    switch_to(log, claim, &generation).await?;
    drop_old_generations::<P>(log.pool()).await?;
    result_of(log, &generation).await
}

/// Switches back to the generation that was live before.
pub(super) async fn roll_back<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    claim: &Claim,
    options: FoldOptions,
) -> Result<Value, ProjectionError> {
    let generation = match begun::<P>(log, claim).await? {
        Some((generation, true)) => return result_of(log, &generation).await,
        Some((generation, false)) => generation,
        None => {
            let mut connection = log.pool().acquire().await?;
            let retired = Generation::<P>::latest(&mut connection, "retired").await?;
            retired.ok_or(ProjectionError::NothingToRollBackTo(P::NAME))?
        }
    };
    claim
        .fence(&mut *log.pool().acquire().await?, generation.number)
        .await?;
    catch_up::<P>(log, claim, generation.number).await?;
    verify(log, passes, claim, &generation, options, None).await?;
    switch_to(log, claim, &generation).await?;
    result_of(log, &generation).await
}

/// The generation of this task that another process had begun with, and whether that had switched to it already: what
/// was done but not noted must not be done twice, or a rollback would turn itself back.
async fn begun<P: Projection>(
    log: &EventLog,
    claim: &Claim,
) -> Result<Option<(Generation<P>, bool)>, ProjectionError> {
    let Some(number) = claim.task.generation else {
        return Ok(None);
    };
    let mut connection = log.pool().acquire().await?;
    let found = Generation::<P>::find(&mut connection, number).await?;
    Ok(found.map(|(generation, state)| (generation, state == "live")))
}

/// The result of a task that switched to a generation.
async fn result_of<P: Projection>(
    log: &EventLog,
    generation: &Generation<P>,
) -> Result<Value, ProjectionError> {
    let rows: i64 = sqlx::query_scalar(&format!(
        "select count(*) from {}.{}",
        generation.schema(),
        P::NAME
    ))
    .fetch_one(log.pool())
    .await?;
    Ok(json!({ "generation": generation.number, "rows": rows }))
}

/// Folds the log into the tables of an empty generation. Returns the hashes of the rows too.
async fn fold_into<P: Projection>(
    log: &EventLog,
    generation: &Generation<P>,
    fold: Fold<P>,
    claim: &Claim,
) -> Result<(Generation<P>, HashMap<P::Key, Option<i64>>), ProjectionError> {
    let head = fold.up_to();
    claim.begin(TaskPhase::Folding, head).await?;
    let fenced = Some((claim, generation.number));
    let filled = fill::<P>(log, &generation.schema(), fold, fenced).await?;
    let mut tx = log.pool().begin().await?;
    quarantine(&mut tx, generation.number, &filled.poison).await?;
    sqlx::query("update projection set position = $4 where name = $1 and shape = $2 and generation = $3")
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(generation.number)
        .bind(head)
        .execute(&mut *tx)
        .await?;
    claim.fence(&mut tx, generation.number).await?;
    tx.commit().await?;
    Ok((Generation::new(generation.number, head), filled.hashes))
}

/// The rows that were copied into empty tables.
pub(super) struct Filled<P: Projection> {
    /// Rows of the main table.
    pub(super) rows: u64,
    /// The events that could not be applied.
    pub(super) poison: Vec<Poison<P>>,
    /// Hashes of the rows, with which the tables are compared later; only under a claim.
    hashes: HashMap<P::Key, Option<i64>>,
}

/// Folds the log into empty tables without indexes. Under a claim nothing is committed once that is
/// lost.
pub(super) async fn fill<P: Projection>(
    log: &EventLog,
    schema: &str,
    mut fold: Fold<P>,
    claim: Option<(&Claim, i32)>,
) -> Result<Filled<P>, ProjectionError> {
    let progress = claim.map(|(claim, _)| claim);
    let claim = claim.map(|(claim, generation)| (claim.clone(), generation));
    let (mut rows, mut poison, mut hashes) = (0, Vec::new(), HashMap::new());
    while let Some(part) = fold.next_part(progress).await? {
        // Each on a task of its own: encoding the rows takes as long as what PostgreSQL does with them.
        let copied: Vec<Filled<P>> = stream::iter(part)
            .map(|shard| {
                let copied = copy_shard::<P>(log.clone(), schema.to_owned(), shard, claim.clone());
                let task = AbortOnDropHandle::new(tokio::spawn(copied));
                async move { task.await.expect("copying rows has no panics of its own") }
            })
            .buffer_unordered(COPIES)
            .try_collect()
            .await?;
        for shard in copied {
            rows += shard.rows;
            poison.extend(shard.poison);
            hashes.extend(shard.hashes);
        }
    }
    poison.extend(fold.into_poison());
    Ok(Filled { rows, poison, hashes })
}

/// Rows of one part of the keys; what a process that lost its task copies is not committed.
async fn copy_shard<P: Projection>(
    log: EventLog,
    schema: String,
    shard: Shard<P>,
    claim: Option<(Claim, i32)>,
) -> Result<Filled<P>, ProjectionError> {
    let (rows, touched): (Vec<P::Row>, Vec<i64>) = shard
        .into_values()
        .filter_map(|(row, touched)| row.map(|row| (row, touched)))
        .unzip();
    if claim.is_some() && !exists::<P>(log.pool()).await? {
        P::prepare(log.pool(), &rows).await?;
    }
    // The commit waits for the disk: the position is written later, and PostgreSQL may have been restarted in between.
    let mut tx = log.pool().begin().await?;
    let refused = P::copy_details(&mut tx, &schema, &rows).await?;
    let mut poison = Vec::with_capacity(refused.len());
    for (number, error) in refused {
        poison.push((
            number,
            Poison::row(P::key_of(&rows[number]), touched[number], error),
        ));
    }
    let mut kept: Vec<&P::Row> = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        if poison.iter().all(|(refused, _)| *refused != number) {
            kept.push(row);
        }
    }
    let format = RowFormat::of_table(&mut tx, &schema, P::NAME).await?;
    let mut of_rows = Vec::new();
    let copied = copy::copy_with(&mut tx, &schema, P::NAME, &format, kept.clone(), |row| {
        if claim.is_some() {
            of_rows.push(format.hash(row));
        }
    })
    .await?;
    let hashes = kept.iter().map(|row| P::key_of(row)).zip(of_rows).collect();
    if let Some((claim, generation)) = claim {
        claim.fence(&mut tx, generation).await?;
    }
    tx.commit().await?;
    Ok(Filled {
        rows: copied,
        poison: poison.into_iter().map(|(_, poison)| poison).collect(),
        hashes,
    })
}

/// Applies what was appended meanwhile.
async fn catch_up<P: Projection>(log: &EventLog, claim: &Claim, number: i32) -> Result<(), ProjectionError> {
    let head = log.head().await?;
    claim.begin(TaskPhase::CatchingUp, head).await?;
    while follow::<P>(log, Which::Number(number)).await? != Progress::Idle {
        let mut connection = log.pool().acquire().await?;
        let position: i64 = sqlx::query_scalar(
            "select position from projection where name = $1 and shape = $2 and generation = $3",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(number)
        .fetch_one(&mut *connection)
        .await?;
        claim.progress(position).await?;
        if position >= head {
            break;
        }
    }
    Ok(())
}

async fn verify<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    claim: &Claim,
    generation: &Generation<P>,
    options: FoldOptions,
    written: Option<HashMap<P::Key, Option<i64>>>,
) -> Result<(), ProjectionError> {
    claim.begin(TaskPhase::Verifying, log.head().await?).await?;
    let number = generation.number;
    let found = match written {
        Some(written) => verify_filled::<P>(log, passes, number, written, options, claim).await?,
        None => verify_generation::<P>(log, passes, number, options, Some(claim)).await?,
    };
    match found.findings.first() {
        Some(finding) => Err(ProjectionError::NotTheLog(finding.to_string())),
        None => Ok(()),
    }
}

/// What could not be applied to the live generation may be missing in the new one too, but no more than that.
async fn refuse_new_poison<P: Projection>(
    log: &EventLog,
    generation: &Generation<P>,
) -> Result<(), ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let new = Quarantine::<P>::load(&mut connection, generation.number).await?;
    let Some(live) = Generation::<P>::live(&mut connection).await? else {
        return Ok(());
    };
    let known = Quarantine::<P>::load(&mut connection, live.number).await?;
    if new.len() > known.len() {
        let count = new.len() - known.len();
        return Err(ProjectionError::NotTheLog(format!(
            "{count} more rows than in the live tables could not be built"
        )));
    }
    Ok(())
}

/// Catches up under the locks of both generations and points readers at the new one, in one transaction: what could
/// be seen before can be seen after.
async fn switch_to<P: Projection>(
    log: &EventLog,
    claim: &Claim,
    generation: &Generation<P>,
) -> Result<(), ProjectionError> {
    claim.begin(TaskPhase::Promoting, 0).await?;
    loop {
        match try_switch(log, claim, generation).await {
            Ok(()) => {
                tracing::info!("{} is now generation {}", P::NAME, generation.number);
                return Ok(());
            }
            // A slow reader blocked the switch, or a row must be quarantined; the caller handles both outside the switch.
            Err(error) if is_lock_conflict(&error) => tokio::time::sleep(RETRY_PAUSE).await,
            Err(error) if error.is_about_data() => {}
            Err(error) => return Err(error),
        }
        follow::<P>(log, Which::Number(generation.number)).await?;
    }
}

async fn try_switch<P: Projection>(
    log: &EventLog,
    claim: &Claim,
    generation: &Generation<P>,
) -> Result<(), ProjectionError> {
    let mut tx = begin_with_lock_timeout(log.pool()).await?;
    let positions: Vec<(i32, i64)> = sqlx::query_as(
        "select generation, position from projection where name = $1 and shape = $2 \
            and (state = 'live' or generation = $3) order by generation for update",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(generation.number)
    .fetch_all(&mut *tx)
    .await?;
    let mine = positions.iter().find(|(number, _)| *number == generation.number);
    let mut position = mine.map_or(0, |(_, position)| *position);
    loop {
        let at = Generation::<P>::new(generation.number, position);
        let page = step(&mut tx, log.tail(), &at, WriteMode::Batch).await?;
        if page.position == position {
            break;
        }
        position = page.position;
    }
    generation.promote(&mut tx).await?;
    claim.fence(&mut tx, generation.number).await?;
    tx.commit().await?;
    Ok(())
}
