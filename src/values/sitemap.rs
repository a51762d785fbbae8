//! Entries and types of sitemaps, in the terms of sitemaps.org.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of a document where a sitemap was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SitemapKind {
    /// `<urlset>` of sitemaps.org.
    Urlset,
    /// `<sitemapindex>` of sitemaps.org.
    Index,
    /// RSS 0.9x, 1.0 or 2.0.
    Rss,
    /// Atom 0.3 or 1.0.
    Atom,
    /// One URL per line.
    Text,
    /// A document of another type (for example a soft 404 page).
    Invalid,
    /// 404 or 410.
    NotFound,
    /// 401, 403 or a challenge page.
    Blocked,
    /// 429.
    RateLimited,
    /// Any other failure to read it.
    Error,
    /// Larger than the limits for size or decompression.
    TooLarge,
}

impl SitemapKind {
    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urlset => "urlset",
            Self::Index => "index",
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Text => "text",
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Blocked => "blocked",
            Self::RateLimited => "rate_limited",
            Self::Error => "error",
            Self::TooLarge => "too_large",
        }
    }

    /// Whether the document is a sitemap that lists pages (an index lists sitemaps).
    pub fn lists_pages(self) -> bool {
        matches!(self, Self::Urlset | Self::Rss | Self::Atom | Self::Text)
    }
}

/// One page that a sitemap names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitemapUrl {
    /// Absolute, in the WHATWG URL serialisation.
    pub loc: String,
    /// W3C date-time as stated, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lastmod: Option<String>,
    /// `always` … `never`, if one of the seven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changefreq: Option<String>,
    /// 0.0..=1.0 as stated, kept as text so that 0.5 stays 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}
