//! The origin of a site: the scheme and host on which it responds, and its robots.txt.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Utc;
use tokio::time::Instant;
use url::Url;

use super::cooldown::crawl_delay;
use super::parse_pool::ParserFailed;
use super::revisit::{self, MAX_KEPT_ROBOTS};
use super::robots::{AgentRules, Decision, MAX_ROBOTS_BYTES, Robots};
use super::{ScanContext, scan::Deadlines};
use crate::fetch::{Answer, FetchError, Headers, Limits, Phase};
use crate::values::findings::Crawlers;
use crate::values::report::{RobotsReport, ScanFailure};
use crate::values::revisit::KnownRobots;
use crate::values::{DomainName, FailureReason, Problem};

/// RFC 9309, 2.3.1.2: at least five hops should be followed.
const ROBOTS_REDIRECTS: usize = 5;

/// Maximum number of `Sitemap:` lines kept.
const MAX_SITEMAP_LINES: usize = 500;

/// The origin at which a site is read.
#[derive(Debug)]
pub(super) struct SiteOrigin {
    /// Scheme and host that answered, with the path `/`.
    pub(super) home: Url,
    pub(super) robots: RobotsPolicy,
    /// The URL of the file that was finally read.
    pub(super) robots_url: Url,
    /// The data that the next scan may reuse.
    pub(super) keep: Option<KnownRobots>,
    /// Problems that occurred before the first response.
    pub(super) problems: Vec<Problem>,
}

/// The rules that a robots.txt has for sitelog.
#[derive(Clone, Debug, Default)]
pub(super) struct RobotsPolicy {
    pub(super) rules: Arc<AgentRules>,
    /// Its `Sitemap:` lines as absolute URLs, each once.
    pub(super) sitemaps: Vec<Url>,
    crawl_delay: Option<f64>,
    /// Which crawlers it allows; empty if there is no file.
    pub(super) crawlers: Option<Crawlers>,
}

impl RobotsPolicy {
    /// Parses the file that `url` returned.
    pub(super) async fn read(context: &ScanContext, bytes: Vec<u8>, url: &Url) -> Result<Self, ParserFailed> {
        let (agent, url) = (context.agent.clone(), url.clone());
        let mut home = url.clone();
        home.set_path("/");
        home.set_query(None);
        let bytes_in = bytes.len();
        let read = move || {
            let robots = Robots::parse(&bytes);
            Self {
                rules: Arc::new(robots.rules_for(&agent)),
                sitemaps: sitemaps_of(&robots, &url),
                crawl_delay: robots.crawl_delay(&agent),
                crawlers: Some(robots.crawlers(url.as_str(), home.as_str())),
            }
        };
        context.compute_on(bytes_in, read).await
    }

    /// Whether we may fetch a URL, and why not.
    pub(super) async fn decide(&self, context: &ScanContext, url: &Url) -> Result<Decision, ParserFailed> {
        let (rules, url) = (Arc::clone(&self.rules), url.clone());
        let work = rules.work_on(url.as_str().len());
        let decide = move || rules.decide(url.as_str());
        context.compute_on(work, decide).await
    }
}

/// Finds the host that responds, and reads robots.txt into `report`. If the file exists but cannot be read, the scan
/// fails with the reason. If it does not exist, everything is allowed (RFC 9309, 2.3.1.3).
pub(super) async fn enter(
    context: &ScanContext,
    deadlines: &Deadlines,
    domain: &DomainName,
    report: &mut Option<RobotsReport>,
) -> Result<SiteOrigin, ScanFailure> {
    let (home, answer, problems) = find_host(context, deadlines, domain).await?;
    let RobotsRead {
        robots,
        decision,
        url: robots_url,
        keep,
    } = read_robots(context, answer, &home, report).await?;
    if !decision.allowed {
        return Err(ScanFailure {
            reason: FailureReason::BlockedByRobots,
            detail: format!(
                "{robots_url} disallows the home page: {}",
                decision.rule.unwrap_or_default()
            ),
            is_transient: false,
            retry_after: None,
        });
    }
    Ok(SiteOrigin {
        home,
        robots,
        robots_url,
        keep,
        problems,
    })
}

