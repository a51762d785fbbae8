//! The quotas of each tenant, and how much of its rate limit is left in this process.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sqlx::{PgExecutor, PgPool, Row};

use super::AccessError;
use crate::values::{TenantId, TenantSettings};

/// How long a tenant's settings are cached.
const CACHE_TTL: Duration = Duration::from_secs(5);
/// With more tenants than this, those without recent requests are removed.
const TENANTS_KEPT: usize = 10_000;
/// How long the used requests of a tenant are remembered at least: after that, its full rate limit is available again.
const RATE_LIMIT_WINDOW: Duration = Duration::from_mins(1);

/// How much of a tenant's rate limit is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// Requests per minute.
    pub limit: u32,
    /// Requests that are left.
    pub remaining: u32,
    /// Seconds until the full rate limit is available again.
    pub reset: u64,
}

/// Whether a request is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is within the rate limit.
    Granted(RateLimitStatus),
    /// It is not; the next one is, in this many seconds.
    Refused(RateLimitStatus, u64),
}

/// The settings of all tenants. Clones share the cache.
#[derive(Clone)]
pub struct Tenants {
    pool: PgPool,
    default_rate: NonZeroU32,
    known: Arc<Mutex<HashMap<TenantId, Known>>>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

#[derive(Clone)]
struct Known {
    settings: Arc<TenantSettings>,
    rate: NonZeroU32,
    limiter: Arc<Limiter>,
    read_at: Instant,
}

impl Tenants {
    pub(super) fn new(pool: PgPool, default_rate: NonZeroU32) -> Self {
        Self {
            pool,
            default_rate,
            known: Arc::default(),
        }
    }

    /// The settings of a tenant, at most five seconds old.
    pub async fn settings(&self, tenant: TenantId) -> Result<Arc<TenantSettings>, AccessError> {
        Ok(self.known(tenant).await?.settings)
    }

    /// Counts one request against a tenant's rate limit.
    pub async fn admit(&self, tenant: TenantId) -> Result<Admission, AccessError> {
        let known = self.known(tenant).await?;
        let limit = known.rate.get();
        let status = |remaining: u32| {
            let missing = u64::from(limit - remaining.min(limit));
            let reset = (missing * 60).div_ceil(u64::from(limit));
            RateLimitStatus {
                limit,
                remaining,
                reset,
            }
        };
        Ok(match known.limiter.check() {
            Ok(state) => Admission::Granted(status(state.remaining_burst_capacity())),
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Admission::Refused(status(0), wait.as_secs() + 1)
            }
        })
    }

    /// Whether `/api/v1` may be used without a key for any tenant.
    pub async fn any_open_v1(&self) -> Result<bool, AccessError> {
        let any = sqlx::query_scalar("select exists (select from tenant_setting where open_v1)")
            .fetch_one(&self.pool)
            .await?;
        Ok(any)
    }

    /// All tenants with their own settings.
    pub async fn list(&self) -> Result<Vec<(TenantId, TenantSettings)>, AccessError> {
        let rows = sqlx::query(&format!(
            "select tenant_id, {COLUMNS} from tenant_setting order by tenant_id"
        ))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((TenantId(row.try_get("tenant_id")?), settings_of(row)?)))
            .collect()
    }

    /// Stores the settings of a tenant, without an event; `commands::change_access` does both.
    pub async fn set(&self, tenant: TenantId, settings: &TenantSettings) -> Result<(), AccessError> {
        self.write(&self.pool, tenant, settings).await?;
        self.invalidate(tenant);
        Ok(())
    }

    /// Discards the cached settings of a tenant.
    pub fn invalidate(&self, tenant: TenantId) {
        self.lock().remove(&tenant);
    }

    /// Writes the settings of a tenant.
    pub async fn write(
        &self,
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        settings: &TenantSettings,
    ) -> Result<(), AccessError> {
        let number = |value: Option<u32>| value.map(|value| i32::try_from(value).unwrap_or(i32::MAX));
        sqlx::query(
            "insert into tenant_setting (tenant_id, requests_per_minute, max_batch_domains, max_concurrent_scans, \
                                         max_stored_urls, open_v1) \
             values ($1, $2, $3, $4, $5, $6) \
             on conflict (tenant_id) do update set requests_per_minute = $2, max_batch_domains = $3, \
                                                   max_concurrent_scans = $4, max_stored_urls = $5, open_v1 = $6",
        )
        .bind(tenant.0)
        .bind(number(settings.requests_per_minute.map(NonZeroU32::get)))
        .bind(number(settings.max_batch_domains))
        .bind(number(settings.max_concurrent_scans))
        .bind(settings.max_stored_urls.map(|urls| i64::try_from(urls).unwrap_or(i64::MAX)))
        .bind(settings.open_v1)
        .execute(executor)
        .await?;
        Ok(())
    }

    /// Reads the current settings of a tenant from the database.
    pub async fn read(&self, tenant: TenantId) -> Result<TenantSettings, AccessError> {
        let row = sqlx::query(&format!(
            "select {COLUMNS} from tenant_setting where tenant_id = $1"
        ))
        .bind(tenant.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.as_ref().map(settings_of).transpose()?.unwrap_or_default())
    }

    async fn known(&self, tenant: TenantId) -> Result<Known, AccessError> {
        let before = self.lock().get(&tenant).cloned();
        if let Some(known) = before.filter(|known| known.read_at.elapsed() < CACHE_TTL) {
            return Ok(known);
        }
        let settings = Arc::new(self.read(tenant).await?);
        let rate = settings.requests_per_minute.unwrap_or(self.default_rate);
        let read_at = Instant::now();
        let mut all = self.lock();
        if all.len() >= TENANTS_KEPT {
            all.retain(|_, known| known.read_at.elapsed() < RATE_LIMIT_WINDOW);
        }
        // Used requests still count, unless the limit has changed.
        let limiter = match all.get(&tenant) {
            Some(known) if known.rate == rate => Arc::clone(&known.limiter),
            _ => Arc::new(RateLimiter::direct(Quota::per_minute(rate)).with_middleware()),
        };
        let known = Known {
            settings,
            rate,
            limiter,
            read_at,
        };
        all.insert(tenant, known.clone());
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const COLUMNS: &str =
    "requests_per_minute, max_batch_domains, max_concurrent_scans, max_stored_urls, open_v1";

fn settings_of(row: &sqlx::postgres::PgRow) -> Result<TenantSettings, sqlx::Error> {
    let number = |name: &str| -> Result<Option<u32>, sqlx::Error> {
        let value: Option<i32> = row.try_get(name)?;
        Ok(value.and_then(|value| u32::try_from(value).ok()))
    };
    let urls: Option<i64> = row.try_get("max_stored_urls")?;
    Ok(TenantSettings {
        requests_per_minute: number("requests_per_minute")?.and_then(NonZeroU32::new),
        max_batch_domains: number("max_batch_domains")?,
        max_concurrent_scans: number("max_concurrent_scans")?,
        max_stored_urls: urls.and_then(|urls| u64::try_from(urls).ok()),
        open_v1: row.try_get("open_v1")?,
    })
}
