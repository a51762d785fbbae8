//! Sitemap audits of small sites on a loopback port.

use super::*;
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::Findings;
use crate::values::sitemap_audit::AuditCheck;

const INDEX: &str =
    "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>";

fn urlset(locs: &[&str]) -> Reply {
    let rows: String = locs
        .iter()
        .flat_map(|loc| ["<url><loc>", loc, "</loc></url>"])
        .collect();
    Reply::ok("application/xml", format!("<urlset>{rows}</urlset>"))
}

fn page(head: &str) -> Reply {
    Reply::html(&format!(
        "<html lang=en><title>Page</title>{head}<p>Anvils for everybody."
    ))
}

fn answer(url: &str) -> Reply {
    match url.splitn(4, '/').nth(3).unwrap_or_default() {
        "" => page(""),
        "robots.txt" => Reply::ok(
            "text/plain",
            "Sitemap: /i.xml\nUser-agent: *\nDisallow: /secret\n",
        ),
        "i.xml" => Reply::ok("text/xml", INDEX),
        "a.xml" => urlset(&[
            "/ok",
            "/ok",
            "/gone",
            "/moved",
            "http://a.site.test/plain",
            "https://www.a.site.test/www",
        ])
        .with("ETag: \"1\""),
        "b.xml" => urlset(&["/noindex", "/copy", "/secret", "/ok", "https://elsewhere.test/x"]),
        "ok" | "copy" => page("<link rel=canonical href=/ok>"),
        "moved" => Reply::redirect("/ok"),
        "noindex" => page("<meta name=robots content=noindex>"),
        "plain" => Reply::ok("application/pdf", "%PDF").with("X-Robots-Tag: noindex"),
        _ => Reply::status(404),
    }
}

async fn scan(site: &TestSite, sample: u32, kept: Option<Revisit>) -> SiteReport {
    let scanner = Scanner::new(Fetcher::new(site.settings()).unwrap(), ScannerSettings::default());
    let options = ScanOptions {
        sitemap_sample: sample,
        ..ScanOptions::default()
    };
    let domain = DomainName::parse("a.site.test").unwrap();
    let limit = Duration::from_secs(30);
    scanner
        .scan_for(TenantId::DEFAULT, &domain, &options, limit, kept)
        .await
}

fn faults(found: &Findings) -> Vec<(AuditCheck, u64)> {
    let faults = &found.sitemap_audit.as_ref().unwrap().faults;
    faults.iter().map(|fault| (fault.check, fault.count)).collect()
}

#[tokio::test]
async fn each_scan_audits_its_sitemaps_without_a_request() {
    let site = TestSite::start(Tls::Trusted, answer).await;
    let report = scan(&site, 0, None).await;
    let found = report.outcome.unwrap();
    let wanted = [
        (AuditCheck::OutsideHost, 1),
        (AuditCheck::OtherWww, 1),
        (AuditCheck::PlainHttp, 1),
        // Within a file, and over files.
        (AuditCheck::Duplicate, 2),
    ];
    assert_eq!(faults(&found), wanted);
    let audit = found.sitemap_audit.unwrap();
    assert_eq!((audit.home.as_str(), audit.entries), ("https://a.site.test/", 10));
    let repeated: Vec<_> = audit.faults[3]
        .examples
        .iter()
        .map(|example| (example.url.as_str(), example.sitemap.as_str()))
        .collect();
    assert_eq!(
        repeated,
        [
            ("https://a.site.test/ok", "https://a.site.test/a.xml"),
            ("https://a.site.test/ok", "https://a.site.test/b.xml"),
        ]
    );
    assert!(found.sitemap_sample.is_empty() && !site.asked().iter().any(|url| url.ends_with("/gone")));
}

#[tokio::test]
async fn a_file_that_did_not_change_is_audited_as_it_was() {
    let site = TestSite::start(Tls::Trusted, answer).await;
    let first = scan(&site, 0, None).await;
    let mut kept = first.revisit.unwrap();
    // As if it had been recorded and loaded again: the list comes back with what was kept.
    for known in &mut kept.sitemaps {
        let file = first.sitemaps.iter().find(|file| file.url == known.file.asked);
        known.urls.clone_from(&file.unwrap().urls);
        let text = serde_json::to_string(&known).unwrap();
        let urls = std::mem::take(&mut known.urls);
        *known = serde_json::from_str(&text).unwrap();
        known.urls = urls;
    }
    assert_eq!(kept.sitemaps.len(), 1);
    let second = scan(&site, 0, Some(kept)).await;
    assert!(second.sitemaps.iter().any(|file| file.not_modified));
    let (first, second) = (first.outcome.unwrap(), second.outcome.unwrap());
    assert_eq!(second.sitemap_audit, first.sitemap_audit);
}

#[tokio::test]
async fn a_sample_says_what_becomes_of_urls_and_obeys_robots_txt() {
    let site = TestSite::start(Tls::Trusted, answer).await;
    let found = scan(&site, 100, None).await.outcome.unwrap();
    let checks: Vec<String> = found
        .sitemap_sample
        .iter()
        .map(|url| {
            let parts = [&url.redirects_to, &url.noindex, &url.canonical, &url.error];
            let parts = parts.into_iter().flatten().map(String::as_str);
            let path = url.url.replace("https://a.site.test", "");
            [path, url.status.to_string()]
                .into_iter()
                .chain(parts.map(str::to_owned))
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    assert_eq!(
        checks,
        [
            "/ok | 200",
            "/gone | 404",
            "/moved | 200 | https://a.site.test/ok",
            "http://a.site.test/plain | 200 | X-Robots-Tag: noindex",
            "/noindex | 200 | meta robots: noindex",
            "/copy | 200 | https://a.site.test/ok",
            "/secret | 0 | robots.txt disallows it: Disallow: /secret",
        ]
    );
    assert_eq!(
        found.sitemap_sample.iter().filter(|url| url.is_sound()).count(),
        1
    );
    assert!(
        !site
            .asked()
            .iter()
            .any(|url| url.ends_with("/secret") || url.contains("elsewhere"))
    );
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[tokio::test]
async fn a_sample_is_spread_and_no_larger_than_wanted() {
    let site = TestSite::start(Tls::Trusted, answer).await;
    let found = scan(&site, 2, None).await.outcome.unwrap();
    let urls: Vec<_> = found.sitemap_sample.iter().map(|url| url.url.as_str()).collect();
    assert_eq!(urls, ["https://a.site.test/ok", "http://a.site.test/plain"]);
}

#[tokio::test]
async fn urls_of_the_proper_host_are_checked_by_the_rules_of_that_host() {
    let site = TestSite::start(Tls::None, |url| match url {
        "http://a.site.test/" => page("<link rel=canonical href=http://www.a.site.test/>"),
        "http://www.a.site.test/robots.txt" => Reply::ok("text/plain", "User-agent: *\nDisallow: /b\n"),
        "http://a.site.test/sitemap.xml" => urlset(&[
            "http://www.a.site.test/a",
            "http://www.a.site.test/b",
            "http://a.site.test/c",
        ]),
        "http://www.a.site.test/a" => page(""),
        _ => Reply::status(404),
    })
    .await;
    let found = scan(&site, 10, None).await.outcome.unwrap();
    assert_eq!(faults(&found), [(AuditCheck::OtherWww, 1)]);
    let statuses: Vec<_> = found.sitemap_sample.iter().map(|url| url.status).collect();
    assert_eq!(statuses, [200, 0]);
}
