//! Links to exports: the holder of a link can read that export, for a limited time, and nothing else.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::AccessError;
use crate::values::TenantId;

/// Maximum number of links of a tenant that have not expired.
pub const MAX_LINKS: i64 = 1000;
/// The validity of a link in days, if the request does not set it.
pub const DEFAULT_DAYS: u32 = 30;
/// The allowed validity of a link in days.
pub const DAYS: std::ops::RangeInclusive<u32> = 1..=365;
/// A link that expires later than that was made under a clock that was ahead, and has expired.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The token of a link.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

impl LinkToken {
    /// A new one, which cannot be guessed.
    pub fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// One from a request.
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The path of the link; its extension shows the format.
    pub fn path(&self, ending: &str) -> String {
        format!("/links/{}.{ending}", self.0)
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

/// The properties of a new link.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The tenant.
    pub tenant: TenantId,
    /// What is exported.
    pub path: String,
    /// What it is for.
    pub name: String,
    /// How long it is valid.
    pub days: u32,
    /// Who created it.
    pub created_by: String,
}

/// A link, without its token.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct LinkRow {
    pub link_id: Uuid,
    pub path: String,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "link_id, path, name, created_at, created_by, expires_at, used_at";

/// Creates a link; `None` if the tenant has the maximum number.
pub async fn create(pool: &PgPool, new: &NewLink, token: &LinkToken) -> Result<Option<LinkRow>, AccessError> {
    sqlx::query("delete from export_link where tenant_id = $1 and not still_ahead(expires_at, $2, now())")
        .bind(new.tenant.0)
        .bind(LONGEST)
        .execute(pool)
        .await?;
    Ok(sqlx::query_as(&format!(
        "insert into export_link (link_id, tenant_id, token_hash, path, name, created_by, expires_at) \
         select $1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(days => $7) \
          where (select count(*) from export_link where tenant_id = $2) < $8 \
         returning {COLUMNS}"
    ))
    .bind(Uuid::now_v7())
    .bind(new.tenant.0)
    .bind(token.hash())
    .bind(&new.path)
    .bind(&new.name)
    .bind(&new.created_by)
    .bind(i32::try_from(new.days).unwrap_or(i32::MAX))
    .bind(MAX_LINKS)
    .fetch_optional(pool)
    .await?)
}

/// The links of a tenant that have not expired, oldest first.
pub async fn list(pool: &PgPool, tenant: TenantId) -> Result<Vec<LinkRow>, AccessError> {
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from export_link where tenant_id = $1 and still_ahead(expires_at, $2, now()) \
          order by created_at, link_id"
    ))
    .bind(tenant.0)
    .bind(LONGEST)
    .fetch_all(pool)
    .await?)
}

/// Revokes a link of a tenant; false if there is none.
pub async fn revoke(pool: &PgPool, tenant: TenantId, id: Uuid) -> Result<bool, AccessError> {
    let done = sqlx::query("delete from export_link where link_id = $1 and tenant_id = $2")
        .bind(id)
        .bind(tenant.0)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The tenant, the link and the path of a token.
pub async fn opened(
    pool: &PgPool,
    token: &LinkToken,
) -> Result<Option<(TenantId, Uuid, String)>, AccessError> {
    let found: Option<(Uuid, Uuid, String)> = sqlx::query_as(
        "update export_link set used_at = clock_timestamp() \
          where token_hash = $1 and still_ahead(expires_at, $2, now()) returning tenant_id, link_id, path",
    )
    .bind(token.hash())
    .bind(LONGEST)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(tenant, link, path)| (TenantId(tenant), link, path)))
}
