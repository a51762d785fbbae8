//! Sessions of browsers. A session that was opened with a key has the rights of the key and ends with it. A session
//! that was opened with an identity provider has the rights that the claims gave at sign-in.

use std::time::Duration;

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgExecutor, PgPool, Row};

use super::keys::{caller_of, note_use};
use super::oidc::{Person, SignInError};
use super::{AccessError, ApiKey, Caller, keys};
use crate::values::TenantId;

/// How long a session that was opened with a key lasts.
pub const LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How long a session of a provider lasts: a user who is removed there loses access at the next sign-in.
pub const LIFETIME_OF_PEOPLE: Duration = Duration::from_hours(12);
/// How long a completed sign-in is stored.
const RETENTION: Duration = Duration::from_hours(24);
/// One that ends later than that was opened under a clock that was ahead, and has ended.
const LONGEST: Duration = Duration::from_hours(8 * 24);

/// Bytes of a token: it cannot be guessed, so a fast hash of it is enough.
const TOKEN_BYTES: usize = 32;

/// The token of a session; it is never printed.
pub struct SessionToken(String);

impl SessionToken {
    /// A new, unguessable one.
    fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0; TOKEN_BYTES];
        OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// Parses a token; `None` if the text does not have its format.
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
    let token = SessionToken::generate()?;
    let mut connection = pool.acquire().await?;
    remove_ended(&mut connection).await?;
    sqlx::query(
        "insert into session (token_hash, key_id, expires_at) values ($1, $2, clock_timestamp() + $3)",
    )
    .bind(token.hash().as_slice())
    .bind(key.id().as_str())
    .bind(LIFETIME)
    .execute(&mut *connection)
    .await?;
    Ok(token)
}

/// Opens a session for a user of a provider; one sign-in opens only one session.
pub async fn open_for(pool: &PgPool, person: &Person) -> Result<SessionToken, SignInError> {
    let token = SessionToken::generate().map_err(AccessError::from)?;
    let opened = insert_for(pool, person, &token).await;
    if opened.map_err(AccessError::from)? {
        Ok(token)
    } else {
        Err(SignInError::Replayed)
    }
}

/// False if the sign-in was completed before.
async fn insert_for(pool: &PgPool, person: &Person, token: &SessionToken) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    remove_ended(&mut transaction).await?;
    sqlx::query("delete from completed_sign_in where not recently(completed_at, $1, now())")
        .bind(RETENTION)
        .execute(&mut *transaction)
        .await?;
    let completed =
        sqlx::query("insert into completed_sign_in (state_hash) values ($1) on conflict do nothing")
            .bind(person.sign_in.as_slice())
            .execute(&mut *transaction)
            .await?;
    if completed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "insert into person (actor, tenant_id, name, scopes) values ($1, $2, $3, $4) \
         on conflict (actor) do update set tenant_id = $2, name = $3, scopes = $4, \
                                           last_signed_in_at = clock_timestamp()",
    )
    .bind(&person.actor)
    .bind(person.tenant.0)
    .bind(&person.name)
    .bind(person.scopes.names())
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "insert into session (token_hash, actor, tenant_id, scopes, expires_at) \
         values ($1, $2, $3, $4, clock_timestamp() + $5)",
    )
    .bind(token.hash().as_slice())
    .bind(&person.actor)
    .bind(person.tenant.0)
    .bind(person.scopes.names())
    .bind(LIFETIME_OF_PEOPLE)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

async fn remove_ended(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from session where not still_ahead(expires_at, $1, now())")
        .bind(LONGEST)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all sessions of a person of a tenant, without an event (`commands::change_access` does both); how
/// many there were.
pub async fn close_all(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    actor: &str,
) -> Result<u64, AccessError> {
    let closed = sqlx::query("delete from session where actor = $1 and tenant_id = $2")
        .bind(actor)
        .bind(tenant.0)
        .execute(executor)
        .await?;
    Ok(closed.rows_affected())
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
        "select s.actor, p.name, k.key_id, coalesce(s.tenant_id, k.tenant_id) as tenant_id, \
                coalesce(s.scopes, k.scopes) as scopes, \
                not recently(k.last_used_at, interval '1 minute', now()) as is_stale \
           from session s left join api_key k using (key_id) left join person p using (actor) \
          where s.token_hash = $1 and still_ahead(s.expires_at, $2, now()) \
            and (s.actor is not null \
                 or (k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())))",
    )
    .bind(token.hash().as_slice())
    .bind(LONGEST)
    .fetch_optional(pool)
    .await?
    .ok_or(AccessError::Invalid)?;
    let Some(actor) = row.try_get("actor")? else {
        note_use(pool, &row).await?;
        return caller_of(&row);
    };
    let scopes: Vec<String> = row.try_get("scopes")?;
    Ok(Caller {
        tenant: TenantId(row.try_get("tenant_id")?),
        actor,
        name: row.try_get("name")?,
        scopes: scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
    })
}
