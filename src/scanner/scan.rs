//! The order of one scan: entrance, home page, sitemaps, further pages.
//!
//! A failure up to the home page fails the scan; a later one is a problem in its result.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, timeout};
use url::Url;

use super::ScanContext;
use super::compute_budget::{SITEMAP_SHARE, sitemap_share_of};
use super::discovery::{Discovered, Seeds, discover};
use super::dns;
use super::files::{Files, Site};
use super::measure::{self, Stage};
use super::off_page;
use super::origin::{RobotsPolicy, SiteOrigin, enter, robots_txt_of, rules_of};
use super::page::add_page;
use super::read_page::{self, PageRead};
use super::read_sitemap::Reader;
use super::robots::MAX_ROBOTS_BYTES;
use super::sample::{self, Sample};
use super::site::same_site;
use super::sitemap::Standard;
use crate::fetch::Limits;
use crate::values::findings::{Bound, PageSummary, RobotsSummary, SitemapSummary, Visit};
use crate::values::report::{PageReport, RobotsReport, ScanFailure, SiteReport, SitemapReport};
use crate::values::{DomainName, FailureReason, Findings, Problem, Revisit, ScanOptions};

/// The deadlines of the parts of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// When the scan began.
    start: Instant,
    /// The deadline for reading sitemaps.
    pub(super) sitemaps: Instant,
    /// The deadline for the whole scan, slightly before the time limit, so that a report can still be made.
    pub(super) end: Instant,
}

impl Deadlines {
    fn new(now: Instant, limit: Duration) -> Self {
        Self {
            start: now,
            sitemaps: now + sitemap_share_of(limit),
            end: now + limit.mul_f64(0.96),
        }
    }
}

/// The data read so far; it is kept when the time limit ends a scan.
#[derive(Debug, Default)]
struct Progress {
    robots: Option<RobotsReport>,
    discovered: Discovered,
    pages: Vec<PageReport>,
    /// Set as soon as the home page was read.
    findings: Option<Findings>,
    /// The data that the next scan may reuse.
    keep: Revisit,
    /// Whether something was not read because time ran out.
    out_of_time: bool,
    /// How long the slower of the first two fetches took.
    slowest: Duration,
    /// Files that are read at the same time.
    files: Option<Files>,
}

/// Runs one attempt at a site.
pub(super) async fn scan(
    context: &ScanContext,
    domain: &DomainName,
    options: &ScanOptions,
    time_limit: Duration,
) -> SiteReport {
    let began = std::time::Instant::now();
    let deadlines = Deadlines::new(Instant::now(), time_limit);
    let mut progress = Progress::default();
    let questions = dns::ask(context, domain);
    let ended = timeout(
        time_limit,
        run(context, &deadlines, domain, options, &mut progress),
    )
    .await;
    let failure = match ended {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(_) => {
            progress.out_of_time = true;
            Some(out_of_time(domain))
        }
    };
    if let Some(findings) = &mut progress.findings {
        let _stage = Stage::begin("beside");
        let until = deadlines.end.min(Instant::now() + progress.slowest);
        if let Some(files) = &mut progress.files {
            files.begin(context);
        }
        if let Some(questions) = questions {
            dns::add_to(context, findings, questions, until).await;
        }
        if let Some(files) = progress.files.take() {
            files.add_to(findings, until).await;
        }
        off_page::tell_hosting(findings);
        off_page::tell_certificate(context, findings);
        off_page::add_signs(context, findings).await;
    }
    let report = progress.into_report(context, &deadlines, failure);
    measure::attempt(began, &context.fetcher, &report);
    report
}

