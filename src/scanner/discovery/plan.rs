//! The queue of a site's sitemap files: limits, duplicates, and what is kept of each file.
//!
//! Nothing here waits: it runs on the parse threads, between rounds of requests.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use url::Url;

use super::Seeds;
use crate::scanner::ScannerSettings;
use crate::scanner::compute_budget::ComputeBudget;
use crate::scanner::page::contact_pages_among;
use crate::scanner::read_sitemap::{FileRead, bytes_of};
use crate::scanner::site::same_site;
use crate::scanner::sitemap::{Audit, Seen, SeenUrls, Standard};
use crate::values::Problem;
use crate::values::report::SitemapReport;
use crate::values::revisit::KnownSitemap;
use crate::values::sitemap::SitemapKind;
use crate::values::sitemap_audit::SitemapAudit;

/// Maximum pages of a urlset that are examined for sitemaps among them.
const MAX_LOOKED_AT: usize = 1_000;

/// Maximum listed pages that are examined for contacts, over all files.
const MAX_FOR_CONTACTS: usize = 5_000;

/// The search for the sitemaps of a site.
#[derive(Debug)]
pub(super) struct Plan {
    home: Url,
    budget: ComputeBudget,
    max_files: usize,
    max_depth: usize,
    max_urls: usize,
    /// URLs that were requested or will be.
    asked: HashSet<String>,
    /// Files that were read and are sitemaps, by [`file_key`]: a file is read once, whether by `http` or `https`, with
    /// or without `www.`, requested or reached by a redirect.
    read: HashSet<String>,
    waiting: VecDeque<Candidate>,
    stored: SeenUrls,
    stored_count: usize,
    /// How many URLs that no earlier file named are not kept.
    left_out: u64,
    dropped: usize,
    /// Listed pages that may hold contacts, if they are wanted, and how many more may be examined.
    contacts: Option<(Vec<Url>, usize)>,
    audit: Audit,
}

/// A file to read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) url: Url,
    key: String,
    depth: usize,
    /// A guess: reported only if it is a sitemap or too large.
    is_guess: bool,
    /// The file that names it.
    parent: Option<Arc<str>>,
}

/// What is kept of a file.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) report: SitemapReport,
    pub(super) keep: Option<KnownSitemap>,
}

impl Plan {
    pub(super) fn new(
        home: Url,
        settings: &ScannerSettings,
        budget: ComputeBudget,
        wants_contacts: bool,
    ) -> Self {
        Self {
            home,
            budget,
            max_files: settings.max_sitemaps,
            max_depth: settings.max_sitemap_depth,
            max_urls: settings.max_stored_urls,
            asked: HashSet::new(),
            read: HashSet::new(),
            waiting: VecDeque::new(),
            stored: SeenUrls::with_limit(settings.max_stored_urls),
            stored_count: 0,
            left_out: 0,
            dropped: 0,
            contacts: wants_contacts.then(|| (Vec::new(), MAX_FOR_CONTACTS)),
            audit: Audit::default(),
        }
    }

    /// Queues the sitemaps in robots.txt, on any host, and those that the home page names on its own host.
    pub(super) fn add_named(&mut self, seeds: &mut Seeds) {
        for url in std::mem::take(&mut seeds.robots) {
            self.add(url, false);
        }
        for url in std::mem::take(&mut seeds.page) {
            if same_site(&url, &self.home) {
                self.add(url, false);
            }
        }
    }

    /// Queues the site's own feeds, at most `most` of them.
    pub(super) fn add_feeds(&mut self, feeds: &[String], most: usize) {
        let urls = feeds.iter().filter_map(|feed| Url::parse(feed).ok());
        let own: Vec<Url> = urls.filter(|url| same_site(url, &self.home)).take(most).collect();
        for url in own {
            self.add(url, true);
        }
    }

    /// Queues guessed paths.
    pub(super) fn add_guesses(&mut self, paths: &[&str]) {
        for path in paths {
            if let Ok(url) = self.home.join(path) {
                self.add(url, true);
            }
        }
    }

