//! `PATCH /monitors/{id}`, `DELETE /monitors/{id}`, `POST /monitors/{id}/pause`, `/resume`, `/run`, and the token of
//! its feed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use serde_json::json;

use super::monitor_views::{AcceptedMonitorCommand, ChangedMonitor, MonitorFeed, StartedRun, links};
use crate::api::ApiState;
use crate::api::batch_input::in_background;
use crate::api::json_error::parse_json;
use crate::api::list_quotas::{require_acceptable, wait_for_list_turn};
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf, unsupported_media_type};
use crate::commands::create_monitor::seal_list;
use crate::commands::maintain_monitor::{self as command, MonitorWork};
use crate::commands::run_monitor::Run;
use crate::commands::store_response::store_response;
use crate::monitors::feeds::{self, FeedToken};
use crate::values::MonitorId;

type Accepted = (StatusCode, Json<AcceptedMonitorCommand>);

/// Updates the given fields of a monitor; omitted fields do not change. A new schedule takes effect immediately, and
/// a run in progress ends with the settings it started with.
#[utoipa::path(
    patch, path = "/monitors/{id}", tag = "monitors", params(("id" = uuid::Uuid, Path)), request_body = ChangedMonitor,
    responses(
        (status = 202, body = AcceptedMonitorCommand), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn change_monitor(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    exists(&state, id, &request).await?;
    let media_type = request.media_type();
    if media_type != "application/json" {
        return Err(unsupported_media_type(&media_type, &["application/json"]));
    }
    let _turn = wait_for_list_turn(&state, request.context.tenant).await?;
    let body = request.body_bytes();
    let mut wanted = in_background(move || parse_json::<ChangedMonitor>(&body)?.read()).await?;
    let mut sealed = None;
    if let Some(input) = &wanted.list {
        require_acceptable(&state, request.context.tenant, input).await?;
        let list = seal_list(&state.bus, id, &input.items, &request.context).await?;
        wanted.change.domains = Some(list.domains());
        sealed = Some(list);
    }
    let now = state.monitors.now().await?;
    let context = &request.context;
    let position = command::change_monitor(&state.bus, id, wanted.change, sealed, now, context).await?;
    Ok(accepted(id, position))
}

/// Deletes a monitor. The results of its runs are kept; a run in progress continues.
#[utoipa::path(
    delete, path = "/monitors/{id}", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedMonitorCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn delete_monitor(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, MonitorWork::Delete, &request).await
}

/// Pauses a monitor: it does not run until it is resumed. A run in progress continues.
#[utoipa::path(
    post, path = "/monitors/{id}/pause", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedMonitorCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn pause_monitor(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, MonitorWork::Pause, &request).await
}

/// Resumes a monitor. Missed runs are skipped.
#[utoipa::path(
    post, path = "/monitors/{id}/resume", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedMonitorCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn resume_monitor(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, MonitorWork::Resume, &request).await
}

/// Runs a monitor now, in addition to its schedule, even while it is paused.
#[utoipa::path(
    post, path = "/monitors/{id}/run", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = StartedRun), (status = 404, body = Problem),
        (status = 409, description = "The previous run has not ended, there is nothing to scan, or a quota is reached", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn run_monitor(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<StartedRun>), Problem> {
    let Run::Began { batch, position } = state.monitors.run_now(id, &request.context).await? else {
        return Err(Problem::not_found("monitor"));
    };
    let view = StartedRun {
        monitor_id: id.0,
        batch_id: batch.0,
        position,
        links: BTreeMap::from([
            ("batch", format!("/api/v4/batches/{batch}")),
            ("monitor", format!("/api/v4/monitors/{id}")),
        ]),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Creates a token for the feed of a monitor: anyone with its URL can read the changes that the monitor found (Atom),
/// without a key. The token is shown once; the previous one is revoked.
#[utoipa::path(
    post, path = "/monitors/{id}/feed", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 201, body = MonitorFeed), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn open_feed(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<MonitorFeed>), Problem> {
    exists(&state, id, &request).await?;
    let is_repeat = request.first_result(&state).await?.is_some();
    let token = FeedToken::generate();
    if !is_repeat {
        if !feeds::open(state.monitors.pool(), request.context.tenant, id, &token).await? {
            return Err(Problem::not_found("monitor"));
        }
        store_response(&state.bus, json!({ "monitor_id": id }), &request.context).await?;
    }
    let view = MonitorFeed {
        monitor_id: id.0,
        feed: (!is_repeat).then(|| token.path()),
        links: links(id),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Revokes the token of a monitor's feed: nobody can read the feed until you create a new token.
#[utoipa::path(
    delete, path = "/monitors/{id}/feed", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "The token is revoked"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn close_feed(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<StatusCode, Problem> {
    exists(&state, id, &request).await?;
    feeds::close(state.monitors.pool(), request.context.tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks that the tenant has it, before anything else of the request.
async fn exists(state: &ApiState, id: MonitorId, request: &CommandRequest) -> Result<(), Problem> {
    let position = state
        .log
        .stream_position(request.context.tenant, "monitor", &id.to_string())
        .await?;
    position.map(drop).ok_or_else(|| Problem::not_found("monitor"))
}

async fn execute(
    state: &ApiState,
    id: MonitorId,
    work: MonitorWork,
    request: &CommandRequest,
) -> Result<Accepted, Problem> {
    let now = state.monitors.now().await?;
    let position = command::maintain_monitor(&state.bus, id, work, now, &request.context).await?;
    Ok(accepted(id, position))
}

fn accepted(id: MonitorId, position: i64) -> Accepted {
    let view = AcceptedMonitorCommand {
        monitor_id: id.0,
        position,
        links: links(id),
    };
    (StatusCode::ACCEPTED, Json(view))
}
