//! What a request may ask of a scan or a batch, always within bounds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The limits of one scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanOptions {
    /// Maximum number of HTML pages, including the home page: 1..=100.
    pub max_pages: u32,
    /// Maximum number of attempts after temporary failures: 1..=10.
    pub max_attempts: u32,
    /// Seconds from the start of the first attempt to the end of the last one.
    pub deadline_seconds: u32,
}

impl ScanOptions {
    /// Pages read when a request does not say.
    pub const DEFAULT_MAX_PAGES: u32 = 4;

    /// Options for a number of pages; out of range is brought to the nearest bound, as the predecessor's clients
    /// send 1000 by default.
    pub fn with_max_pages(max_pages: Option<i64>) -> Self {
        let pages = max_pages
            .unwrap_or(i64::from(Self::DEFAULT_MAX_PAGES))
            .clamp(1, 100);
        Self {
            max_pages: u32::try_from(pages).unwrap_or(Self::DEFAULT_MAX_PAGES),
            ..Self::default()
        }
    }
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            max_pages: Self::DEFAULT_MAX_PAGES,
            max_attempts: 3,
            deadline_seconds: 240,
        }
    }
}

/// The options of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchOptions {
    /// The options of each scan of the batch.
    pub scan: ScanOptions,
    /// Maximum number of concurrent scans of this batch, over all workers: 1..=1000.
    pub max_concurrent: u32,
}

impl BatchOptions {
    /// Scans under way at once when a request does not say.
    pub const DEFAULT_MAX_CONCURRENT: u32 = 50;

    /// Options from a request's numbers, brought within bounds.
    pub fn new(max_pages: Option<i64>, max_concurrent: Option<i64>) -> Self {
        let concurrent = max_concurrent
            .unwrap_or(i64::from(Self::DEFAULT_MAX_CONCURRENT))
            .clamp(1, 1000);
        Self {
            scan: ScanOptions::with_max_pages(max_pages),
            max_concurrent: u32::try_from(concurrent).unwrap_or(Self::DEFAULT_MAX_CONCURRENT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_brought_to_the_nearest_bound() {
        let options = BatchOptions::new(Some(-5), Some(5000));
        assert_eq!((options.scan.max_pages, options.max_concurrent), (1, 1000));
        let options = BatchOptions::new(Some(1000), Some(0));
        assert_eq!((options.scan.max_pages, options.max_concurrent), (100, 1));
        assert_eq!(BatchOptions::new(None, None).max_concurrent, 50);
    }
}
