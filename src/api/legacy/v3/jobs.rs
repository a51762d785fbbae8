//! `GET …/status/{job_id}`. The predecessor always returned `result_data`, `job_metadata` and `domain_id` empty. Here
//! they have values, and are repeated under the names that the old pages read: `result`, `metadata`, `domain`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::words;
use crate::api::ApiState;
use crate::api::legacy::backend::UnknownHere;
use crate::api::legacy::error::LegacyError;
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests;
use crate::api::legacy::words::{metadata, parse_job_id, timestamp};
use crate::legacy::domains;
use crate::projections::jobs::JobRow;
use crate::projections::sitemaps::sitemap_id;
use crate::values::Findings;
use crate::values::sitemap::SitemapKind;

/// In the format of the page scraper.
pub(super) async fn page(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, LegacyError> {
    answer(&state, &visitor, id, "unknown", |row| {
        (
            words::page_status(row),
            requests::findings(row).map(|found| page_result(row, &found)),
        )
    })
    .await
}

/// In the format of the sitemap scanner.
pub(super) async fn sitemap(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, LegacyError> {
    answer(&state, &visitor, id, "not_found", |row| {
        (
            words::sitemap_status(row),
            requests::findings(row).map(|found| sitemap_result(row, &found)),
        )
    })
    .await
}

async fn answer(
    state: &ApiState,
    visitor: &Visitor,
    id: Result<Path<String>, PathRejection>,
    unknown: &str,
    status_and_result: impl Fn(&JobRow) -> (&'static str, Option<Value>),
) -> Result<Response, LegacyError> {
    let given = id.map(|Path(id)| id).unwrap_or_default();
    let id = parse_job_id(&given).ok_or_else(|| LegacyError::malformed_id("job_id", &given))?;
    let Some(row) = requests::job(state, visitor, id).await? else {
        return Ok(nothing(&given, unknown));
    };
    let known = domains::known(&state.models, row.tenant_id, std::slice::from_ref(&row.domain)).await?;
    let domain_id = known.get(&row.domain).copied().or(row.domain_id);
    let (status, result) = status_and_result(&row);
    Ok(Json(job(&row, domain_id, status, result.as_ref())).into_response())
}

/// The predecessor returned 200 for unknown ids.
fn nothing(id: &str, status: &str) -> Response {
    let now = timestamp(Utc::now());
    let answer = Json(json!({
        "job_id": id,
        "status": status,
        "progress": 0.0,
        "domain_id": null,
        "created_by": null,
        "result_data": null,
        "error": null,
        "job_metadata": null,
        "created_at": now,
        "updated_at": now,
        "result": null,
        "metadata": null,
        "domain": null,
    }));
    (Extension(UnknownHere), answer).into_response()
}

fn job(row: &JobRow, domain_id: Option<Uuid>, status: &str, result: Option<&Value>) -> Value {
    let created_by = row
        .created_by
        .as_deref()
        .and_then(|actor| actor.strip_prefix("user:"));
    let job_metadata = json!({
        "domain": row.domain,
        "scan_type": if row.batch_id.is_some() { "batch" } else { "single" },
        "max_pages": row.job_metadata["max_pages"],
        "batch_id": row.batch_id,
        "attempts": row.attempts,
        "start_time": row.started_at.map(timestamp),
        "end_time": row.completed_at.map(timestamp),
    });
    json!({
        "job_id": row.scan_id,
        "status": status,
        "progress": row.progress,
        "domain_id": domain_id,
        "created_by": created_by.and_then(|id| Uuid::try_parse(id).ok()),
        "result_data": result,
        "error": words::error_of(row),
        "job_metadata": job_metadata,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "result": result,
        "metadata": job_metadata,
        "domain": row.domain,
    })
}

fn page_result(row: &JobRow, found: &Findings) -> Value {
    let mut site_data = metadata(found);
    let uses = |name: &str| {
        found
            .technologies
            .iter()
            .find(|technology| technology.name == name)
    };
    let theme = found.technologies.iter().find(|technology| {
        technology
            .categories
            .iter()
            .any(|category| category.eq_ignore_ascii_case("wordpress themes"))
    });
    site_data["wordpress_theme"] = json!(theme.map(|theme| &theme.name));
    site_data["elementor_version"] =
        json!(uses("Elementor").and_then(|elementor| elementor.version.as_ref()));
    for (key, name) in [
        ("has_divi", "Divi"),
        ("has_woocommerce", "WooCommerce"),
        ("has_contact_form7", "Contact Form 7"),
        ("has_yoast_seo", "Yoast SEO"),
        ("has_wpforms", "WPForms"),
    ] {
        site_data[key] = uses(name).is_some().into();
    }
    json!({
        "site_data": site_data,
        "processing_metrics": {
            "start_time": timestamp(row.started_at.unwrap_or(row.created_at)),
            "end_time": row.completed_at.map(timestamp),
            "processing_time": words::processing_time(row),
            "domain": row.domain,
            "max_pages": row.job_metadata["max_pages"],
        },
    })
}

fn sitemap_result(row: &JobRow, found: &Findings) -> Value {
    let sitemaps: Vec<Value> = found
        .sitemaps
        .iter()
        .filter(|file| file.kind == SitemapKind::Index || file.kind.lists_pages())
        .map(|file| {
            json!({
                "id": sitemap_id(row.tenant_id, &row.domain, &file.url),
                "url": file.url,
                "type": if file.kind == SitemapKind::Index { "index" } else { "standard" },
                "url_count": file.entries,
            })
        })
        .collect();
    json!({ "sitemaps": sitemaps })
}
