//! The way in: under which scheme and host a site answers, and what its robots.txt says.

use chrono::Utc;
use url::Url;

use super::rest::crawl_delay;
use super::revisit::{self, MAX_KEPT_ROBOTS};
use super::robots::{MAX_ROBOTS_BYTES, Robots};
use super::{Tools, scan::Clock};
use crate::fetch::{Answer, FetchError, Headers, Limits, Phase};
use crate::values::report::{RobotsReport, ScanFailure};
use crate::values::revisit::KnownRobots;
use crate::values::{DomainName, FailureReason, Problem};

/// RFC 9309, 2.3.1.2: at least five hops should be followed.
const ROBOTS_REDIRECTS: usize = 5;

/// `Sitemap:` lines kept.
const MAX_SITEMAP_LINES: usize = 500;

/// How a site is entered.
#[derive(Debug)]
pub(super) struct Entrance {
    /// Scheme and host that answered, with the path `/`.
    pub(super) home: Url,
    pub(super) robots: Robots,
    /// Of the file that was read in the end.
    pub(super) robots_url: Url,
    /// What the next scan may use again.
    pub(super) keep: Option<KnownRobots>,
    /// What went wrong before somebody answered.
    pub(super) problems: Vec<Problem>,
}

/// Finds who answers and reads robots.txt into `report`. A file that cannot be read fails the scan, with the
/// reason why; one that is not there allows everything (RFC 9309, 2.3.1.3).
pub(super) async fn enter(
    tools: &Tools,
    clock: &Clock,
    domain: &DomainName,
    report: &mut Option<RobotsReport>,
) -> Result<Entrance, ScanFailure> {
    let (home, answer, problems) = knock(tools, clock, domain).await?;
    let RobotsRead {
        robots,
        url: robots_url,
        keep,
    } = read_robots(tools, answer, &home, report).await?;
    let decision = robots.decide(&tools.agent, home.as_str());
    if !decision.allowed {
        return Err(ScanFailure {
            reason: FailureReason::BlockedByRobots,
            detail: format!(
                "{robots_url} forbids the home page: {}",
                decision.rule.unwrap_or_default()
            ),
            may_pass: false,
            retry_after: None,
        });
    }
    Ok(Entrance {
        home,
        robots,
        robots_url,
        keep,
        problems,
    })
}

/// Asks for robots.txt by https, by http if https cannot be spoken, at `www.` if the name has no address or nobody
/// there takes a connection.
async fn knock(
    tools: &Tools,
    clock: &Clock,
    domain: &DomainName,
) -> Result<(Url, Answer, Vec<Problem>), ScanFailure> {
    let bare = knock_at(tools, clock, domain.as_str()).await;
    match bare {
        Err(FetchError::NameUnknown { .. } | FetchError::Connect { .. }) => {
            let www = format!("www.{domain}");
            knock_at(tools, clock, &www)
                .await
                .or(bare)
                .map_err(ScanFailure::from)
        }
        other => other.map_err(ScanFailure::from),
    }
}

async fn knock_at(
    tools: &Tools,
    clock: &Clock,
    host: &str,
) -> Result<(Url, Answer, Vec<Problem>), FetchError> {
    let https = home_of("https", host)?;
    let refused = match ask(tools, clock, &https).await {
        Ok(answer) => return Ok((https, answer, Vec::new())),
        Err(error) if is_about_connecting(&error) => error,
        Err(error) => return Err(error),
    };
    let http = home_of("http", host)?;
    match ask(tools, clock, &http).await {
        Ok(answer) => {
            let problem = Problem::new("tls_failed", format!("{refused}; the site was read by http"));
            Ok((http, answer, vec![problem]))
        }
        Err(_) => Err(refused),
    }
}

/// Whether https could not be spoken at all, as opposed to a site that answers badly.
fn is_about_connecting(error: &FetchError) -> bool {
    match error {
        FetchError::Tls { .. } | FetchError::Connect { .. } => true,
        FetchError::Timeout { phase, .. } => *phase == Phase::Connect,
        _ => false,
    }
}

async fn ask(tools: &Tools, clock: &Clock, home: &Url) -> Result<Answer, FetchError> {
    let limits = Limits {
        deadline: clock.end,
        redirects: ROBOTS_REDIRECTS,
    };
    let url = robots_txt_of(home);
    let known = tools.known_robots(&url).map(|known| &known.file);
    tools.fetcher.get_if_changed(&url, limits, known).await
}

/// robots.txt of the host of an URL.
pub(super) fn robots_txt_of(url: &Url) -> Url {
    let mut robots = url.clone();
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    robots
}

/// robots.txt as it was read.
struct RobotsRead {
    robots: Robots,
    url: Url,
    keep: Option<KnownRobots>,
}

async fn read_robots(
    tools: &Tools,
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
    let mut robots = Robots::default();
    let mut keep = None;
    if let (true, Some(known)) = (answer.not_modified, tools.known_robots(&asked)) {
        found.bytes = known.file.bytes;
        robots = Robots::parse(known.text.as_bytes());
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
        robots = tools.pool.run(move || Robots::parse(&body.bytes)).await?;
    }
    found.allowed = robots.decide(&tools.agent, home.as_str()).allowed;
    found.crawl_delay = robots.crawl_delay(&tools.agent);
    for host in [home.host_str(), url.host_str()].into_iter().flatten() {
        tools.fetcher.keep_apart(host, crawl_delay(found.crawl_delay));
    }
    found.sitemaps = sitemaps_of(&robots, &url).iter().map(Url::to_string).collect();
    Ok(RobotsRead { robots, url, keep })
}

/// The `Sitemap:` lines as absolute URLs, each once.
pub(super) fn sitemaps_of(robots: &Robots, url: &Url) -> Vec<Url> {
    let mut found: Vec<Url> = Vec::new();
    for line in robots.sitemaps().iter().take(MAX_SITEMAP_LINES) {
        if let Ok(sitemap) = url.join(line)
            && matches!(sitemap.scheme(), "http" | "https")
            && !found.contains(&sitemap)
        {
            found.push(sitemap);
        }
    }
    found
}

/// A failure by status; whether it may pass is said by RFC 9110, 15.
pub(super) fn status_failure(url: &Url, status: u16, headers: &Headers) -> ScanFailure {
    ScanFailure {
        reason: FailureReason::HttpStatus,
        detail: format!("{url} answered {status}"),
        may_pass: matches!(status, 408 | 425 | 429) || status >= 500,
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
            may_pass: error.may_pass(),
            retry_after: None,
        }
    }
}

impl From<super::parse_pool::ParserFailed> for ScanFailure {
    fn from(error: super::parse_pool::ParserFailed) -> Self {
        Self {
            reason: FailureReason::Internal,
            detail: error.to_string(),
            may_pass: false,
            retry_after: None,
        }
    }
}