/// Requests robots.txt over HTTPS, over HTTP if no TLS connection succeeds, and at `www.` if the name has no address or
/// does not accept a connection.
async fn find_host(
    context: &ScanContext,
    deadlines: &Deadlines,
    domain: &DomainName,
) -> Result<(Url, Answer, Vec<Problem>), ScanFailure> {
    let bare = try_host(context, deadlines, domain.as_str()).await;
    match bare {
        Err(FetchError::NameUnknown { .. } | FetchError::Connect { .. }) => {
            let www = format!("www.{domain}");
            try_host(context, deadlines, &www)
                .await
                .or(bare)
                .map_err(ScanFailure::from)
        }
        other => other.map_err(ScanFailure::from),
    }
}

/// Requests robots.txt of one host over HTTPS, then over HTTP.
async fn try_host(
    context: &ScanContext,
    deadlines: &Deadlines,
    host: &str,
) -> Result<(Url, Answer, Vec<Problem>), FetchError> {
    let https = home_of("https", host)?;
    let refused = match request_robots(context, deadlines, &https).await {
        Ok(answer) => return Ok((https, answer, Vec::new())),
        Err(error) if is_about_connecting(&error) => error,
        Err(error) => return Err(error),
    };
    let http = home_of("http", host)?;
    match request_robots(context, deadlines, &http).await {
        Ok(answer) => {
            let problem = Problem::new(
                "tls_failed",
                format!("{refused}; the site was read over plain HTTP"),
            );
            Ok((http, answer, vec![problem]))
        }
        Err(_) => Err(refused),
    }
}

/// Whether no HTTPS connection was possible at all, as opposed to a site that returns an error.
fn is_about_connecting(error: &FetchError) -> bool {
    match error {
        FetchError::Tls { .. } | FetchError::Connect { .. } => true,
        FetchError::Timeout { phase, .. } => *phase == Phase::Connect,
        _ => false,
    }
}

async fn request_robots(
    context: &ScanContext,
    deadlines: &Deadlines,
    home: &Url,
) -> Result<Answer, FetchError> {
    let limits = Limits {
        deadline: deadlines.end,
        redirects: ROBOTS_REDIRECTS,
    };
    let url = robots_txt_of(home);
    let known = context.known_robots(&url).map(|known| &known.file);
    context.fetcher.get_if_changed(&url, limits, known).await
}

/// The robots.txt URL for the host of a URL.
pub(super) fn robots_txt_of(url: &Url) -> Url {
    let mut robots = url.clone();
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    robots
}

/// A robots.txt that was read.
struct RobotsRead {
    robots: RobotsPolicy,
    /// The decision on the home page.
    decision: Decision,
    url: Url,
    keep: Option<KnownRobots>,
}

async fn read_robots(
    context: &ScanContext,
    answer: Answer,
    home: &Url,
    report: &mut Option<RobotsReport>,
) -> Result<RobotsRead, ScanFailure> {
    let asked = robots_txt_of(home);
    let (url, status) = (answer.url, answer.status);
    let found = report.insert(RobotsReport {
        url: url.to_string(),
        status,
        not_modified: answer.not_modified,
        bytes: 0,
        allowed: false,
        crawl_delay: None,
        sitemaps: Vec::new(),
    });
    if status == 429 || status >= 500 {
        return Err(status_failure(&url, status, &answer.headers));
    }
    let mut robots = RobotsPolicy::default();
    let mut keep = None;
    if let (true, Some(known)) = (answer.not_modified, context.known_robots(&asked)) {
        found.bytes = known.file.bytes;
        robots = RobotsPolicy::read(context, known.text.clone().into_bytes(), &url).await?;
        keep = Some(known.clone());
    } else if (200..300).contains(&status) {
        let body = answer.body.read_up_to(MAX_ROBOTS_BYTES).await;
        let is_whole = body.broke.is_none() && !body.truncated;
        if let (Some(error), true) = (body.broke, body.bytes.is_empty()) {
            return Err(error.into());
        }
        found.bytes = body.bytes.len() as u64;
        if is_whole && body.bytes.len() <= MAX_KEPT_ROBOTS {
            keep = revisit::file(&asked, &url, &answer.headers, found.bytes).map(|file| KnownRobots {
                file,
                text: String::from_utf8_lossy(&body.bytes).into_owned(),
            });
        }
        robots = RobotsPolicy::read(context, body.bytes, &url).await?;
    }
    let decision = robots.decide(context, home).await?;
    found.allowed = decision.allowed;
    found.crawl_delay = robots.crawl_delay;
    for host in [home.host_str(), url.host_str()].into_iter().flatten() {
        context.fetcher.set_delay(host, crawl_delay(found.crawl_delay));
    }
    found.sitemaps = robots.sitemaps.iter().map(Url::to_string).collect();
    Ok(RobotsRead {
        robots,
        decision,
        url,
        keep,
    })
}

