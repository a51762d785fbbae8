//! Reads a site: robots.txt, sitemaps, pages. It uses no database and no events.
//!
//! [`Scanner::scan`] is one attempt to scan one site. It always returns a report, however hostile the site is.

mod compute_budget;
mod cooldown;
mod discovery;
mod dns;
mod files;
mod measure;
mod off_page;
mod origin;
mod parse_pool;
mod read_page;
mod read_sitemap;
mod revisit;
mod sample;
mod scan;

pub mod fingerprint_files;
pub mod page;
pub mod references;
pub mod robots;
pub mod site;
pub mod sitemap;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;

pub use self::read_sitemap::kind_of_status as sitemap_kind_of_status;
pub use self::revisit::PARSER_VERSION;
use crate::fetch::{FetchSetupError, Fetcher};
use crate::values::report::SiteReport;
use crate::values::site_files::SiteFile;
use crate::values::sitemap_audit::SampledUrl;
use crate::values::{DomainName, FailureReason, Problem, Revisit, ScanOptions, TenantId};
use compute_budget::ComputeBudget;
use page::{Technologies, own_technologies};
use parse_pool::{ParsePool, ParserFailed};

/// Limits of one scan.
#[derive(Clone, Debug)]
pub struct ScannerSettings {
    /// Number of parse threads, shared by all scans.
    pub parse_threads: usize,
    /// Maximum number of sitemap files read in one scan.
    pub max_sitemaps: usize,
    /// Maximum depth of nested indexes.
    pub max_sitemap_depth: usize,
    /// Maximum decoded bytes of one sitemap file.
    pub max_sitemap_bytes: u64,
    /// Maximum number of URLs from sitemaps that one scan keeps; further URLs are only counted.
    pub max_stored_urls: usize,
    /// Maximum bytes of memory for the stored sitemap data of one scan.
    pub max_kept_bytes: usize,
    /// Maximum CPU time of one scan.
    pub max_compute: Duration,
    /// Number of sitemap files that one scan requests at the same time.
    pub requests_at_once: usize,
    /// The known fingerprints.
    pub technologies: Arc<Technologies>,
}

impl Default for ScannerSettings {
    fn default() -> Self {
        Self {
            parse_threads: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            max_sitemaps: 200,
            max_sitemap_depth: 5,
            max_sitemap_bytes: 4 * 1024 * 1024 * 1024,
            max_stored_urls: 50_000,
            max_kept_bytes: 32 * 1024 * 1024,
            max_compute: Duration::from_secs(10),
            requests_at_once: 3,
            technologies: Arc::clone(own_technologies()),
        }
    }
}

/// Reads sites. Cheap to clone; all clones share the fetcher and the parsing threads.
#[derive(Clone, Debug)]
pub struct Scanner {
    context: Arc<ScanContext>,
}

/// The client, limits and settings that a scan uses.
#[derive(Clone, Debug)]
struct ScanContext {
    fetcher: Fetcher,
    pool: ParsePool,
    /// Limits for the memory and CPU time of this scan.
    compute_budget: ComputeBudget,
    settings: ScannerSettings,
    /// Our product token in robots.txt files.
    agent: String,
    /// Identifies the parser and its dependencies: a later scan reuses only content that the same parser read.
    parser_fingerprint: String,
    /// The data that the last scan of the site kept.
    known: Arc<Revisit>,
}

/// Size of input, in bytes, that is read within a few hundred microseconds.
const LITTLE: usize = 8 * 1024;

impl ScanContext {
    /// The same context with connections that end with the visit, and with the known data of the site.
    fn for_one_visit(&self, tenant: TenantId, kept: Option<Revisit>) -> Result<Self, FetchSetupError> {
        let kept = kept.unwrap_or_default();
        Ok(Self {
            fetcher: self.fetcher.visit()?,
            compute_budget: ComputeBudget::new(tenant, &self.settings),
            known: Arc::new(revisit::usable(kept, &self.parser_fingerprint, Utc::now())),
            ..self.clone()
        })
    }

