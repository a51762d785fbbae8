//! Whole scans of small sites on a loopback port.

use std::io::Write;

use super::*;
use crate::fetch::FetchSettings;
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::findings::ContactInfo;
use crate::values::site_state::SiteStateKind;
use crate::values::sitemap::SitemapKind;
use crate::values::{FailureReason, Findings};

const HOME: &str =
    "<html lang=en><title>Home</title><a href=/contact>Contact</a><a href=mailto:info@site.test>m</a>";

/// A site that uses `extra` first, then a home page at `/`, otherwise 404.
fn with_home(
    extra: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(&str) -> Reply + Send + Sync {
    move |url| {
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        extra(path).unwrap_or_else(|| {
            if path.is_empty() {
                Reply::html(HOME)
            } else {
                Reply::status(404)
            }
        })
    }
}

async fn scan_with(settings: FetchSettings, limit: Duration) -> SiteReport {
    let scanner = Scanner::new(Fetcher::new(settings).unwrap(), ScannerSettings::default());
    let domain = DomainName::parse("a.site.test").unwrap();
    scanner.scan(&domain, &ScanOptions::default(), limit).await
}

async fn scan(site: &TestSite) -> SiteReport {
    scan_with(site.settings(), Duration::from_secs(20)).await
}

async fn scan_of(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> SiteReport {
    let site = TestSite::start(Tls::Trusted, answer).await;
    scan(&site).await
}

fn found(report: &SiteReport) -> &Findings {
    report.outcome.as_ref().unwrap()
}

fn reason(report: &SiteReport) -> (FailureReason, bool) {
    let failure = report.outcome.as_ref().unwrap_err();
    (failure.reason, failure.is_transient)
}

fn has_problem(report: &SiteReport, code: &str) -> bool {
    found(report).problems.iter().any(|problem| problem.code == code)
}

fn urlset(locs: &[&str]) -> Reply {
    let rows: String = locs
        .iter()
        .flat_map(|loc| ["<url><loc>", loc, "</loc></url>"])
        .collect();
    Reply::ok("application/xml", format!("<urlset>{rows}</urlset>"))
}

#[tokio::test]
async fn a_site_is_read_from_robots_to_contact_page() {
    let report = scan_of(with_home(|path| match path {
        "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /i.xml\nUser-agent: *\nCrawl-delay: 1\nDisallow: /x")),
        "i.xml" => Some(Reply::ok("text/xml", "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>")),
        "a.xml" => Some(urlset(&["/1", "/2"])),
        "b.xml" => Some(urlset(&["/2", "/3"])),
        "contact" => Some(Reply::html("<title>C</title>sales@site.test")),
        _ => None,
    }))
    .await;
    let found = found(&report);
    assert_eq!(
        (
            found.title.as_deref(),
            found.contact_info.email.join(" ").as_str()
        ),
        (Some("Home"), "info@site.test sales@site.test")
    );
    let files: Vec<_> = report
        .sitemaps
        .iter()
        .map(|file| (file.kind, file.entries, file.urls.len()))
        .collect();
    assert_eq!(
        files,
        [
            (SitemapKind::Index, 2, 0),
            (SitemapKind::Urlset, 2, 2),
            (SitemapKind::Urlset, 2, 1)
        ]
    );
    assert_eq!(report.pages.len(), 2);
    assert_eq!(report.robots.as_ref().unwrap().crawl_delay, Some(1.0));
    assert!(found.crawlers.as_ref().unwrap().refused.is_empty());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[tokio::test]
async fn who_parks_a_domain_is_not_its_owner() {
    let site = TestSite::start(
        Tls::Trusted,
        with_home(|path| {
            let page = "<title>a.site.test</title><p>This domain is parked.<p>Example Names GmbH<a href=/contact>Contact</a>\
                <a href=mailto:sales@names.test>Mail</a><a href=https://www.facebook.com/names>f</a>";
            matches!(path, "" | "contact").then(|| Reply::html(page))
        }),
    )
    .await;
    let report = scan(&site).await;
    let found = found(&report);
    let state = found.site_state.as_ref().unwrap();
    assert_eq!(state.state, SiteStateKind::Parked);
    assert_eq!(state.evidence, "text: this domain is parked.");
    assert_eq!((found.emails.len(), found.socials.len()), (0, 0));
    assert_eq!(
        (&found.organization, &found.contact_info),
        (&None, &ContactInfo::default())
    );
    assert_eq!(report.pages.len(), 1);
}

#[tokio::test]
async fn a_rule_against_the_home_page_blocks_the_scan_before_it_is_asked_for() {
    let rules = || Reply::ok("text/plain", "User-agent: sitelog\nDisallow: /");
    let site = TestSite::start(
        Tls::Trusted,
        with_home(move |path| (path == "robots.txt").then(rules)),
    )
    .await;
    assert_eq!(
        reason(&scan(&site).await),
        (FailureReason::BlockedByRobots, false)
    );
    assert_eq!(site.asked(), ["https://a.site.test/robots.txt"]);
}

#[tokio::test]
async fn robots_that_cannot_be_read_fail_the_scan_and_missing_ones_do_not() {
    for (status, wanted) in [(500, true), (503, true), (429, true)] {
        let site = TestSite::start(
            Tls::Trusted,
            with_home(move |path| {
                (path == "robots.txt").then(|| Reply::status(status).with("Retry-After: 7"))
            }),
        )
        .await;
        let report = scan(&site).await;
        assert_eq!(reason(&report), (FailureReason::HttpStatus, wanted));
        assert_eq!(site.asked().len(), 1);
    }
    let report = scan_of(with_home(|path| {
        (path == "robots.txt").then(|| Reply::status(403))
    }))
    .await;
    assert!(report.outcome.is_ok());
}

#[tokio::test]
async fn a_site_that_asks_to_wait_is_understood() {
    let report = scan_of(|_| Reply::status(503).with("Retry-After: 7")).await;
    assert_eq!(
        report.outcome.unwrap_err().retry_after,
        Some(Duration::from_secs(7))
    );
}

#[tokio::test]
async fn each_fault_of_the_home_page_has_its_reason() {
    type Case = (fn() -> Reply, FailureReason, bool);
    let cases: &[Case] = &[
        (|| Reply::status(500), FailureReason::HttpStatus, true),
        (|| Reply::status(403), FailureReason::HttpStatus, false),
        (|| Reply::html(" \n"), FailureReason::EmptyBody, false),
        (
            || Reply::ok("application/pdf", "%PDF-1.7"),
            FailureReason::NotHtml,
            false,
        ),
        (|| Reply::redirect("/"), FailureReason::RedirectLimit, false),
        (
            || Reply::redirect("http://127.0.0.1:1/"),
            FailureReason::ForbiddenAddress,
            false,
        ),
        (
            || Reply::redirect("http://169.254.169.254/latest/"),
            FailureReason::ForbiddenAddress,
            false,
        ),
        (
            || Reply::redirect("file:///etc/passwd"),
            FailureReason::ForbiddenAddress,
            false,
        ),
    ];
    for (reply, wanted, is_transient) in cases {
        let report = scan_of(with_home(move |path| path.is_empty().then(reply))).await;
        assert_eq!(reason(&report), (*wanted, *is_transient));
    }
}

#[tokio::test]
async fn redirects_end_somewhere() {
    let report = scan_of(|url| Reply::redirect(&format!("{url}x"))).await;
    assert_eq!(reason(&report), (FailureReason::RedirectLimit, false));
}

#[tokio::test]
async fn a_home_page_on_another_host_is_the_sites() {
    let report = scan_of(|url| match url {
        "https://a.site.test/" => Reply::redirect("https://b.site.test/"),
        "https://b.site.test/" => Reply::html("<title>B</title><link rel=icon href=/f.ico>"),
        "https://b.site.test/robots.txt" => Reply::ok("text/plain", "Sitemap: /s.xml"),
        "https://b.site.test/s.xml" => urlset(&["/1"]),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(found(&report).final_url.as_deref(), Some("https://b.site.test/"));
    assert_eq!(
        found(&report).favicon_url.as_deref(),
        Some("https://b.site.test/f.ico")
    );
    assert_eq!(report.sitemaps[0].urls[0].loc, "https://b.site.test/1");
}

#[tokio::test]
async fn http_is_tried_once_where_tls_fails() {
    for tls in [Tls::Untrusted, Tls::None] {
        let site = TestSite::start(tls, with_home(|_| None)).await;
        let report = scan(&site).await;
        assert!(has_problem(&report, "tls_failed"));
        assert_eq!(found(&report).final_url.as_deref(), Some("http://a.site.test/"));
    }
}

#[tokio::test]
async fn a_site_that_sends_http_back_to_broken_tls_fails() {
    let site = TestSite::start(Tls::Untrusted, |url| {
        Reply::redirect(&url.replace("http:", "https:"))
    })
    .await;
    assert_eq!(reason(&scan(&site).await), (FailureReason::TlsFailed, false));
}

#[tokio::test]
async fn a_page_over_the_limit_is_read_up_to_it() {
    let site = TestSite::start(
        Tls::Trusted,
        with_home(|path| {
            path.is_empty()
                .then(|| Reply::html(&format!("<title>Big</title>{}", "x ".repeat(50_000))))
        }),
    )
    .await;
    let settings = FetchSettings {
        max_page_bytes: 1000,
        ..site.settings()
    };
    let report = scan_with(settings, Duration::from_secs(20)).await;
    assert_eq!(
        (found(&report).title.as_deref(), report.pages[0].bytes),
        (Some("Big"), 1000)
    );
    assert!(has_problem(&report, "too_large"));
}

#[tokio::test]
async fn guesses_that_are_soft_404s_are_no_sitemaps() {
    let report = scan_of(|_| Reply::html(HOME)).await;
    assert!(report.sitemaps.is_empty());
    assert!(report.outcome.is_ok());
}

#[tokio::test]
async fn a_sitemap_is_guessed_where_none_is_named() {
    let report = scan_of(with_home(|path| {
        (path == "sitemap_index.xml").then(|| urlset(&["/1"]))
    }))
    .await;
    assert_eq!((report.sitemaps.len(), report.sitemaps[0].entries), (1, 1));
}

#[tokio::test]
async fn indexes_in_a_circle_are_read_once_each() {
    let index = |to: &str| {
        Reply::ok(
            "text/xml",
            format!("<sitemapindex><sitemap><loc>{to}</loc></sitemap></sitemapindex>"),
        )
    };
    let site = TestSite::start(
        Tls::Trusted,
        with_home(move |path| match path {
            "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /1.xml\nSitemap: /1.xml")),
            "1.xml" => Some(index("/2.xml")),
            "2.xml" => Some(index("/1.xml")),
            _ => None,
        }),
    )
    .await;
    assert_eq!(scan(&site).await.sitemaps.len(), 2);
    assert_eq!(site.asked().iter().filter(|url| url.contains(".xml")).count(), 2);
}

#[tokio::test]
async fn sitemaps_of_other_sites_are_not_followed_unless_robots_names_them() {
    let report = scan_of(with_home(|path| match path {
        "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /1.xml")),
        "1.xml" => Some(Reply::ok(
            "text/xml",
            "<sitemapindex><sitemap><loc>https://other.example/s.xml</loc></sitemap></sitemapindex>",
        )),
        _ => None,
    }))
    .await;
    assert_eq!(report.sitemaps.len(), 1);
    assert!(
        report.sitemaps[0]
            .problems
            .iter()
            .any(|problem| problem.code == "cross_host")
    );
}