/// The rules for the host of a URL, or why nothing on it may be fetched (RFC 9309, 2.3.1).
pub(super) async fn rules_of(
    context: &ScanContext,
    url: &str,
    deadline: Instant,
) -> Result<Arc<AgentRules>, Problem> {
    let unusable =
        |code: &str, why: String| Problem::new(code, format!("no URL of the sitemaps was checked: {why}"));
    let url = Url::parse(url).map_err(|error| unusable("bad_loc", format!("{url}: {error}")))?;
    let limits = Limits {
        deadline,
        redirects: ROBOTS_REDIRECTS,
    };
    let answer = context.fetcher.get(&robots_txt_of(&url), limits).await;
    let answer = answer.map_err(|error| unusable(error.problem_code(), error.to_string()))?;
    let status = answer.status;
    if status == 429 || status >= 500 {
        let why = format!("{} answered {status}", answer.url);
        return Err(unusable("http_status", why));
    }
    if !(200..300).contains(&status) {
        return Ok(Arc::default());
    }
    let body = answer.body.read_up_to(MAX_ROBOTS_BYTES).await;
    if let (Some(error), true) = (body.broke, body.bytes.is_empty()) {
        return Err(unusable(error.problem_code(), error.to_string()));
    }
    let robots = RobotsPolicy::read(context, body.bytes, &answer.url).await;
    let robots = robots.map_err(|error| unusable("internal", error.to_string()))?;
    let host = url.host_str().unwrap_or_default();
    context.fetcher.set_delay(host, crawl_delay(robots.crawl_delay));
    Ok(robots.rules)
}

/// The `Sitemap:` lines as absolute URLs, each once.
fn sitemaps_of(robots: &Robots, url: &Url) -> Vec<Url> {
    let lines = robots.sitemaps().iter().take(MAX_SITEMAP_LINES);
    let named = lines.filter_map(|line| url.join(line).ok());
    let mut known = HashSet::new();
    named
        .filter(|sitemap| matches!(sitemap.scheme(), "http" | "https") && known.insert(sitemap.clone()))
        .collect()
}

/// A failure because of a status; RFC 9110, 15 defines whether it is temporary.
pub(super) fn status_failure(url: &Url, status: u16, headers: &Headers) -> ScanFailure {
    ScanFailure {
        reason: FailureReason::HttpStatus,
        detail: format!("{url} answered {status}"),
        is_transient: matches!(status, 408 | 425 | 429) || status >= 500,
        retry_after: headers
            .retry_after(Utc::now())
            .filter(|_| matches!(status, 429 | 503)),
    }
}

fn home_of(scheme: &str, host: &str) -> Result<Url, FetchError> {
    Url::parse(&format!("{scheme}://{host}/")).map_err(|error| FetchError::Protocol {
        url: host.to_owned(),
        cause: error.to_string(),
    })
}

impl From<FetchError> for ScanFailure {
    fn from(error: FetchError) -> Self {
        Self {
            reason: error.reason(),
            detail: error.to_string(),
            is_transient: error.is_transient(),
            retry_after: None,
        }
    }
}

impl From<ParserFailed> for ScanFailure {
    fn from(error: ParserFailed) -> Self {
        Self {
            reason: FailureReason::Internal,
            detail: error.to_string(),
            is_transient: false,
            retry_after: None,
        }
    }
}
