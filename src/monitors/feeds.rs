//! The tokens of feeds. A monitor's feed can be read with its token, which is shown once and can be revoked.

use std::fmt;

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use super::TablesError;
use crate::values::{MonitorId, TenantId};

/// The token of one feed.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedToken(String);

impl FeedToken {
    /// A new one, which cannot be guessed.
    pub fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// One from a request.
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The path of the feed.
    pub fn path(&self) -> String {
        format!("/feeds/{}.xml", self.0)
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for FeedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedToken(…)")
    }
}

/// Gives the feed of a monitor another token; the previous one is revoked. False if the tenant has no such monitor.
pub async fn open(
    pool: &PgPool,
    tenant: TenantId,
    id: MonitorId,
    token: &FeedToken,
) -> Result<bool, TablesError> {
    let done = sqlx::query(
        "insert into monitor_feed (monitor_id, tenant_id, token_hash) \
         select monitor_id, tenant_id, $3 from monitor where monitor_id = $1 and tenant_id = $2 and status <> 'deleted' \
         on conflict (monitor_id) do update set token_hash = excluded.token_hash, created_at = excluded.created_at",
    )
    .bind(id.0)
    .bind(tenant.0)
    .bind(token.hash())
    .execute(pool)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Revokes the token: the feed can no longer be read.
pub async fn close(pool: &PgPool, tenant: TenantId, id: MonitorId) -> Result<(), TablesError> {
    sqlx::query("delete from monitor_feed where monitor_id = $1 and tenant_id = $2")
        .bind(id.0)
        .bind(tenant.0)
        .execute(pool)
        .await?;
    Ok(())
}

/// The monitor of a token.
pub async fn opened(pool: &PgPool, token: &FeedToken) -> Result<Option<(TenantId, MonitorId)>, TablesError> {
    let found: Option<(Uuid, Uuid)> = sqlx::query_as(
        "select f.tenant_id, f.monitor_id from monitor_feed f join monitor m on m.monitor_id = f.monitor_id \
          where f.token_hash = $1 and m.status <> 'deleted'",
    )
    .bind(token.hash())
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(tenant, monitor)| (TenantId(tenant), MonitorId(monitor))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_only_where_it_is_meant_to_be() {
        let token = FeedToken::generate();
        assert_eq!(format!("{token:?}"), "FeedToken(…)");
        assert_ne!(token, FeedToken::generate());
        assert_eq!(token.path().len(), "/feeds/.xml".len() + 64);
    }
}