async fn run(
    context: &ScanContext,
    deadlines: &Deadlines,
    domain: &DomainName,
    options: &ScanOptions,
    progress: &mut Progress,
) -> Result<(), ScanFailure> {
    let stage = Stage::begin("origin");
    let mut origin = enter(context, deadlines, domain, &mut progress.robots).await?;
    progress.keep.robots = origin.keep.take();
    progress.slowest = deadlines.start.elapsed();
    drop(stage);
    let stage = Stage::begin("home");
    let began = Instant::now();
    let home = read_home(context, deadlines, &origin, progress).await?;
    progress.slowest = progress.slowest.max(began.elapsed());
    drop(stage);
    let stage = Stage::begin("sitemaps");
    let findings = progress.findings.insert(home.facts.findings);
    findings.problems.append(&mut origin.problems);
    let mut links = home.facts.contact_links;
    // Contacts on a page that the owner did not make are not the owner's.
    let most = if findings.is_from_owner() {
        options.max_pages
    } else {
        1
    };
    let further = most.saturating_sub(1) as usize;
    let seeds = Seeds {
        feeds: findings.feeds.clone(),
        robots: sitemaps_named(context, deadlines, &mut origin, &home.url).await?,
        page: home.facts.sitemaps,
        wants_contacts: links.len() < further,
    };
    findings.crawlers = origin.robots.crawlers.take();
    if findings.is_from_owner() {
        let rules = Arc::clone(&origin.robots.rules);
        let files = progress.files.insert(Files::new(
            context.wanted_files(options),
            Site::new(&home.url, rules, findings),
            deadlines.end,
        ));
        if !context.fetcher.has_delay(home.url.host_str().unwrap_or_default()) {
            files.begin(context);
        }
    }
    let (numerator, denominator) = SITEMAP_SHARE;
    let sharing = ScanContext {
        fetcher: context.fetcher.with_share(numerator.into(), denominator.into()),
        ..context.clone()
    };
    let discovered = &mut progress.discovered;
    let how = Reader {
        deadline: deadlines.sitemaps,
        standard: Arc::new(Standard::new(&proper_home(findings, &home.url), Utc::now())),
    };
    let standard = Arc::clone(&how.standard);
    discover(&sharing, &home.url, seeds, how, discovered).await;
    drop(stage);
    findings.sitemap_audit = progress.discovered.audit.take();
    // Requests for sitemaps end at their deadline, so one was cut off.
    progress.out_of_time |= Instant::now() >= deadlines.sitemaps;
    for url in std::mem::take(&mut progress.discovered.contact_pages) {
        if !links.contains(&url) {
            links.push(url);
        }
    }
    let rules = Arc::clone(&origin.robots.rules);
    let work = links.iter().map(|url| rules.work_on(url.as_str().len())).sum();
    let allowed = move || {
        links.retain(|url| url.as_str().len() <= MAX_LINK && rules.decide(url.as_str()).allowed);
        links
    };
    let links = context.compute_on(work, allowed).await?;
    let stage = Stage::begin("pages");
    progress
        .read_further(context, deadlines, links, further, &home.url)
        .await;
    drop(stage);
    if options.sitemap_sample > 0 {
        let _stage = Stage::begin("sample");
        let robots = (&home.url, &origin.robots);
        let wanted = options.sitemap_sample as usize;
        progress
            .check_urls(context, deadlines, &standard, robots, wanted)
            .await;
    }
    Ok(())
}

/// The URL that the site states for its home page, if it is on the same site.
fn proper_home(findings: &Findings, home: &Url) -> Url {
    let stated = findings
        .canonical_url
        .as_deref()
        .and_then(|url| Url::parse(url).ok());
    let stated = stated.filter(|url| same_site(url, home));
    stated.unwrap_or_else(|| home.clone())
}

/// A longer link, in bytes, is not a page with contacts.
const MAX_LINK: usize = 2048;

/// Hops of `<meta refresh>` that are followed.
const MAX_REFRESHES: usize = 3;

/// Reads the home page: the page at the site's root URL, or the page to which it redirects visitors. A page that only
/// redirects is not in the report. If the target cannot be read, the page before it counts.
async fn read_home(
    context: &ScanContext,
    deadlines: &Deadlines,
    origin: &SiteOrigin,
    progress: &mut Progress,
) -> Result<PageRead, ScanFailure> {
    let mut home = read_page::read(context, &origin.home, deadlines.end).await?;
    let mut been = vec![home.url.clone()];
    for _ in 0..MAX_REFRESHES {
        let Some(next) = home.facts.refresh.clone().filter(|next| !been.contains(next)) else {
            break;
        };
        let is_same_host = next.host() == origin.home.host();
        if is_same_host && !origin.robots.decide(context, &next).await?.allowed {
            break;
        }
        match read_page::read(context, &next, deadlines.end).await {
            Ok(page) => {
                let stub = std::mem::replace(&mut home, page);
                progress.keep.pages.extend(stub.keep);
            }
            Err(failure) => {
                let detail = format!("{} redirects its visitors, but: {}", home.url, failure.detail);
                let problem = Problem::new(failure.reason.as_str(), detail);
                home.facts.findings.problems.push(problem);
                break;
            }
        }
        been.push(next);
    }
    progress.pages.push(home.report.clone());
    progress.keep.pages.extend(home.keep.take());
    Ok(home)
}

