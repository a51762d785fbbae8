//! The places of a page in which signs are looked for, made when the first sign asks for them.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::pattern::Hit;
use super::set::{Place, Sign};
use crate::fetch::Headers;
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;

/// URLs longer than this are data, not places.
const MAX_URL: usize = 2_000;

/// Bytes that all expressions together may go through, for pages made to match as many as they can.
const MAX_WORK: usize = 256 * 1024 * 1024;

/// A page as the signs see it.
pub(super) struct View<'a> {
    pub(super) html: &'a str,
    page: &'a Outline<'a>,
    headers: &'a Headers,
    tags: OnceCell<String>,
    comments: OnceCell<String>,
    work: Cell<usize>,
}

impl<'a> View<'a> {
    pub(super) fn of(html: &'a str, page: &'a Outline<'a>, headers: &'a Headers) -> Self {
        let (tags, comments) = (OnceCell::new(), OnceCell::new());
        Self {
            html,
            page,
            headers,
            tags,
            comments,
            work: Cell::new(0),
        }
    }

    /// Where a sign was found, and what it told.
    pub(super) fn find(&self, sign: &Sign) -> Option<(String, Hit)> {
        let page = self.page;
        match &sign.place {
            Place::Header(name) => {
                let values = self
                    .headers
                    .iter()
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| value);
                self.first(sign, values, "header")
            }
            Place::Cookie(name) => self.first(sign, self.cookies(name), "cookie"),
            Place::Meta(name) => {
                let values = page
                    .metas
                    .iter()
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| value.as_str());
                self.first(sign, values, "meta")
            }
            Place::ScriptSrc => self.first(sign, urls(&page.script_urls), "script"),
            Place::Asset => self.first(sign, urls(&page.assets), "asset"),
            Place::Link => self.first(sign, page.links.iter().map(|link| link.href.as_str()), "link"),
            Place::Scripts => self.first(sign, page.scripts.iter().copied(), "inline script"),
            Place::Css => self.first(sign, page.styles.iter().copied(), "inline style"),
            Place::JsonLd => self.first(sign, page.json_ld.iter().copied(), "json-ld"),
            Place::Html => self.first(sign, std::iter::once(self.html), "html"),
            Place::Text => self.first(sign, std::iter::once(page.text.as_str()), "text"),
            Place::Url => self.first(sign, std::iter::once(page.url.as_str()), "url"),
            Place::Tag => self.first(sign, std::iter::once(self.tags()), "tag"),
            Place::Comment => self.first(sign, std::iter::once(self.comments()), "comment"),
        }
    }

    /// The first text that matches and the version of the first that tells one.
    fn first<'t>(
        &self,
        sign: &Sign,
        texts: impl Iterator<Item = &'t str>,
        place: &str,
    ) -> Option<(String, Hit)> {
        let mut found: Option<(String, Hit)> = None;
        for text in texts {
            let work = self.work.get() + text.len();
            if work > MAX_WORK {
                break;
            }
            self.work.set(work);
            let Some(hit) = sign.pattern.find(text) else {
                continue;
            };
            let is_whole = text.len() <= 200 && !matches!(sign.place, Place::Tag | Place::Comment);
            let evidence = if is_whole {
                text.trim()
            } else {
                hit.evidence.as_str()
            };
            let evidence = match &sign.place {
                Place::Header(name) | Place::Cookie(name) | Place::Meta(name) => {
                    format!("{place} {name}: {evidence}")
                }
                _ => format!("{place}: {evidence}"),
            };
            match &mut found {
                None => found = Some((evidence, hit)),
                Some((_, first)) => first.version = first.version.take().or(hit.version),
            }
            let is_done =
                !sign.pattern.tells_version() || found.as_ref().is_some_and(|(_, hit)| hit.version.is_some());
            if is_done {
                break;
            }
        }
        found
    }

    /// Values of the cookies that the answer sets under a name.
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

    /// Without the site's own hosts, so that a sign can ask for URLs of this site.
    fn tags(&self) -> &str {
        self.tags.get_or_init(|| {
            let joined = self.page.tags.join("\n");
            let site = self.page.url.host_str().map(registrable).unwrap_or_default();
            without_own_hosts(&joined, site).into_owned()
        })
    }

    fn comments(&self) -> &str {
        self.comments.get_or_init(|| self.page.comments.join("\n"))
    }
}

fn urls(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str).filter(|url| url.len() <= MAX_URL)
}

/// Drops `//host` from URLs whose host belongs to a site.
fn without_own_hosts<'a>(tags: &'a str, site: &str) -> Cow<'a, str> {
    if site.is_empty() || memchr::memmem::find(tags.as_bytes(), site.as_bytes()).is_none() {
        return Cow::Borrowed(tags);
    }
    let mut kept = String::with_capacity(tags.len());
    let mut rest = tags;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"//") {
        let after = &rest[at + 2..];
        let length = after
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            .count();
        let is_own = after[..length]
            .strip_suffix(site)
            .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
        kept.push_str(&rest[..at]);
        kept.push_str(if is_own { "" } else { &rest[at..at + 2 + length] });
        rest = &after[length..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}
