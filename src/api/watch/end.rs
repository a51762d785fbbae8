//! Whether there is more to come.

use super::Watched;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::projections::batch_jobs;
use crate::values::TenantId;

/// The events after one of which a scan is in another status.
const OF_SCAN: &[&str] = &[
    "ScanRequested",
    "ScanStarted",
    "ScanAbandoned",
    "ScanAttemptFailed",
    "ScanRetried",
    "ScanImported",
    "ScanCompleted",
    "ScanFailed",
    "ScanCancelled",
];

/// The same for a batch.
const OF_BATCH: &[&str] = &[
    "BatchRequested",
    "BatchReopened",
    "BatchImported",
    "BatchCompleted",
    "BatchCancelled",
];

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It goes on.
    Open,
    /// A batch was called off, and its last scans come to their end: only the read model will tell.
    Near,
    /// It ended with the event at this position.
    At(i64),
}

/// Whether an event may be the last of its stream for now.
pub(super) fn may_end(event_type: &str) -> bool {
    matches!(
        event_type,
        "ScanCompleted"
            | "ScanFailed"
            | "ScanCancelled"
            | "BatchCompleted"
            | "BatchImported"
            | "BatchCancelled"
    )
}

/// Whether a scan or batch has ended.
pub(super) async fn end_of(state: &ApiState, tenant: TenantId, watched: &Watched) -> Result<End, Problem> {
    let (stream, id) = watched.stream();
    let types = match watched {
        Watched::Scan(_) => OF_SCAN,
        Watched::Batch(_) => OF_BATCH,
    };
    let Some((kind, position)) = state.log.last_of_stream(stream, id, types).await? else {
        return Ok(End::Open);
    };
    match kind.as_str() {
        "BatchCancelled" => end_of_cancelled(state, tenant, id).await,
        kind if may_end(kind) => Ok(End::At(position)),
        _ => Ok(End::Open),
    }
}

async fn end_of_cancelled(state: &ApiState, tenant: TenantId, id: &str) -> Result<End, Problem> {
    let Ok(batch) = id.parse() else {
        return Ok(End::Open);
    };
    let row = batch_jobs::query::find(&state.models, tenant, batch).await?;
    Ok(row
        .filter(|row| {
            let ended = row.completed_domains + row.failed_domains + row.cancelled_domains;
            row.cancelled && ended >= row.total_domains
        })
        .map_or(End::Near, |row| End::At(row.position)))
}
