//! The fields of an entry, and which elements hold them.

use super::document::Root;
use super::element::Element;
use super::entity::Use;
use super::entry::{News, Video};
use super::invisible::{trim, trim_start};
use super::xml::floor_boundary;

/// Maximum bytes of a field: longer texts are not locs, titles or dates.
const MAX_FIELD: usize = 8 * 1024;

/// What an entry names, according to its element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Names {
    #[default]
    Page,
    Sitemap,
    /// A `<url>` in an index: a sitemap if its loc looks like one.
    PageOrSitemap,
}

/// The fields of one entry, references resolved.
#[derive(Debug, Default)]
pub(super) struct RawEntry {
    pub(super) names: Names,
    pub(super) offset: u64,
    pub(super) loc: String,
    /// RSS `guid`, RDF `about`, Atom `id`: the loc if there is no other.
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
    /// Bytes of all its texts.
    pub(super) size: usize,
    /// How many texts were skipped because there was no room.
    pub(super) left_out: u64,
}

/// Maximum bytes of all texts of one entry: enough for a thousand images or alternates with ordinary URLs.
pub(super) const MAX_ENTRY: usize = 512 * 1024;

/// What is being read: the entry itself, or an element of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Entry,
    Image,
    Video,
    News,
}

/// The text of the open element. One value is reused for all elements of a document.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) is_open: bool,
    pub(super) element: Element,
    text: String,
    is_too_long: bool,
    pub(super) used: Use,
}

impl Default for Field {
    fn default() -> Self {
        Self {
            is_open: false,
            element: Element::Other,
            text: String::new(),
            is_too_long: false,
            used: Use::None,
        }
    }
}

impl Field {
    /// Begins the text of an element.
    pub(super) fn open(&mut self, element: Element) {
        self.is_open = true;
        self.element = element;
        self.text.clear();
        self.is_too_long = false;
        self.used = Use::None;
    }

    /// Adds text. Whitespace before and after the field, however long, does not count.
    pub(super) fn push(&mut self, text: &str) {
        let text = if self.text.is_empty() {
            trim_start(text)
        } else {
            text
        };
        let room = floor_boundary(text, text.len().min(MAX_FIELD - self.text.len()));
        let (text, rest) = text.split_at(room);
        self.text.push_str(text);
        self.is_too_long |= !trim_start(rest).is_empty();
    }

    /// The text, unless it is empty or too long.
    pub(super) fn text(&self) -> Option<&str> {
        let text = trim(&self.text);
        (!text.is_empty() && !self.is_too_long).then_some(text)
    }
}

impl RawEntry {
    /// Reserves room for a text; returns whether there is enough.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let fits = self.size + bytes <= MAX_ENTRY;
        if fits {
            self.size += bytes;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Sets a field. If a field is set several times, the first value counts.
    pub(super) fn set(&mut self, element: Element, text: &str, used: Use) {
        let place = match element {
            Element::Loc | Element::Link => {
                if self.loc.is_empty() {
                    self.entities = Some(used);
                }
                &mut self.loc
            }
            Element::Guid | Element::Id => &mut self.id,
            Element::Changefreq => &mut self.changefreq,
            Element::Priority => &mut self.priority,
            // In Atom, `updated` takes precedence over `published`, in whichever order they come.
            Element::Updated | Element::Modified => {
                self.lastmod = String::from(text);
                return;
            }
            _ => &mut self.lastmod,
        };
        if place.is_empty() {
            *place = String::from(text);
        }
    }
}

/// Whether an element's text is wanted. A prefix makes `media:title` or `atom:link` something else, but the main
/// elements of a sitemap may have one.
pub(super) fn is_field(root: Root, scope: Scope, prefix: &str, element: Element) -> bool {
    match (root, scope) {
        (Root::Urlset | Root::Index, Scope::Entry) => matches!(
            element,
            Element::Loc | Element::Lastmod | Element::Changefreq | Element::Priority
        ),
        (_, Scope::Image) => element == Element::Loc,
        (_, Scope::Video) => matches!(
            element,
            Element::Title
                | Element::Description
                | Element::ThumbnailLoc
                | Element::ContentLoc
                | Element::PlayerLoc
                | Element::Duration
                | Element::PublicationDate
        ),
        (_, Scope::News) => matches!(
            element,
            Element::Title | Element::Name | Element::Language | Element::PublicationDate
        ),
        (Root::Rss, Scope::Entry) => match element {
            Element::Link | Element::Guid => prefix.is_empty() || prefix == "rss",
            Element::PubDate | Element::Date => true,
            _ => false,
        },
        (Root::Atom, Scope::Entry) => matches!(
            element,
            Element::Id | Element::Updated | Element::Modified | Element::Published | Element::Issued
        ),
    }
}

pub(super) fn set_video(video: &mut Video, element: Element, text: &str) {
    let place = match element {
        Element::Title => &mut video.title,
        Element::Description => &mut video.description,
        Element::ThumbnailLoc => &mut video.thumbnail_loc,
        Element::ContentLoc => &mut video.content_loc,
        Element::PlayerLoc => &mut video.player_loc,
        Element::Duration => &mut video.duration,
        _ => &mut video.publication_date,
    };
    place.get_or_insert_with(|| text.to_owned());
}

pub(super) fn set_news(news: &mut News, element: Element, text: &str) {
    let place = match element {
        Element::Title => &mut news.title,
        Element::Name => &mut news.publication,
        Element::Language => &mut news.language,
        _ => &mut news.publication_date,
    };
    place.get_or_insert_with(|| text.to_owned());
}
