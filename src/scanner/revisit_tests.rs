//! Scans of sites that were scanned before, and scans that exceed their limits.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::fetch::FetchSettings;
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::findings::{Bound, Visit};
use crate::values::{FailureReason, Findings};

const HOME: &str = "<html lang=en><title>Home</title><a href=/contact>Contact</a> info@site.test";
const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:38 GMT";
const MODIFIED: &str = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT";

fn path_of(url: &str) -> &str {
    url.splitn(4, '/').nth(3).unwrap_or_default()
}

fn with_tag(reply: Reply, tag: usize) -> Reply {
    reply.with(&format!("ETag: \"{tag}\""))
}

/// A site whose files all have validators; `version` changes the home page and its tag.
fn tagged(url: &str, version: usize) -> Reply {
    match path_of(url) {
        "" => with_tag(
            Reply::html(&HOME.replace("Home", &format!("Home {version}"))),
            version,
        ),
        "robots.txt" => with_tag(Reply::ok("text/plain", "Sitemap: /i.xml\nDisallow: /x"), 0),
        "i.xml" => with_tag(
            Reply::ok(
                "text/xml",
                "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>",
            ),
            0,
        ),
        "a.xml" => Reply::ok(
            "text/xml",
            "<urlset><url><loc>/1</loc></url><url><loc>/2</loc></url></urlset>",
        )
        .with(DATE)
        .with(MODIFIED),
        "contact" => with_tag(Reply::html("<title>C</title>sales@site.test"), 0),
        _ => Reply::status(404),
    }
}

fn scanner(settings: FetchSettings) -> Scanner {
    Scanner::new(Fetcher::new(settings).unwrap(), ScannerSettings::default())
}

async fn again(scanner: &Scanner, kept: Option<Revisit>) -> SiteReport {
    let domain = DomainName::parse("a.site.test").unwrap();
    let limit = Duration::from_secs(20);
    let options = ScanOptions::default();
    with_lists(
        scanner
            .scan_for(TenantId::DEFAULT, &domain, &options, limit, kept)
            .await,
    )
}

/// Simulates that the report was recorded and loaded again: the sitemap lists come back with the kept data.
fn with_lists(mut report: SiteReport) -> SiteReport {
    for known in report.revisit.iter_mut().flat_map(|kept| &mut kept.sitemaps) {
        let file = report.sitemaps.iter().find(|file| file.url == known.file.asked);
        known.urls = file.unwrap().urls.clone();
    }
    report
}

fn visit(report: &SiteReport) -> Visit {
    report.outcome.as_ref().unwrap().performance.visit.unwrap()
}

/// The findings without values that differ from scan to scan.
fn facts(report: &SiteReport) -> Findings {
    let mut found = report.outcome.clone().unwrap();
    found.performance.visit = None;
    found.pages_read.clear();
    found.sitemaps.clear();
    found.robots = None;
    found
}

#[tokio::test]
async fn an_unchanged_site_costs_a_304_for_each_file_and_is_reported_as_before() {
    let site = TestSite::start(Tls::Trusted, |url| tagged(url, 1)).await;
    let scanner = scanner(site.settings());
    let first = again(&scanner, None).await;
    assert_eq!(visit(&first).not_modified, 0);
    let bytes = visit(&first).bytes;
    site.take_statuses();
    let second = again(&scanner, first.revisit.clone()).await;
    assert_eq!(site.take_statuses(), [304; 5]);
    assert_eq!((visit(&second).not_modified, visit(&second).requests), (5, 5));
    assert!(visit(&second).bytes < bytes);
    assert_eq!(facts(&second), facts(&first));
    assert_eq!(second.sitemaps.len(), 2);
    assert!(
        second
            .sitemaps
            .iter()
            .all(|file| file.not_modified && file.status == 304)
    );
    assert_eq!(second.sitemaps[1].urls, first.sitemaps[1].urls);
    assert!(
        second
            .pages
            .iter()
            .all(|page| page.not_modified && page.bytes > 0)
    );
    assert!(second.robots.as_ref().unwrap().not_modified);
    assert_eq!(
        second.robots.as_ref().unwrap().sitemaps,
        first.robots.as_ref().unwrap().sitemaps
    );
    // This continues: confirmed data is kept again.
    assert_eq!(second.revisit, first.revisit);
}

#[tokio::test]
async fn what_changed_is_read_and_the_rest_is_not() {
    let version = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&version);
    let site = TestSite::start(Tls::Trusted, move |url| tagged(url, now.load(Ordering::SeqCst))).await;
    let scanner = scanner(site.settings());
    let first = again(&scanner, None).await;
    version.store(2, Ordering::SeqCst);
    let second = again(&scanner, first.revisit).await;
    assert_eq!(second.outcome.as_ref().unwrap().title.as_deref(), Some("Home 2"));
    assert_eq!(visit(&second).not_modified, 4);
    assert!(!second.pages[0].not_modified && second.pages[1].not_modified);
}

