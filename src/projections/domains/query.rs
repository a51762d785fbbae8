//! Reading domains.

use std::collections::HashMap;

use sqlx::QueryBuilder;

use super::{DomainRow, Domains};
use crate::aggregates::ScanStatus;
use crate::projections::query::Listed;
use crate::projections::{ProjectionError, ReadModels, rows};
use crate::values::{BatchId, DomainName, TenantId};

/// Which domains a list wants.
#[derive(Clone, Debug, Default)]
pub struct DomainFilter {
    /// Only in this status.
    pub status: Option<ScanStatus>,
    /// Only those whose name holds this text.
    pub contains: Option<String>,
    /// Only those whose latest scan belongs to this batch.
    pub batch: Option<BatchId>,
    /// Only those that run WordPress, or do not.
    pub is_wordpress: Option<bool>,
    /// Only behind this name.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// One domain of a tenant.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
) -> Result<Option<DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(d)::text from {}.domains d where tenant_id = $1 and domain = $2",
        models.domains
    );
    let row: Option<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .fetch_optional(&mut *reading)
        .await?;
    row.as_deref().map(rows::from_json::<Domains>).transpose()
}

/// Domains of a tenant by name.
pub async fn list(
    models: &ReadModels,
    tenant: TenantId,
    filter: &DomainFilter,
) -> Result<Listed<DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let mut query = QueryBuilder::new(format!(
        "select to_jsonb(d)::text from {}.domains d where tenant_id = ",
        models.domains
    ));
    query.push_bind(tenant.0);
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status.as_str());
    }
    if let Some(text) = &filter.contains {
        query
            .push(" and position(")
            .push_bind(text.to_lowercase())
            .push(" in domain) > 0");
    }
    if let Some(batch) = filter.batch {
        query.push(" and batch_id = ").push_bind(batch.0);
    }
    if let Some(is_wordpress) = filter.is_wordpress {
        query.push(" and is_wordpress = ").push_bind(is_wordpress);
    }
    if let Some(after) = &filter.after {
        query.push(" and domain > ").push_bind(after);
    }
    query.push(" order by domain limit ").push_bind(filter.limit + 1);
    let found: Vec<String> = query.build_query_scalar().fetch_all(&mut *reading).await?;
    let found = found
        .into_iter()
        .map(|row| rows::from_json::<Domains>(&row))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Listed::of(found, filter.limit, |row| row.domain.clone()))
}

/// The rows of some of a tenant's domains, by name.
pub async fn named(
    models: &ReadModels,
    tenant: TenantId,
    names: &[String],
) -> Result<HashMap<String, DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(d)::text from {}.domains d where tenant_id = $1 and domain = any($2)",
        models.domains
    );
    let found: Vec<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(names)
        .fetch_all(&mut *reading)
        .await?;
    let rows = found.into_iter().map(|row| {
        let row = rows::from_json::<Domains>(&row)?;
        Ok((row.domain.clone(), row))
    });
    rows.collect()
}
