//! Users who signed in with a provider, as the provider described them last.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use super::AccessError;
use crate::values::TenantId;

/// Maximum number of listed users, the latest sign-ins first.
const MAX_LISTED: i64 = 1000;

/// A user, as shown to administrators.
#[derive(Clone, Debug, FromRow)]
pub struct PersonRow {
    /// As in the log: `oidc:<subject>`.
    pub actor: String,
    /// The user's name.
    pub name: String,
    /// The scopes at the last sign-in.
    pub scopes: Vec<String>,
    /// When that was.
    pub last_signed_in_at: DateTime<Utc>,
    /// Number of open sessions.
    pub sessions: i64,
}

/// The users of a tenant, the latest sign-in first.
pub async fn list(pool: &PgPool, tenant: TenantId) -> Result<Vec<PersonRow>, AccessError> {
    Ok(sqlx::query_as(
        "select p.actor, p.name, p.scopes, p.last_signed_in_at, \
                (select count(*) from session s where s.actor = p.actor and s.tenant_id = p.tenant_id \
                    and s.expires_at > now()) as sessions \
           from person p where p.tenant_id = $1 order by p.last_signed_in_at desc, p.actor limit $2",
    )
    .bind(tenant.0)
    .bind(MAX_LISTED)
    .fetch_all(pool)
    .await?)
}

/// The names of those actors that are users of a tenant.
pub async fn names(
    pool: &PgPool,
    tenant: TenantId,
    actors: &[String],
) -> Result<Vec<(String, String)>, AccessError> {
    if actors.is_empty() {
        return Ok(Vec::new());
    }
    Ok(
        sqlx::query_as("select actor, name from person where tenant_id = $1 and actor = any($2)")
            .bind(tenant.0)
            .bind(actors)
            .fetch_all(pool)
            .await?,
    )
}
