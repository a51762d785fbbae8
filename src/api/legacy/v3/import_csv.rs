//! `POST /domains/import-csv`: a file with one domain per row; known domains are skipped.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::header;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::domains::up_to_date;
use crate::api::ApiState;
use crate::api::legacy::body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::words::invalid_domain;
use crate::api::request::CommandRequest;
use crate::commands::request_scans::request_scans;
use crate::legacy::domains::known;
use crate::projections::domains::domain_id;
use crate::values::{DomainName, ScanOptions};

const MAX_ROWS: usize = 1000;
const HEADERS: [&str; 4] = ["domain", "domains", "url", "website"];

/// Requests the scans of the rows that can be done.
pub(super) async fn import(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<Value>, LegacyError> {
    let content = file(&request).await?;
    let rows = rows(&content)?;
    let mut context = request.context;
    context.tenant = visitor.tenant(&state, None).await?;
    let tenant = context.tenant;
    up_to_date(&state).await?;
    let parsed: Vec<Result<DomainName, String>> = rows
        .iter()
        .map(|input| DomainName::parse(input).map_err(|_| invalid_domain(input)))
        .collect();
    let names: Vec<String> = parsed.iter().flatten().map(ToString::to_string).collect();
    let known = known(&state.models, tenant, &names).await?;
    let mut seen = HashSet::new();
    let mut wanted = Vec::new();
    let (mut failed, mut skipped) = (0, 0);
    let mut results = Vec::with_capacity(rows.len());
    for ((row_number, input), domain) in (1..).zip(&rows).zip(&parsed) {
        let result = |value: &str, status: &str, id: Option<uuid::Uuid>, error: Option<&str>| json!({ "row_number": row_number, "value": value, "status": status, "id": id, "error": error });
        results.push(match domain {
            Err(error) => {
                failed += 1;
                result(input, "error", None, Some(error))
            }
            Ok(domain) if !seen.insert(domain.clone()) => {
                skipped += 1;
                result(
                    domain.as_str(),
                    "skipped",
                    None,
                    Some("Duplicate within CSV (already processed)"),
                )
            }
            Ok(domain) => {
                if let Some(id) = known.get(domain.as_str()) {
                    skipped += 1;
                    result(
                        domain.as_str(),
                        "skipped",
                        Some(*id),
                        Some("Domain already exists in database"),
                    )
                } else {
                    wanted.push(domain.clone());
                    result(
                        domain.as_str(),
                        "success",
                        Some(domain_id(tenant, domain.as_str())),
                        None,
                    )
                }
            }
        });
    }
    if !wanted.is_empty() {
        request_scans(&state.bus, &wanted, ScanOptions::default(), &context).await?;
    }
    Ok(Json(json!({
        "total_rows": rows.len(),
        "successful": wanted.len(),
        "failed": failed,
        "skipped": skipped,
        "results": results,
    })))
}

/// The part `file` of the form.
async fn file(request: &CommandRequest) -> Result<Vec<u8>, LegacyError> {
    let missing = || {
        let problem = body::error(
            "missing",
            &json!(["body", "file"]),
            "Field required",
            &Value::Null,
        );
        LegacyError::invalid(vec![problem], Value::Null)
    };
    let kind = request
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Ok(boundary) = multer::parse_boundary(kind) else {
        return Err(missing());
    };
    let whole = bytes::Bytes::copy_from_slice(request.body());
    let mut form = multer::Multipart::new(
        futures::stream::once(async move { Ok::<_, std::convert::Infallible>(whole) }),
        boundary,
    );
    let broken = |_| LegacyError::bad_request("There was an error parsing the body");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() != Some("file") {
            continue;
        }
        let Some(name) = field.file_name().map(str::to_owned) else {
            return Err(missing());
        };
        let content = field.bytes().await.map_err(broken)?;
        if !name.as_bytes().ends_with(b".csv") {
            return Err(LegacyError::bad_request("File must be a CSV (.csv)"));
        }
        return Ok(content.to_vec());
    }
    Err(missing())
}

/// The first column, without a header and without empty rows.
fn rows(content: &[u8]) -> Result<Vec<String>, LegacyError> {
    let text = std::str::from_utf8(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content))
        .map_err(|_| LegacyError::bad_request("File must be UTF-8 encoded"))?;
    let mut rows = Vec::new();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    for record in reader.records() {
        let record =
            record.map_err(|error| LegacyError::bad_request(format!("CSV cannot be read: {error}")))?;
        rows.push(record.get(0).unwrap_or_default().trim().to_owned());
    }
    if rows.is_empty() {
        return Err(LegacyError::bad_request("CSV file is empty"));
    }
    if rows.len() > MAX_ROWS {
        let detail = format!("CSV exceeds maximum of {MAX_ROWS} rows (found {})", rows.len());
        return Err(LegacyError::bad_request(detail));
    }
    if HEADERS.contains(&rows[0].to_lowercase().as_str()) {
        rows.remove(0);
    }
    rows.retain(|row| !row.is_empty());
    Ok(rows)
}