#[tokio::test]
async fn what_another_reader_read_or_long_ago_is_read_anew() {
    let site = TestSite::start(Tls::Trusted, |url| tagged(url, 1)).await;
    let scanner = scanner(site.settings());
    let kept = again(&scanner, None).await.revisit.unwrap();
    let mut older = kept.clone();
    for file in older.pages.iter_mut().map(|page| &mut page.file) {
        file.read_at -= chrono::TimeDelta::days(8);
    }
    let other = Revisit {
        reader: "another".to_owned(),
        ..kept
    };
    assert_eq!(visit(&again(&scanner, Some(other)).await).not_modified, 0);
    assert_eq!(visit(&again(&scanner, Some(older)).await).not_modified, 3);
}

#[test]
fn other_fingerprints_and_other_settings_are_another_reader() {
    let of = |texts: &[&str], settings: FetchSettings| {
        let settings_of_scanner = ScannerSettings {
            technologies: Arc::new(Technologies::with(texts).unwrap()),
            ..ScannerSettings::default()
        };
        Scanner::new(Fetcher::new(settings).unwrap(), settings_of_scanner)
            .context
            .parser_fingerprint
            .clone()
    };
    let own = of(&[], FetchSettings::default());
    assert_eq!(own, of(&[], FetchSettings::default()));
    let set = r#"{"Made Up": {"cats": [1], "html": "made-up-by-us"}}"#;
    assert_ne!(own, of(&[set], FetchSettings::default()));
    let smaller = FetchSettings {
        max_page_bytes: 1000,
        ..FetchSettings::default()
    };
    assert_ne!(own, of(&[], smaller));
}

/// The second scan of a site that answers the first request for its home page with a tag, and the second with `reply`.
async fn second_home(reply: fn() -> Reply) -> (SiteReport, Vec<String>) {
    let visits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&visits);
    let site = TestSite::start(Tls::Trusted, move |url| match path_of(url) {
        "" if count.load(Ordering::SeqCst) == 0 => with_tag(Reply::html(HOME), 1),
        "" => reply(),
        "other" => Reply::html("<title>Other</title>"),
        _ => Reply::status(404),
    })
    .await;
    let scanner = scanner(site.settings());
    let first = again(&scanner, None).await;
    visits.store(1, Ordering::SeqCst);
    let before = site.heads().len();
    let second = again(&scanner, first.revisit).await;
    let home = |head: &String| head.starts_with("GET / ");
    (
        second,
        site.heads().split_off(before).into_iter().filter(home).collect(),
    )
}

#[tokio::test]
async fn a_304_with_content_is_a_304() {
    let (report, _) = second_home(|| Reply {
        status: 304,
        ..Reply::html("<title>Wrong</title>")
    })
    .await;
    assert_eq!(report.outcome.as_ref().unwrap().title.as_deref(), Some("Home"));
    assert!(report.pages[0].not_modified);
}

#[tokio::test]
async fn a_304_for_another_tag_is_not_believed() {
    let (report, heads) = second_home(|| Reply::status(304).with("ETag: \"2\"")).await;
    assert_eq!(heads.len(), 2);
    assert!(heads[0].contains("if-none-match: \"1\"") && !heads[1].contains("if-none-match"));
    // The second one was not requested.
    assert_eq!(report.outcome.unwrap_err().reason, FailureReason::HttpStatus);
}

#[tokio::test]
async fn a_weak_tag_is_the_same_tag() {
    let (report, heads) = second_home(|| Reply::status(304).with("ETag: W/\"1\"")).await;
    assert_eq!(heads.len(), 1);
    assert!(report.pages[0].not_modified);
}

#[tokio::test]
async fn a_site_that_moved_is_read_where_it_is_now() {
    let (report, _) = second_home(|| Reply::redirect("/other")).await;
    assert_eq!(report.outcome.as_ref().unwrap().title.as_deref(), Some("Other"));
    assert!(!report.pages[0].not_modified);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_page() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "" => Reply::status(304),
        _ => Reply::status(404),
    })
    .await;
    let report = again(&scanner(site.settings()), None).await;
    assert_eq!(report.outcome.unwrap_err().reason, FailureReason::HttpStatus);
}

#[tokio::test]
async fn validators_go_to_the_url_they_came_from() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "" => Reply::redirect("/start"),
        "start" => with_tag(Reply::html(HOME), 1),
        _ => Reply::status(404),
    })
    .await;
    let scanner = scanner(site.settings());
    let first = again(&scanner, None).await;
    let before = site.heads().len();
    let second = again(&scanner, first.revisit).await;
    assert!(second.pages[0].not_modified);
    let conditional: Vec<bool> = site.heads()[before..]
        .iter()
        .filter(|head| head.starts_with("GET / ") || head.starts_with("GET /start "))
        .map(|head| head.contains("if-none-match"))
        .collect();
    assert_eq!(conditional, [false, true]);
}

