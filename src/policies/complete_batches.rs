//! Completes a batch when its last scan has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{PgConnection, PgPool, Row};

use super::{Policy, PolicyError};
use crate::aggregates::{BatchEvent, ScanEvent};
use crate::commands::{CommandBus, CommandContext, complete_batch::complete_batch};
use crate::log::LogEvent;
use crate::values::event_type::Follower;
use crate::values::{BatchId, TenantId};

/// Batches completed in one sweep; the next one continues.
const MAX_DUE: i64 = 200;

/// Counts each batch's open scans and completes it when there are none.
pub struct CompleteBatches {
    pool: PgPool,
    bus: CommandBus,
}

impl CompleteBatches {
    /// A policy that acts through a bus.
    pub fn new(pool: PgPool, bus: CommandBus) -> Self {
        Self { pool, bus }
    }
}

/// What a page says about the round whose scans are being put into the log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Expanding {
    /// Nothing.
    #[default]
    Unchanged,
    /// It has begun.
    Round(i32),
    /// It is done.
    Done,
}

/// How a page changes what is known of a batch.
#[derive(Debug, Default, PartialEq)]
struct Change {
    open: i32,
    round: Option<i32>,
    ended_round: Option<i32>,
    expanding: Expanding,
    cancelled: bool,
}

impl Policy for CompleteBatches {
    const NAME: &'static str = "complete_batches";
    const FOLLOWER: Follower = Follower::CompleteBatches;
    const PAGE: i64 = 2000;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        let mut changes: BTreeMap<(BatchId, TenantId), Change> = BTreeMap::new();
        for event in events {
            note(&mut changes, event)?;
        }
        for ((batch, tenant), change) in changes {
            store(connection, batch, tenant, &change).await?;
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<(), PolicyError> {
        let due = sqlx::query(
            "select batch_id, tenant_id, round from batch_watch \
              where open = 0 and expanding is null and ended_round < round and not cancelled limit $1",
        )
        .bind(MAX_DUE)
        .fetch_all(&self.pool)
        .await?;
        for row in due {
            let (batch, tenant, round): (uuid::Uuid, uuid::Uuid, i32) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let context = CommandContext::internal(TenantId(tenant), "policy:complete_batches");
            let round = u32::try_from(round).unwrap_or_default();
            complete_batch(&self.bus, BatchId(batch), round, &context).await?;
        }
        Ok(())
    }
}

fn note(changes: &mut BTreeMap<(BatchId, TenantId), Change>, event: &LogEvent) -> Result<(), PolicyError> {
    if event.aggregate_type == "batch_scan" {
        let Ok(batch) = event.aggregate_id.parse() else {
            return Ok(());
        };
        note_batch(
            changes.entry((batch, event.tenant_id)).or_default(),
            &event.decode()?,
        );
        return Ok(());
    }
    let scan: ScanEvent = event.decode()?;
    let Some(batch) = scan.batch_id() else {
        return Ok(());
    };
    let opens = !scan.status_after().is_ended();
    changes.entry((batch, event.tenant_id)).or_default().open += if opens { 1 } else { -1 };
    Ok(())
}

fn note_batch(change: &mut Change, event: &BatchEvent) {
    let number = |round: u32| i32::try_from(round).unwrap_or(i32::MAX);
    match event {
        BatchEvent::BatchRequested { .. } => {
            change.round = Some(1);
            change.expanding = Expanding::Round(1);
        }
        BatchEvent::BatchReopened { round, scans, .. } => {
            change.round = Some(number(*round));
            if scans.is_some() {
                change.expanding = Expanding::Round(number(*round));
            }
        }
        BatchEvent::BatchExpanded { .. } => change.expanding = Expanding::Done,
        BatchEvent::BatchImported { .. } => {}
        BatchEvent::BatchCompleted { round } => change.ended_round = Some(number(*round)),
        BatchEvent::BatchCancelled {} => change.cancelled = true,
    }
}

async fn store(
    connection: &mut PgConnection,
    batch: BatchId,
    tenant: TenantId,
    change: &Change,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into batch_watch as w (batch_id, tenant_id, round, ended_round, open, expanding, cancelled) \
         values ($1, $2, coalesce($3, 1), coalesce($4, 0), $5, $6, $8) \
         on conflict (batch_id) do update \
            set round = coalesce($3, w.round), ended_round = coalesce($4, w.ended_round), open = w.open + $5, \
                expanding = case when $7 then $6 else w.expanding end, cancelled = w.cancelled or $8, \
                moved_at = clock_timestamp()",
    )
    .bind(batch.0)
    .bind(tenant.0)
    .bind(change.round)
    .bind(change.ended_round)
    .bind(change.open)
    .bind(if let Expanding::Round(round) = change.expanding { Some(round) } else { None })
    .bind(change.expanding != Expanding::Unchanged)
    .bind(change.cancelled)
    .execute(connection)
    .await?;
    Ok(())
}
