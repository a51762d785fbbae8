//! The history of a domain's row, field by field, with the scan that changed it: the events of the row are folded
//! again, and the rows before and after each event are compared.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::domains::{DomainKey, DomainRow, Domains};
use super::rows::row_error;
use super::subject::facts_of_latest;
use super::{Projection, ProjectionError, ReadModels};
use crate::values::domain_fields::{self, is_nothing};
use crate::values::{DomainName, Findings, ScanId, TenantId};

/// Scans that are examined, so that a domain that was scanned thousands of times costs no more than one scanned this
/// often.
pub const LATEST_SCANS: i64 = 100;

/// Columns that say how the row is kept, not what is known of the domain.
const BOOKKEEPING: &[&str] = &[
    "technology_keys",
    "email_provider_key",
    "tls_expires",
    "id",
    "tenant_id",
    "domain",
    "status",
    "created_by",
    "meta_json",
    "stale",
    // A value that a scan did not find again, or did not look for, is not a change.
    "stale_fields",
    "first_scan",
    "last_scan",
    "content_scrape_status",
    "content_scrape_at",
    "content_scrape_error",
    "batch_id",
    "last_scan_id",
    "error_count",
    "last_successful_scan",
    "last_completed_id",
    "created_at",
    "updated_at",
    "position",
];

/// A change of a field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FieldChange {
    /// The field of the domain, or of its `meta_json`.
    #[schema(example = "title")]
    pub field: String,
    /// The old value; null if there was none.
    pub old: Value,
    /// The new value.
    pub new: Value,
    /// The scan that found the new value.
    #[schema(value_type = uuid::Uuid)]
    pub scan_id: ScanId,
    /// When the change was recorded.
    pub at: DateTime<Utc>,
    /// The log position of the event.
    pub position: i64,
}

/// The changes of a tenant's domain by its `LATEST_SCANS` latest scans, oldest first; `None` if no scan of it was ever
/// requested. What the first of them found changes from nothing, though older scans may have known it.
pub async fn of_domain(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
) -> Result<Option<Vec<FieldChange>>, ProjectionError> {
    let _turn = models.turn(tenant).await?;
    let mut connection = models.pool.acquire().await?;
    let key = DomainKey::new(tenant, domain.as_str());
    let facts = facts_of_latest::<Domains>(&mut connection, &key, i64::MAX, Some(LATEST_SCANS)).await?;
    let mut changes = Vec::new();
    let mut row: Option<DomainRow> = None;
    let mut before = Map::new();
    for fact in &facts {
        row = Domains::evolve(row, fact);
        let Some((scan_id, _)) = fact.scan() else { continue };
        let after = fields(row.as_ref())?;
        for (field, new) in &after {
            let old = before.get(field).cloned().unwrap_or_default();
            if old != *new && !(is_nothing(&old) && is_nothing(new)) {
                changes.push(FieldChange {
                    field: field.clone(),
                    old,
                    new: new.clone(),
                    scan_id,
                    at: fact.at,
                    position: fact.position,
                });
            }
        }
        before = after;
    }
    Ok(row.is_some().then_some(changes))
}

fn fields(row: Option<&DomainRow>) -> Result<Map<String, Value>, ProjectionError> {
    let Some(row) = row else { return Ok(Map::new()) };
    let value = serde_json::to_value(row).map_err(row_error::<Domains>)?;
    let Value::Object(mut fields) = value else {
        return Ok(Map::new());
    };
    for column in BOOKKEEPING {
        fields.remove(*column);
    }
    // What is in no column of its own.
    let known: Findings = row.meta_json.read().unwrap_or_default();
    fields.extend(
        domain_fields::other_fields(&known)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    Ok(fields)
}