#[tokio::test]
async fn a_compression_bomb_is_too_large_and_the_scan_completes() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"<urlset>").unwrap();
    (0..64).for_each(|_| gzip.write_all(&vec![b' '; 1 << 20]).unwrap());
    let bomb = gzip.finish().unwrap();
    for coding in ["Content-Encoding: gzip", "X: y"] {
        let bomb = bomb.clone();
        let report = scan_of(with_home(move |path| match path {
            "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /bomb.xml.gz")),
            "bomb.xml.gz" => Some(Reply::ok("application/gzip", bomb.clone()).with(coding)),
            _ => None,
        }))
        .await;
        assert_eq!(report.sitemaps[0].kind, SitemapKind::TooLarge, "{coding}");
        assert!(report.outcome.is_ok());
    }
}

#[tokio::test]
async fn a_body_that_drips_ends_with_the_attempt() {
    let drip = |reply: Reply| Reply {
        drip: Some((1, Duration::from_millis(50))),
        ..reply
    };
    let site = TestSite::start(
        Tls::Trusted,
        with_home(move |path| path.is_empty().then(|| drip(Reply::html(&"x".repeat(10_000))))),
    )
    .await;
    // The whole body would take eight minutes.
    let report = scan_with(site.settings(), Duration::from_secs(1)).await;
    assert_eq!(reason(&report), (FailureReason::Timeout, true));
}

