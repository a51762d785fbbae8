//! Sessions of people who signed in with a key: what their browser shows from then on. A session may do what its key
//! may, and ends with it.

use std::time::Duration;

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use super::keys::{caller_of, note_use};
use super::{AccessError, ApiKey, keys};
use crate::access::Caller;

/// How long a session lasts.
pub const LIFETIME: Duration = Duration::from_hours(7 * 24);
/// One that ends later than that was opened under a clock that was ahead, and has ended.
const LONGEST: Duration = Duration::from_hours(8 * 24);

/// Bytes of a token: it cannot be guessed, so a fast hash of it is enough.
const TOKEN_BYTES: usize = 32;

/// What a browser shows; it is never printed.
pub struct SessionToken(String);

impl SessionToken {
    /// Reads one; `None` if the text has not its form.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned()))
    }

    /// The text, for the browser alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

/// Opens a session for the owner of a valid key.
pub async fn open(pool: &PgPool, key: &ApiKey) -> Result<SessionToken, AccessError> {
    keys::identify(pool, key).await?;
    let mut bytes = [0; TOKEN_BYTES];
    OsRng.try_fill_bytes(&mut bytes)?;
    let token = SessionToken(hex::encode(bytes));
    sqlx::query("delete from session where not still_ahead(expires_at, $1, now())")
        .bind(LONGEST)
        .execute(pool)
        .await?;
    sqlx::query(
        "insert into session (token_hash, key_id, expires_at) values ($1, $2, clock_timestamp() + $3)",
    )
    .bind(token.hash().as_slice())
    .bind(key.id().as_str())
    .bind(LIFETIME)
    .execute(pool)
    .await?;
    Ok(token)
}

/// Ends a session.
pub async fn close(pool: &PgPool, token: &SessionToken) -> Result<(), AccessError> {
    sqlx::query("delete from session where token_hash = $1")
        .bind(token.hash().as_slice())
        .execute(pool)
        .await?;
    Ok(())
}

/// Whose session it is, if neither it nor its key has ended.
pub(super) async fn identify(pool: &PgPool, token: &SessionToken) -> Result<Caller, AccessError> {
    let row = sqlx::query(
        "select k.key_id, k.tenant_id, k.scopes, \
                not recently(k.last_used_at, interval '1 minute', now()) as is_stale \
           from session s join api_key k using (key_id) \
          where s.token_hash = $1 and still_ahead(s.expires_at, $2, now()) and k.revoked_at is null \
            and (k.expires_at is null or k.expires_at > clock_timestamp())",
    )
    .bind(token.hash().as_slice())
    .bind(LONGEST)
    .fetch_optional(pool)
    .await?
    .ok_or(AccessError::Invalid)?;
    note_use(pool, &row).await?;
    caller_of(&row)
}
