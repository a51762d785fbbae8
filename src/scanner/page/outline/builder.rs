//! Builds an outline during one walk through the tree.

mod texts;

use std::cell::OnceCell;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{ElementRef, Html, Node};
use url::Url;

use super::names::{
    is_at_sign, is_by_others, is_called_logo, is_footer, is_frame, is_header, is_heading_of_others,
    is_of_fax, is_of_others, sign_of,
};
use super::picture::{of_set, of_style, picture};
use super::sections::Sections;
use super::text::{append, one_line};
use super::unseen::{Hidden, is_decoy};
use super::{Anchor, Image, Link, Outline};
use crate::scanner::page::tree::{attribute, has_word, raw};
use crate::scanner::site::registrable;
use crate::values::findings::Performance;

/// Limits on what is kept of one page.
const MAX_TEXT: usize = 1024 * 1024;
const MAX_ITEMS: usize = 5_000;
const MAX_ANCHOR_TEXT: usize = 300;
const MAX_HEADINGS: usize = 20;

/// Number of first pictures among which the logo is expected, if nothing else identifies it.
const EARLY_IMAGES: usize = 3;

/// Collects the facts during the walk.
pub(super) struct Builder {
    outline: Outline,
    has_base: bool,
    anchor: Option<OpenAnchor>,
    heading: Option<(NodeId, String)>,
    /// An open lower-level heading, and the container that it belongs to.
    subheading: Option<(NodeId, Option<NodeId>, String)>,
    /// The outermost open element of its kind.
    header: Option<NodeId>,
    logo: Option<NodeId>,
    frame: Option<NodeId>,
    footer: Option<NodeId>,
    by_others: Option<NodeId>,
    others: Option<NodeId>,
    /// The first source of the open `<picture>`.
    source: Option<String>,
    /// The open inline element that is not shown.
    unseen: Option<NodeId>,
    /// The open template. Scripts may render it later; as written, it is not part of the page.
    template: Option<NodeId>,
    hidden: Hidden,
    /// The open element that holds contacts that nobody sees.
    decoy: Option<NodeId>,
    sections: Sections,
}

struct OpenAnchor {
    node: NodeId,
    anchor: Anchor,
    is_home: bool,
    /// To another site.
    leads_away: bool,
}

