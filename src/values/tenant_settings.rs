//! The settings of a tenant that differ from those of the service.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The quotas of a tenant; null is as the settings of the service say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantSettings {
    /// HTTP requests in a minute, per process.
    #[schema(value_type = Option<u32>)]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Domains of one batch.
    pub max_batch_domains: Option<u32>,
    /// Scans under way at the same time, over all batches and processes.
    pub max_concurrent_scans: Option<u32>,
    /// URLs of sitemaps kept; beyond it no scans are taken.
    pub max_stored_urls: Option<u64>,
    /// Whether `/api/v1` may be used in its name without a key, as before.
    pub open_v1: bool,
}
