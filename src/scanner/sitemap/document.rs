//! The meaning of a document's XML events: its kind, and its entries with their fields as written.
//!
//! Prefix and case of names are ignored. End tags are not needed: an entry ends where the next one begins. The reader
//! resolves and judges URLs.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};

use super::element::Element;
use super::entity::Declared;
use super::entry::{News, Video};
use super::field::{Field, Names, RawEntry, Scope, is_field, set_news, set_video};
use super::invisible::trim;

/// Maximum images, videos, news and alternates, of each kind, that are kept per entry.
const MAX_PARTS: usize = 1000;

/// The root element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Urlset,
    Index,
    Rss,
    Atom,
}

/// What is known of the document so far.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) root: Option<Root>,
    /// HTML was found before a root.
    pub(super) is_html: bool,
    /// The end tag of the root was read.
    pub(super) closed: bool,
    root_element: Option<Element>,
    declared: Declared,
    entry: Option<RawEntry>,
    /// Whether an element such as `<url>` is open; outside one, each loc is an entry.
    in_element: bool,
    scope: Option<Scope>,
    field: Field,
}

impl Document {
    /// Processes one event, and emits the entry that it completes.
    pub(super) fn take(&mut self, event: &Event<'_>, offset: u64, sink: &mut dyn FnMut(RawEntry)) {
        match event {
            // quick-xml ends a text before an `&`. If it begins no reference, the next text begins with it.
            Event::Text(text) if self.field.is_open => {
                if text.starts_with('&') {
                    self.push(text);
                } else {
                    self.field.push(text);
                }
            }
            Event::Start(tag) => self.start(tag, offset, sink),
            Event::End(tag) => self.end(tag.name().as_ref(), sink),
            Event::GeneralRef(name) if self.field.is_open => match &**name {
                "amp" => self.field.push("&"),
                name => self.push(&format!("&{name};")),
            },
            Event::Empty(tag) => {
                self.start(tag, offset, sink);
                self.end(tag.name().as_ref(), sink);
            }
            Event::CData(text) if self.field.is_open => self.field.push(text),
            Event::DocType(text) if self.root.is_none() => {
                let name = text.split_whitespace().next().unwrap_or_default();
                self.is_html |= name.eq_ignore_ascii_case("html");
                self.declared = Declared::read(text);
            }
            _ => {}
        }
    }

