//! Filters of the list of domains that users save under a name. Sole owner of `saved_filter`
//! (`migrations/0027_saved_filters.sql`).

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::values::TenantId;

/// Saved filters of one tenant.
pub const MAX_FILTERS: i64 = 200;
/// Characters of a name.
pub const MAX_NAME: usize = 100;
/// Bytes of a query.
pub const MAX_QUERY: usize = 2000;

/// A saved filter.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct SavedFilter {
    pub filter_id: Uuid,
    pub name: String,
    pub query: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

/// Why a filter is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another filter of the tenant has the name.
    #[error("another saved filter is called '{0}'; choose another name")]
    NameTaken(String),
    /// The tenant has as many filters as it may have.
    #[error("there are {MAX_FILTERS} saved filters; delete one that is no longer needed")]
    TooMany,
    /// The name has no characters, or too many.
    #[error("the name has {0} characters; it must have 1 to {MAX_NAME}")]
    InvalidName(usize),
    /// The query is too long.
    #[error("the filter has {0} bytes; at most {MAX_QUERY} are allowed")]
    TooLong(usize),
    /// The table cannot be read or written.
    #[error("cannot read or write the saved filters")]
    Unavailable(#[from] sqlx::Error),
}

/// The filters of a tenant by name.
pub async fn list(pool: &PgPool, tenant: TenantId) -> Result<Vec<SavedFilter>, SaveError> {
    Ok(sqlx::query_as(
        "select filter_id, name, query, created_at, created_by from saved_filter where tenant_id = $1 \
          order by lower(name), name limit $2",
    )
    .bind(tenant.0)
    .bind(MAX_FILTERS)
    .fetch_all(pool)
    .await?)
}

/// Saves a filter under a new name.
pub async fn create(
    pool: &PgPool,
    tenant: TenantId,
    name: &str,
    query: &str,
    created_by: &str,
) -> Result<Uuid, SaveError> {
    let name = checked(name)?;
    if query.len() > MAX_QUERY {
        return Err(SaveError::TooLong(query.len()));
    }
    let id = Uuid::now_v7();
    let saved = sqlx::query(
        "insert into saved_filter (filter_id, tenant_id, name, query, created_by) \
         select $1, $2, $3, $4, $5 where (select count(*) from saved_filter where tenant_id = $2) < $6",
    )
    .bind(id)
    .bind(tenant.0)
    .bind(name)
    .bind(query)
    .bind(created_by)
    .bind(MAX_FILTERS)
    .execute(pool)
    .await
    .map_err(|error| name_taken(error, name))?;
    if saved.rows_affected() == 0 {
        return Err(SaveError::TooMany);
    }
    Ok(id)
}

/// Gives a filter another name; false if the tenant has no such filter.
pub async fn rename(pool: &PgPool, tenant: TenantId, id: Uuid, name: &str) -> Result<bool, SaveError> {
    let name = checked(name)?;
    let renamed = sqlx::query("update saved_filter set name = $3 where filter_id = $1 and tenant_id = $2")
        .bind(id)
        .bind(tenant.0)
        .bind(name)
        .execute(pool)
        .await
        .map_err(|error| name_taken(error, name))?;
    Ok(renamed.rows_affected() > 0)
}

/// Deletes a filter; false if the tenant has no such filter.
pub async fn delete(pool: &PgPool, tenant: TenantId, id: Uuid) -> Result<bool, SaveError> {
    let deleted = sqlx::query("delete from saved_filter where filter_id = $1 and tenant_id = $2")
        .bind(id)
        .bind(tenant.0)
        .execute(pool)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// A name without the blanks around it, if it is one.
fn checked(name: &str) -> Result<&str, SaveError> {
    let name = name.trim();
    let characters = name.chars().count();
    if characters == 0 || characters > MAX_NAME || name.contains('\0') {
        return Err(SaveError::InvalidName(characters));
    }
    Ok(name)
}

fn name_taken(error: sqlx::Error, name: &str) -> SaveError {
    let is_taken = error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
    if is_taken {
        SaveError::NameTaken(name.to_owned())
    } else {
        SaveError::Unavailable(error)
    }
}