    fn add(&mut self, url: Url, is_guess: bool) {
        self.queue(url, 0, is_guess, None);
    }

    /// Limits are checked before anything is kept.
    fn queue(&mut self, mut url: Url, depth: usize, is_guess: bool, parent: Option<Arc<str>>) {
        url.set_fragment(None);
        if self.asked.contains(url.as_str()) {
            return;
        }
        if self.asked.len() >= self.max_files || depth > self.max_depth {
            self.dropped += 1;
            return;
        }
        self.asked.insert(url.to_string());
        self.waiting.push_back(Candidate {
            key: file_key(&url),
            url,
            depth,
            is_guess,
            parent,
        });
    }

    /// How many files are queued.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Empties the queue; returns how many files were in it.
    pub(super) fn give_up(&mut self) -> usize {
        std::mem::take(&mut self.waiting).len()
    }

    /// How many more URLs may be kept.
    pub(super) fn room_for_urls(&self) -> usize {
        self.max_urls.saturating_sub(self.stored_count)
    }

    /// The next files to read concurrently. Files that were read meanwhile at another URL are skipped, and two URLs
    /// that may serve the same file are not read at the same time.
    pub(super) fn next_batch(&mut self, at_once: usize) -> Vec<Candidate> {
        let mut batch: Vec<Candidate> = Vec::new();
        let mut later = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            if self.read.contains(&next.key) {
                continue;
            }
            if batch.len() < at_once && batch.iter().all(|known| known.key != next.key) {
                batch.push(next);
            } else {
                later.push_back(next);
            }
        }
        self.waiting = later;
        batch
    }

    /// Processes a file that was read: queues the sitemaps that it names, and keeps what is new in it. `None` if it was
    /// a wrong guess, or a file that was read before.
    pub(super) fn take(&mut self, candidate: &Candidate, mut file: FileRead) -> Option<Taken> {
        let kind = file.report.kind;
        if candidate.is_guess && !is_sitemap(kind) && kind != SitemapKind::TooLarge {
            return None;
        }
        let redirected_to = file.final_url.as_ref().filter(|url| **url != candidate.url);
        if is_sitemap(kind) {
            let key = redirected_to.map(file_key);
            // A redirect to a file that was read before (a child to its parent, say).
            if key.as_ref().is_some_and(|key| self.read.contains(key)) {
                return None;
            }
            self.read.insert(candidate.key.clone());
            self.read.extend(key);
        } else if redirected_to.is_some_and(|url| !self.asked.insert(url.to_string())) {
            return None;
        }
        file.report.parent = candidate.parent.as_deref().map(str::to_owned);
        if kind.lists_pages() || kind == SitemapKind::Index {
            let report = &file.report;
            let audit = std::mem::take(&mut file.audit);
            self.audit.add(&report.url, audit, report.entries, report.bytes);
        }
        let children = std::mem::take(&mut file.children);
        let keep = file
            .keep
            .take()
            .and_then(|keep| self.keep_children(keep, &children));
        self.follow(candidate, children, &mut file.report);
        let named = file.report.urls.len();
        self.keep_urls(&mut file.report);
        // A URL that an earlier file also names is kept only there. If that file changed, reusing this list would lose
        // the URL.
        let is_whole = file.report.urls.len() == named;
        Some(Taken {
            report: file.report,
            keep: keep.filter(|_| is_whole),
        })
    }

    /// What the next scan may reuse, with the sitemaps that the file names, if there is room for them.
    fn keep_children(&self, keep: KnownSitemap, children: &[Url]) -> Option<KnownSitemap> {
        let bytes = children.iter().map(|child| child.as_str().len()).sum();
        self.budget.keep(bytes).then(|| KnownSitemap {
            children: children.iter().map(Url::to_string).collect(),
            ..keep
        })
    }

    /// Queues the sitemaps that a file names, if they are on this site or on the site of the file.
    fn follow(&mut self, candidate: &Candidate, children: Vec<Url>, report: &mut SitemapReport) {
        let parent: Arc<str> = candidate.url.as_str().into();
        let (depth, mut elsewhere) = (candidate.depth + 1, 0);
        for child in children {
            if same_site(&child, &self.home) || same_site(&child, &candidate.url) {
                self.queue(child, depth, false, Some(Arc::clone(&parent)));
            } else {
                elsewhere += 1;
            }
        }
        if elsewhere > 0 {
            let detail = format!("{elsewhere} sitemaps of other sites were not followed");
            report.problems.push(Problem::new("cross_host", detail));
        }
        if report.kind == SitemapKind::Urlset {
            let looked_at = report.urls.iter().take(MAX_LOOKED_AT);
            for url in looked_at.filter_map(|url| sitemap_among_pages(&url.loc)) {
                if same_site(&url, &self.home) {
                    self.queue(url, depth, true, Some(Arc::clone(&parent)));
                }
            }
        }
    }

    /// Keeps the pages that no earlier file named, within the limits of the scan.
    fn keep_urls(&mut self, report: &mut SitemapReport) {
        let named = report.urls.len() as u64;
        let mut left_out = report.entries.saturating_sub(named);
        let Self {
            stored,
            stored_count,
            budget,
            audit,
            ..
        } = self;
        let sitemap = &report.url;
        report.urls.retain(|url| {
            let seen = stored.see(&url.loc);
            if seen == Seen::Again {
                audit.add_repeated(sitemap, &url.loc);
            }
            let is_kept = seen == Seen::First && budget.keep(bytes_of(url));
            *stored_count += usize::from(is_kept);
            left_out += u64::from(!is_kept && seen != Seen::Again);
            is_kept
        });
        // Otherwise the list would use as much memory as if all of it were kept.
        report.urls.shrink_to_fit();
        if report.kind.lists_pages() && left_out > 0 {
            let detail = format!(
                "{left_out} of the {} URLs in {} are not stored: the limit of a scan is {}",
                report.entries,
                report.url,
                self.bounds()
            );
            report.problems.push(Problem::new("url_limit", detail));
            self.left_out += left_out;
        }
        if let Some((contacts, left)) = &mut self.contacts {
            let locs = report.urls.iter().map(|url| url.loc.as_str()).take(*left);
            let found = contact_pages_among(contacts.iter().map(Url::as_str).chain(locs), &self.home);
            *left = left.saturating_sub(report.urls.len());
            *contacts = found;
        }
    }

    fn bounds(&self) -> String {
        format!("{} URLs and {} bytes", self.max_urls, self.budget.max_bytes())
    }

    /// Pages that may hold contacts, the most likely first.
    pub(super) fn contact_pages(&mut self) -> Vec<Url> {
        self.contacts.take().map(|(urls, _)| urls).unwrap_or_default()
    }

    /// The audit of all files.
    pub(super) fn audit(&mut self, standard: &Standard) -> Option<SitemapAudit> {
        std::mem::take(&mut self.audit).finish(standard)
    }

    /// What was left out because of the limits.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.dropped > 0 {
            let detail = format!("{} further sitemap files were not read", self.dropped);
            problems.push(Problem::new("sitemap_limit", detail));
        }
        if self.left_out > 0 {
            let detail = format!(
                "{} URLs of the sitemaps are stored and {} are not: the limit of a scan is {}",
                self.stored_count,
                self.left_out,
                self.bounds()
            );
            problems.push(Problem::new("url_limit", detail));
        }
        problems
    }
}

