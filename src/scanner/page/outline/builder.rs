//! Builds an outline from the pieces of a page.

use url::Url;

use super::scope::{Scope, is_called_comments, is_called_logo, is_footer, is_frame};
use super::unseen::Hidden;
use super::{Anchor, Image, Link, Outline};
use crate::scanner::page::characters::is_invisible;
use crate::scanner::page::html::{Piece, StartTag};
use crate::scanner::references::resolve_html;
use crate::values::findings::Performance;

/// Bounds of what is kept of one page.
const MAX_TEXT: usize = 1024 * 1024;
const MAX_ITEMS: usize = 5_000;
const MAX_ANCHOR_TEXT: usize = 300;
const MAX_TITLE: usize = 2_000;

/// Collects piece by piece.
pub(super) struct Builder<'a> {
    outline: Outline<'a>,
    has_base: bool,
    /// The raw text element whose content comes next.
    raw: Raw,
    open_anchor: Option<Anchor>,
    open_heading: Option<String>,
    anchor_is_home: bool,
    svg_depth: u32,
    header_depth: u32,
    logo: Scope,
    frame: Scope,
    footer: Scope,
    hidden: Hidden,
    comments: Scope,
    /// The inline element that is not shown, and how often its name is open.
    unseen: Option<(String, u32)>,
}

#[derive(PartialEq, Eq)]
enum Raw {
    Title,
    JsonLd,
    Script,
    Style,
    Skip,
}

