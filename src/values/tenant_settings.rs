//! The settings of a tenant that differ from those of the service.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The quotas of a tenant; null means the default of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantSettings {
    /// Maximum number of HTTP requests per minute and process.
    #[schema(value_type = Option<u32>)]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Domains of one batch.
    pub max_batch_domains: Option<u32>,
    /// Maximum number of concurrent scans, over all batches and processes.
    pub max_concurrent_scans: Option<u32>,
    /// Maximum number of stored sitemap URLs; beyond it, new scans are refused.
    pub max_stored_urls: Option<u64>,
    /// Whether `/api/v1` and `/api/v2` may be used for the tenant without a key, as in the predecessor.
    pub open_v1: bool,
}