impl Builder {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            outline: Outline {
                url: url.clone(),
                base: url.clone(),
                language: None,
                title: None,
                metas: Vec::new(),
                links: Vec::new(),
                anchors: Vec::new(),
                images: Vec::new(),
                assets: Vec::new(),
                script_urls: Vec::new(),
                json_ld: Vec::new(),
                scripts: Vec::new(),
                styles: Vec::new(),
                comments: Vec::new(),
                headings: Vec::new(),
                cloudflare_emails: Vec::new(),
                text: String::new(),
                sections: Vec::new(),
                breaks: Vec::new(),
                of_others: OnceCell::new(),
                counts: Performance::default(),
                tree: Html::new_document(),
                has_drawn_logo: false,
                is_cut: false,
            },
            has_base: false,
            anchor: None,
            heading: None,
            subheading: None,
            header: None,
            logo: None,
            frame: None,
            footer: None,
            by_others: None,
            others: None,
            source: None,
            unseen: None,
            template: None,
            hidden: Hidden::default(),
            decoy: None,
            sections: Sections::default(),
        }
    }

    pub(super) fn walk(&mut self, html: &Html) {
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(_) if self.template.is_some() => {}
                Edge::Open(node) => match node.value() {
                    Node::Element(element) if is_inert(element) => self.template = Some(node.id()),
                    Node::Element(element) => self.open(node, element),
                    Node::Text(text) => self.text(node, &text.text),
                    _ => {}
                },
                Edge::Close(node) if self.template.is_some() => {
                    self.template.take_if(|template| *template == node.id());
                }
                Edge::Close(node) => {
                    if let Node::Element(element) = node.value() {
                        self.close(node.id(), element.name());
                    }
                }
            }
        }
    }

    pub(super) fn finish(mut self) -> Outline {
        self.outline.sections = self.sections.finish();
        self.outline
    }

    fn open(&mut self, place: NodeRef<'_, Node>, element: &Element) {
        let node = place.id();
        self.outline.counts.total_elements += 1;
        self.sections.enter();
        if self.decoy.is_none() && ElementRef::wrap(place).is_some_and(is_decoy) {
            self.decoy = Some(node);
        }
        if let Some(code) = attribute(element, "data-cfemail").filter(|_| self.decoy.is_none()) {
            push(&mut self.outline.cloudflare_emails, code.to_owned());
        }
        if holds_others(element.name()) {
            let begins = |scope: &mut Option<NodeId>, is_one: fn(&Element) -> bool| {
                if scope.is_none() && is_one(element) {
                    *scope = Some(node);
                }
            };
            begins(&mut self.logo, is_called_logo);
            begins(&mut self.frame, is_frame);
            begins(&mut self.footer, is_footer);
            begins(&mut self.by_others, is_by_others);
            begins(&mut self.others, is_of_others);
            begins(&mut self.header, is_header);
        }
        match element.name() {
            "html" | "body" if self.outline.language.is_none() => {
                let language = attribute(element, "lang").or_else(|| attribute(element, "xml:lang"));
                self.outline.language = language.map(str::to_owned);
            }
            "base" => self.set_base(element),
            "meta" => self.meta(element),
            "link" => self.link(element),
            "script" => self.script(element),
            "h1" if self.heading.is_none() => self.heading = Some((node, String::new())),
            "h2" | "h3" | "h4" | "h5" | "h6" if self.subheading.is_none() => {
                let parent = place.parent().filter(|parent| {
                    let parent = parent.value().as_element();
                    parent.is_some_and(|parent| !matches!(parent.name(), "html" | "body" | "main"))
                });
                self.subheading = Some((node, parent.map(|parent| parent.id()), String::new()));
            }
            "a" if is_leftover(place, element) => self.outline.counts.link_count += 1,
            "a" => self.open_anchor(node, element),
            "area" => self.area(element),
            "img" => {
                self.image(element);
                self.sign(element);
            }
            "svg" => {
                self.drawing();
                self.sign(element);
            }
            "i" | "span" => self.sign(element),
            "source" if self.source.is_none() => self.source = of_set(element).map(str::to_owned),
            "iframe" => self.asset(element, "src"),
            "form" => self.outline.counts.form_count += 1,
            _ => {}
        }
        self.background(element);
        // Two line breaks in a row end a paragraph.
        let at = self.outline.text.len();
        if element.name() == "br" && self.outline.breaks.last().is_some_and(|last| last.at == at) {
            self.note_break(true);
        }
        self.break_text(element.name());
        let is_frame = self.frame == Some(node) || self.footer == Some(node);
        if let Some(level) = is_frame.then_some(0).or_else(|| heading_level(element.name())) {
            self.sections.begin(self.outline.text.len(), level);
        }
        // On the line of the element's own text, so that it does not affect the lines below.
        if is_of_fax(element) && self.outline.text.len() < MAX_TEXT {
            self.outline.text.push('📠');
        }
        if self.outline.text.len() < MAX_TEXT {
            self.outline.text.extend(sign_of(element));
        }
        // Hidden inline text is there to spoil what robots read. Hidden blocks are usually menus and dialogs that
        // scripts open, so their text counts.
        if self.unseen.is_none()
            && is_inline(element.name())
            && ElementRef::wrap(place).is_some_and(|place| self.hidden.has_at(place))
        {
            self.unseen = Some(node);
        }
    }

    fn close(&mut self, node: NodeId, name: &str) {
        if name == "picture" {
            self.source = None;
        }
        self.close_anchor(node);
        self.close_heading(node);
        self.close_subheading(node);
        for scope in [
            &mut self.header,
            &mut self.logo,
            &mut self.frame,
            &mut self.footer,
            &mut self.by_others,
            &mut self.others,
            &mut self.unseen,
            &mut self.decoy,
        ] {
            if *scope == Some(node) {
                *scope = None;
            }
        }
        self.sections
            .leave(&self.outline.text, heading_level(name).is_some());
        self.break_text(name);
    }

    fn set_base(&mut self, element: &Element) {
        if let (false, Some(base)) = (self.has_base, attribute(element, "href"))
            && let Ok(base) = self.outline.base.join(base)
            && matches!(base.scheme(), "http" | "https")
        {
            self.has_base = true;
            self.outline.base = base;
        }
    }

    fn meta(&mut self, element: &Element) {
        let Some(content) = attribute(element, "content") else {
            return;
        };
        for name in ["name", "property", "itemprop", "http-equiv"] {
            if let Some(name) = attribute(element, name) {
                push(
                    &mut self.outline.metas,
                    (name.to_ascii_lowercase(), content.to_owned()),
                );
            }
        }
    }

    fn link(&mut self, element: &Element) {
        let rel = attribute(element, "rel").unwrap_or_default().to_ascii_lowercase();
        let is_style_sheet = has_word(element, "rel", "stylesheet");
        if is_style_sheet {
            self.outline.counts.css_count += 1;
        }
        if is_style_sheet || rel.contains("preload") || rel == "https://api.w.org/" {
            self.asset(element, "href");
        }
        let text = |name| attribute(element, name).unwrap_or_default();
        let link = Link {
            rel,
            href: text("href").to_owned(),
            media_type: text("type").to_ascii_lowercase(),
            sizes: text("sizes").to_owned(),
        };
        if !link.href.is_empty() {
            push(&mut self.outline.links, link);
        }
    }

    fn script(&mut self, element: &Element) {
        self.outline.counts.script_count += 1;
        self.asset(element, "src");
        if let Some(url) = attribute(element, "src") {
            push(&mut self.outline.script_urls, url.to_owned());
        }
    }

    fn asset(&mut self, element: &Element, name: &str) {
        if let Some(url) = attribute(element, name) {
            push(&mut self.outline.assets, url.to_owned());
        }
    }

    fn open_anchor(&mut self, node: NodeId, element: &Element) {
        self.outline.counts.link_count += 1;
        let Some(href) = attribute(element, "href") else {
            return;
        };
        let target = self.outline.base.join(href).ok();
        let is_home =
            !href.starts_with('#') && target.as_ref().is_some_and(|url| is_home(url, &self.outline.url));
        let leads_away = target.is_some_and(|url| {
            let site = |url: &Url| url.host_str().map(|host| registrable(host).to_owned());
            matches!(url.scheme(), "http" | "https") && site(&url) != site(&self.outline.base)
        });
        let label = attribute(element, "aria-label").or_else(|| attribute(element, "title"));
        // An address is a separate word, even if nothing separates it from its neighbours.
        if href.starts_with("mailto:") {
            self.outline.text.push('\n');
        }
        if href.starts_with("fax:") {
            self.outline.text.push_str("\n📠");
        }
        self.anchor = Some(OpenAnchor {
            node,
            is_home,
            leads_away,
            anchor: Anchor {
                href: href.to_owned(),
                text: label.unwrap_or_default().to_owned(),
                at: self.outline.text.len(),
                in_frame: self.frame.is_some(),
                is_by_others: self.by_others.is_some(),
                is_decoy: self.decoy.is_some(),
            },
        });
    }

    fn area(&mut self, element: &Element) {
        let Some(href) = attribute(element, "href") else {
            return;
        };
        let anchor = Anchor {
            href: href.to_owned(),
            text: attribute(element, "alt").unwrap_or_default().to_owned(),
            at: self.outline.text.len(),
            in_frame: self.frame.is_some(),
            is_by_others: self.by_others.is_some(),
            is_decoy: self.decoy.is_some(),
        };
        push(&mut self.outline.anchors, anchor);
    }

    fn close_anchor(&mut self, node: NodeId) {
        if let Some(OpenAnchor { mut anchor, .. }) = self.anchor.take_if(|open| open.node == node) {
            if anchor.href.starts_with("mailto:") || anchor.href.starts_with("fax:") {
                self.outline.text.push('\n');
            }
            anchor.text = one_line(&anchor.text);
            push(&mut self.outline.anchors, anchor);
        }
    }

    fn close_heading(&mut self, node: NodeId) {
        if let Some((_, heading)) = self.heading.take_if(|(open, _)| *open == node) {
            let heading = one_line(&heading);
            if !heading.is_empty() && self.outline.headings.len() < MAX_HEADINGS {
                self.outline.headings.push(heading);
            }
        }
    }

    fn close_subheading(&mut self, node: NodeId) {
        let Some((_, parent, heading)) = self.subheading.take_if(|(open, ..)| *open == node) else {
            return;
        };
        if self.others.is_none() && is_heading_of_others(&one_line(&heading)) {
            self.others = parent;
        }
    }

    /// A logo that is drawn in the page itself.
    fn drawing(&mut self) {
        let is_home = self.anchor.as_ref().is_some_and(|open| open.is_home);
        self.outline.has_drawn_logo |= is_home && (self.logo.is_some() || self.header.is_some());
    }

    /// A logo that is the background of its element.
    fn background(&mut self, element: &Element) {
        let is_logo = self.logo.is_some() && self.anchor.as_ref().is_some_and(|open| open.is_home);
        if let Some(src) = raw(element, "style").filter(|_| is_logo).and_then(of_style) {
            let image = self.picture_of(element, src, "");
            push(&mut self.outline.images, image);
        }
    }

    fn image(&mut self, element: &Element) {
        self.outline.counts.image_count += 1;
        let src = picture(element);
        let alt = attribute(element, "alt").unwrap_or_default();
        if let (Some(open), false) = (&mut self.anchor, alt.is_empty()) {
            append(&mut open.anchor.text, alt, MAX_ANCHOR_TEXT);
        }
        let Some(src) = src.or(self.source.as_deref()) else {
            return;
        };
        let image = self.picture_of(element, src, alt);
        push(&mut self.outline.images, image);
    }

    /// A picture in the current element.
    fn picture_of(&self, element: &Element, src: &str, alt: &str) -> Image {
        let class = attribute(element, "class").unwrap_or_default();
        let id = attribute(element, "id").unwrap_or_default();
        Image {
            has_logo_class: ["logo", "site-logo", "custom-logo"]
                .iter()
                .any(|word| has_word(element, "class", word))
                || id.eq_ignore_ascii_case("logo")
                || has_word(element, "itemprop", "logo"),
            names: format!("{class} {id} {alt}").to_ascii_lowercase(),
            alt: alt.to_owned(),
            in_logo: self.logo.is_some(),
            in_header: self.header.is_some(),
            in_footer: self.footer.is_some(),
            of_others: self.others.is_some(),
            in_link_away: self.anchor.as_ref().is_some_and(|open| open.leads_away),
            in_home_link: self.anchor.as_ref().is_some_and(|open| open.is_home),
            in_heading: self.heading.is_some(),
            is_early: self.outline.images.len() < EARLY_IMAGES,
            src: src.to_owned(),
        }
    }

    /// Adds an `@` for a picture of one, if it follows a possible local part of an email address.
    fn sign(&mut self, element: &Element) {
        let shown = &mut self.outline.text;
        let is_behind_word = shown
            .trim_end_matches(' ')
            .ends_with(|last: char| last.is_ascii_alphanumeric());
        if is_behind_word && shown.len() < MAX_TEXT && self.unseen.is_none() && is_at_sign(element) {
            shown.push('@');
        }
    }
}

