//! Which sitemap files a site has: from robots.txt, from the home page, from well-known places, from indexes.

use std::collections::{HashSet, VecDeque};

use futures::future::join_all;
use tokio::time::Instant;
use url::Url;

/// So few files come one after another over the connection that is open: a TLS handshake costs both sides more than
/// waiting costs us.
const FEW: usize = 4;

use super::Tools;
use super::read_sitemap::{FileRead, read};
use super::site::same_site;
use super::sitemap::{Seen, SeenUrls};
use crate::values::Problem;
use crate::values::report::SitemapReport;
use crate::values::revisit::KnownSitemap;
use crate::values::sitemap::SitemapKind;

/// Where sitemaps are looked for if nothing that is one is named: the usual place first, alone, for most sites that have
/// one have it there; then the places of the most common generators at once.
const WELL_KNOWN: &[&[&str]] = &[
    &["/sitemap.xml"],
    &[
        "/sitemap_index.xml",
        "/wp-sitemap.xml",
        "/sitemap-index.xml",
        "/sitemap.xml.gz",
    ],
];

/// Feeds that are read where a site has no sitemap.
const MAX_FEEDS: usize = 2;

/// Where to begin.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// Named by robots.txt: of any host.
    pub(super) robots: Vec<Url>,
    /// Named by the home page.
    pub(super) page: Vec<Url>,
    /// RSS and Atom, named by the home page: what a site without sitemaps tells search engines by.
    pub(super) feeds: Vec<Url>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub(super) sitemaps: Vec<SitemapReport>,
    pub(super) problems: Vec<Problem>,
    /// What the next scan may use again.
    pub(super) keep: Vec<KnownSitemap>,
}

/// A file to read.
#[derive(Debug)]
struct Candidate {
    url: Url,
    depth: usize,
    /// A guess: reported only if it is a sitemap.
    is_guess: bool,
    /// The file that names it.
    parent: Option<String>,
}

/// Reads all sitemap files of the site at `home` into `found`, each once, until time or number is up.
pub(super) async fn discover(
    tools: &Tools,
    home: &Url,
    seeds: Seeds,
    deadline: Instant,
    found: &mut Discovered,
) {
    let mut search = Search {
        tools,
        home,
        deadline,
        asked: HashSet::new(),
        read: HashSet::new(),
        waiting: VecDeque::new(),
        stored: SeenUrls::with_limit(tools.settings.max_stored_urls),
        stored_count: 0,
        found,
        dropped: 0,
    };
    for url in seeds.robots {
        search.add(url, false);
    }
    for url in seeds.page.into_iter().filter(|url| same_site(url, home)) {
        search.add(url, false);
    }
    search.read_all().await;
    search.guess().await;
    if !search.has_any() {
        for url in seeds
            .feeds
            .into_iter()
            .filter(|url| same_site(url, home))
            .take(MAX_FEEDS)
        {
            search.add(url, true);
        }
        search.read_all().await;
    }
    search.finish();
}

struct Search<'a> {
    tools: &'a Tools,
    home: &'a Url,
    deadline: Instant,
    /// URLs that were asked for or wait for it.
    asked: HashSet<String>,
    /// Files that were read and are sitemaps, by [`file_key`]: `http` or `https`, `www.` or not, asked for or redirected
    /// to, they are read once.
    read: HashSet<String>,
    waiting: VecDeque<Candidate>,
    stored: SeenUrls,
    stored_count: usize,
    found: &'a mut Discovered,
    dropped: usize,
}

