//! Decides whether a stream has ended or more events may follow.

use super::Watched;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::projections::batch_jobs;
use crate::values::event_type::Progress;
use crate::values::{EventType, TenantId};

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// More follows.
    Open,
    /// A batch was cancelled and its last scans are ending: only the read model shows the end.
    Near,
    /// It ended with the event at this position.
    At(i64),
}

/// Whether an event may be the last of its stream for now.
pub(super) fn may_end(event_type: &str) -> bool {
    let known = event_type.parse::<EventType>();
    known.is_ok_and(|event_type| event_type.progress() == Progress::MayEnd)
}

/// Whether a scan or batch has ended.
pub(super) async fn end_of(state: &ApiState, tenant: TenantId, watched: &Watched) -> Result<End, Problem> {
    let (stream, id) = watched.stream();
    let types = EventType::names(|one| one.stream().as_str() == stream && one.progress() != Progress::Same);
    let Some((kind, position)) = state.log.last_of_stream(stream, id, &types).await? else {
        return Ok(End::Open);
    };
    if kind == EventType::BatchCancelled.as_str() {
        return end_of_cancelled(state, tenant, id).await;
    }
    Ok(if may_end(&kind) {
        End::At(position)
    } else {
        End::Open
    })
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
