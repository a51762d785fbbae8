//! `POST /monitors`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::monitor_views::{self, NewMonitor, ReadList, WantedMonitor, links};
use crate::api::ApiState;
use crate::api::batch_input::in_background;
use crate::api::json_error::parse_json;
use crate::api::list_quotas::{require_acceptable, wait_for_list_turn};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, unsupported_media_type};
use crate::commands::CommandContext;
use crate::commands::create_monitor::{self as command, CreatedMonitor, seal_list};
use crate::monitors::{self, rows};
use crate::values::MonitorId;
use crate::values::monitor::{MonitorChange, MonitorSettings};

/// Creates a monitor: its domains are scanned on a schedule, each run as a batch. The first run is at the next time
/// of the schedule. At most 10,000 per tenant.
#[utoipa::path(
    post, path = "/monitors", tag = "monitors", request_body = NewMonitor,
    responses(
        (status = 201, body = monitor_views::CreatedMonitor), (status = 400, body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem),
        (status = 422, description = "The settings or the list are invalid, or the tenant already has 10,000 monitors", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn create_monitor(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let _turn = wait_for_list_turn(&state, request.context.tenant).await?;
    let wanted = read(&request).await?;
    let (created, list, settings) = create(&state, wanted, &request.context).await?;
    let id = created.id;
    let (list, next_run) = match created.first_summary {
        Some(summary) => (Option::deserialize(&summary).unwrap_or_default(), None),
        None => (
            list,
            settings.schedule(id).next_after(state.monitors.now().await?),
        ),
    };
    let view = monitor_views::CreatedMonitor {
        monitor_id: id.0,
        next_run,
        list,
        position: created.position,
        links: links(id),
    };
    let location = [(header::LOCATION, format!("/api/v4/monitors/{id}"))];
    Ok((StatusCode::CREATED, location, Json(view)).into_response())
}

async fn read(request: &CommandRequest) -> Result<WantedMonitor, Problem> {
    let media_type = request.media_type();
    if media_type != "application/json" {
        return Err(unsupported_media_type(&media_type, &["application/json"]));
    }
    let body = request.body_bytes();
    in_background(move || parse_json::<NewMonitor>(&body)?.read()).await
}

/// Creates a monitor with these settings, within the tenant's limits.
pub(crate) async fn create(
    state: &ApiState,
    wanted: WantedMonitor,
    context: &CommandContext,
) -> Result<(CreatedMonitor, Option<ReadList>, MonitorSettings), Problem> {
    let WantedMonitor { mut change, list } = wanted;
    let tenant = context.tenant;
    let id = MonitorId(Uuid::now_v7());
    let mut sealed = None;
    if let Some(input) = &list {
        require_acceptable(state, tenant, input).await?;
        let list = seal_list(&state.bus, id, &input.items, context).await?;
        change.domains = Some(list.domains());
        sealed = Some(list);
    }
    let settings = settings(change)?;
    require_room(state, context).await?;
    let said = list.as_ref().map(ReadList::of);
    let now = state.monitors.now().await?;
    let summary = (json!(said), now);
    let created = command::create_monitor(&state.bus, id, settings.clone(), sealed, summary, context).await?;
    Ok((created, said, settings))
}

fn settings(change: MonitorChange) -> Result<MonitorSettings, Problem> {
    let settings = change.of(&MonitorSettings::default());
    settings.map_err(|error| Problem::of(ProblemCode::InvalidField, format!("{error}.")))
}

/// Refuses a tenant that has as many monitors as it may have. A repeat creates none.
async fn require_room(state: &ApiState, context: &CommandContext) -> Result<(), Problem> {
    if let Some(key) = &context.key
        && state
            .log
            .first_use(context.tenant, &key.route, &key.key, &key.body_hash)
            .await?
            .is_some()
    {
        return Ok(());
    }
    if rows::count(state.monitors.pool(), context.tenant, monitors::MAX_MONITORS).await?
        < monitors::MAX_MONITORS
    {
        return Ok(());
    }
    let detail = format!(
        "Not created: the tenant already has the maximum of {} monitors. Delete one first, or put several domains into one monitor.",
        monitors::MAX_MONITORS
    );
    Err(Problem::of(ProblemCode::TooManyMonitors, detail))
}