#[tokio::test]
async fn a_list_that_was_shortened_by_another_file_is_read_anew() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "" => Reply::html(HOME),
        "robots.txt" => Reply::ok("text/plain", "Sitemap: /1.xml\nSitemap: /2.xml"),
        "1.xml" => with_tag(
            Reply::ok("text/xml", "<urlset><url><loc>/a</loc></url></urlset>"),
            1,
        ),
        "2.xml" => with_tag(
            Reply::ok(
                "text/xml",
                "<urlset><url><loc>/a</loc></url><url><loc>/b</loc></url></urlset>",
            ),
            1,
        ),
        _ => Reply::status(404),
    })
    .await;
    let scanner = scanner(site.settings());
    let first = again(&scanner, None).await;
    let second = again(&scanner, first.revisit).await;
    let unchanged: Vec<bool> = second.sitemaps.iter().map(|file| file.not_modified).collect();
    assert_eq!(unchanged, [true, false]);
    let urls: Vec<usize> = second.sitemaps.iter().map(|file| file.urls.len()).collect();
    assert_eq!(urls, [1, 1]);
}

/// A site with an index of many sitemaps of 10 kB each, and a contact page.
fn large(url: &str) -> Reply {
    match path_of(url) {
        "" => Reply::html(HOME),
        "robots.txt" => Reply::ok("text/plain", "Sitemap: /i.xml"),
        "i.xml" => {
            let mut rows = String::new();
            for n in 0..50 {
                let _infallible = write!(rows, "<sitemap><loc>/{n}.xml</loc></sitemap>");
            }
            Reply::ok("text/xml", format!("<sitemapindex>{rows}</sitemapindex>"))
        }
        "contact" => Reply::html("<title>C</title>sales@site.test"),
        path => {
            let mut rows = String::new();
            for n in 0..200 {
                let _infallible = write!(rows, "<url><loc>/{path}/{n}/{}</loc></url>", "x".repeat(20));
            }
            Reply::ok("text/xml", format!("<urlset>{rows}</urlset>"))
        }
    }
}

async fn bounded(change: impl FnOnce(&mut FetchSettings)) -> (SiteReport, usize) {
    let site = TestSite::start(Tls::Trusted, large).await;
    let mut settings = site.settings();
    change(&mut settings);
    let report = again(&scanner(settings), None).await;
    (report, site.asked().len())
}

fn says(report: &SiteReport, code: &str) -> bool {
    let found = report.outcome.as_ref().unwrap();
    found.problems.iter().any(|problem| problem.code == code)
}

#[tokio::test]
async fn requests_past_the_budget_are_not_made_and_the_pages_that_matter_still_are() {
    let (report, asked) = bounded(|settings| settings.max_requests = 20).await;
    let visit = visit(&report);
    assert!(asked <= 20, "{asked}");
    assert_eq!((visit.requests, visit.budget.requests), (asked as u64, 20));
    assert_eq!(visit.ended_by, Some(Bound::Requests));
    assert!(says(&report, "budget_requests"));
    assert!(
        report
            .sitemaps
            .iter()
            .any(|file| file.problems.iter().any(|p| p.code == "budget_requests"))
    );
    assert_eq!(report.pages.len(), 2, "a share is left for the contact page");
}

#[tokio::test]
async fn bytes_past_the_budget_are_not_read() {
    let (report, _) = bounded(|settings| settings.max_bytes = 100_000).await;
    let visit = visit(&report);
    assert!(visit.bytes < 100_000, "{visit:?}");
    assert_eq!(visit.ended_by, Some(Bound::Bytes));
    assert!(says(&report, "budget_bytes"));
    assert_eq!(report.pages.len(), 2, "a share is left for the contact page");
}

#[tokio::test]
async fn a_scan_within_its_budget_says_what_it_cost() {
    let (report, asked) = bounded(|_| ()).await;
    let visit = visit(&report);
    assert_eq!((visit.requests, visit.ended_by), (asked as u64, None));
    assert!(visit.bytes > 300_000, "{visit:?}");
    assert!(report.outcome.unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_budget_that_is_spent_before_the_home_page_fails_the_scan_with_its_reason() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "robots.txt" => Reply::status(404),
        path => Reply::redirect(&format!("/{path}x")),
    })
    .await;
    let settings = FetchSettings {
        max_requests: 5,
        ..site.settings()
    };
    let failure = again(&scanner(settings), None).await.outcome.unwrap_err();
    assert_eq!(
        (failure.reason, failure.is_transient),
        (FailureReason::RedirectLimit, false)
    );
    assert!(
        failure.detail.contains("its budget of requests"),
        "{}",
        failure.detail
    );
    assert_eq!(site.asked().len(), 5);
}

#[tokio::test]
async fn time_that_runs_out_is_stated() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "robots.txt" => Reply::ok("text/plain", "Sitemap: /slow.xml"),
        "slow.xml" => Reply {
            wait: Duration::from_secs(30),
            ..Reply::status(404)
        },
        "" => Reply::html(HOME),
        _ => Reply::status(404),
    })
    .await;
    let domain = DomainName::parse("a.site.test").unwrap();
    let limit = Duration::from_secs(2);
    let report = scanner(site.settings())
        .scan(&domain, &ScanOptions::default(), limit)
        .await;
    assert_eq!(visit(&report).ended_by, Some(Bound::Time));
    assert!(says(&report, "budget_time"));
}
