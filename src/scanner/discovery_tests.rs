//! Where sitemaps and pages are found, and how often they are requested.

use super::*;
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::sitemap::SitemapKind;

const HOME: &str = "<html lang=en><title>Home</title>";

fn path_of(url: &str) -> &str {
    url.splitn(4, '/').nth(3).unwrap_or_default()
}

fn urlset(locs: &[&str]) -> Reply {
    let rows: String = locs
        .iter()
        .flat_map(|loc| ["<url><loc>", loc, "</loc></url>"])
        .collect();
    Reply::ok("application/xml", format!("<urlset>{rows}</urlset>"))
}

async fn scan(site: &TestSite, name: &str) -> SiteReport {
    let scanner = Scanner::new(Fetcher::new(site.settings()).unwrap(), ScannerSettings::default());
    let domain = DomainName::parse(name).unwrap();
    let options = ScanOptions::default();
    scanner.scan(&domain, &options, Duration::from_secs(20)).await
}

/// Scans `a.site.test`, whose home page is `HOME` unless `answer` returns another; also returns what was requested.
async fn scanned(
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> (SiteReport, Vec<String>) {
    let site = TestSite::start(Tls::Trusted, move |url| {
        answer(url).unwrap_or_else(|| match path_of(url) {
            "" => Reply::html(HOME),
            _ => Reply::status(404),
        })
    })
    .await;
    let report = scan(&site, "a.site.test").await;
    let asked = site.asked();
    (report, asked)
}

fn listed(report: &SiteReport) -> Vec<&str> {
    let files = report.sitemaps.iter();
    files
        .flat_map(|file| &file.urls)
        .map(|url| url.loc.as_str())
        .collect()
}

fn count(asked: &[String], end: &str) -> usize {
    asked.iter().filter(|url| url.ends_with(end)).count()
}

#[tokio::test]
async fn robots_names_sitemaps_in_any_case_relative_and_on_other_hosts() {
    let (report, _) = scanned(|url| match url.split_once("://").unwrap().1 {
        "a.site.test/robots.txt" => Some(Reply::ok(
            "text/plain",
            "\u{feff}SITEMAP: 1.xml\r\nsitemap :/2.xml # two\nUser-agent: *\nSite-Map:\t//files.site.test/3.xml\n\
             Sitemap: https://cdn.site.test/4.xml",
        )),
        "a.site.test/1.xml" => Some(urlset(&["/1"])),
        "a.site.test/2.xml" => Some(urlset(&["/2"])),
        "files.site.test/3.xml" => Some(urlset(&["https://a.site.test/3"])),
        "cdn.site.test/4.xml" => Some(urlset(&["https://a.site.test/4"])),
        _ => None,
    })
    .await;
    let wanted: Vec<String> = (1..=4).map(|n| format!("https://a.site.test/{n}")).collect();
    assert_eq!(listed(&report), wanted);
}

#[tokio::test]
async fn a_file_is_fetched_once_whatever_it_is_called_by() {
    let (report, asked) = scanned(|url| match path_of(url) {
        "robots.txt" => Some(Reply::ok(
            "text/plain",
            "Sitemap: https://a.site.test/s.xml\nSitemap: http://a.site.test/s.xml\n\
             Sitemap: https://www.a.site.test/s.xml\nSitemap: /s.xml#x\nSitemap: /old.xml",
        )),
        "old.xml" => Some(Reply::redirect("/s.xml")),
        "s.xml" => Some(Reply::ok(
            "text/xml",
            "<sitemapindex><sitemap><loc>/old.xml</loc></sitemap><sitemap><loc>/t.xml</loc></sitemap>\
             <sitemap><loc>http://a.site.test/t.xml</loc></sitemap></sitemapindex>",
        )),
        "t.xml" => Some(urlset(&["/1"])),
        "" => Some(Reply::html("<title>Home</title><link rel=sitemap href=/s.xml>")),
        _ => None,
    })
    .await;
    assert_eq!(
        (count(&asked, "/s.xml"), count(&asked, "/t.xml")),
        (2, 1),
        "{asked:?}"
    );
    // The second one is the redirect target of /old.xml, which is not known in advance.
    assert_eq!(count(&asked, "/old.xml"), 1);
    let kinds: Vec<SitemapKind> = report.sitemaps.iter().map(|file| file.kind).collect();
    assert_eq!(kinds, [SitemapKind::Index, SitemapKind::Urlset]);
}

#[tokio::test]
async fn a_redirect_to_a_file_that_waits_is_that_file() {
    let (report, asked) = scanned(|url| match path_of(url) {
        "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /old.xml\nSitemap: /new.xml")),
        "old.xml" => Some(Reply::redirect("/new.xml")),
        "new.xml" => Some(urlset(&["/1"])),
        _ => None,
    })
    .await;
    assert_eq!(
        (count(&asked, "/new.xml"), report.sitemaps.len()),
        (1, 1),
        "{asked:?}"
    );
}

