//! The known elements of sitemaps and feeds.

use std::borrow::Cow;

/// An element by its local name; prefix and case are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Loc,
    Url,
    Lastmod,
    Changefreq,
    Priority,
    Urlset,
    Sitemap,
    Sitemapindex,
    Image,
    Video,
    News,
    Link,
    Title,
    Name,
    Language,
    Description,
    ThumbnailLoc,
    ContentLoc,
    PlayerLoc,
    Duration,
    PublicationDate,
    Rss,
    Rdf,
    Channel,
    Item,
    Guid,
    PubDate,
    Date,
    Feed,
    Entry,
    Id,
    Updated,
    Modified,
    Published,
    Issued,
    Html,
    Other,
}

impl Element {
    /// The element of a name as written, and the name's prefix (empty if none).
    pub(super) fn of(name: &str) -> (Self, &str) {
        // Nearly all names have no prefix and are in lower case.
        match Self::known(name) {
            Some(element) => (element, ""),
            None => Self::of_unusual(name),
        }
    }

    /// The same for a name with a prefix, capitals, or characters around it that are not part of it.
    fn of_unusual(name: &str) -> (Self, &str) {
        let name = name.trim_ascii_start();
        let end = name
            .bytes()
            .position(|byte| byte.is_ascii_whitespace() || byte == b'/')
            .unwrap_or(name.len());
        let (prefix, local) = name[..end].split_once(':').unwrap_or(("", &name[..end]));
        let local = if local.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(local.to_ascii_lowercase())
        } else {
            Cow::Borrowed(local)
        };
        (Self::known(&local).unwrap_or(Self::Other), prefix)
    }

    fn known(local: &str) -> Option<Self> {
        Some(match local {
            "loc" => Self::Loc,
            "url" => Self::Url,
            "lastmod" => Self::Lastmod,
            "changefreq" => Self::Changefreq,
            "priority" => Self::Priority,
            "urlset" => Self::Urlset,
            "sitemap" => Self::Sitemap,
            "sitemapindex" => Self::Sitemapindex,
            "image" => Self::Image,
            "video" => Self::Video,
            "news" => Self::News,
            "link" => Self::Link,
            "title" => Self::Title,
            "name" => Self::Name,
            "language" => Self::Language,
            "description" => Self::Description,
            "thumbnail_loc" => Self::ThumbnailLoc,
            "content_loc" => Self::ContentLoc,
            "player_loc" => Self::PlayerLoc,
            "duration" => Self::Duration,
            "publication_date" => Self::PublicationDate,
            "rss" => Self::Rss,
            "rdf" => Self::Rdf,
            "channel" => Self::Channel,
            "item" => Self::Item,
            "guid" => Self::Guid,
            "pubdate" => Self::PubDate,
            "date" => Self::Date,
            "feed" => Self::Feed,
            "entry" => Self::Entry,
            "id" => Self::Id,
            "updated" => Self::Updated,
            "modified" => Self::Modified,
            "published" => Self::Published,
            "issued" => Self::Issued,
            "html" | "head" | "body" => Self::Html,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_known_however_its_name_is_written() {
        for (name, element, prefix) in [
            ("loc", Element::Loc, ""),
            ("LOC", Element::Loc, ""),
            ("image:loc", Element::Loc, "image"),
            (" sm:Url\n", Element::Url, "sm"),
            ("loc/", Element::Loc, ""),
            ("loc a='b:c'", Element::Loc, ""),
            ("locs", Element::Other, ""),
            ("", Element::Other, ""),
        ] {
            assert_eq!(Element::of(name), (element, prefix), "{name:?}");
        }
    }
}
