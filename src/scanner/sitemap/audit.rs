//! Compares the entries of sitemaps with their site while they are read. Only counts and a few examples are kept.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::entry::PageEntry;
use crate::values::sitemap::SitemapUrl;
use crate::values::sitemap_audit::{AuditCheck, AuditExample, AuditFault, SitemapAudit};

/// Maximum examples that are kept per check.
const MAX_EXAMPLES: usize = 10;
/// Maximum bytes of an example's URL.
const MAX_URL: usize = 500;
/// sitemaps.org: maximum URLs and bytes of a file.
const MAX_URLS: u64 = 50_000;
const MAX_BYTES: u64 = 52_428_800;
/// Fewer pages may really have changed all at the same time.
const MIN_SAME_LASTMOD: u64 = 10;

/// What entries are compared with.
#[derive(Clone, Debug)]
pub struct Standard {
    home: String,
    is_secure: bool,
    host: String,
    /// The same host with `www.`, or without.
    other_www: String,
    /// The last day that is not in the future: tomorrow, because in other time zones it may have begun.
    last_day: String,
}

impl Standard {
    /// The site at this home page, at this time.
    pub fn new(home: &Url, now: DateTime<Utc>) -> Self {
        let host = home.host_str().unwrap_or_default();
        let host = match home.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Self {
            home: home.to_string(),
            is_secure: home.scheme() == "https",
            other_www: match host.strip_prefix("www.") {
                Some(bare) => bare.to_owned(),
                None => format!("www.{host}"),
            },
            host,
            last_day: (now + TimeDelta::days(1)).format("%Y-%m-%d").to_string(),
        }
    }

    /// Whether a URL is on the host of the home page.
    pub fn is_own(&self, loc: &str) -> bool {
        split(loc).is_some_and(|(_, host)| host == self.host)
    }

    fn checks(&self, loc: &str, lastmod: Option<&str>) -> impl Iterator<Item = AuditCheck> {
        let (is_secure, host) = split(loc).unwrap_or((false, ""));
        let place = match host {
            _ if host == self.host => None,
            _ if host == self.other_www => Some(AuditCheck::OtherWww),
            _ => Some(AuditCheck::OutsideHost),
        };
        let is_plain = self.is_secure && !is_secure && place != Some(AuditCheck::OutsideHost);
        let is_future =
            lastmod.is_some_and(|time| time.get(..10).is_some_and(|day| day > self.last_day.as_str()));
        [
            place,
            is_plain.then_some(AuditCheck::PlainHttp),
            is_future.then_some(AuditCheck::FutureLastmod),
        ]
        .into_iter()
        .flatten()
    }
}

/// Whether a URL is HTTPS, and its host, with the port if it is not the default one.
fn split(loc: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = loc.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some((scheme == "https", host))
}

/// The result of one file, while it is read.
#[derive(Clone, Debug, Default)]
pub struct FileAudit {
    entries: u64,
    lastmods: Lastmods,
    faults: Faults,
}

/// How often each check found something, and the first examples.
#[derive(Clone, Debug, Default)]
struct Faults(Vec<(AuditCheck, u64, Vec<Example>)>);

/// A URL and the relevant value.
type Example = (String, String);

impl Faults {
    fn note(&mut self, check: AuditCheck, count: u64, example: impl FnOnce() -> Example) {
        let at = self.0.iter().position(|(known, ..)| *known == check);
        let at = at.unwrap_or_else(|| {
            self.0.push((check, 0, Vec::new()));
            self.0.len() - 1
        });
        let (_, sum, examples) = &mut self.0[at];
        *sum += count;
        if examples.len() < MAX_EXAMPLES {
            let (url, value) = example();
            examples.push((shortened(&url), value));
        }
    }
}

/// The `lastmod` values of entries: how many, and whether they differ.
#[derive(Clone, Debug, Default)]
struct Lastmods {
    count: u64,
    first: Option<String>,
    differ: bool,
}

impl Lastmods {
    fn take(&mut self, lastmod: &str) {
        self.count += 1;
        match &self.first {
            None => self.first = Some(lastmod.to_owned()),
            Some(first) => self.differ |= first != lastmod,
        }
    }
}

impl FileAudit {
    /// Counts and checks an entry.
    pub fn take(&mut self, standard: &Standard, url: &SitemapUrl) {
        self.take_entry(standard, &url.loc, url.lastmod.as_deref());
    }

