//! Reads documents that are, or are taken for, sitemaps: any size in flat memory, any of the faults of the wild.
//!
//! Bytes go through [`inflate`] (gzip by content), [`charset`], then either [`xml`] and [`document`] or
//! [`text`]; [`reader`] joins them. Where files come from and which are followed is discovery's business.

mod audit;
mod charset;
mod document;
mod element;
mod entity;
mod entry;
mod field;
mod format;
mod inflate;
mod invisible;
mod judge;
mod lastmod;
mod plain_url;
mod problems;
pub mod reader;
mod seen;
mod text;
mod xml;

pub use audit::{Audit, FileAudit, Standard};
pub use entry::{Alternate, ChildSitemap, News, PageEntry, SitemapEntry, Video};
pub use inflate::is_gzip;
pub use reader::{SitemapReader, SitemapSettings, SitemapSummary};
pub use seen::{Seen, SeenUrls};
