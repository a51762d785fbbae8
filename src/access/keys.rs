//! The table of keys.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};

use super::{AccessError, ApiKey, Caller, KeyId, Scopes};
use crate::values::TenantId;

/// The properties of a new key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The tenant whose data it gives access to.
    pub tenant: TenantId,
    /// A label: who uses the key, and for what.
    pub name: String,
    /// What it allows; at least one.
    pub scopes: Scopes,
    /// When it expires; `None` for never.
    pub expires: Option<Expiry>,
    /// Who creates it.
    pub created_by: String,
}

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expiry {
    /// After this long, by the database's clock.
    After(TimeDelta),
    /// At a certain time.
    At(DateTime<Utc>),
}

/// A key without its secret.
#[derive(Clone, Debug, Serialize)]
pub struct KeyRow {
    /// Its visible part.
    pub key_id: String,
    /// The tenant whose data it gives access to.
    pub tenant_id: TenantId,
    /// For people.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Who created it.
    pub created_by: String,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Why no key was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The system gave no random numbers.
    #[error("the system provided no random numbers")]
    NoRandomness(#[from] rand::rand_core::OsError),
    /// It could not be stored.
    #[error("cannot store the key")]
    Unavailable(#[from] sqlx::Error),
}

const COLUMNS: &str =
    "key_id, tenant_id, name, scopes, created_at, created_by, expires_at, last_used_at, revoked_at";

/// Maximum number of listed keys; more are not expected.
const MAX_LISTED: i64 = 1000;

/// Creates a key, without an event (`commands::change_access` does both). The complete key is returned only
/// here.
pub async fn create(executor: impl PgExecutor<'_>, new: &NewKey) -> Result<(ApiKey, KeyRow), CreateKeyError> {
    let key = ApiKey::generate()?;
    let row = insert(executor, &key, new).await?;
    Ok((key, row))
}

/// Whether a key exists or has existed.
pub(super) async fn is_any(executor: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from api_key)")
        .fetch_one(executor)
        .await
}

/// Whether to create the first key in this transaction: there never was one, and until its end no other
/// process creates one.
pub async fn is_first(transaction: &mut PgConnection) -> Result<bool, AccessError> {
    sqlx::query("select pg_advisory_xact_lock(7305116406)")
        .execute(&mut *transaction)
        .await?;
    Ok(!is_any(transaction).await?)
}

/// A key, of this tenant or of any.
pub async fn find(
    pool: &PgPool,
    tenant: Option<TenantId>,
    id: &KeyId,
) -> Result<Option<KeyRow>, AccessError> {
    let sql =
        format!("select {COLUMNS} from api_key where key_id = $1 and ($2::uuid is null or tenant_id = $2)");
    let row = sqlx::query(&sql)
        .bind(id.as_str())
        .bind(tenant.map(|tenant| tenant.0))
        .fetch_optional(pool)
        .await?;
    Ok(row.as_ref().map(row_of).transpose()?)
}

/// Keys, oldest first: a tenant's, or all.
pub async fn list(pool: &PgPool, tenant: Option<TenantId>) -> Result<Vec<KeyRow>, AccessError> {
    let sql = format!(
        "select {COLUMNS} from api_key where $1::uuid is null or tenant_id = $1 order by created_at, key_id limit $2"
    );
    let rows = sqlx::query(&sql)
        .bind(tenant.map(|tenant| tenant.0))
        .bind(MAX_LISTED)
        .fetch_all(pool)
        .await?;
    Ok(rows.iter().map(row_of).collect::<Result<_, _>>()?)
}

/// Revokes a key permanently, without an event (`commands::change_access` does both); a repetition changes nothing. `None` if
/// there is no such key, or it is not of this tenant.
pub async fn revoke(
    executor: impl PgExecutor<'_>,
    tenant: Option<TenantId>,
    id: &KeyId,
) -> Result<Option<KeyRow>, AccessError> {
    let sql = format!(
        "update api_key set revoked_at = coalesce(revoked_at, clock_timestamp()) \
          where key_id = $1 and ($2::uuid is null or tenant_id = $2) returning {COLUMNS}"
    );
    let row = sqlx::query(&sql)
        .bind(id.as_str())
        .bind(tenant.map(|tenant| tenant.0))
        .fetch_optional(executor)
        .await?;
    Ok(row.as_ref().map(row_of).transpose()?)
}

/// The owner of a valid key; stores when it was used, once a minute at most.
pub(super) async fn identify(pool: &PgPool, key: &ApiKey) -> Result<Caller, AccessError> {
    let row = sqlx::query(
        "select key_id, tenant_id, key_hash, scopes, \
                not recently(last_used_at, interval '1 minute', now()) as is_stale \
           from api_key \
          where key_id = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())",
    )
    .bind(key.id().as_str())
    .fetch_optional(pool)
    .await?
    .ok_or(AccessError::Invalid)?;
    if !key.has_hash(&row.try_get::<Vec<u8>, _>("key_hash")?) {
        return Err(AccessError::Invalid);
    }
    note_use(pool, &row).await?;
    caller_of(&row)
}

/// Notes that the key of a row is used now, unless that was noted a moment ago.
pub(super) async fn note_use(pool: &PgPool, row: &PgRow) -> Result<(), AccessError> {
    if row.try_get("is_stale")? {
        sqlx::query("update api_key set last_used_at = now() where key_id = $1")
            .bind(row.try_get::<&str, _>("key_id")?)
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// The caller with the key of a row.
pub(super) fn caller_of(row: &PgRow) -> Result<Caller, AccessError> {
    let scopes: Vec<String> = row.try_get("scopes")?;
    Ok(Caller {
        tenant: TenantId(row.try_get("tenant_id")?),
        actor: format!("key:{}", row.try_get::<&str, _>("key_id")?),
        name: None,
        scopes: scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
    })
}

async fn insert(executor: impl PgExecutor<'_>, key: &ApiKey, new: &NewKey) -> Result<KeyRow, sqlx::Error> {
    let (at, after) = match new.expires {
        None => (None, None),
        Some(Expiry::At(time)) => (Some(time), None),
        Some(Expiry::After(length)) => (None, Some(length)),
    };
    let sql = format!(
        "insert into api_key (key_id, tenant_id, name, key_hash, scopes, created_by, expires_at) \
         values ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp() + $8::interval)) returning {COLUMNS}"
    );
    let row = sqlx::query(&sql)
        .bind(key.id().as_str())
        .bind(new.tenant.0)
        .bind(&new.name)
        .bind(key.hash().as_slice())
        .bind(new.scopes.names())
        .bind(&new.created_by)
        .bind(at)
        .bind(after)
        .fetch_one(executor)
        .await?;
    row_of(&row)
}

fn row_of(row: &PgRow) -> Result<KeyRow, sqlx::Error> {
    Ok(KeyRow {
        key_id: row.try_get("key_id")?,
        tenant_id: TenantId(row.try_get("tenant_id")?),
        name: row.try_get("name")?,
        scopes: row.try_get("scopes")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