    /// Ends the document: an entry without its end tag counts if its loc is whole.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(RawEntry)) {
        self.field.is_open = false;
        self.close_entry(sink);
    }

    /// Resolves references in a text and adds it to the field.
    fn push(&mut self, text: &str) {
        let (text, used) = self.declared.resolve(text);
        self.field.push(&text);
        self.field.used = self.field.used.max(used);
    }

    fn start(&mut self, tag: &BytesStart<'_>, offset: u64, sink: &mut dyn FnMut(RawEntry)) {
        let name = tag.name();
        let (element, prefix) = Element::of(name.as_ref());
        let Some(root) = self.root else {
            return self.before_root(element, tag, offset, sink);
        };
        let is_sitemap = matches!(root, Root::Urlset | Root::Index);
        let names = match element {
            Element::Url if root == Root::Index => Some(Names::PageOrSitemap),
            Element::Url if root == Root::Urlset => Some(Names::Page),
            Element::Sitemap if is_sitemap => Some(Names::Sitemap),
            Element::Item if root == Root::Rss => Some(Names::Page),
            Element::Entry if root == Root::Atom => Some(Names::Page),
            _ => None,
        };
        if let Some(names) = names {
            self.close_entry(sink);
            let id = if root == Root::Rss {
                attribute(tag, "about")
            } else {
                None
            };
            self.open_entry(names, offset);
            self.in_element = true;
            if let (Some(entry), Some(id)) = (&mut self.entry, id) {
                entry.id = id.into_owned();
            }
            return;
        }
        let is_bare = !self.in_element && self.scope.is_none_or(|scope| scope == Scope::Entry);
        if element == Element::Loc && is_sitemap && is_bare {
            self.close_entry(sink);
            let is_index = root == Root::Index;
            self.open_entry(if is_index { Names::Sitemap } else { Names::Page }, offset);
        }
        self.inside_entry(root, prefix, element, tag);
    }

    fn open_entry(&mut self, names: Names, offset: u64) {
        self.scope = Some(Scope::Entry);
        self.entry = Some(RawEntry {
            names,
            offset,
            ..RawEntry::default()
        });
    }

    fn before_root(
        &mut self,
        element: Element,
        tag: &BytesStart<'_>,
        offset: u64,
        sink: &mut dyn FnMut(RawEntry),
    ) {
        if self.is_html {
            return;
        }
        let root = match element {
            Element::Html => {
                self.is_html = true;
                return;
            }
            Element::Urlset | Element::Url | Element::Sitemap => Root::Urlset,
            Element::Sitemapindex => Root::Index,
            Element::Rss | Element::Rdf | Element::Channel => Root::Rss,
            Element::Feed => Root::Atom,
            _ => return,
        };
        self.root = Some(root);
        self.root_element = Some(element);
        if matches!(element, Element::Url | Element::Sitemap) {
            self.start(tag, offset, sink);
        }
    }

    fn inside_entry(&mut self, root: Root, prefix: &str, element: Element, tag: &BytesStart<'_>) {
        let Some(scope) = self.scope else {
            return;
        };
        let wanted = is_field(root, scope, prefix, element);
        if wanted {
            self.close_field();
        }
        let Some(entry) = &mut self.entry else {
            return;
        };
        match (root, element) {
            (Root::Urlset | Root::Index, Element::Image) if entry.images.len() < MAX_PARTS => {
                self.scope = Some(Scope::Image);
            }
            (Root::Urlset | Root::Index, Element::Video) if entry.videos.len() < MAX_PARTS => {
                entry.videos.push(Video::default());
                self.scope = Some(Scope::Video);
            }
            (Root::Urlset | Root::Index, Element::News) if entry.news.len() < MAX_PARTS => {
                entry.news.push(News::default());
                self.scope = Some(Scope::News);
            }
            (Root::Urlset | Root::Index, Element::Link) => {
                if let (Some(language), Some(href)) = (attribute(tag, "hreflang"), attribute(tag, "href"))
                    && entry.alternates.len() < MAX_PARTS
                {
                    let href = self.declared.resolve(&href).0.into_owned();
                    if entry.has_room(language.len() + href.len()) {
                        entry.alternates.push((language.into_owned(), href));
                    }
                }
            }
            (Root::Atom, Element::Link) => {
                let relation = attribute(tag, "rel");
                let is_page = relation.is_none_or(|relation| relation.eq_ignore_ascii_case("alternate"));
                if is_page && entry.loc.is_empty() {
                    let href = attribute(tag, "href").unwrap_or_default();
                    let (href, used) = self.declared.resolve(&href);
                    entry.loc = trim(&href).to_owned();
                    entry.entities = Some(used);
                }
            }
            (_, Element::Guid) if wanted => {
                let is_link = attribute(tag, "isPermaLink");
                if is_link.is_none_or(|is_link| !is_link.eq_ignore_ascii_case("false")) {
                    self.field.open(element);
                }
            }
            _ if wanted => self.field.open(element),
            _ => {}
        }
    }

    fn end(&mut self, name: &str, sink: &mut dyn FnMut(RawEntry)) {
        let (element, _) = Element::of(name);
        if self.field.is_open && self.field.element == element {
            self.close_field();
            return;
        }
        match element {
            Element::Image | Element::Video | Element::News if self.scope.is_some() => {
                self.scope = Some(Scope::Entry);
            }
            Element::Url | Element::Sitemap | Element::Item | Element::Entry => self.close_entry(sink),
            _ => {}
        }
        if self.root_element == Some(element) {
            self.close_entry(sink);
            self.closed = true;
        }
    }

    fn close_field(&mut self) {
        let was_open = std::mem::replace(&mut self.field.is_open, false);
        let (true, Some(entry), Some(scope)) = (was_open, &mut self.entry, self.scope) else {
            return;
        };
        let (element, used) = (self.field.element, self.field.used);
        let Some(text) = self.field.text().filter(|text| entry.has_room(text.len())) else {
            return;
        };
        match scope {
            Scope::Entry => entry.set(element, text, used),
            Scope::Image => entry.images.push(text.to_owned()),
            Scope::Video => {
                if let Some(video) = entry.videos.last_mut() {
                    set_video(video, element, text);
                }
            }
            Scope::News => {
                if let Some(news) = entry.news.last_mut() {
                    set_news(news, element, text);
                }
            }
        }
    }

    fn close_entry(&mut self, sink: &mut dyn FnMut(RawEntry)) {
        self.close_field();
        self.scope = None;
        self.in_element = false;
        if let Some(mut entry) = self.entry.take() {
            if entry.loc.is_empty() {
                entry.loc = std::mem::take(&mut entry.id);
            }
            if !entry.loc.is_empty() {
                sink(entry);
            }
        }
    }
}

/// The value of an attribute by its local name, references unresolved.
fn attribute<'a>(tag: &'a BytesStart<'_>, wanted: &str) -> Option<Cow<'a, str>> {
    // Checking for duplicate attributes would take quadratic time.
    let mut attributes = tag.html_attributes();
    attributes.with_checks(false).flatten().find_map(|attribute| {
        let name: &str = attribute.key.as_ref();
        let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
        local.eq_ignore_ascii_case(wanted).then_some(attribute.value)
    })
}