pub(super) fn is_sitemap(kind: SitemapKind) -> bool {
    kind.lists_pages() || kind == SitemapKind::Index
}

/// A key that is the same for all URLs at which a file is served: with and without TLS, with and without `www.`.
fn file_key(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{host}{port}{}?{}", url.path(), url.query().unwrap_or_default())
}

/// Some urlsets list sitemaps as if they were pages.
fn sitemap_among_pages(loc: &str) -> Option<Url> {
    let url = Url::parse(loc).ok()?;
    let path = url.path().to_ascii_lowercase();
    let file = path.strip_suffix(".gz").unwrap_or(&path);
    (file.strip_suffix(".xml")?.contains("sitemap")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::sitemap::FileAudit;
    use crate::values::TenantId;
    use crate::values::sitemap::SitemapUrl;

    fn plan(settings: &ScannerSettings) -> Plan {
        let home = Url::parse("https://a.site.test/").unwrap();
        let budget = ComputeBudget::new(TenantId::DEFAULT, settings);
        Plan::new(home, settings, budget, false)
    }

    fn file(url: &str, kind: SitemapKind, locs: &[String]) -> FileRead {
        let is_index = kind == SitemapKind::Index;
        FileRead {
            report: SitemapReport {
                url: url.to_owned(),
                parent: None,
                kind,
                status: 200,
                not_modified: false,
                bytes: 0,
                entries: locs.len() as u64,
                urls: locs
                    .iter()
                    .filter(|_| !is_index)
                    .map(|loc| SitemapUrl {
                        loc: loc.clone(),
                        ..SitemapUrl::default()
                    })
                    .collect(),
                problems: Vec::new(),
            },
            final_url: None,
            children: locs
                .iter()
                .filter(|_| is_index)
                .map(|loc| Url::parse(loc).unwrap())
                .collect(),
            keep: None,
            audit: FileAudit::default(),
        }
    }

    fn locs(prefix: &str, count: usize) -> Vec<String> {
        (0..count)
            .map(|number| format!("https://a.site.test/{prefix}/{number}"))
            .collect()
    }

    fn next(plan: &mut Plan, path: &str) -> Candidate {
        plan.add_guesses(&[path]);
        plan.next_batch(1).remove(0)
    }

    #[test]
    fn what_an_index_names_beyond_the_limit_is_counted_and_not_kept() {
        let mut plan = plan(&ScannerSettings::default());
        let candidate = next(&mut plan, "/sitemap.xml");
        for number in 0..90 {
            let index = file(
                "/sitemap.xml",
                SitemapKind::Index,
                &locs(&number.to_string(), 5_000),
            );
            plan.take(&candidate, index).unwrap();
        }
        assert_eq!((plan.asked.len(), plan.waiting.len()), (200, 199));
        assert_eq!(plan.dropped, 90 * 5_000 - 199);
        let problem = &plan.problems()[0];
        assert_eq!(problem.code, "sitemap_limit");
        assert!(problem.detail.starts_with("449801 further"), "{}", problem.detail);
    }

    #[test]
    fn urls_beyond_the_bytes_of_a_scan_are_counted_and_take_no_memory() {
        let mut plan = plan(&ScannerSettings {
            max_kept_bytes: 50_000,
            ..ScannerSettings::default()
        });
        let mut kept = 0;
        for path in ["/a.xml", "/b.xml", "/c.xml"] {
            let candidate = next(&mut plan, path);
            let taken = plan
                .take(&candidate, file(path, SitemapKind::Urlset, &locs(path, 400)))
                .unwrap();
            kept += taken.report.urls.iter().map(bytes_of).sum::<usize>();
            assert!(taken.report.urls.capacity() <= taken.report.urls.len() + 1);
            let left_out = 400 - taken.report.urls.len();
            assert_eq!(taken.report.problems.is_empty(), left_out == 0);
            if let Some(problem) = taken.report.problems.first() {
                assert!(
                    problem.detail.starts_with(&format!("{left_out} of the 400 URLs")),
                    "{}",
                    problem.detail
                );
            }
        }
        assert!(kept <= 50_000 && kept > 40_000, "{kept}");
        let problems = plan.problems();
        assert_eq!(problems[0].code, "url_limit");
        assert!(plan.left_out > 800 && problems[0].detail.contains(&plan.left_out.to_string()));
    }
}
