//! The fields of an entry, and which elements hold them.

use super::document::Root;
use super::entity::Use;
use super::entry::{News, Video};

/// Text past this length is no loc, title or date.
pub(super) const MAX_FIELD: usize = 8 * 1024;

/// The fields of one entry, references resolved.
#[derive(Debug, Default)]
pub(super) struct RawEntry {
    /// `<sitemap>` rather than `<url>`.
    pub(super) is_child: bool,
    pub(super) offset: u64,
    pub(super) loc: String,
    /// RSS `guid`, Atom `id`: the loc if there is no better.
    pub(super) id: String,
    pub(super) lastmod: String,
    pub(super) changefreq: String,
    pub(super) priority: String,
    pub(super) images: Vec<String>,
    pub(super) videos: Vec<Video>,
    pub(super) news: Vec<News>,
    /// hreflang and href.
    pub(super) alternates: Vec<(String, String)>,
    /// Whether the loc uses declared entities.
    pub(super) entities: Option<Use>,
}

/// Which extension's element we are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Entry,
    Image,
    Video,
    News,
}

/// The text of an element whose end has not come. One is used for all elements of a document.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) is_open: bool,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) used: Use,
}

impl Default for Field {
    fn default() -> Self {
        Self {
            is_open: false,
            name: String::new(),
            text: String::new(),
            used: Use::None,
        }
    }
}

impl Field {
    /// Begins the text of an element.
    pub(super) fn open(&mut self, name: &str) {
        self.is_open = true;
        name.clone_into(&mut self.name);
        self.text.clear();
        self.used = Use::None;
    }

    pub(super) fn push(&mut self, text: &str) {
        if self.text.len() <= MAX_FIELD {
            self.text.push_str(text);
        }
    }
}

impl RawEntry {
    /// The first of each field counts.
    pub(super) fn set(&mut self, name: &str, text: String, used: Use) {
        let place = match name {
            "loc" | "link" => {
                if self.loc.is_empty() {
                    self.entities = Some(used);
                }
                &mut self.loc
            }
            "guid" | "id" => &mut self.id,
            "changefreq" => &mut self.changefreq,
            "priority" => &mut self.priority,
            // Atom's `published` comes before `updated` or after it; the later word counts.
            "updated" | "modified" => {
                self.lastmod = text;
                return;
            }
            _ => &mut self.lastmod,
        };
        if place.is_empty() {
            *place = text;
        }
    }
}

/// Whether an element's text is wanted. A prefix makes `media:title` or `atom:link` something else, but the main
/// elements of a sitemap may carry one.
pub(super) fn is_field(root: Root, scope: Scope, prefix: &str, local: &str) -> bool {
    match (root, scope) {
        (Root::Urlset | Root::Index, Scope::Entry) => {
            matches!(local, "loc" | "lastmod" | "changefreq" | "priority")
        }
        (_, Scope::Image) => local == "loc",
        (_, Scope::Video) => matches!(
            local,
            "title"
                | "description"
                | "thumbnail_loc"
                | "content_loc"
                | "player_loc"
                | "duration"
                | "publication_date"
        ),
        (_, Scope::News) => matches!(local, "title" | "name" | "language" | "publication_date"),
        (Root::Rss, Scope::Entry) => match local {
            "link" | "guid" => prefix.is_empty() || prefix == "rss",
            "pubdate" | "date" => true,
            _ => false,
        },
        (Root::Atom, Scope::Entry) => {
            matches!(local, "id" | "updated" | "modified" | "published" | "issued")
        }
    }
}

pub(super) fn set_video(video: &mut Video, name: &str, text: String) {
    let place = match name {
        "title" => &mut video.title,
        "description" => &mut video.description,
        "thumbnail_loc" => &mut video.thumbnail_loc,
        "content_loc" => &mut video.content_loc,
        "player_loc" => &mut video.player_loc,
        "duration" => &mut video.duration,
        _ => &mut video.publication_date,
    };
    place.get_or_insert(text);
}

pub(super) fn set_news(news: &mut News, name: &str, text: String) {
    let place = match name {
        "title" => &mut news.title,
        "name" => &mut news.publication,
        "language" => &mut news.language,
        _ => &mut news.publication_date,
    };
    place.get_or_insert(text);
}