impl Progress {
    /// Reads the pages that are likely to contain contacts, while time remains.
    async fn read_further(
        &mut self,
        context: &ScanContext,
        deadlines: &Deadlines,
        links: Vec<Url>,
        limit: usize,
        home: &Url,
    ) {
        let Some(findings) = &mut self.findings else {
            return;
        };
        let mut read = 0;
        // Broken links do not count as pages, but do not cause unlimited attempts either.
        for url in links.into_iter().take(limit * 2) {
            if read == limit {
                return;
            }
            if Instant::now() >= deadlines.end {
                let detail = format!("{url} and the following pages were not reached in time");
                findings.problems.push(Problem::new("timeout", detail));
                self.out_of_time = true;
                return;
            }
            if !context.compute_budget.may_read_pages() {
                let detail = format!(
                    "{url} and the following pages: {}",
                    context.compute_budget.ran_out()
                );
                findings.problems.push(Problem::new("budget_compute", detail));
                return;
            }
            match read_page::read(context, &url, deadlines.end).await {
                Ok(page) if !same_site(&page.url, home) => {}
                Ok(page) if self.pages.iter().any(|known| known.url == page.report.url) => {}
                Ok(page) => {
                    read += 1;
                    self.pages.push(page.report);
                    self.keep.pages.extend(page.keep);
                    add_page(findings, page.facts.findings);
                }
                Err(failure) if failure.reason == FailureReason::HttpStatus => {}
                Err(failure) => findings
                    .problems
                    .push(Problem::new(failure.reason.as_str(), failure.detail)),
            }
        }
    }

    /// Fetches some of the URLs of the sitemaps, while time remains.
    async fn check_urls(
        &mut self,
        context: &ScanContext,
        deadlines: &Deadlines,
        standard: &Standard,
        (home, robots): (&Url, &RobotsPolicy),
        wanted: usize,
    ) {
        let Some(findings) = &mut self.findings else {
            return;
        };
        let named = self.discovered.sitemaps.iter().flat_map(|file| &file.urls);
        let own: Vec<&str> = named
            .map(|url| url.loc.as_str())
            .filter(|loc| standard.is_own(loc))
            .collect();
        let urls = sample::chosen(&own, wanted);
        if urls.is_empty() || !findings.is_from_owner() {
            return;
        }
        // The canonical host of the site may differ from the host that was read.
        let rules = if standard.is_own(home.as_str()) {
            Ok(Arc::clone(&robots.rules))
        } else {
            rules_of(context, &urls[0], deadlines.end).await
        };
        let sample = match rules {
            Ok(rules) => sample::check_urls(context, urls, &rules, deadlines.end).await,
            Err(problem) => Sample::failed(problem),
        };
        findings.sitemap_sample = sample.urls;
        findings.problems.extend(sample.problem);
    }

    /// After the home page, nothing fails the scan: whatever stopped it becomes a problem in its findings.
    fn into_report(
        self,
        context: &ScanContext,
        deadlines: &Deadlines,
        failure: Option<ScanFailure>,
    ) -> SiteReport {
        let Self {
            robots,
            discovered,
            pages,
            findings,
            mut keep,
            out_of_time,
            slowest: _,
            files: _,
        } = self;
        let outcome = match (findings, failure) {
            (Some(mut findings), failure) => {
                let stopped = failure.map(|failure| Problem::new(failure.reason.as_str(), failure.detail));
                findings
                    .problems
                    .extend(discovered.problems.into_iter().chain(stopped));
                summarise(&mut findings, robots.as_ref(), &discovered.sitemaps, &pages);
                record_cost(&mut findings, context, deadlines, out_of_time);
                Ok(findings)
            }
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(ScanFailure {
                reason: FailureReason::Internal,
                detail: "the scan ended without a home page".to_owned(),
                is_transient: false,
                retry_after: None,
            }),
        };
        keep.reader.clone_from(&context.parser_fingerprint);
        keep.sitemaps = discovered.keep;
        SiteReport {
            revisit: (outcome.is_ok() && !keep.is_empty()).then_some(keep),
            robots,
            sitemaps: discovered.sitemaps,
            pages,
            outcome,
        }
    }
}