/// Whether browsers show nothing of an element's content: a template that is not the shadow root of its parent.
fn is_inert(element: &Element) -> bool {
    element.name() == "template" && raw(element, "shadowrootmode").is_none()
}

/// Whether an element can contain something that is only a part of the page.
fn holds_others(name: &str) -> bool {
    !matches!(
        name,
        "html" | "body" | "img" | "br" | "input" | "meta" | "link" | "hr" | "source" | "path" | "use"
    )
}

/// Whether a `tel:` link is an editor's leftover: it directly follows another one and contains only whitespace.
fn is_leftover(place: NodeRef<'_, Node>, anchor: &Element) -> bool {
    let is_tel = |element: &Element| raw(element, "href").is_some_and(|href| href.starts_with("tel:"));
    let is_blank = |node: NodeRef<'_, Node>| {
        let text = node.value().as_text();
        text.is_some_and(|text| text.chars().all(char::is_whitespace))
    };
    is_tel(anchor)
        && place.has_children()
        && place.children().all(is_blank)
        && place
            .prev_sibling()
            .is_some_and(|before| before.value().as_element().is_some_and(is_tel))
}

fn heading_level(name: &str) -> Option<u8> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

/// Whether an element may occur inside a word.
fn is_inline(name: &str) -> bool {
    matches!(name, "span" | "i" | "b" | "em" | "small" | "strong")
}

/// Whether a URL is the home page of the site, or the home page in the language that the page belongs to.
fn is_home(url: &Url, page: &Url) -> bool {
    let host = |url: &Url| {
        url.host_str()
            .map(|host| host.trim_start_matches("www.").to_owned())
    };
    let path = url.path().trim_matches('/');
    let is_index = || {
        let (stem, extension) = path.split_once('.').unwrap_or_default();
        matches!(stem, "index" | "default" | "home") && extension.len() < 6
    };
    let is_language = || {
        let is_code = path.len() == 2 || path.len() == 5 && matches!(path.as_bytes()[2], b'-' | b'_');
        is_code && page.path().trim_start_matches('/').split('/').next() == Some(path)
    };
    host(url) == host(page) && url.query().is_none() && (path.is_empty() || is_index() || is_language())
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_ITEMS {
        list.push(item);
    }
}
