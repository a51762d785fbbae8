//! What the versions have in common when they request scans.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::LegacyError;
use super::owner::Visitor;
use super::words;
use crate::api::ApiState;
use crate::api::list_quotas::{require_room_for_urls, wait_for_list_turn};
use crate::api::problem::Problem;
use crate::api::v4::get_batch::find_batch;
use crate::api::v4::get_scan::find_scan;
use crate::commands::CommandContext;
use crate::commands::refuse_scan::refuse_scan;
use crate::commands::request_batch::{BatchItem, RequestedBatch, request_batch};
use crate::commands::request_scan::request_scan;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::query::JobFilter;
use crate::projections::jobs::{self, JobRow, Jobs};
use crate::values::{BatchId, BatchOptions, DomainName, ScanId, ScanOptions, TenantId};

/// Characters that are kept of an input that is not a domain.
const MAX_INPUT: usize = 300;
/// Maximum number of scans in a response for a batch. Only v4 and v3 accept larger batches.
const MAX_NAMED: usize = 10_000;

/// The caller and its tenant.
pub(in crate::api::legacy) struct LegacyRequest {
    pub(in crate::api::legacy) context: CommandContext,
    pub(in crate::api::legacy) visitor: Visitor,
    /// The tenant that the body names.
    pub(in crate::api::legacy) tenant: Option<TenantId>,
}

impl LegacyRequest {
    async fn context(self, state: &ApiState) -> Result<CommandContext, LegacyError> {
        let mut context = self.context;
        context.tenant = self.visitor.tenant(state, self.tenant).await?;
        require_room_for_urls(state, context.tenant).await?;
        Ok(context)
    }
}

/// Requests the scan of one domain; 400 if it is invalid.
pub(in crate::api::legacy) async fn one(
    state: &ApiState,
    asked: LegacyRequest,
    base_url: &str,
    max_pages: Option<i64>,
) -> Result<ScanId, LegacyError> {
    let domain = DomainName::parse(base_url).map_err(|_| LegacyError::invalid_domain(base_url))?;
    let context = asked.context(state).await?;
    let options = ScanOptions::with_max_pages(max_pages);
    Ok(request_scan(&state.bus, domain, options, &context).await?.scan_id)
}

/// The same, but an input that is not a domain becomes a scan that has failed.
pub(in crate::api::legacy) async fn one_or_failed(
    state: &ApiState,
    asked: LegacyRequest,
    base_url: &str,
    max_pages: Option<i64>,
) -> Result<ScanId, LegacyError> {
    match DomainName::parse(base_url) {
        Ok(_) => one(state, asked, base_url, max_pages).await,
        Err(error) => {
            let context = asked.context(state).await?;
            Ok(refuse_scan(&state.bus, shown(base_url), error.to_string(), &context).await?)
        }
    }
}

/// Requests the scans of a list. Each item counts as it was sent: twice if it occurs twice, and as a failed scan if it
/// is not a domain.
pub(in crate::api::legacy) async fn many(
    state: &ApiState,
    asked: LegacyRequest,
    domains: &[String],
    options: BatchOptions,
) -> Result<RequestedBatch, LegacyError> {
    let items: Vec<BatchItem> = (1..)
        .zip(domains)
        .map(|(line, input)| item(line, input))
        .collect();
    let context = asked.context(state).await?;
    let _turn = wait_for_list_turn(state, context.tenant).await?;
    let settings = state
        .access
        .tenants()
        .settings(context.tenant)
        .await
        .map_err(Problem::from)?;
    if let Some(quota) = settings
        .max_batch_domains
        .filter(|quota| domains.len() > *quota as usize)
    {
        return Err(too_many(quota as usize));
    }
    let summary = json!({ "job_count": domains.len() });
    Ok(request_batch(&state.bus, &items, options, summary, &context).await?)
}

/// 400 for a list without domains, or with more than `limit`.
pub(in crate::api::legacy) fn check_count(domains: &[String], limit: usize) -> Result<(), LegacyError> {
    if domains.is_empty() {
        return Err(LegacyError::bad_request("No domains provided"));
    }
    if domains.len() > limit {
        return Err(too_many(limit));
    }
    Ok(())
}

/// 400 for a list that is longer than it may be.
pub(in crate::api::legacy) fn too_many(limit: usize) -> LegacyError {
    LegacyError::bad_request(format!("Maximum {limit} domains allowed per batch"))
}

fn item(line: u32, input: &str) -> BatchItem {
    match DomainName::parse(input) {
        Ok(domain) => BatchItem::scan(line, domain),
        Err(error) => BatchItem::Refuse {
            line,
            input: shown(input),
            error: error.to_string(),
        },
    }
}

fn shown(input: &str) -> String {
    input.chars().filter(|c| *c != '\0').take(MAX_INPUT).collect()
}

/// The scan that an id names, if the visitor may see it.
pub(in crate::api::legacy) async fn job(
    state: &ApiState,
    visitor: &Visitor,
    id: ScanId,
) -> Result<Option<JobRow>, LegacyError> {
    let Some(tenant) = visitor.owner_of(state, "domain_scan", id.0).await? else {
        return Ok(None);
    };
    Ok(find_scan(state, tenant, id).await?)
}

/// The batch that an id names, if the visitor may see it.
pub(in crate::api::legacy) async fn batch(
    state: &ApiState,
    visitor: &Visitor,
    id: BatchId,
) -> Result<Option<BatchRow>, LegacyError> {
    let Some(tenant) = visitor.owner_of(state, "batch_scan", id.0).await? else {
        return Ok(None);
    };
    Ok(find_batch(state, tenant, id).await?)
}

/// The scans of a batch, started or not, in the order of the list.
pub(in crate::api::legacy) async fn jobs_of(
    state: &ApiState,
    batch: &BatchRow,
) -> Result<Vec<JobRow>, LegacyError> {
    // A client stops polling when the batch has ended, so the list must be complete by then.
    super::words::at_least_position(batch.position)
        .wait::<Jobs>(state)
        .await?;
    let mut filter = JobFilter {
        batch: Some(batch.batch_id),
        limit: 1000,
        ..JobFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let page = jobs::query::list(&state.models, batch.tenant_id, &filter).await?;
        filter.after = page.items.last().map(|row| row.requested_position);
        let is_last = page.next.is_none();
        found.extend(page.items);
        if is_last || found.len() >= MAX_NAMED {
            found.truncate(MAX_NAMED);
            return Ok(found);
        }
    }
}

/// 400 with more than a text in `detail`.
pub(in crate::api::legacy) fn refused(detail: &Value) -> LegacyError {
    LegacyError::detailed(StatusCode::BAD_REQUEST, detail)
}

/// The sites' own data of a scan that found some.
pub(in crate::api::legacy) fn findings(row: &JobRow) -> Option<crate::values::Findings> {
    let result = row.result_data.as_ref()?;
    (row.status == crate::aggregates::ScanStatus::Completed)
        .then(|| words::limited(result.read().unwrap_or_default()))
}
