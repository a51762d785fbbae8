//! Domains in the predecessor's format and with its ids.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::projections::{ProjectionError, ReadModels};
use crate::values::TenantId;

/// The sort orders of a list.
pub const SORTABLE: [&str; 6] = [
    "domain",
    "created_at",
    "updated_at",
    "sitemap_curation_status",
    "sitemap_analysis_status",
    "status",
];

/// The requested page of a list.
#[derive(Clone, Debug)]
pub struct DomainPage {
    /// From 1.
    pub page: i64,
    /// Rows of a page.
    pub size: i64,
    /// One of `SORTABLE`.
    pub sort_by: String,
    /// The last first.
    pub descending: bool,
    /// Only names that hold this text.
    pub contains: Option<String>,
    /// Only domains of this curation status.
    pub curation: Option<String>,
}

/// A domain in the format of the predecessor's list, with our status words.
#[derive(Clone, Debug, sqlx::FromRow)]
#[expect(missing_docs, reason = "the names are those of the read model")]
pub struct OldDomain {
    pub id: Uuid,
    pub domain: String,
    pub status: String,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The value that people entered in the predecessor; `New` if none.
    pub curation: String,
}

/// What people entered about a domain (`d`) in the predecessor.
const CURATION: &str = "coalesce((select r.content ->> 'sitemap_curation_status' from legacy_row r \
     where r.source_table = 'domains' and r.outcome = 'imported' and r.tenant_id = d.tenant_id and r.domain = d.domain), 'New')";

/// A page of them, and how many there are in all.
#[derive(Clone, Debug)]
pub struct FoundDomains {
    /// The page's.
    pub items: Vec<OldDomain>,
    /// Over all pages.
    pub total: i64,
}

/// The ids of those of some names that are known; a domain that came from the predecessor keeps its id.
pub async fn known(
    models: &ReadModels,
    tenant: TenantId,
    names: &[String],
) -> Result<HashMap<String, Uuid>, ProjectionError> {
    let _turn = models.turn(tenant).await?;
    let sql = format!(
        "select d.domain, coalesce(o.domain_id, d.id) from {}.domains d \
           left join legacy_domain_id o on o.tenant_id = d.tenant_id and o.domain = d.domain \
          where d.tenant_id = $1 and d.domain = any($2)",
        models.domains
    );
    let found: Vec<(String, Uuid)> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(names)
        .fetch_all(&models.pool)
        .await?;
    Ok(found.into_iter().collect())
}

/// A page of a tenant's domains.
pub async fn page(
    models: &ReadModels,
    tenant: TenantId,
    wanted: &DomainPage,
) -> Result<FoundDomains, ProjectionError> {
    let filtered = |query: &mut QueryBuilder<'_, sqlx::Postgres>| {
        query
            .push(format!(" from {}.domains d where d.tenant_id = ", models.domains))
            .push_bind(tenant.0);
        if let Some(text) = &wanted.contains {
            query
                .push(" and position(")
                .push_bind(text.to_lowercase())
                .push(" in d.domain) > 0");
        }
        if let Some(curation) = &wanted.curation {
            query
                .push(format!(" and {CURATION} = "))
                .push_bind(curation.clone());
        }
    };
    let _turn = models.turn(tenant).await?;
    let mut count = QueryBuilder::new("select count(*)");
    filtered(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(&models.pool).await?;
    let column = match wanted.sort_by.as_str() {
        "domain" => "domain",
        "created_at" => "created_at",
        "status" | "sitemap_analysis_status" => "status",
        "sitemap_curation_status" => "curation",
        _ => "updated_at",
    };
    // Few domains have a value, and most lists do not filter by it, so it is looked up only for the page.
    let looked_up = if column == "curation" {
        format!("{CURATION} as curation")
    } else {
        "null as curation".to_owned()
    };
    let direction = if wanted.descending { "desc" } else { "asc" };
    let mut query = QueryBuilder::new(format!(
        "select coalesce(o.domain_id, d.id) as id, d.domain, d.status, d.last_error, d.created_at, d.updated_at, \
                {CURATION} as curation \
           from (select p.* from (select d.*, {looked_up}"
    ));
    filtered(&mut query);
    query
        .push(format!(
            ") p order by p.{column} {direction}, p.domain {direction} limit "
        ))
        .push_bind(wanted.size)
        .push(" offset ")
        .push_bind((wanted.page - 1).saturating_mul(wanted.size))
        .push(format!(
            ") d left join legacy_domain_id o on o.tenant_id = d.tenant_id and o.domain = d.domain \
              order by d.{column} {direction}, d.domain {direction}"
        ));
    let items = query.build_query_as().fetch_all(&models.pool).await?;
    Ok(FoundDomains { items, total })
}

/// The predecessor's word for one of our statuses.
pub fn old_status(status: &str) -> &'static str {
    match status {
        "pending" => "pending",
        "running" => "processing",
        "completed" => "completed",
        "failed" => "error",
        _ => "active",
    }
}

/// The status of the sitemap analysis, which is part of each scan.
pub fn analysis_status(status: &str) -> Option<&'static str> {
    match status {
        "pending" => Some("queued"),
        "running" => Some("processing"),
        "completed" => Some("submitted"),
        "failed" => Some("failed"),
        _ => None,
    }
}
