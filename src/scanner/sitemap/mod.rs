//! Reads sitemaps, and documents that are declared as sitemaps: of any size with constant memory, and with any errors
//! found in practice.
//!
//! Bytes pass through [`inflate`] (gzip, detected by content), [`charset`], then either [`xml`] and [`document`] or
//! [`text`]; [`reader`] joins them. `discovery` decides which files are fetched and followed.

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
