//! `GET /domains`: a numbered page of the known domains, sorted.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::legacy::body;
use crate::api::legacy::error::LegacyError;
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::words::timestamp;
use crate::legacy::domains::{self, DomainPage, OldDomain, SORTABLE};

const CURATION: [&str; 5] = ["New", "Selected", "Maybe", "Not a Fit", "Archived"];

/// Domains of the caller's tenant.
pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<HashMap<String, String>>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, LegacyError> {
    let Query(query) = query.map_err(|rejection| LegacyError::bad_request(rejection.body_text()))?;
    let mut problems = Vec::new();
    let page = body::query_integer(&query, "page", 1, i64::MAX, &mut problems).unwrap_or(1);
    let size = body::query_integer(&query, "size", 1, 100, &mut problems).unwrap_or(20);
    let descending = body::query_boolean(&query, "sort_desc", &mut problems).unwrap_or(true);
    let curation = query.get("sitemap_curation_status");
    if let Some(given) = curation.filter(|given| !CURATION.contains(&given.as_str())) {
        let expected = "Input should be 'New', 'Selected', 'Maybe', 'Not a Fit' or 'Archived'";
        problems.push(body::query_error(
            "enum",
            "sitemap_curation_status",
            expected,
            given,
        ));
    }
    if !problems.is_empty() {
        return Err(LegacyError::invalid(problems, Value::Null));
    }
    let sort_by = query
        .get("sort_by")
        .map(String::as_str)
        .filter(|field| !field.is_empty())
        .unwrap_or("updated_at");
    if !SORTABLE.contains(&sort_by) {
        return Err(LegacyError::bad_request(format!(
            "Invalid sort field '{sort_by}'. Allowed fields: {}",
            SORTABLE.join(", ")
        )));
    }
    let wanted = DomainPage {
        page,
        size,
        sort_by: sort_by.to_owned(),
        descending,
        contains: query
            .get("domain_filter")
            .filter(|text| !text.is_empty() && !text.contains('\0'))
            .cloned(),
        curation: curation.cloned(),
    };
    let tenant = visitor.tenant(&state, None).await?;
    let found = domains::page(&state.models, tenant, &wanted).await?;
    let pages = (found.total + size - 1) / size;
    let items: Vec<Value> = found.items.iter().map(item_of).collect();
    Ok(Json(
        json!({ "items": items, "total": found.total, "page": page, "size": size, "pages": pages }),
    ))
}

fn item_of(domain: &OldDomain) -> Value {
    json!({
        "id": domain.id,
        "domain": domain.domain,
        "sitemap_curation_status": domain.curation,
        "sitemap_analysis_status": domains::analysis_status(&domain.status),
        "sitemap_analysis_error": domain.last_error,
        "status": domains::old_status(&domain.status),
        "created_at": timestamp(domain.created_at),
        "updated_at": timestamp(domain.updated_at),
    })
}