impl<'a> Builder<'a> {
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
                tags: Vec::new(),
                comments: Vec::new(),
                headings: Vec::new(),
                cloudflare_emails: Vec::new(),
                text: String::new(),
                counts: Performance::default(),
            },
            has_base: false,
            raw: Raw::Skip,
            open_anchor: None,
            open_heading: None,
            anchor_is_home: false,
            svg_depth: 0,
            header_depth: 0,
            logo: Scope::default(),
            frame: Scope::default(),
            footer: Scope::default(),
            hidden: Hidden::default(),
            comments: Scope::default(),
            unseen: None,
        }
    }

    pub(super) fn take(&mut self, piece: Piece<'a>) {
        match piece {
            Piece::Start(tag) => self.start(&tag),
            Piece::End(name) => self.end(&name.to_ascii_lowercase()),
            Piece::Text(text) => self.text(text),
            Piece::RawText(text) => self.raw_text(text),
            Piece::Comment(text) => self.outline.comments.push(text),
        }
    }

    pub(super) fn finish(mut self) -> Outline<'a> {
        self.close_anchor();
        self.close_heading();
        self.outline
    }

    fn start(&mut self, tag: &StartTag<'a>) {
        self.outline.counts.total_elements += 1;
        self.outline.tags.push(tag.source);
        if let Some(code) = tag.get("data-cfemail") {
            push(&mut self.outline.cloudflare_emails, code);
        }
        self.logo.enter(tag, is_called_logo);
        self.frame.enter(tag, is_frame);
        self.footer.enter(tag, is_footer);
        self.comments.enter(tag, is_called_comments);
        self.raw = Raw::Skip;
        match tag.name.as_str() {
            "html" => self.language(tag),
            "base" => self.set_base(tag),
            "meta" => self.meta(tag),
            "link" => self.link(tag),
            "title" => self.raw = Raw::Title,
            "script" => self.script(tag),
            "style" => self.raw = Raw::Style,
            "h1" => self.open_heading = Some(String::new()),
            "a" => self.anchor(tag),
            "area" => self.area(tag),
            "img" => self.image(tag),
            "iframe" => self.asset(tag, "src"),
            "form" => self.outline.counts.form_count += 1,
            "svg" => self.svg_depth += 1,
            "header" => self.header_depth += 1,
            _ => {}
        }
        self.break_text(&tag.name);
        self.follow_unseen(tag);
    }

    /// What is not shown in the midst of a text is there to spoil what robots read. Whole blocks that are not shown
    /// are menus and dialogs that scripts open: their text counts.
    fn follow_unseen(&mut self, tag: &StartTag<'_>) {
        if let Some((name, depth)) = &mut self.unseen {
            *depth += u32::from(*name == tag.name);
        } else if matches!(tag.name.as_str(), "span" | "i" | "b" | "em" | "small" | "strong")
            && self.hidden.has(tag)
        {
            self.unseen = Some((tag.name.clone(), 1));
        }
    }

    fn leave_unseen(&mut self, name: &str) {
        if let Some((open, depth)) = &mut self.unseen
            && open == name
        {
            *depth -= 1;
            if *depth == 0 {
                self.unseen = None;
            }
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "a" => self.close_anchor(),
            "h1" => self.close_heading(),
            "svg" => self.svg_depth = self.svg_depth.saturating_sub(1),
            "header" => self.header_depth = self.header_depth.saturating_sub(1),
            _ => {}
        }
        self.logo.leave(name);
        self.frame.leave(name);
        self.footer.leave(name);
        self.comments.leave(name);
        self.leave_unseen(name);
        self.break_text(name);
    }

    /// A second `<html>` adds what the first has not.
    fn language(&mut self, tag: &StartTag<'_>) {
        if self.outline.language.is_none() {
            self.outline.language = tag.get("lang").or_else(|| tag.get("xml:lang"));
        }
    }

    fn set_base(&mut self, tag: &StartTag<'_>) {
        if let (false, Some(base)) = (self.has_base, tag.get("href"))
            && let Ok(base) = self.outline.base.join(&base)
            && matches!(base.scheme(), "http" | "https")
        {
            self.has_base = true;
            self.outline.base = base;
        }
    }

    fn meta(&mut self, tag: &StartTag<'_>) {
        let Some(content) = tag.get("content") else {
            return;
        };
        for attribute in ["name", "property", "itemprop", "http-equiv"] {
            if let Some(name) = tag.get(attribute) {
                push(
                    &mut self.outline.metas,
                    (name.to_ascii_lowercase(), content.clone()),
                );
            }
        }
    }

    fn link(&mut self, tag: &StartTag<'_>) {
        let rel = tag.get("rel").unwrap_or_default().to_ascii_lowercase();
        if tag.has_word("rel", "stylesheet") {
            self.outline.counts.css_count += 1;
        }
        if tag.has_word("rel", "stylesheet") || rel.contains("preload") || rel == "https://api.w.org/" {
            self.asset(tag, "href");
        }
        let link = Link {
            rel,
            href: tag.get("href").unwrap_or_default(),
            media_type: tag.get("type").unwrap_or_default().to_ascii_lowercase(),
            sizes: tag.get("sizes").unwrap_or_default(),
        };
        if !link.href.is_empty() {
            push(&mut self.outline.links, link);
        }
    }

    fn script(&mut self, tag: &StartTag<'_>) {
        self.outline.counts.script_count += 1;
        self.asset(tag, "src");
        if let Some(url) = tag.get("src") {
            push(&mut self.outline.script_urls, url);
        }
        let is_json_ld = tag
            .get("type")
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json"));
        self.raw = if is_json_ld { Raw::JsonLd } else { Raw::Script };
    }

    fn asset(&mut self, tag: &StartTag<'_>, attribute: &str) {
        if let Some(url) = tag.get(attribute) {
            push(&mut self.outline.assets, url);
        }
    }

    fn anchor(&mut self, tag: &StartTag<'_>) {
        self.close_anchor();
        self.outline.counts.link_count += 1;
        let Some(href) = tag.get("href") else {
            return;
        };
        self.anchor_is_home = self.outline.base.join(&href).is_ok_and(|url| {
            url.host() == self.outline.base.host()
                && url.path() == "/"
                && url.query().is_none()
                && !href.starts_with('#')
        });
        let label = tag
            .get("aria-label")
            .or_else(|| tag.get("title"))
            .unwrap_or_default();
        // An address is a word of its own, however close its neighbours are.
        if href.starts_with("mailto:") {
            self.outline.text.push('\n');
        }
        self.open_anchor = Some(Anchor {
            href,
            text: label,
            in_frame: self.frame.is_inside(),
            in_comments: self.comments.is_inside(),
        });
    }

    fn area(&mut self, tag: &StartTag<'_>) {
        let Some(href) = tag.get("href") else {
            return;
        };
        let anchor = Anchor {
            href,
            text: tag.get("alt").unwrap_or_default(),
            in_frame: self.frame.is_inside(),
            in_comments: self.comments.is_inside(),
        };
        push(&mut self.outline.anchors, anchor);
    }

    fn close_anchor(&mut self) {
        self.anchor_is_home = false;
        if let Some(mut anchor) = self.open_anchor.take() {
            if anchor.href.starts_with("mailto:") {
                self.outline.text.push('\n');
            }
            anchor.text = anchor.text.split_whitespace().collect::<Vec<_>>().join(" ");
            push(&mut self.outline.anchors, anchor);
        }
    }

    fn close_heading(&mut self) {
        if let Some(heading) = self.open_heading.take() {
            let heading = heading.split_whitespace().collect::<Vec<_>>().join(" ");
            if !heading.is_empty() && self.outline.headings.len() < 20 {
                self.outline.headings.push(heading);
            }
        }
    }

    fn image(&mut self, tag: &StartTag<'_>) {
        self.outline.counts.image_count += 1;
        let src = picture(tag);
        let alt = tag.get("alt").unwrap_or_default();
        if let (Some(anchor), false) = (&mut self.open_anchor, alt.is_empty()) {
            append(&mut anchor.text, &alt, MAX_ANCHOR_TEXT);
        }
        let Some(src) = src else {
            return;
        };
        let class = tag.get("class").unwrap_or_default();
        let id = tag.get("id").unwrap_or_default();
        let image = Image {
            has_logo_class: ["logo", "site-logo", "custom-logo"]
                .iter()
                .any(|word| tag.has_word("class", word))
                || id.eq_ignore_ascii_case("logo")
                || tag.has_word("itemprop", "logo"),
            names: format!("{class} {id} {alt}").to_ascii_lowercase(),
            alt,
            in_logo: self.logo.is_inside(),
            in_header: self.header_depth > 0,
            in_footer: self.footer.is_inside(),
            in_home_link: self.anchor_is_home,
            in_heading: self.open_heading.is_some(),
            src,
        };
        push(&mut self.outline.images, image);
    }

    fn text(&mut self, text: &str) {
        let text = resolve_html(text);
        if let Some(anchor) = &mut self.open_anchor {
            append(&mut anchor.text, &text, MAX_ANCHOR_TEXT);
        }
        if let Some(heading) = &mut self.open_heading {
            append(heading, &text, MAX_TITLE);
        }
        let shown = &mut self.outline.text;
        if self.unseen.is_some() || self.comments.is_inside() || shown.len() + text.len() > MAX_TEXT {
            return;
        }
        // Runs of blanks are one blank, as on the screen.
        for character in text.chars() {
            if is_invisible(character) {
                continue;
            }
            if !character.is_whitespace() || character == '\u{a0}' {
                shown.push(if character == '\u{a0}' { ' ' } else { character });
            } else if !shown.ends_with([' ', '\n']) {
                shown.push(' ');
            }
        }
    }

    fn break_text(&mut self, name: &str) {
        const INLINE: &[&str] = &[
            "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "kbd", "mark", "q",
            "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "svg",
            "path",
        ];
        if INLINE.contains(&name) {
            return;
        }
        // An inline element that is never closed ends with its block.
        self.unseen = None;
        if !self.outline.text.ends_with('\n') {
            self.outline.text.push('\n');
        }
    }

    fn raw_text(&mut self, text: &'a str) {
        match self.raw {
            Raw::Title if self.outline.title.is_none() && self.svg_depth == 0 => {
                let title = resolve_html(text);
                let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
                if !title.is_empty() {
                    self.outline.title = Some(title.chars().take(MAX_TITLE).collect());
                }
            }
            Raw::JsonLd if self.outline.json_ld.len() < 100 => self.outline.json_ld.push(text),
            Raw::Script => self.outline.scripts.push(text),
            Raw::Style => {
                self.hidden.read(text);
                self.outline.styles.push(text);
            }
            _ => {}
        }
    }
}

