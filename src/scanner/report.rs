//! What one attempt at a site yields, in the words that the log and the worker share.

pub use crate::values::report::{PageReport, RobotsReport, ScanFailure, SiteReport, SitemapReport};