    /// The additional files that a scan reads: those in the settings and in its request, if any may be read.
    fn wanted_files(&self, options: &ScanOptions) -> Vec<SiteFile> {
        let always = self.fetcher.settings().files;
        let wanted = always.map(|always| always.with(options.files));
        wanted.unwrap_or_default().iter().collect()
    }

    /// Runs work of more than a millisecond when it is the scan's turn.
    async fn compute<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ParserFailed> {
        self.pool.run(&self.compute_budget, job).await
    }

    /// The same for a job whose time depends only on the size of its input. A small input is processed on the current
    /// thread, because handing it to another thread would take longer than the job.
    async fn compute_on<T: Send + 'static>(
        &self,
        bytes: usize,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ParserFailed> {
        if bytes <= LITTLE {
            return self.pool.run_here(&self.compute_budget, job);
        }
        self.compute(job).await
    }
}

impl Scanner {
    /// A scanner that fetches through `fetcher`.
    pub fn new(fetcher: Fetcher, settings: ScannerSettings) -> Self {
        let agent = fetcher
            .settings()
            .user_agent
            .split(['/', ' '])
            .next()
            .unwrap_or_default()
            .to_owned();
        let pool = ParsePool::new(settings.parse_threads);
        let technologies = settings.technologies.fingerprint();
        let parser_fingerprint =
            revisit::parser_fingerprint(fetcher.settings(), technologies, settings.max_sitemap_bytes);
        Self {
            context: Arc::new(ScanContext {
                fetcher,
                pool,
                compute_budget: ComputeBudget::new(TenantId::DEFAULT, &settings),
                settings,
                agent,
                parser_fingerprint,
                known: Arc::default(),
            }),
        }
    }

    /// The longest time that one attempt may take.
    pub fn max_time(&self) -> Duration {
        self.context.fetcher.settings().max_time
    }

    /// Runs one attempt at a site, for at most `time_limit`.
    pub async fn scan(&self, domain: &DomainName, options: &ScanOptions, time_limit: Duration) -> SiteReport {
        self.scan_for(TenantId::DEFAULT, domain, options, time_limit, None)
            .await
    }

    /// Fetches this many of these URLs of one host, evenly spaced, and returns the results. It fetches only what
    /// robots.txt allows, for at most `time_limit`. It also returns why the other URLs were not fetched.
    pub async fn check_urls(
        &self,
        urls: &[&str],
        wanted: usize,
        time_limit: Duration,
    ) -> Result<(Vec<SampledUrl>, Option<Problem>), FetchSetupError> {
        let context = self.context.for_one_visit(TenantId::DEFAULT, None)?;
        let deadline = Instant::now() + time_limit;
        let chosen = sample::chosen(urls, wanted);
        let Some(first) = chosen.first() else {
            return Ok((Vec::new(), None));
        };
        Ok(match origin::rules_of(&context, first, deadline).await {
            Ok(rules) => {
                let sample = sample::check_urls(&context, chosen, &rules, deadline).await;
                (sample.urls, sample.problem)
            }
            Err(problem) => (Vec::new(), Some(problem)),
        })
    }

    /// Like [`scan`](Self::scan), but for a tenant, whose scans take turns with those of others, and for a site that
    /// may have been scanned before: content that the site reports as unchanged is not read again.
    pub async fn scan_for(
        &self,
        tenant: TenantId,
        domain: &DomainName,
        options: &ScanOptions,
        time_limit: Duration,
        kept: Option<Revisit>,
    ) -> SiteReport {
        match self.context.for_one_visit(tenant, kept) {
            // The future needs kilobytes for the findings. Without the box, waiting callers would need them too.
            Ok(context) => Box::pin(scan::scan(&context, domain, options, time_limit)).await,
            Err(error) => SiteReport::failed(FailureReason::Internal, error.to_string()),
        }
    }
}

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod discovery_tests;
#[cfg(test)]
mod files_tests;
#[cfg(test)]
mod off_page_tests;
#[cfg(test)]
mod revisit_tests;
#[cfg(test)]
mod tests;