/// The URL of the picture that an `<img>` shows in the end: scripts put it in the place of what stands there until it
/// is seen.
fn picture(tag: &StartTag<'_>) -> Option<String> {
    const LATER: &[&str] = &[
        "data-src",
        "data-lazy-src",
        "data-original",
        "data-lazy",
        "data-orig-src",
        "data-litespeed-src",
        "data-cfsrc",
        "data-pagespeed-lazy-src",
        "data-image",
        "data-url",
    ];
    let is_url = |url: &String| !url.starts_with("data:") && !url.starts_with("blob:");
    let now = tag.get("src").filter(is_url);
    let later = || LATER.iter().find_map(|name| tag.get(name)).filter(is_url);
    // `a.png 1x, b.png 2x`
    let of_set = || {
        let set = ["srcset", "data-srcset", "data-lazy-srcset"]
            .iter()
            .find_map(|name| tag.get(name))?;
        let first = set
            .split(", ")
            .next()?
            .split_whitespace()
            .next()?
            .trim_end_matches(',')
            .to_owned();
        Some(first).filter(is_url)
    };
    match now {
        Some(url) if !is_placeholder_picture(&url) => Some(url),
        now => later().or_else(of_set).or(now),
    }
}

/// Whether a picture is shown until the real one is loaded: `/img/blank.gif`.
fn is_placeholder_picture(url: &str) -> bool {
    const NAMES: &[&str] = &[
        "blank",
        "placeholder",
        "spacer",
        "transparent",
        "lazy",
        "loading",
        "loader",
        "pixel",
        "1x1",
        "empty",
        "dummy",
        "clear",
        "preload",
        "grey",
        "gray",
        "trans",
        "spinner",
        "px",
        "s",
        "t",
        "x",
        "white",
        "fallback",
        "dot",
    ];
    let name = url
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let mut words = stem.split(['-', '_']);
    let is_one = NAMES.contains(&stem.as_str());
    is_one || words.any(|word| NAMES.contains(&word) && word.len() > 2)
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_ITEMS {
        list.push(item);
    }
}

fn append(text: &mut String, more: &str, limit: usize) {
    if text.len() < limit {
        text.push(' ');
        text.extend(more.chars().take(limit));
    }
}
