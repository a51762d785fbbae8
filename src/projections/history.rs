//! What changed in a domain's row, field by field, and which scan changed it: its events folded once more, and the
//! rows before and after each compared.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::domains::{DomainKey, DomainRow, Domains};
use super::rows::row_error;
use super::subject::facts_of_latest;
use super::{Projection, ProjectionError, ReadModels};
use crate::values::{DomainName, Findings, ScanId, TenantId};

/// Scans that are looked at, so that a domain that was scanned thousands of times costs no more than one scanned so often.
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

/// The changes of a tenant's domain by its `LATEST_SCANS` latest scans, oldest first; `None` if it was never asked for.
/// What the first of them found changes from nothing, though older scans may have known it.
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
    add_parts(&mut fields, row);
    Ok(fields)
}

/// Adds what stands in no column of its own.
fn add_parts(fields: &mut Map<String, Value>, row: &DomainRow) {
    let known: Findings = row.meta_json.read().unwrap_or_default();
    let organization = known.organization.unwrap_or_default();
    let dns = known.dns.unwrap_or_default();
    let refused = known.crawlers.unwrap_or_default().refused;
    let refused = refused.into_iter().map(|crawler| crawler.name);
    let certificate = known.certificate.unwrap_or_default();
    let security = known.security_txt.unwrap_or_default();
    let ads = known.ads_txt.unwrap_or_default();
    let faults = known.sitemap_audit.unwrap_or_default().faults.into_iter();
    // Which checks found something. How often changes with each page that a site gets.
    let faults = faults.map(|fault| fault.check);
    let names = known
        .technologies
        .into_iter()
        .map(|technology| match technology.version {
            Some(version) => format!("{} {version}", technology.name),
            None => technology.name,
        });
    for (name, value) in [
        ("headline", json!(known.headline)),
        ("site_name", json!(known.site_name)),
        ("organization.name", json!(organization.name)),
        ("organization.legal_name", json!(organization.legal_name)),
        ("organization.address", json!(organization.address)),
        ("organization.identifiers", json!(organization.identifiers)),
        ("technologies", json!(names.collect::<Vec<_>>())),
        (
            "socials",
            json!(
                known
                    .socials
                    .into_iter()
                    .map(|social| social.url)
                    .collect::<Vec<_>>()
            ),
        ),
        ("feeds", json!(known.feeds)),
        (
            "email_provider",
            json!(known.email_provider.map(|found| found.name)),
        ),
        ("dns_host", json!(known.dns_host.map(|found| found.name))),
        ("cdn", json!(known.cdn.map(|found| found.name))),
        ("hosting", json!(known.hosting.map(|found| found.name))),
        ("spf", json!(known.spf.map(|found| found.policy))),
        ("dmarc", json!(known.dmarc.map(|found| found.policy))),
        (
            "certificate.issuer",
            json!(certificate.issuer_organization.or(certificate.issuer)),
        ),
        ("certificate.valid_to", json!(certificate.valid_to)),
        ("certificate.fault", json!(certificate.fault)),
        ("crawlers.refused", json!(refused.collect::<Vec<_>>())),
        ("security_txt.contact", json!(security.contact)),
        ("security_txt.expires", json!(security.expires)),
        ("security_txt.is_expired", json!(security.is_expired)),
        ("ads_txt.direct", json!(ads.direct)),
        ("ads_txt.reseller", json!(ads.reseller)),
        ("ads_txt.owner_domain", json!(ads.owner_domain)),
        ("humans_txt", json!(known.humans_txt.map(|file| file.first_lines))),
        (
            "llms_txt.title",
            json!(known.llms_txt.and_then(|file| file.title)),
        ),
        ("sitemap_audit", json!(faults.collect::<Vec<_>>())),
        ("dns.ns", json!(dns.ns)),
        ("dns.mx", json!(dns.mx)),
        ("site_state", json!(known.site_state.map(|found| found.state))),
    ] {
        fields.insert(name.to_owned(), value);
    }
}

/// Whether a value says nothing: what a column holds before anything was found.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}