#[tokio::test]
async fn another_address_of_a_file_is_tried_if_the_first_one_has_none() {
    let (report, _) = scanned(|url| match url {
        "https://a.site.test/robots.txt" => Some(Reply::ok(
            "text/plain",
            "Sitemap: https://www.a.site.test/s.xml\nSitemap: https://a.site.test/s.xml",
        )),
        "https://a.site.test/s.xml" => Some(urlset(&["/1"])),
        _ => None,
    })
    .await;
    assert_eq!(listed(&report), ["https://a.site.test/1"]);
}

#[tokio::test]
async fn the_usual_place_is_asked_first_and_ends_the_search() {
    let (report, asked) = scanned(|url| (path_of(url) == "sitemap.xml").then(|| urlset(&["/1"]))).await;
    assert_eq!(report.sitemaps.len(), 1);
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[tokio::test]
async fn the_usual_places_are_few_and_each_is_asked_once() {
    let (report, asked) = scanned(|_| None).await;
    assert!(report.sitemaps.is_empty());
    assert_eq!(asked.len(), 2 + 5, "{asked:?}");
    let (report, _) = scanned(|url| (path_of(url) == "sitemap-index.xml").then(|| urlset(&["/1"]))).await;
    assert_eq!(report.sitemaps.len(), 1);
}

#[tokio::test]
async fn a_site_whose_named_sitemap_is_gone_is_looked_at_in_the_usual_places() {
    let (report, _) = scanned(|url| match path_of(url) {
        "robots.txt" => Some(Reply::ok("text/plain", "Sitemap: /gone.xml")),
        "wp-sitemap.xml" => Some(urlset(&["/1"])),
        _ => None,
    })
    .await;
    let kinds: Vec<SitemapKind> = report.sitemaps.iter().map(|file| file.kind).collect();
    assert_eq!(kinds, [SitemapKind::NotFound, SitemapKind::Urlset]);
}

#[tokio::test]
async fn the_feeds_of_a_site_without_sitemaps_are_read() {
    let feed = "<?xml version='1.0'?><rss version='2.0'><channel><title>t</title><link>https://a.site.test/</link>\
                <item><link>https://a.site.test/post</link></item></channel></rss>";
    let home = "<title>Home</title><link rel=alternate type=application/rss+xml href=/feed>\
                <link rel=alternate type=application/atom+xml href=https://other.example/feed>";
    let (report, _) = scanned(move |url| match path_of(url) {
        "" => Some(Reply::html(home)),
        "feed" => Some(Reply::ok("application/rss+xml", feed)),
        _ => None,
    })
    .await;
    assert_eq!(
        (report.sitemaps.len(), report.sitemaps[0].kind),
        (1, SitemapKind::Rss)
    );
    assert!(listed(&report).contains(&"https://a.site.test/post"));
    // If there is a sitemap, a feed adds nothing.
    let (report, asked) = scanned(move |url| match path_of(url) {
        "" => Some(Reply::html(home)),
        "sitemap.xml" => Some(urlset(&["/1"])),
        _ => None,
    })
    .await;
    assert_eq!((report.sitemaps.len(), count(&asked, "/feed")), (1, 0));
}

#[tokio::test]
async fn www_is_tried_where_the_name_itself_takes_no_connection() {
    let site = TestSite::start(Tls::Trusted, |url| match path_of(url) {
        "" => Reply::html(HOME),
        _ => Reply::status(404),
    })
    .await;
    let mut settings = site.settings();
    settings
        .connect_to
        .insert(0, "site.test=127.0.0.1:1".parse().unwrap());
    let scanner = Scanner::new(Fetcher::new(settings).unwrap(), ScannerSettings::default());
    let domain = DomainName::parse("site.test").unwrap();
    let options = ScanOptions::default();
    let report = scanner.scan(&domain, &options, Duration::from_secs(20)).await;
    let found = report.outcome.unwrap();
    assert_eq!(found.final_url.as_deref(), Some("https://www.site.test/"));
}

#[tokio::test]
async fn a_page_that_only_sends_on_is_followed() {
    let (report, asked) = scanned(|url| match path_of(url) {
        "" => Some(Reply::html(
            "<meta http-equiv=refresh content='0; url=/de/'>Moment",
        )),
        "de/" => Some(Reply::html(
            "<title>Willkommen</title><a href=kontakt>Kontakt</a>",
        )),
        "de/kontakt" => Some(Reply::html("<title>Kontakt</title>")),
        _ => None,
    })
    .await;
    let found = report.outcome.as_ref().unwrap();
    assert_eq!(
        (found.title.as_deref(), found.final_url.as_deref()),
        (Some("Willkommen"), Some("https://a.site.test/de/"))
    );
    let pages: Vec<&str> = report.pages.iter().map(|page| page.url.as_str()).collect();
    assert_eq!(
        pages,
        ["https://a.site.test/de/", "https://a.site.test/de/kontakt"],
        "{asked:?}"
    );
}

#[tokio::test]
async fn pages_that_send_on_in_a_circle_or_to_nowhere_are_read_themselves() {
    let refresh = |to: &str| {
        Reply::html(&format!(
            "<title>x</title><meta http-equiv=refresh content='0;url={to}'>"
        ))
    };
    let (report, asked) = scanned(move |url| match path_of(url) {
        "" => Some(refresh("/1")),
        "1" => Some(refresh("/")),
        _ => None,
    })
    .await;
    assert!(report.outcome.is_ok());
    assert_eq!(count(&asked, "test/"), 1, "{asked:?}");
    let (report, _) = scanned(move |url| (path_of(url).is_empty()).then(|| refresh("/nowhere"))).await;
    let found = report.outcome.unwrap();
    assert_eq!((found.title.as_deref(), found.problems.len()), (Some("x"), 1));
    let (report, asked) = scanned(move |url| match path_of(url) {
        "robots.txt" => Some(Reply::ok("text/plain", "User-agent: *\nDisallow: /private")),
        "" => Some(refresh("/private")),
        _ => None,
    })
    .await;
    assert!(report.outcome.is_ok());
    assert_eq!(count(&asked, "/private"), 0);
}

#[tokio::test]
async fn no_more_pages_are_read_than_asked_for() {
    let links: String = ["contact", "imprint", "about", "team", "kontakt", "impressum"]
        .iter()
        .flat_map(|path| ["<a href=/", path, ">", path, "</a>"])
        .collect();
    let site = TestSite::start(Tls::Trusted, move |url| match path_of(url) {
        "robots.txt" => Reply::status(404),
        path if path.contains("sitemap") => Reply::status(404),
        _ => Reply::html(&links),
    })
    .await;
    let scanner = Scanner::new(Fetcher::new(site.settings()).unwrap(), ScannerSettings::default());
    let domain = DomainName::parse("a.site.test").unwrap();
    for max_pages in [1, 3] {
        let options = ScanOptions::with_max_pages(Some(max_pages));
        let report = scanner.scan(&domain, &options, Duration::from_secs(20)).await;
        assert_eq!(report.pages.len(), usize::try_from(max_pages).unwrap());
    }
}
