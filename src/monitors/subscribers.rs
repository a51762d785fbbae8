//! The subscribers of a monitor's emails.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use lettre::Address;
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::TablesError;
use crate::values::{MonitorId, TenantId};

/// Subscribers of one monitor.
pub const MAX_SUBSCRIBERS: i64 = 20;

/// The unsubscribe token of a subscriber.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsubscribeToken(String);

impl UnsubscribeToken {
    fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// One from a request. An impossible token belongs to no subscriber.
    pub fn shown(text: &str) -> Self {
        Self(text.chars().filter(char::is_ascii_hexdigit).collect())
    }

    /// The path of the unsubscribe page.
    pub fn path(&self) -> String {
        format!("/unsubscribe/{}", self.0)
    }
}

impl fmt::Debug for UnsubscribeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsubscribeToken(…)")
    }
}

/// A person who gets emails.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct SubscriberRow {
    pub subscriber_id: Uuid,
    pub address: String,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// Why the subscriber was not added.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// No address.
    #[error("'{0}' is not an email address")]
    Address(String),
    /// The owner of the address has unsubscribed.
    #[error("'{0}' has unsubscribed from this monitor")]
    Unsubscribed(String),
    /// The maximum number is reached.
    #[error("the monitor has {MAX_SUBSCRIBERS} subscribers; remove one first")]
    TooMany,
    /// No such monitor.
    #[error("there is no such monitor")]
    NotFound,
    /// The tables could not be read or written.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl From<sqlx::Error> for SubscribeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Tables(error.into())
    }
}

/// Adds an address to a monitor of a tenant. An existing one does not change.
pub async fn add(
    pool: &PgPool,
    tenant: TenantId,
    monitor: MonitorId,
    address: &str,
) -> Result<SubscriberRow, SubscribeError> {
    let address = address.trim();
    let checked = Address::from_str(address).map_err(|_| {
        let shown = address.chars().take(200).collect();
        SubscribeError::Address(shown)
    })?;
    let mut tx = pool.begin().await?;
    // One at a time, so that the limit is exact.
    let known = sqlx::query(
        "select from monitor where monitor_id = $1 and tenant_id = $2 and status <> 'deleted' for update",
    )
    .bind(monitor.0)
    .bind(tenant.0)
    .fetch_optional(&mut *tx)
    .await?;
    known.ok_or(SubscribeError::NotFound)?;
    let found = list_in(&mut tx, tenant, monitor).await?;
    if let Some(row) = found
        .iter()
        .find(|row| row.address == AsRef::<str>::as_ref(&checked))
    {
        return Ok(row.clone());
    }
    let has_ended: bool = sqlx::query_scalar(
        "select exists (select from monitor_unsubscribed where monitor_id = $1 and address_hash = $2)",
    )
    .bind(monitor.0)
    .bind(hash(checked.as_ref()))
    .fetch_one(&mut *tx)
    .await?;
    if has_ended {
        return Err(SubscribeError::Unsubscribed(checked.to_string()));
    }
    if i64::try_from(found.len()).is_ok_and(|count| count >= MAX_SUBSCRIBERS) {
        return Err(SubscribeError::TooMany);
    }
    let row = sqlx::query_as(
        "insert into monitor_subscriber (subscriber_id, monitor_id, tenant_id, address, token) values ($1, $2, $3, $4, $5) \
         returning subscriber_id, address, created_at, sent_at, error",
    )
    .bind(Uuid::now_v7())
    .bind(monitor.0)
    .bind(tenant.0)
    .bind(AsRef::<str>::as_ref(&checked))
    .bind(&UnsubscribeToken::generate().0)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row)
}

/// The subscribers of a monitor of a tenant, in the order in which they were added.
pub async fn list(
    pool: &PgPool,
    tenant: TenantId,
    monitor: MonitorId,
) -> Result<Vec<SubscriberRow>, TablesError> {
    Ok(list_in(&mut *pool.acquire().await?, tenant, monitor).await?)
}

async fn list_in(
    connection: &mut sqlx::PgConnection,
    tenant: TenantId,
    monitor: MonitorId,
) -> Result<Vec<SubscriberRow>, sqlx::Error> {
    sqlx::query_as(
        "select subscriber_id, address, created_at, sent_at, error from monitor_subscriber \
          where monitor_id = $1 and tenant_id = $2 order by created_at, subscriber_id",
    )
    .bind(monitor.0)
    .bind(tenant.0)
    .fetch_all(connection)
    .await
}

/// Removes a subscriber and its waiting emails. False if there is none.
pub async fn remove(
    pool: &PgPool,
    tenant: TenantId,
    monitor: MonitorId,
    subscriber: Uuid,
) -> Result<bool, TablesError> {
    let done = sqlx::query(
        "delete from monitor_subscriber where subscriber_id = $1 and monitor_id = $2 and tenant_id = $3",
    )
    .bind(subscriber)
    .bind(monitor.0)
    .bind(tenant.0)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The name of the monitor and the address of a token.
pub async fn of_token(
    pool: &PgPool,
    token: &UnsubscribeToken,
) -> Result<Option<(String, String)>, TablesError> {
    Ok(sqlx::query_as(
        "select m.settings ->> 'name', s.address from monitor_subscriber s join monitor m using (monitor_id) \
          where s.token = $1",
    )
    .bind(&token.0)
    .fetch_optional(pool)
    .await?)
}

/// Unsubscribes the address of a token permanently: it cannot be added again.
pub async fn unsubscribe(pool: &PgPool, token: &UnsubscribeToken) -> Result<(), TablesError> {
    let mut tx = pool.begin().await?;
    let ended: Option<(Uuid, String)> =
        sqlx::query_as("delete from monitor_subscriber where token = $1 returning monitor_id, address")
            .bind(&token.0)
            .fetch_optional(&mut *tx)
            .await?;
    if let Some((monitor, address)) = ended {
        sqlx::query("insert into monitor_unsubscribed (monitor_id, address_hash) values ($1, $2) on conflict do nothing")
            .bind(monitor)
            .bind(hash(&address))
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}

/// Of an address, however it is written.
fn hash(address: &str) -> Vec<u8> {
    Sha256::digest(address.to_lowercase().as_bytes()).to_vec()
}