impl Search<'_> {
    /// Queues a file that no other file names.
    fn add(&mut self, url: Url, is_guess: bool) {
        self.queue(Candidate {
            url,
            depth: 0,
            is_guess,
            parent: None,
        });
    }

    /// Queues a file that another names.
    fn add_child(&mut self, url: Url, parent: &Candidate, is_guess: bool) {
        self.queue(Candidate {
            url,
            depth: parent.depth + 1,
            is_guess,
            parent: Some(parent.url.to_string()),
        });
    }

    fn queue(&mut self, mut candidate: Candidate) {
        let Candidate { url, depth, .. } = &mut candidate;
        url.set_fragment(None);
        if !self.asked.insert(url.to_string()) {
            return;
        }
        if self.asked.len() > self.tools.settings.max_sitemaps
            || *depth > self.tools.settings.max_sitemap_depth
        {
            self.dropped += 1;
            return;
        }
        self.waiting.push_back(candidate);
    }

    fn has_any(&self) -> bool {
        self.found.sitemaps.iter().any(|file| is_sitemap(file.kind))
    }

    /// Tries the well-known places until one of them is a sitemap.
    async fn guess(&mut self) {
        for paths in WELL_KNOWN {
            if self.has_any() || Instant::now() >= self.deadline {
                return;
            }
            for url in paths.iter().filter_map(|path| self.home.join(path).ok()) {
                self.add(url, true);
            }
            self.read_all().await;
        }
    }

    /// The next files to read at once: none that was read meanwhile under another name, and no two that may be one.
    fn next_batch(&mut self, at_once: usize) -> Vec<Candidate> {
        let mut batch: Vec<Candidate> = Vec::new();
        let mut later = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            let key = file_key(&next.url);
            if self.read.contains(&key) {
                continue;
            }
            if batch.len() < at_once && batch.iter().all(|known| file_key(&known.url) != key) {
                batch.push(next);
            } else {
                later.push_back(next);
            }
        }
        self.waiting = later;
        batch
    }

    /// Reads what waits, a few files at once; results are taken in the order of the queue, so that a report does
    /// not depend on who answered first.
    async fn read_all(&mut self) {
        while !self.waiting.is_empty() {
            if Instant::now() >= self.deadline {
                let unread = self.waiting.len();
                let detail = format!("{unread} sitemap files were not reached in time");
                self.found.problems.push(Problem::new("timeout", detail));
                self.waiting.clear();
                return;
            }
            let at_once = match self.waiting.len() {
                0..=FEW => 1,
                many => many.min(self.tools.settings.requests_at_once.max(1)),
            };
            let batch = self.next_batch(at_once);
            let room = self
                .tools
                .settings
                .max_stored_urls
                .saturating_sub(self.stored_count);
            let reading = batch
                .iter()
                .map(|one| read(self.tools, &one.url, self.deadline, room));
            let files = join_all(reading).await;
            for (candidate, file) in batch.into_iter().zip(files) {
                self.take(&candidate, file);
            }
        }
    }

    fn take(&mut self, candidate: &Candidate, mut file: FileRead) {
        if candidate.is_guess && !is_sitemap(file.report.kind) && file.report.kind != SitemapKind::TooLarge {
            return;
        }
        let redirected_to = file.final_url.as_ref().filter(|url| **url != candidate.url);
        if is_sitemap(file.report.kind) {
            // A redirect to a file that was read before (a child to its parent, say).
            if redirected_to.is_some_and(|url| self.read.contains(&file_key(url))) {
                return;
            }
            self.read.insert(file_key(&candidate.url));
            self.read.extend(redirected_to.map(file_key));
        } else if redirected_to.is_some_and(|url| !self.asked.insert(url.to_string())) {
            return;
        }
        file.report.parent.clone_from(&candidate.parent);
        self.follow(candidate, &mut file);
        let named = file.report.urls.len();
        self.keep_urls(&mut file.report);
        // What an earlier file named is listed there alone: used again, that list would lack it if that file changed.
        if file.report.urls.len() == named {
            self.found.keep.extend(file.keep);
        }
        self.found.sitemaps.push(file.report);
    }

    /// Queues the sitemaps that a file names, if they are of this site.
    fn follow(&mut self, candidate: &Candidate, file: &mut FileRead) {
        let mut elsewhere = 0;
        for child in std::mem::take(&mut file.children) {
            if same_site(&child, self.home) || same_site(&child, &candidate.url) {
                self.add_child(child, candidate, false);
            } else {
                elsewhere += 1;
            }
        }
        if elsewhere > 0 {
            let detail = format!("{elsewhere} sitemaps of other sites were not followed");
            file.report.problems.push(Problem::new("cross_host", detail));
        }
        if file.report.kind == SitemapKind::Urlset {
            let listed: Vec<Url> = file
                .report
                .urls
                .iter()
                .take(1_000)
                .filter_map(|url| sitemap_among_pages(&url.loc))
                .collect();
            for url in listed {
                if same_site(&url, self.home) {
                    self.add_child(url, candidate, true);
                }
            }
        }
    }

    /// Keeps the pages that no earlier file named, up to the limit of the scan.
    fn keep_urls(&mut self, report: &mut SitemapReport) {
        let limit = self.tools.settings.max_stored_urls;
        let before = report.urls.len();
        report.urls.retain(|url| self.stored.see(&url.loc) == Seen::First);
        self.stored_count += report.urls.len();
        let was_cut =
            before < usize::try_from(report.entries).unwrap_or(usize::MAX) || self.stored_count >= limit;
        if report.kind.lists_pages() && was_cut && self.stored_count >= limit {
            let detail = format!(
                "{} lists {} URLs; {limit} of a scan are kept",
                report.url, report.entries
            );
            report.problems.push(Problem::new("url_limit", detail));
        }
    }

    fn finish(self) {
        if self.dropped > 0 {
            let detail = format!("{} further sitemap files were not read", self.dropped);
            self.found.problems.push(Problem::new("sitemap_limit", detail));
        }
        if self.stored_count >= self.tools.settings.max_stored_urls {
            let detail = format!("the first {} URLs of the sitemaps are kept", self.stored_count);
            self.found.problems.push(Problem::new("url_limit", detail));
        }
    }
}

fn is_sitemap(kind: SitemapKind) -> bool {
    kind.lists_pages() || kind == SitemapKind::Index
}

/// The same for the addresses that one file is served at: with and without TLS, with and without `www.`.
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
