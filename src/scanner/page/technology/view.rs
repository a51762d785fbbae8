//! The parts of a page in which signs are searched for, created when the first sign needs them.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeSet, HashSet};

use html5ever::LocalName;

use super::files;
use super::pattern::Hit;
use super::set::{PatternTarget, Sign};
use super::version::{Claim, claim_of_url};
use crate::fetch::Headers;
use crate::scanner::page::outline::Outline;

/// Longer URLs contain data and do not name a place.
const MAX_URL: usize = 2_000;

/// Limit for URLs from which one sign reads versions; each is compared with all others.
const MAX_HITS: usize = 50;

/// Limit for attributes of a page whose names are examined.
const MAX_NAMES: usize = 100_000;

/// Limit for the bytes that all expressions together search, for pages made to match as many as possible.
const MAX_WORK: usize = 256 * 1024 * 1024;

/// Texts, each with its lower-case form in which literals are searched for before an expression is tried: a literal
/// that occurs somewhere on the page usually does not occur in this text.
type Lowered<'a> = Vec<(Cow<'a, str>, String)>;

/// A page as the signs see it.
pub(super) struct View<'a> {
    pub(super) html: &'a str,
    page: &'a Outline,
    headers: &'a Headers,
    files: OnceCell<Lowered<'a>>,
    attribute_names: OnceCell<Lowered<'a>>,
    comments: OnceCell<Lowered<'a>>,
    scripts: OnceCell<Lowered<'a>>,
    styles: OnceCell<Lowered<'a>>,
    assets: OnceCell<Lowered<'a>>,
    script_urls: OnceCell<Lowered<'a>>,
    work: Cell<usize>,
}

impl<'a> View<'a> {
    pub(super) fn of(html: &'a str, page: &'a Outline, headers: &'a Headers) -> Self {
        Self {
            html,
            page,
            headers,
            files: OnceCell::new(),
            attribute_names: OnceCell::new(),
            comments: OnceCell::new(),
            scripts: OnceCell::new(),
            styles: OnceCell::new(),
            assets: OnceCell::new(),
            script_urls: OnceCell::new(),
            work: Cell::new(0),
        }
    }

    /// URLs of all files that the page loads; files of its own site as paths.
    pub(super) fn file_urls(&self) -> impl Iterator<Item = &str> {
        let all = self.assets().iter().chain(self.files()).chain(self.script_urls());
        all.map(|(url, _)| url.as_ref())
    }

    pub(super) fn inline_scripts(&self) -> impl Iterator<Item = &str> {
        self.page.scripts.iter().map(|script| &**script)
    }

