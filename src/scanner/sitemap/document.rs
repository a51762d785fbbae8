//! What the tokens of a document mean: its kind, and its entries with their fields still as written.
//!
//! Names count without prefix and case, structure without end tags: an entry ends where the next begins. URLs are
//! resolved and judged in the reader.

use std::borrow::Cow;

use super::entity::Declared;
use super::field::{Field, MAX_FIELD, RawEntry, Scope, is_field, set_news, set_video};
use super::tokens::{Tag, Token};

/// Images, videos, alternates and such that are kept of one entry.
const MAX_PARTS: usize = 1000;

/// The root element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Urlset,
    Index,
    Rss,
    Atom,
}

/// The document so far.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) root: Option<Root>,
    /// HTML came where a root was expected.
    pub(super) is_html: bool,
    /// The end tag of the root came.
    pub(super) closed: bool,
    root_name: String,
    declared: Declared,
    entry: Option<RawEntry>,
    scope: Option<Scope>,
    field: Field,
}

impl Document {
    /// Takes one token; an entry that it completes is handed on.
    pub(super) fn take(&mut self, token: Token<'_>, offset: u64, sink: &mut dyn FnMut(RawEntry)) {
        match token {
            Token::Text(text) => {
                if self.field.is_open {
                    let (text, used) = self.declared.resolve(text);
                    self.field.push(&text);
                    self.field.used = self.field.used.max(used);
                }
            }
            Token::CData(text) => {
                if self.field.is_open {
                    self.field.push(text);
                }
            }
            Token::Doctype(text) if self.root.is_none() => {
                self.is_html |= second_word(text).eq_ignore_ascii_case("html");
                self.declared = Declared::read(text);
            }
            Token::Doctype(_) => {}
            Token::Start(tag) => {
                self.start(tag, offset, sink);
                if tag.empty {
                    self.end(tag, sink);
                }
            }
            Token::End(tag) => self.end(tag, sink),
        }
    }

    /// Ends the document: an entry without its end tag counts if its loc is whole.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(RawEntry)) {
        self.field.is_open = false;
        self.close_entry(sink);
    }

    fn start(&mut self, tag: Tag<'_>, offset: u64, sink: &mut dyn FnMut(RawEntry)) {
        let (prefix, local) = tag.prefix_and_local();
        let local = lower(local);
        let Some(root) = self.root else {
            return self.before_root(&local, tag, offset, sink);
        };
        let begins_entry = match root {
            Root::Urlset | Root::Index => matches!(&*local, "url" | "sitemap"),
            Root::Rss => local == "item",
            Root::Atom => local == "entry",
        };
        if begins_entry {
            self.close_entry(sink);
            self.scope = Some(Scope::Entry);
            self.entry = Some(RawEntry {
                is_child: root == Root::Index || local == "sitemap",
                offset,
                id: tag.attribute("about").unwrap_or_default().to_owned(),
                ..RawEntry::default()
            });
            return;
        }
        if local == "loc" && self.entry.is_none() && matches!(root, Root::Urlset | Root::Index) {
            self.scope = Some(Scope::Entry);
            self.entry = Some(RawEntry {
                is_child: root == Root::Index,
                offset,
                ..RawEntry::default()
            });
        }
        self.inside_entry(root, prefix, &local, tag);
    }

    fn before_root(&mut self, local: &str, tag: Tag<'_>, offset: u64, sink: &mut dyn FnMut(RawEntry)) {
        if self.is_html {
            return;
        }
        let root = match local {
            "html" | "head" | "body" => {
                self.is_html = true;
                return;
            }
            "urlset" | "url" | "sitemap" => Root::Urlset,
            "sitemapindex" => Root::Index,
            "rss" | "rdf" | "channel" => Root::Rss,
            "feed" => Root::Atom,
            _ => return,
        };
        self.root = Some(root);
        local.clone_into(&mut self.root_name);
        if matches!(local, "url" | "sitemap") {
            self.start(tag, offset, sink);
        }
    }

    fn inside_entry(&mut self, root: Root, prefix: &str, local: &str, tag: Tag<'_>) {
        let Some(scope) = self.scope else {
            return;
        };
        let wanted = is_field(root, scope, prefix, local);
        if wanted {
            self.close_field();
        }
        let Some(entry) = &mut self.entry else {
            return;
        };
        match (root, local) {
            (Root::Urlset | Root::Index, "image") if entry.images.len() < MAX_PARTS => {
                self.scope = Some(Scope::Image);
            }
            (Root::Urlset | Root::Index, "video") if entry.videos.len() < MAX_PARTS => {
                entry.videos.push(super::entry::Video::default());
                self.scope = Some(Scope::Video);
            }
            (Root::Urlset | Root::Index, "news") if entry.news.len() < MAX_PARTS => {
                entry.news.push(super::entry::News::default());
                self.scope = Some(Scope::News);
            }
            (Root::Urlset | Root::Index, "link") => {
                if let (Some(language), Some(href)) = (tag.attribute("hreflang"), tag.attribute("href"))
                    && entry.alternates.len() < MAX_PARTS
                {
                    let href = self.declared.resolve(href).0.into_owned();
                    entry.alternates.push((language.to_owned(), href));
                }
            }
            (Root::Atom, "link") => {
                let relation = tag.attribute("rel").unwrap_or("alternate");
                if relation.eq_ignore_ascii_case("alternate") && entry.loc.is_empty() {
                    let (href, used) = self.declared.resolve(tag.attribute("href").unwrap_or_default());
                    entry.loc = href.trim().to_owned();
                    entry.entities = Some(used);
                }
            }
            _ if wanted => {
                let not_a_link = tag
                    .attribute("isPermaLink")
                    .is_some_and(|value| value.eq_ignore_ascii_case("false"));
                if !not_a_link {
                    self.field.open(local);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: Tag<'_>, sink: &mut dyn FnMut(RawEntry)) {
        let local = lower(tag.prefix_and_local().1);
        if self.field.is_open && self.field.name == local {
            self.close_field();
            return;
        }
        match &*local {
            "image" | "video" | "news" if self.scope.is_some() => self.scope = Some(Scope::Entry),
            "url" | "sitemap" | "item" | "entry" => self.close_entry(sink),
            _ => {}
        }
        if local == self.root_name {
            self.close_entry(sink);
            self.closed = true;
        }
    }

    fn close_field(&mut self) {
        let was_open = std::mem::replace(&mut self.field.is_open, false);
        let (true, Some(entry), Some(scope)) = (was_open, &mut self.entry, self.scope) else {
            return;
        };
        let field = &self.field;
        let text = field.text.trim();
        if text.is_empty() || text.len() > MAX_FIELD {
            return;
        }
        let text = text.to_owned();
        match scope {
            Scope::Entry => entry.set(&field.name, text, field.used),
            Scope::Image => entry.images.push(text),
            Scope::Video => {
                if let Some(video) = entry.videos.last_mut() {
                    set_video(video, &field.name, text);
                }
            }
            Scope::News => {
                if let Some(news) = entry.news.last_mut() {
                    set_news(news, &field.name, text);
                }
            }
        }
    }

    fn close_entry(&mut self, sink: &mut dyn FnMut(RawEntry)) {
        self.close_field();
        self.scope = None;
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

/// Names are lower case but for the odd document.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn second_word(text: &str) -> &str {
    text.split_whitespace().nth(1).unwrap_or_default()
}