/// The sitemaps that robots.txt names. A home page on another host has its own robots.txt, which applies from here on.
async fn sitemaps_named(
    context: &ScanContext,
    deadlines: &Deadlines,
    origin: &mut SiteOrigin,
    home: &Url,
) -> Result<Vec<Url>, ScanFailure> {
    let mut named = origin.robots.sitemaps.clone();
    let own = robots_txt_of(home);
    if own.host() == origin.home.host() || own == origin.robots_url {
        return Ok(named);
    }
    let limits = Limits {
        deadline: deadlines.sitemaps,
        redirects: 5,
    };
    if let Ok(answer) = context.fetcher.get(&own, limits).await
        && (200..300).contains(&answer.status)
    {
        let body = answer.body.read_up_to(MAX_ROBOTS_BYTES).await;
        origin.robots = RobotsPolicy::read(context, body.bytes, &answer.url).await?;
        named.extend_from_slice(&origin.robots.sitemaps);
    }
    Ok(named)
}

/// Lists the documents that were read in the findings.
fn summarise(
    findings: &mut Findings,
    robots: Option<&RobotsReport>,
    sitemaps: &[SitemapReport],
    pages: &[PageReport],
) {
    findings.robots = robots.map(|robots| RobotsSummary {
        url: robots.url.clone(),
        status: robots.status,
        not_modified: robots.not_modified,
        allowed: robots.allowed,
        crawl_delay: robots.crawl_delay,
        sitemaps: robots.sitemaps.clone(),
    });
    findings.sitemaps = sitemaps
        .iter()
        .map(|file| SitemapSummary {
            url: file.url.clone(),
            parent: file.parent.clone(),
            kind: file.kind,
            entries: file.entries,
            not_modified: file.not_modified,
            problems: file.problems.clone(),
        })
        .collect();
    findings.pages_read = pages
        .iter()
        .map(|page| PageSummary {
            url: page.url.clone(),
            status: page.status,
            bytes: page.bytes,
            not_modified: page.not_modified,
        })
        .collect();
    let of_pages = pages.iter().flat_map(|page| page.problems.iter().cloned());
    findings.problems.extend(of_pages);
}

/// Records in the findings what the scan cost, and which limit ended it, if any.
fn record_cost(findings: &mut Findings, context: &ScanContext, deadlines: &Deadlines, out_of_time: bool) {
    let cost = context.fetcher.cost();
    let budget = context.fetcher.settings().budget();
    let ended_by = cost.ran_out_of.or(out_of_time.then_some(Bound::Time));
    if let Some(bound) = ended_by {
        let detail = match bound {
            Bound::Requests => format!(
                "not everything was read: the scan used its budget of {} requests",
                budget.requests
            ),
            Bound::Bytes => format!(
                "not everything was read: the scan used its budget of {} bytes",
                budget.bytes
            ),
            Bound::Time => format!(
                "not everything was read: the scan used its budget of {} ms",
                budget.milliseconds
            ),
        };
        findings.problems.push(Problem::new(bound.problem_code(), detail));
    }
    let unchanged = findings
        .robots
        .iter()
        .filter(|robots| robots.not_modified)
        .count()
        + findings.sitemaps.iter().filter(|file| file.not_modified).count()
        + findings
            .pages_read
            .iter()
            .filter(|page| page.not_modified)
            .count();
    findings.performance.visit = Some(Visit {
        requests: cost.requests,
        bytes: cost.bytes,
        milliseconds: u64::try_from(deadlines.start.elapsed().as_millis()).unwrap_or(u64::MAX),
        not_modified: u64::try_from(unchanged).unwrap_or(u64::MAX),
        budget,
        ended_by,
    });
}

fn out_of_time(domain: &DomainName) -> ScanFailure {
    ScanFailure {
        reason: FailureReason::Timeout,
        detail: format!("{domain} was not read in time"),
        is_transient: true,
        retry_after: None,
    }
}
