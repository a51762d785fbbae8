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
use crate::values::sitemap::SitemapKind;

/// Where sitemaps are looked for if nothing names one; the first that is one ends the search.
const WELL_KNOWN: &[&str] = &["/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml"];

/// Where to begin.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// Named by robots.txt: of any host.
    pub(super) robots: Vec<Url>,
    /// Named by the home page.
    pub(super) page: Vec<Url>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub(super) sitemaps: Vec<SitemapReport>,
    pub(super) problems: Vec<Problem>,
}

/// A file to read.
#[derive(Debug)]
struct Candidate {
    url: Url,
    depth: usize,
    /// A guess: reported only if it is a sitemap.
    is_guess: bool,
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
        waiting: VecDeque::new(),
        stored: SeenUrls::with_limit(tools.settings.max_stored_urls),
        stored_count: 0,
        found,
        dropped: 0,
    };
    let names_none = seeds.robots.is_empty();
    for url in seeds.robots {
        search.add(url, 0, false);
    }
    for url in seeds.page.into_iter().filter(|url| same_site(url, home)) {
        search.add(url, 0, false);
    }
    search.read_all().await;
    if names_none {
        search.guess().await;
    }
    search.finish();
}

struct Search<'a> {
    tools: &'a Tools,
    home: &'a Url,
    deadline: Instant,
    asked: HashSet<String>,
    waiting: VecDeque<Candidate>,
    stored: SeenUrls,
    stored_count: usize,
    found: &'a mut Discovered,
    dropped: usize,
}

impl Search<'_> {
    fn add(&mut self, mut url: Url, depth: usize, is_guess: bool) {
        url.set_fragment(None);
        if !self.asked.insert(url.to_string()) {
            return;
        }
        if self.asked.len() > self.tools.settings.max_sitemaps
            || depth > self.tools.settings.max_sitemap_depth
        {
            self.dropped += 1;
            return;
        }
        self.waiting.push_back(Candidate { url, depth, is_guess });
    }

    /// Tries the well-known places one after the other.
    async fn guess(&mut self) {
        let any = |found: &Discovered| found.sitemaps.iter().any(|file| is_sitemap(file.kind));
        for path in WELL_KNOWN {
            if any(self.found) || Instant::now() >= self.deadline {
                return;
            }
            if let Ok(url) = self.home.join(path) {
                self.add(url, 0, true);
                self.read_all().await;
            }
        }
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
            let batch: Vec<Candidate> = self.waiting.drain(..at_once).collect();
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
        // A redirect to a file that is read anyway (a child to its parent, say).
        if let Some(final_url) = file.final_url.as_ref().filter(|url| **url != candidate.url)
            && !self.asked.insert(final_url.to_string())
        {
            return;
        }
        self.follow(candidate, &mut file);
        self.keep_urls(&mut file.report);
        self.found.sitemaps.push(file.report);
    }

    /// Queues the sitemaps that a file names, if they are of this site.
    fn follow(&mut self, candidate: &Candidate, file: &mut FileRead) {
        let mut elsewhere = 0;
        for child in std::mem::take(&mut file.children) {
            if same_site(&child, self.home) || same_site(&child, &candidate.url) {
                self.add(child, candidate.depth + 1, false);
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
                    self.add(url, candidate.depth + 1, true);
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

/// Some urlsets list sitemaps as if they were pages.
fn sitemap_among_pages(loc: &str) -> Option<Url> {
    let url = Url::parse(loc).ok()?;
    let path = url.path().to_ascii_lowercase();
    let file = path.strip_suffix(".gz").unwrap_or(&path);
    (file.strip_suffix(".xml")?.contains("sitemap")).then_some(url)
}
