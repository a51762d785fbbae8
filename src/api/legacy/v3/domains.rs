//! `POST /domains/direct-submit`: scans domains that are not known yet, all or none.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::legacy::body::Body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::words::{at_least_position, invalid_domain};
use crate::api::request::CommandRequest;
use crate::commands::request_scans::request_scans;
use crate::legacy::domains::known;
use crate::projections::domains::{Domains, domain_id};
use crate::values::{DomainName, ScanOptions, TenantId};

const MAX_DOMAINS: usize = 100;

/// Requests the scans.
pub(super) async fn submit(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<Value>, LegacyError> {
    let mut body = Body::read(&request)?;
    let given = body.texts("domains");
    let auto_queue = body.optional_boolean("auto_queue").unwrap_or(false);
    if body.has_no_errors() {
        body.check_length("domains", given.len(), MAX_DOMAINS);
    }
    let mut domains: Vec<DomainName> = Vec::with_capacity(given.len());
    if body.has_no_errors() {
        for input in &given {
            match DomainName::parse(input) {
                Ok(domain) => domains.push(domain),
                Err(_) => body.refuse_value("domains", &invalid_domain(input)),
            }
        }
    }
    body.check()?;
    let mut context = request.context;
    context.tenant = visitor.tenant(&state, None).await?;
    let is_repeat = context.key.is_some() && repeated(&state, &context).await?;
    let names: Vec<String> = domains.iter().map(ToString::to_string).collect();
    if !is_repeat {
        refuse_known(&state, context.tenant, &names).await?;
        request_scans(&state.bus, &domains, ScanOptions::default(), &context).await?;
    }
    let ids: Vec<_> = names.iter().map(|name| domain_id(context.tenant, name)).collect();
    Ok(Json(json!({
        "submitted_count": names.len(),
        "domain_ids": ids,
        "auto_queued": auto_queue,
        "normalized_domains": names,
    })))
}

/// Whether the request repeats an earlier one.
async fn repeated(state: &ApiState, context: &crate::commands::CommandContext) -> Result<bool, LegacyError> {
    let Some(key) = &context.key else { return Ok(false) };
    let first = state
        .log
        .first_use(context.tenant, &key.route, &key.key, &key.body_hash)
        .await?;
    Ok(first.is_some())
}

/// 409 for the first that is known, here or earlier in the list.
async fn refuse_known(state: &ApiState, tenant: TenantId, names: &[String]) -> Result<(), LegacyError> {
    up_to_date(state).await?;
    let known = known(&state.models, tenant, names).await?;
    for (index, name) in names.iter().enumerate() {
        let again = names[..index].contains(name);
        if let Some(id) = known
            .get(name)
            .copied()
            .or(again.then(|| domain_id(tenant, name)))
        {
            return Err(LegacyError::new(
                StatusCode::CONFLICT,
                format!("Domain already exists: {name} (ID: {id})"),
            ));
        }
    }
    Ok(())
}

/// Waits until all that is in the log can be seen.
pub(super) async fn up_to_date(state: &ApiState) -> Result<(), LegacyError> {
    let head = state.log.head().await?;
    at_least_position(head).wait::<Domains>(state).await?;
    Ok(())
}