    /// All tags, and other parts of the page that are not text for readers.
    pub(super) fn markup(&self) -> impl Iterator<Item = Cow<'a, str>> {
        let mut tags = String::with_capacity(self.html.len() / 2);
        for element in self.page.elements() {
            tags.push_str(element.name());
            for (name, value) in &element.attrs {
                tags.extend([" ", &*name.local, "=", &**value]);
            }
            tags.push('\n');
        }
        let page = self.page;
        let others = page.comments.iter().chain(&page.styles).chain(&page.json_ld);
        others
            .map(|text| Cow::Borrowed(&**text))
            .chain(std::iter::once(Cow::Owned(tags)))
    }

    /// Where a sign of a technology was found, and the versions that it gave.
    pub(super) fn find(&self, sign: &Sign, name: &str) -> Option<(String, Vec<Claim>)> {
        let page = self.page;
        match &sign.place {
            PatternTarget::Header(name) => {
                let values = self
                    .headers
                    .iter()
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| value);
                self.first(sign, values, "header")
            }
            PatternTarget::Cookie(name) => self.first(sign, self.cookies(name), "cookie"),
            PatternTarget::Meta(name) => {
                let values = page
                    .metas
                    .iter()
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| value.as_str());
                self.first(sign, values, "meta")
            }
            PatternTarget::ScriptSrc => self.urls(sign, self.script_urls(), "script", name),
            PatternTarget::Asset => self.urls(sign, self.assets(), "asset", name),
            PatternTarget::Link => self.first(sign, page.links.iter().map(|link| link.href.as_str()), "link"),
            PatternTarget::Scripts => self.first(sign, holding(sign, self.scripts()), "inline script"),
            PatternTarget::Css => self.first(sign, holding(sign, self.styles()), "inline style"),
            PatternTarget::JsonLd => self.first(sign, page.json_ld.iter().map(|text| &**text), "json-ld"),
            PatternTarget::Html => self.first(sign, std::iter::once(self.html), "html"),
            PatternTarget::Text => self.first(sign, std::iter::once(page.text.as_str()), "text"),
            PatternTarget::Url => self.first(sign, std::iter::once(page.url.as_str()), "url"),
            PatternTarget::File => self.urls(sign, self.files(), "file", name),
            PatternTarget::AttributeName => {
                self.first(sign, holding(sign, self.attribute_names()), "attribute")
            }
            PatternTarget::Comment => self.first(sign, holding(sign, self.comments()), "comment"),
            // Not on the page.
            PatternTarget::Dns(_) | PatternTarget::CertIssuer => None,
        }
    }

    /// The first text that matches, and the version from the first match that has one.
    fn first<'t>(
        &self,
        sign: &Sign,
        texts: impl Iterator<Item = &'t str>,
        place: &str,
    ) -> Option<(String, Vec<Claim>)> {
        let mut found: Option<(String, Vec<Claim>)> = None;
        for text in texts {
            if !self.may_work(text.len()) {
                break;
            }
            let Some(hit) = sign.pattern.find(text) else {
                continue;
            };
            let (_, claimed) = found.get_or_insert_with(|| (evidence(sign, text, &hit, place), Vec::new()));
            claimed.extend(
                hit.version
                    .map(|version| Claim::stated(version, sign.pattern.confidence)),
            );
            if !sign.pattern.tells_version() || !claimed.is_empty() {
                break;
            }
        }
        found
    }

    /// The first URL that matches, and the versions from all that match: the first is often the version of something
    /// else.
    fn urls(&self, sign: &Sign, urls: &Lowered<'_>, place: &str, name: &str) -> Option<(String, Vec<Claim>)> {
        let mut found: Option<(String, Vec<Claim>)> = None;
        let mut hits = 0;
        for url in holding(sign, urls) {
            if hits >= MAX_HITS || !self.may_work(url.len()) {
                break;
            }
            let Some(hit) = sign.pattern.find(url) else {
                continue;
            };
            hits += 1;
            let (_, claimed) = found.get_or_insert_with(|| (evidence(sign, url, &hit, place), Vec::new()));
            claimed.extend(claim_of_url(
                name,
                url,
                &hit,
                sign.pattern.confidence,
                &self.page.assets,
            ));
        }
        found
    }

    /// Whether the expressions may search this many more bytes.
    fn may_work(&self, length: usize) -> bool {
        let work = self.work.get() + length;
        if work > MAX_WORK {
            return false;
        }
        self.work.set(work);
        true
    }

    /// Values of the cookies that the response sets under a name.
    fn cookies(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let (name, is_prefix) = name
            .strip_suffix('*')
            .map_or((name, false), |prefix| (prefix, true));
        let name = name.to_owned();
        self.headers
            .iter()
            .filter(|(field, _)| *field == "set-cookie")
            .filter_map(move |(_, cookie)| {
                let pair = cookie.split(';').next().unwrap_or_default();
                let (known, value) = pair.split_once('=').unwrap_or((pair, ""));
                let known = known.trim().to_ascii_lowercase();
                let is_wanted = if is_prefix {
                    known.starts_with(&name)
                } else {
                    known == name
                };
                is_wanted.then_some(value.trim())
            })
    }

    fn assets(&self) -> &Lowered<'a> {
        self.assets.get_or_init(|| lowered(urls(&self.page.assets)))
    }

    fn script_urls(&self) -> &Lowered<'a> {
        self.script_urls
            .get_or_init(|| lowered(urls(&self.page.script_urls)))
    }

    fn scripts(&self) -> &Lowered<'a> {
        self.scripts
            .get_or_init(|| lowered(self.page.scripts.iter().map(|text| Cow::Borrowed(&**text))))
    }

    fn styles(&self) -> &Lowered<'a> {
        self.styles
            .get_or_init(|| lowered(self.page.styles.iter().map(|text| Cow::Borrowed(&**text))))
    }

    fn files(&self) -> &Lowered<'a> {
        self.files
            .get_or_init(|| lowered(files::own(self.page).into_iter()))
    }

    fn attribute_names(&self) -> &Lowered<'a> {
        self.attribute_names.get_or_init(|| {
            let attributes = self.page.elements().flat_map(|element| &element.attrs);
            let names: HashSet<&LocalName> =
                attributes.map(|(name, _)| &name.local).take(MAX_NAMES).collect();
            let names: BTreeSet<&str> = names.into_iter().map(|name| &**name).collect();
            lowered(names.into_iter().map(Cow::Borrowed))
        })
    }

    fn comments(&self) -> &Lowered<'a> {
        self.comments.get_or_init(|| {
            let comments: Vec<&str> = self.page.comments.iter().map(|text| &**text).collect();
            lowered(std::iter::once(Cow::Owned(comments.join("\n"))))
        })
    }
}

/// The evidence that is shown for a match.
fn evidence(sign: &Sign, text: &str, hit: &Hit, place: &str) -> String {
    let is_whole = text.len() <= 200 && sign.place != PatternTarget::Comment;
    let shown = if is_whole {
        text.trim()
    } else {
        hit.evidence.as_str()
    };
    match &sign.place {
        PatternTarget::Header(name) | PatternTarget::Cookie(name) | PatternTarget::Meta(name) => {
            format!("{place} {name}: {shown}")
        }
        _ => format!("{place}: {shown}"),
    }
}

fn urls(list: &[String]) -> impl Iterator<Item = Cow<'_, str>> {
    list.iter()
        .map(String::as_str)
        .filter(|url| url.len() <= MAX_URL)
        .map(Cow::Borrowed)
}

fn lowered<'t>(texts: impl Iterator<Item = Cow<'t, str>>) -> Lowered<'t> {
    texts
        .map(|text| {
            let lower = text.to_ascii_lowercase();
            (text, lower)
        })
        .collect()
}

/// The texts that a sign may match at all.
fn holding<'t>(sign: &'t Sign, texts: &'t Lowered<'_>) -> impl Iterator<Item = &'t str> {
    let literals = &sign.pattern.literals;
    let holds = move |lower: &String| {
        literals.is_empty()
            || literals
                .iter()
                .any(|literal| memchr::memmem::find(lower.as_bytes(), literal.as_bytes()).is_some())
    };
    texts
        .iter()
        .filter(move |(_, lower)| holds(lower))
        .map(|(text, _)| text.as_ref())
}
