//! `DELETE /domains/{domain}`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::ApiState;
use crate::api::admission::Administrator;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands;
use crate::values::DomainName;

/// What was forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedErasure {
    /// The domain.
    domain: String,
    /// Scans whose results were erased; 0 if there was nothing left to erase.
    scans: usize,
    /// Findings and lists of URLs that were deleted.
    bodies: u64,
    /// Log position from which that is visible: `?at_least=` of a following GET.
    position: i64,
    /// Where to go from here.
    links: BTreeMap<&'static str, String>,
}

/// Erases what was found out about a domain; for the scope `admin`. That it was scanned, when and with what outcome
/// stays. Doing it twice changes nothing.
#[utoipa::path(
    delete, path = "/domains/{domain}", tag = "domains", params(("domain" = String, Path)),
    responses(
        (status = 202, body = AcceptedErasure), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn forget_domain(
    State(state): State<ApiState>,
    // It cannot be undone, so it is not for every key that may write.
    _: Administrator,
    PathOf(domain): PathOf<String>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<AcceptedErasure>), Problem> {
    let domain = DomainName::parse(&domain).map_err(|_| Problem::not_found("domain"))?;
    let forgotten = commands::forget_domain::forget_domain(&state.bus, &domain, &request.context).await?;
    let accepted = AcceptedErasure {
        links: BTreeMap::from([("self", format!("/api/v4/domains/{domain}"))]),
        domain: domain.into(),
        scans: forgotten.scans,
        bodies: forgotten.bodies,
        position: forgotten.position,
    };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
