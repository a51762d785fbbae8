//! Judges the URLs of a document: resolves each, detects duplicates, and passes it on or records a problem.

use url::Url;

use super::entity::Use;
use super::entry::{Alternate, ChildSitemap, PageEntry, SitemapEntry};
use super::field::{MAX_ENTRY, Names, RawEntry};
use super::invisible::{cleaned, trim};
use super::lastmod::normalise;
use super::plain_url::PlainUrls;
use super::problems::Problems;
use super::seen::{Seen, SeenUrls};
use super::text::{MAX_LINE, is_url_line};
use crate::scanner::site::same_site;
use crate::values::revisit::Repeated;

/// sitemaps.org: the length that a loc must stay below.
const MAX_PROTOCOL_LOC: usize = 2048;

/// Maximum examples of entries that the document named before.
const MAX_REPEATED: usize = 10;

/// Resolves, counts and passes on what a document names.
#[derive(Debug)]
pub(super) struct Judge {
    base: Url,
    plain: PlainUrls,
    seen: SeenUrls,
    pub(super) entries: u64,
    pub(super) children: u64,
    /// Entries that the document named before.
    pub(super) repeated: Repeated,
    pub(super) refused: bool,
    pub(super) problems: Problems,
}

impl Judge {
    pub(super) fn new(base: Url, max_distinct: usize) -> Self {
        Self {
            plain: PlainUrls::under(&base),
            base,
            seen: SeenUrls::with_limit(max_distinct),
            entries: 0,
            children: 0,
            repeated: Repeated::default(),
            refused: false,
            problems: Problems::default(),
        }
    }

    /// Judges one line of a list of URLs.
    pub(super) fn line(&mut self, line: Option<&str>, offset: u64, sink: &mut dyn FnMut(SitemapEntry)) {
        let Some(line) = line.map(trim) else {
            let detail = || format!("a line is longer than {MAX_LINE} bytes");
            return self.problems.note("bad_line", Some(offset), detail);
        };
        if is_url_line(line) {
            let entry = RawEntry {
                offset,
                loc: line.to_owned(),
                ..RawEntry::default()
            };
            self.entry(entry, sink);
        } else if !line.is_empty() && !line.starts_with('#') {
            self.problems.note("bad_line", Some(offset), || {
                format!("'{}' is not a URL", shorten(line))
            });
        }
    }

    /// Judges one entry of a document.
    pub(super) fn entry(&mut self, mut raw: RawEntry, sink: &mut dyn FnMut(SitemapEntry)) {
        match raw.entities {
            Some(Use::Refused) => self.refused = true,
            Some(Use::Plain) => {
                self.problems.note("entity", Some(raw.offset), || {
                    format!(
                        "'{}' uses an entity that the document defines; it is not expanded",
                        shorten(&raw.loc)
                    )
                });
                return;
            }
            _ => {}
        }
        if self.refused {
            return;
        }
        let Some(loc) = self.loc(&mut raw) else {
            return;
        };
        if raw.left_out > 0 {
            self.problems.note("long_entry", Some(raw.offset), || {
                format!(
                    "{} texts after {MAX_ENTRY} bytes of one entry were skipped",
                    raw.left_out
                )
            });
        }
        if loc.len() >= MAX_PROTOCOL_LOC {
            self.problems.note("long_loc", Some(raw.offset), || {
                format!("{}… is too long", &shorten(&loc))
            });
        }
        match self.seen.see(&loc) {
            Seen::First => {}
            Seen::Again => {
                self.repeated.count += 1;
                if self.repeated.examples.len() < MAX_REPEATED {
                    self.repeated.examples.push(shorten(&loc).to_owned());
                }
                return;
            }
            Seen::Full => self.problems.note("many_urls", Some(raw.offset), || {
                "from here on, duplicates are no longer detected".to_owned()
            }),
        }
        let is_sitemap = match raw.names {
            Names::Page => false,
            Names::Sitemap => true,
            Names::PageOrSitemap => looks_like_sitemap(&loc),
        };
        if is_sitemap {
            self.children += 1;
            sink(SitemapEntry::Child(ChildSitemap {
                sitemap: loc,
                lastmod: normalise(&raw.lastmod),
            }));
        } else {
            self.entries += 1;
            let page = self.page(loc, &mut raw);
            sink(SitemapEntry::Page(Box::new(page)));
        }
    }