#[tokio::test]
async fn slow_sitemaps_cost_the_sitemaps_but_not_the_scan() {
    let site = TestSite::start(
        Tls::Trusted,
        with_home(|path| match path {
            "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /slow.xml")),
            "slow.xml" => Some(Reply {
                wait: Duration::from_secs(30),
                ..urlset(&["/1"])
            }),
            "contact" => Some(Reply::html("sales@site.test")),
            _ => None,
        }),
    )
    .await;
    let report = scan_with(site.settings(), Duration::from_secs(2)).await;
    assert_eq!(report.sitemaps[0].problems[0].code, "timeout");
    assert_eq!(
        found(&report).contact_info.email,
        ["info@site.test", "sales@site.test"]
    );
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_a_timeout() {
    let site = TestSite::start(Tls::Trusted, |_| Reply {
        wait: Duration::from_secs(30),
        ..Reply::html(HOME)
    })
    .await;
    let settings = FetchSettings {
        first_byte_timeout: Duration::from_millis(200),
        ..site.settings()
    };
    assert_eq!(
        reason(&scan_with(settings, Duration::from_secs(20)).await),
        (FailureReason::Timeout, true)
    );
}

#[tokio::test]
async fn a_host_that_only_resolves_inside_is_never_connected_to() {
    let scanner = Scanner::new(
        Fetcher::new(FetchSettings::default()).unwrap(),
        ScannerSettings::default(),
    );
    let domain = DomainName::parse("app.localhost.localdomain").unwrap();
    let report = scanner
        .scan(&domain, &ScanOptions::default(), Duration::from_secs(20))
        .await;
    assert!(report.outcome.is_err());
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let settings = FetchSettings {
        connect_to: vec!["*.site.test=127.0.0.1:1".parse().unwrap()],
        ..FetchSettings::default()
    };
    assert_eq!(
        reason(&scan_with(settings, Duration::from_secs(20)).await),
        (FailureReason::ConnectFailed, true)
    );
}

