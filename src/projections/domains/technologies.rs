//! The most frequent technologies of a tenant's sites.

use crate::projections::{ProjectionError, ReadModels};
use crate::values::{BatchId, TenantId};

/// Technologies that are listed.
const MAX_TECHNOLOGIES: i64 = 15;
/// Domains that are examined: reading this many takes 0.6 s (`docs/performance.md`).
const MAX_DOMAINS: i64 = 100_000;

/// A technology and how many domains have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TechnologyCount {
    /// Its usual name.
    pub name: String,
    /// Domains that are known to have it.
    pub domains: i64,
}

/// The technologies that most domains have, of all or of those whose latest scan belongs to a batch; beyond 100,000
/// domains, of this many of them.
pub async fn technologies(
    models: &ReadModels,
    tenant: TenantId,
    batch: Option<BatchId>,
) -> Result<Vec<TechnologyCount>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select name #>> '{{}}', count(*) \
           from (select meta_json from {}.domains where tenant_id = $1 and ($2::uuid is null or batch_id = $2) limit $3) d, \
                jsonb_path_query(meta_json, 'lax $.technologies[*].name') name \
          where jsonb_typeof(name) = 'string' group by 1 order by 2 desc, 1 limit $4",
        models.domains
    );
    let counted: Vec<(String, i64)> = sqlx::query_as(&sql)
        .persistent(false)
        .bind(tenant.0)
        .bind(batch.map(|batch| batch.0))
        .bind(MAX_DOMAINS)
        .bind(MAX_TECHNOLOGIES)
        .fetch_all(&mut *reading)
        .await?;
    Ok(counted
        .into_iter()
        .map(|(name, domains)| TechnologyCount { name, domains })
        .collect())
}