    /// The absolute URL of an entry. `raw.loc` keeps the URL as written only if the two differ.
    fn loc(&mut self, raw: &mut RawEntry) -> Option<String> {
        if self.plain.is_plain(&raw.loc) {
            return Some(std::mem::take(&mut raw.loc));
        }
        let Some(loc) = self.resolve(&raw.loc) else {
            self.problems.note("bad_loc", Some(raw.offset), || {
                format!("'{}' is not an http(s) URL", shorten(&raw.loc))
            });
            return None;
        };
        if self.base.scheme() != "file" && !same_site(&loc, &self.base) {
            self.problems.note("cross_host", Some(raw.offset), || {
                format!("{loc} is on another site")
            });
        }
        let loc = String::from(loc);
        if loc == raw.loc {
            raw.loc.clear();
        }
        Some(loc)
    }

    fn page(&self, loc: String, raw: &mut RawEntry) -> PageEntry {
        let written = std::mem::take(&mut raw.loc);
        let lastmod = normalise(&raw.lastmod);
        let as_stated = std::mem::take(&mut raw.lastmod);
        PageEntry {
            raw: (!written.is_empty()).then_some(written),
            loc,
            lastmod_raw: (!as_stated.is_empty() && lastmod.as_ref() != Some(&as_stated)).then_some(as_stated),
            lastmod,
            changefreq: Some(std::mem::take(&mut raw.changefreq))
                .map(|mut word| {
                    word.make_ascii_lowercase();
                    word
                })
                .filter(|word| is_changefreq(word)),
            priority: Some(std::mem::take(&mut raw.priority)).filter(|number| is_priority(number)),
            images: raw
                .images
                .iter()
                .filter_map(|image| self.resolve(image))
                .map(String::from)
                .collect(),
            videos: std::mem::take(&mut raw.videos),
            news: std::mem::take(&mut raw.news),
            alternates: std::mem::take(&mut raw.alternates)
                .into_iter()
                .filter_map(|(hreflang, href)| {
                    let href = self.resolve(&href)?.into();
                    Some(Alternate { hreflang, href })
                })
                .collect(),
        }
    }

    /// The absolute http(s) URL. In a local file, relative locs are files too.
    fn resolve(&self, loc: &str) -> Option<Url> {
        let loc = cleaned(loc);
        let url = match (self.base.scheme(), loc.strip_prefix("//")) {
            // A local file has no scheme that `//host/path` could take.
            ("file", Some(rest)) => Url::parse(&format!("https://{rest}")).ok()?,
            _ => self.base.join(&loc).ok()?,
        };
        let usable = matches!(url.scheme(), "http" | "https") && url.host().is_some();
        (usable || url.scheme() == "file" && self.base.scheme() == "file").then_some(url)
    }
}

/// Whether a loc is probably a sitemap: its path ends in `.xml` or `.gz`, or it contains `sitemap`.
fn looks_like_sitemap(loc: &str) -> bool {
    let loc = loc.to_ascii_lowercase();
    let file = loc.split(['?', '#']).next().unwrap_or_default();
    let extension = file.rsplit('.').next().unwrap_or_default();
    matches!(extension, "xml" | "gz") || loc.contains("sitemap")
}

fn is_changefreq(word: &str) -> bool {
    [
        "always", "hourly", "daily", "weekly", "monthly", "yearly", "never",
    ]
    .contains(&word)
}

fn is_priority(number: &str) -> bool {
    number
        .parse::<f64>()
        .is_ok_and(|priority| (0.0..=1.0).contains(&priority))
}

fn shorten(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(end, _)| &text[..end])
}
