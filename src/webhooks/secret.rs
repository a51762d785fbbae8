//! The secrets with which messages are signed: shown once, when they are created, and never written to a log.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::PgPool;

use super::TablesError;
use crate::values::{TenantId, WebhookId};

/// Marks a secret of Standard Webhooks.
const PREFIX: &str = "whsec_";

/// A secret of one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    pub fn generate() -> Self {
        Self(rand::random::<[u8; 32]>().to_vec())
    }

    /// One that is stored.
    pub(super) fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As its receiver needs it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Stores the first secret of an endpoint.
pub async fn store(
    pool: &PgPool,
    id: WebhookId,
    tenant: TenantId,
    secret: &Secret,
) -> Result<(), TablesError> {
    sqlx::query("insert into webhook_secret (webhook_id, tenant_id, secret) values ($1, $2, $3)")
        .bind(id.0)
        .bind(tenant.0)
        .bind(secret.bytes())
        .execute(pool)
        .await?;
    Ok(())
}

/// Stores another secret; the one before it stays valid for a day, those before that one are gone.
pub async fn rotate(
    pool: &PgPool,
    id: WebhookId,
    tenant: TenantId,
    secret: &Secret,
) -> Result<(), TablesError> {
    let mut tx = pool.begin().await?;
    sqlx::query("delete from webhook_secret where webhook_id = $1 and valid_until is not null")
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "update webhook_secret set valid_until = clock_timestamp() + interval '24 hours' where webhook_id = $1",
    )
    .bind(id.0)
    .execute(&mut *tx)
    .await?;
    sqlx::query("insert into webhook_secret (webhook_id, tenant_id, secret) values ($1, $2, $3)")
        .bind(id.0)
        .bind(tenant.0)
        .bind(secret.bytes())
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Removes the secrets of an endpoint.
pub async fn remove(pool: &PgPool, id: WebhookId) -> Result<(), TablesError> {
    sqlx::query("delete from webhook_secret where webhook_id = $1")
        .bind(id.0)
        .execute(pool)
        .await?;
    Ok(())
}

/// The valid secrets of an endpoint, the newest first.
pub(super) async fn valid(pool: &PgPool, id: WebhookId) -> Result<Vec<Secret>, sqlx::Error> {
    let found: Vec<Vec<u8>> = sqlx::query_scalar(
        "select secret from webhook_secret where webhook_id = $1 \
            and (valid_until is null or valid_until > clock_timestamp()) \
          order by valid_until nulls first limit 2",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await?;
    Ok(found.into_iter().map(Secret::stored).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_only_where_it_is_meant_to_be() {
        let secret = Secret::generate();
        assert!(secret.reveal().starts_with("whsec_"));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_ne!(secret, Secret::generate());
    }
}