    /// The same for an entry with all that it says.
    pub fn take_page(&mut self, standard: &Standard, page: &PageEntry) {
        self.take_entry(standard, &page.loc, page.lastmod.as_deref());
    }

    fn take_entry(&mut self, standard: &Standard, loc: &str, lastmod: Option<&str>) {
        self.entries += 1;
        for check in standard.checks(loc, lastmod) {
            let value = match check {
                AuditCheck::FutureLastmod => lastmod.unwrap_or_default(),
                _ => "",
            };
            self.faults.note(check, 1, || (loc.to_owned(), value.to_owned()));
        }
        if let Some(lastmod) = lastmod {
            self.lastmods.take(lastmod);
        }
    }

    /// Counts entries that the file named before.
    pub fn take_repeated(&mut self, count: u64, examples: &[String]) {
        for (place, url) in examples.iter().enumerate() {
            // The count is of entries, not of examples: it is added once, with the first example.
            let count = if place == 0 { count } else { 0 };
            self.faults
                .note(AuditCheck::Duplicate, count, || (url.clone(), String::new()));
        }
    }
}

/// The result of all files.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    entries: u64,
    lastmods: Lastmods,
    faults: Vec<AuditFault>,
}

impl Audit {
    /// Adds a file that names this many URLs, or sitemaps, and has this many bytes.
    pub fn add(&mut self, sitemap: &str, file: FileAudit, named: u64, bytes: u64) {
        self.entries += file.entries;
        for (check, count, examples) in file.faults.0 {
            self.note(check, count, sitemap, examples);
        }
        for (check, value, most) in [
            (AuditCheck::TooManyUrls, named, MAX_URLS),
            (AuditCheck::TooLarge, bytes, MAX_BYTES),
        ] {
            if value > most {
                self.note(check, 1, sitemap, vec![(shortened(sitemap), value.to_string())]);
            }
        }
        let Lastmods { count, first, differ } = file.lastmods;
        self.lastmods.count += count;
        match (&self.lastmods.first, first) {
            (None, first) => self.lastmods.first = first,
            (Some(known), Some(first)) => self.lastmods.differ |= *known != first,
            (Some(_), None) => {}
        }
        self.lastmods.differ |= differ;
    }

    /// Adds a URL that an earlier file named.
    pub fn add_repeated(&mut self, sitemap: &str, url: &str) {
        let has_room = self
            .faults
            .iter()
            .find(|fault| fault.check == AuditCheck::Duplicate)
            .is_none_or(|fault| fault.examples.len() < MAX_EXAMPLES);
        let example = has_room.then(|| (shortened(url), String::new()));
        self.note(AuditCheck::Duplicate, 1, sitemap, example.into_iter().collect());
    }

    fn note(&mut self, check: AuditCheck, count: u64, sitemap: &str, examples: Vec<Example>) {
        let at = self.faults.iter().position(|fault| fault.check == check);
        let at = at.unwrap_or_else(|| {
            self.faults.push(AuditFault {
                check,
                count: 0,
                examples: Vec::new(),
            });
            self.faults.len() - 1
        });
        let fault = &mut self.faults[at];
        fault.count += count;
        let room = MAX_EXAMPLES - fault.examples.len();
        let examples = examples.into_iter().take(room);
        fault.examples.extend(examples.map(|(url, value)| AuditExample {
            url,
            sitemap: shortened(sitemap),
            value,
        }));
    }

    /// The whole audit; `None` if no entry was read and no check found anything.
    pub fn finish(mut self, standard: &Standard) -> Option<SitemapAudit> {
        if self.entries == 0 && self.faults.is_empty() {
            return None;
        }
        let Lastmods { count, first, differ } = std::mem::take(&mut self.lastmods);
        if count >= MIN_SAME_LASTMOD && !differ {
            let value = first.unwrap_or_default();
            self.note(AuditCheck::SameLastmod, count, "", vec![(String::new(), value)]);
        }
        self.faults.sort_by_key(|fault| fault.check);
        Some(SitemapAudit {
            home: standard.home.clone(),
            entries: self.entries,
            with_lastmod: count,
            faults: self.faults,
        })
    }
}

