//! The options that a request may set for a scan or a batch, always within bounds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::site_files::{SiteFile, SiteFileSet};

/// The limits of one scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanOptions {
    /// Maximum number of HTML pages, including the home page: 1..=100.
    pub max_pages: u32,
    /// Maximum number of attempts after temporary failures: 1..=10.
    pub max_attempts: u32,
    /// Seconds from the start of the first attempt to the end of the last one.
    pub deadline_seconds: u32,
    /// Files that are fetched in addition to those of the settings.
    #[schema(value_type = Vec<SiteFile>)]
    pub files: SiteFileSet,
    /// URLs of the sitemaps that are fetched to check them: 0..=100.
    pub sitemap_sample: u32,
}

/// The options of a scan as requested, before they are clamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WantedScan {
    /// Maximum number of HTML pages.
    pub max_pages: Option<i64>,
    /// Files to read.
    pub files: SiteFileSet,
    /// URLs of the sitemaps to check.
    pub sitemap_sample: Option<i64>,
}

impl ScanOptions {
    /// The default number of pages.
    pub const DEFAULT_MAX_PAGES: u32 = 4;

    /// Maximum number of URLs that a scan checks.
    pub const MAX_SITEMAP_SAMPLE: u32 = 100;

    /// Options from a request; numbers out of range are clamped to the nearest bound.
    pub fn wanted(wanted: WantedScan) -> Self {
        let sample = wanted.sitemap_sample.unwrap_or(0);
        let sample = sample.clamp(0, i64::from(Self::MAX_SITEMAP_SAMPLE));
        Self {
            files: wanted.files,
            sitemap_sample: u32::try_from(sample).unwrap_or(0),
            ..Self::with_max_pages(wanted.max_pages)
        }
    }

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
            files: SiteFileSet::default(),
            sitemap_sample: 0,
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
    /// Concurrent scans by default.
    pub const DEFAULT_MAX_CONCURRENT: u32 = 50;

    /// Options from a request's numbers, clamped to their bounds.
    pub fn new(max_pages: Option<i64>, max_concurrent: Option<i64>) -> Self {
        let wanted = WantedScan {
            max_pages,
            ..WantedScan::default()
        };
        Self::wanted(wanted, max_concurrent)
    }

    /// The same from all options of a request.
    pub fn wanted(wanted: WantedScan, max_concurrent: Option<i64>) -> Self {
        let concurrent = max_concurrent
            .unwrap_or(i64::from(Self::DEFAULT_MAX_CONCURRENT))
            .clamp(1, 1000);
        Self {
            scan: ScanOptions::wanted(wanted),
            max_concurrent: u32::try_from(concurrent).unwrap_or(Self::DEFAULT_MAX_CONCURRENT),
        }
    }
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self::new(None, None)
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
        let sample = |wanted| {
            let wanted = WantedScan {
                sitemap_sample: wanted,
                ..WantedScan::default()
            };
            ScanOptions::wanted(wanted).sitemap_sample
        };
        assert_eq!(
            [None, Some(-1), Some(7), Some(5000)].map(sample),
            [0, 0, 7, ScanOptions::MAX_SITEMAP_SAMPLE]
        );
    }
}
