//! Finds the sitemap files of a site: in robots.txt, on the home page, at well-known paths, and in sitemap indexes.

mod plan;

use futures::future::join_all;
use tokio::time::Instant;
use url::Url;

use self::plan::{Plan, is_sitemap};
use super::ScanContext;
use super::parse_pool::ParserFailed;
use super::read_sitemap::{FileRead, Reader, read};
use crate::values::Problem;
use crate::values::report::SitemapReport;
use crate::values::revisit::KnownSitemap;
use crate::values::sitemap_audit::SitemapAudit;

/// Up to this many files are fetched one after another over the open connection: a TLS handshake costs both sides more
/// than the wait costs us.
const MAX_SEQUENTIAL: usize = 4;

/// Where sitemaps are searched for if nothing names one. The usual path is tried first and separately, because most
/// sites with a sitemap have it there; then the paths of the most common generators are tried at the same time.
const WELL_KNOWN: &[&[&str]] = &[
    &["/sitemap.xml"],
    &[
        "/sitemap_index.xml",
        "/wp-sitemap.xml",
        "/sitemap-index.xml",
        "/sitemap.xml.gz",
    ],
];

/// Maximum number of feeds that are read if a site has no sitemap.
const MAX_FEEDS: usize = 2;

/// The starting points of the search.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// Named by robots.txt, on any host.
    pub(super) robots: Vec<Url>,
    /// Named by the home page.
    pub(super) page: Vec<Url>,
    /// RSS and Atom feeds named by the home page: sites without sitemaps inform search engines with them.
    pub(super) feeds: Vec<String>,
    /// Whether the scan needs pages that may contain contacts.
    pub(super) wants_contacts: bool,
}

/// The number of bytes that a URL counts as in the measure of work.
const BYTES_OF_URL: usize = 100;

/// The result of the search.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub(super) sitemaps: Vec<SitemapReport>,
    pub(super) problems: Vec<Problem>,
    /// The data that the next scan may reuse.
    pub(super) keep: Vec<KnownSitemap>,
    /// Listed pages that may contain contacts, the most likely first, if requested.
    pub(super) contact_pages: Vec<Url>,
    /// The result of checking the files for errors.
    pub(super) audit: Option<SitemapAudit>,
}

/// Reads all sitemap files of the site at `home` into `found`, each once, until the time or the number of files is used
/// up.
pub(super) async fn discover(
    context: &ScanContext,
    home: &Url,
    seeds: Seeds,
    how: Reader,
    found: &mut Discovered,
) {
    let wants_contacts = seeds.wants_contacts;
    let plan = Plan::new(
        home.clone(),
        &context.settings,
        context.compute_budget.clone(),
        wants_contacts,
    );
    let mut search = Search { context, how, found };
    let ended = search.run(plan, seeds).await;
    let standard = search.how.standard;
    match ended {
        Ok(mut plan) => {
            found.audit = plan.audit(&standard);
            found.problems.extend(plan.problems());
            found.contact_pages = plan.contact_pages();
        }
        Err(failed) => found.problems.push(Problem::new("internal", failed.to_string())),
    }
}

struct Search<'a> {
    context: &'a ScanContext,
    how: Reader,
    found: &'a mut Discovered,
}

impl Search<'_> {
    async fn run(&mut self, mut plan: Plan, mut seeds: Seeds) -> Result<Plan, ParserFailed> {
        let named = seeds.robots.len() + seeds.page.len();
        let queue = move || {
            plan.add_named(&mut seeds);
            (plan, seeds)
        };
        let (plan, seeds) = self.context.compute_on(named * BYTES_OF_URL, queue).await?;
        let mut plan = self.read_all(plan).await?;
        for paths in WELL_KNOWN {
            if self.has_any() || Instant::now() >= self.how.deadline {
                break;
            }
            plan.add_guesses(paths);
            plan = self.read_all(plan).await?;
        }
        if !self.has_any() && !seeds.feeds.is_empty() {
            let queue = move || {
                plan.add_feeds(&seeds.feeds, MAX_FEEDS);
                plan
            };
            plan = self.context.compute(queue).await?;
            plan = self.read_all(plan).await?;
        }
        Ok(plan)
    }

    fn has_any(&self) -> bool {
        self.found.sitemaps.iter().any(|file| is_sitemap(file.kind))
    }

    /// Reads the queued files, a few at the same time. It processes results in queue order, so that a report does not
    /// depend on which response came first.
    async fn read_all(&mut self, mut plan: Plan) -> Result<Plan, ParserFailed> {
        while plan.waiting() > 0 {
            if Instant::now() >= self.how.deadline {
                let detail = format!("{} sitemap files were not reached in time", plan.give_up());
                self.found.problems.push(Problem::new("timeout", detail));
                break;
            }
            if !self.context.compute_budget.may_read_sitemaps() {
                let unread = plan.give_up();
                let detail = format!(
                    "{unread} sitemap files were not read: {}",
                    self.context.compute_budget.ran_out()
                );
                self.found.problems.push(Problem::new("budget_compute", detail));
                break;
            }
            let at_once = match plan.waiting() {
                0..=MAX_SEQUENTIAL => 1,
                many => many.min(self.context.settings.requests_at_once.max(1)),
            };
            let batch = plan.next_batch(at_once);
            let room = plan.room_for_urls();
            let reading = batch
                .iter()
                .map(|one| read(self.context, &one.url, &self.how, room));
            let files = join_all(reading).await;
            let named: usize = files.iter().map(FileRead::named).sum();
            let take = move || {
                let read = batch.iter().zip(files);
                let taken: Vec<_> = read.filter_map(|(one, file)| plan.take(one, file)).collect();
                (plan, taken)
            };
            let (rest, taken) = self.context.compute_on(named * BYTES_OF_URL, take).await?;
            plan = rest;
            for file in taken {
                self.found.sitemaps.push(file.report);
                self.found.keep.extend(file.keep);
            }
        }
        Ok(plan)
    }
}