fn shortened(url: &str) -> String {
    let mut end = url.len().min(MAX_URL);
    while !url.is_char_boundary(end) {
        end -= 1;
    }
    url[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITEMAP: &str = "https://www.a.test/sitemap.xml";

    fn standard(home: &str) -> Standard {
        Standard::new(
            &Url::parse(home).unwrap(),
            "2026-06-01T12:00:00Z".parse().unwrap(),
        )
    }

    fn audit_of(home: &str, urls: &[(&str, Option<&str>)]) -> SitemapAudit {
        let standard = standard(home);
        let mut file = FileAudit::default();
        for (loc, lastmod) in urls {
            let url = SitemapUrl {
                loc: (*loc).to_owned(),
                lastmod: lastmod.map(str::to_owned),
                ..SitemapUrl::default()
            };
            file.take(&standard, &url);
        }
        let mut audit = Audit::default();
        audit.add(SITEMAP, file, urls.len() as u64, 100);
        audit.finish(&standard).unwrap()
    }

    fn counts(audit: &SitemapAudit) -> Vec<(&str, u64)> {
        let faults = audit.faults.iter();
        faults.map(|fault| (fault.check.as_str(), fault.count)).collect()
    }

    #[test]
    fn entries_are_compared_with_the_home_page() {
        let audit = audit_of(
            "https://www.a.test/",
            &[
                ("https://www.a.test/1", None),
                ("https://a.test/2", None),
                ("http://www.a.test/3", None),
                ("http://a.test/4", None),
                ("https://shop.a.test/5", None),
                ("http://b.test/6?x=https://www.a.test/", None),
                ("https://www.a.test:8443/7", None),
            ],
        );
        assert_eq!(
            counts(&audit),
            [("outside_host", 3), ("other_www", 2), ("plain_http", 2)]
        );
        assert_eq!(audit.faults[0].examples[0].url, "https://shop.a.test/5");
        assert_eq!(audit.faults[0].examples[0].sitemap, SITEMAP);
        let of_plain_site = audit_of(
            "http://a.test/",
            &[("http://a.test/1", None), ("https://a.test/2", None)],
        );
        assert!(of_plain_site.faults.is_empty());
    }

    #[test]
    fn times_in_the_future_are_told_from_those_of_another_time_zone() {
        let audit = audit_of(
            "https://a.test/",
            &[
                ("https://a.test/1", Some("2026-06-02")),
                ("https://a.test/2", Some("2026-06-02T23:59:59+14:00")),
                ("https://a.test/3", Some("2026-06-03")),
                ("https://a.test/4", Some("2031-01-01T00:00:00Z")),
            ],
        );
        assert_eq!(
            (counts(&audit), audit.with_lastmod),
            (vec![("future_lastmod", 2)], 4)
        );
        assert_eq!(audit.faults[0].examples[1].value, "2031-01-01T00:00:00Z");
    }

    #[test]
    fn one_time_for_all_says_nothing_unless_they_are_few() {
        let urls: Vec<String> = (0..10).map(|number| format!("https://a.test/{number}")).collect();
        let with = |lastmod: &'static str| -> Vec<(&str, Option<&str>)> {
            urls.iter().map(|url| (url.as_str(), Some(lastmod))).collect()
        };
        let all = with("2026-05-05");
        let audit = audit_of("https://a.test/", &all);
        assert_eq!(counts(&audit), [("same_lastmod", 10)]);
        assert_eq!(audit.faults[0].examples[0].value, "2026-05-05");
        assert!(audit_of("https://a.test/", &all[1..]).faults.is_empty());
        let mut one_other = all;
        one_other[9].1 = Some("2026-05-06");
        assert!(audit_of("https://a.test/", &one_other).faults.is_empty());
    }

    #[test]
    fn limits_and_repetitions_are_counted_over_files_with_few_examples() {
        let standard = standard("https://a.test/");
        let mut audit = Audit::default();
        let mut file = FileAudit::default();
        let url = SitemapUrl {
            loc: format!("https://a.test/{}", "ü".repeat(400)),
            ..SitemapUrl::default()
        };
        file.take(&standard, &url);
        file.take_repeated(7, &["https://a.test/x".to_owned(), "https://a.test/y".to_owned()]);
        audit.add(SITEMAP, file, 50_001, 52_428_801);
        audit.add(SITEMAP, FileAudit::default(), 50_000, 52_428_800);
        for number in 0..20 {
            audit.add_repeated("https://a.test/other.xml", &format!("https://a.test/{number}"));
        }
        let found = audit.finish(&standard).unwrap();
        assert_eq!(
            counts(&found),
            [("duplicate", 27), ("too_many_urls", 1), ("too_large", 1)]
        );
        assert_eq!(found.faults[0].examples.len(), MAX_EXAMPLES);
        assert_eq!(found.faults[2].examples[0].value, "52428801");
        assert_eq!(Audit::default().finish(&standard), None);
    }
}
