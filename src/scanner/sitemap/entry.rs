//! One entry of a sitemap, with the data of all known extensions.

use serde::Serialize;

use crate::values::sitemap::SitemapUrl;

/// What a sitemap lists: pages, or (an index) further sitemaps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SitemapEntry {
    /// A page; boxed because it is much larger.
    Page(Box<PageEntry>),
    /// A sitemap named by an index.
    Child(ChildSitemap),
}

/// A page that a sitemap, feed or list names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PageEntry {
    /// Absolute, in the WHATWG URL serialisation.
    pub loc: String,
    /// As written, if that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// W3C date-time in UTC, or date; `None` if it is missing or invalid.
    pub lastmod: Option<String>,
    /// As written, if that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastmod_raw: Option<String>,
    /// One of the seven words of sitemaps.org.
    pub changefreq: Option<String>,
    /// 0.0..=1.0, as written.
    pub priority: Option<String>,
    /// `image:loc`, absolute.
    pub images: Vec<String>,
    /// `video:video`.
    pub videos: Vec<Video>,
    /// `news:news`.
    pub news: Vec<News>,
    /// `xhtml:link rel="alternate"`.
    pub alternates: Vec<Alternate>,
}

/// A sitemap named by an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChildSitemap {
    /// Absolute URL.
    pub sitemap: String,
    /// As for pages.
    pub lastmod: Option<String>,
}

/// A video on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the extension")]
pub struct Video {
    pub title: Option<String>,
    pub description: Option<String>,
    pub thumbnail_loc: Option<String>,
    pub content_loc: Option<String>,
    pub player_loc: Option<String>,
    pub duration: Option<String>,
    pub publication_date: Option<String>,
}

/// A news story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the extension")]
pub struct News {
    pub title: Option<String>,
    pub publication: Option<String>,
    pub language: Option<String>,
    pub publication_date: Option<String>,
}

/// The same page in another language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Alternate {
    /// BCP 47 or `x-default`.
    pub hreflang: String,
    /// Absolute URL.
    pub href: String,
}

impl PageEntry {
    /// The part that is stored with a scan.
    pub fn into_url(self) -> SitemapUrl {
        let stated = self.lastmod_raw.filter(|raw| is_w3c_date(raw));
        SitemapUrl {
            loc: self.loc,
            lastmod: self.lastmod.map(|understood| stated.unwrap_or(understood)),
            changefreq: self.changefreq,
            priority: self.priority,
        }
    }
}

/// Whether a valid date is in the format of the W3C note "Date and Time Formats".
fn is_w3c_date(text: &str) -> bool {
    let date_end = text.find('T').unwrap_or(text.len());
    let date = text[..date_end]
        .split('-')
        .map(str::len)
        .eq([4, 2, 2].into_iter().take(text[..date_end].split('-').count()));
    let time = &text[date_end..];
    let zoned =
        time.ends_with('Z') || time.len() > 6 && matches!(time.as_bytes()[time.len() - 6], b'+' | b'-');
    let is_full = date_end == "2005-01-01".len();
    date && (time.is_empty() || is_full && zoned && !time.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_was_not_understood_is_not_kept() {
        let entry = |lastmod: Option<&str>, raw: &str| PageEntry {
            lastmod: lastmod.map(str::to_owned),
            lastmod_raw: Some(raw.to_owned()),
            ..PageEntry::default()
        };
        assert_eq!(entry(None, "0000-00-00").into_url().lastmod, None);
        let stated = entry(Some("2005-01-01T09:00:00Z"), "2005-01-01T10:00:00+01:00").into_url();
        assert_eq!(stated.lastmod.as_deref(), Some("2005-01-01T10:00:00+01:00"));
    }

    #[test]
    fn dates_are_kept_as_stated_only_if_they_are_w3cs() {
        for text in [
            "2005",
            "2005-01",
            "2005-01-01",
            "2005-01-01T10:20Z",
            "2005-01-01T10:20:30.45+01:00",
        ] {
            assert!(is_w3c_date(text), "{text}");
        }
        for text in [
            "20050101",
            "2005-1-1",
            "2005-01-01 10:20:30",
            "2005-01-01T10:20:30",
            "2005T10:20Z",
            "2005-01T10:20Z",
        ] {
            assert!(!is_w3c_date(text), "{text}");
        }
    }
}