async fn scan_within(
    settings: ScannerSettings,
    answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> SiteReport {
    let site = TestSite::start(Tls::Trusted, answer).await;
    let scanner = Scanner::new(Fetcher::new(site.settings()).unwrap(), settings);
    let domain = DomainName::parse("a.site.test").unwrap();
    scanner
        .scan(&domain, &ScanOptions::default(), Duration::from_secs(20))
        .await
}

#[tokio::test]
async fn bytes_of_urls_are_bounded_while_a_file_is_read() {
    let settings = ScannerSettings {
        max_kept_bytes: 1024 * 1024,
        ..ScannerSettings::default()
    };
    let long = "a".repeat(7_900);
    let rows: String = (0..1_000)
        .map(|number| ["<url><loc>/", &number.to_string(), &long, "</loc></url>"].concat())
        .collect();
    let urlset = format!("<urlset>{rows}</urlset>");
    let report = scan_within(
        settings,
        with_home(move |path| (path == "sitemap.xml").then(|| Reply::ok("text/xml", urlset.clone()))),
    )
    .await;
    let file = &report.sitemaps[0];
    assert_eq!((file.kind, file.entries), (SitemapKind::Urlset, 1_000));
    let kept: usize = file.urls.iter().map(|url| url.loc.len()).sum();
    assert!(kept < 1024 * 1024 && kept > 900_000, "{kept}");
    let left_out = format!("{} of the 1000 URLs", 1_000 - file.urls.len());
    let problem = file
        .problems
        .iter()
        .find(|problem| problem.code == "url_limit")
        .unwrap();
    assert!(problem.detail.starts_with(&left_out), "{}", problem.detail);
    assert!(has_problem(&report, "url_limit"));
}

#[tokio::test]
async fn the_sitemaps_that_one_file_names_are_bounded_in_number_and_bytes() {
    for (count, length) in [(5_100, 1), (200, 7_900)] {
        let name = "a".repeat(length);
        let rows: String = (0..count)
            .map(|number| ["<sitemap><loc>/", &number.to_string(), &name, "</loc></sitemap>"].concat())
            .collect();
        let index = format!("<sitemapindex>{rows}</sitemapindex>");
        let settings = ScannerSettings {
            max_sitemaps: 3,
            ..ScannerSettings::default()
        };
        let report = scan_within(
            settings,
            with_home(move |path| (path == "sitemap.xml").then(|| Reply::ok("text/xml", index.clone()))),
        )
        .await;
        let file = &report.sitemaps[0];
        assert_eq!((file.kind, file.entries), (SitemapKind::Index, count));
        let problem = file
            .problems
            .iter()
            .find(|problem| problem.code == "sitemap_limit");
        let expected = format!(" of the {count} sitemaps that it lists were skipped");
        assert!(problem.unwrap().detail.contains(&expected), "{problem:?}");
        assert!(report.revisit.is_none_or(|kept| kept.sitemaps.is_empty()));
    }
}

#[tokio::test]
async fn a_scan_that_has_computed_as_long_as_it_may_says_so_and_keeps_what_it_has() {
    let settings = ScannerSettings {
        max_compute: Duration::ZERO,
        ..ScannerSettings::default()
    };
    let report = scan_within(
        settings,
        with_home(|path| (path == "sitemap.xml").then(|| urlset(&["/1"]))),
    )
    .await;
    assert_eq!(found(&report).title.as_deref(), Some("Home"));
    assert!(
        has_problem(&report, "budget_compute"),
        "{:?}",
        found(&report).problems
    );
    assert_eq!((report.sitemaps.len(), report.pages.len()), (0, 1));
}
