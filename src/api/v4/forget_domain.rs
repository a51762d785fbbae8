//! `DELETE /domains/{domain}`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::ApiState;
use crate::api::admission::Administrator;
use crate::api::example::Example;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands;
use crate::values::DomainName;

/// The result of erasing a domain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedErasure {
    /// The domain.
    domain: String,
    /// Number of scans whose results were erased; 0 if there was nothing to erase.
    scans: usize,
    /// Number of deleted bodies: findings and lists of URLs.
    bodies: u64,
    /// Log position at which the erasure is visible; pass it as `?at_least=` of a GET.
    position: i64,
    /// Related URLs.
    links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedErasure {
    fn example() -> Self {
        Self {
            domain: "example.com".to_owned(),
            scans: 1,
            bodies: 3,
            position: 35,
            links: BTreeMap::from([("self", "/api/v4/domains/example.com".to_owned())]),
        }
    }
}

/// Erases what was found about a domain; needs the scope `admin`. The log keeps when and with what result the domain
/// was scanned. A second request has no effect.
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
