//! Files that a scan reads on request, from small sites on a loopback port.

use tokio::time::Instant;

use url::Url;

use super::files::{Files, Site};
use super::robots::Robots;
use super::*;
use crate::fetch::FetchSettings;
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::Findings;
use crate::values::site_files::SiteFileSet;

const HOME: &str = "<html lang=en><title>Home</title><p>Anvils for everybody.";

async fn site(answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> TestSite {
    let answer = move |url: &str| {
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let missing = || match path {
            "" => Reply::html(HOME),
            _ => Reply::status(404),
        };
        answer(path).unwrap_or_else(missing)
    };
    TestSite::start(Tls::Trusted, answer).await
}

/// The text files.
fn all() -> SiteFileSet {
    let is_text = |file: &SiteFile| !file.paths().is_empty();
    SiteFile::ALL.iter().copied().filter(is_text).collect()
}

/// The pictures.
fn pictures() -> SiteFileSet {
    [SiteFile::Icon, SiteFile::Logo].into_iter().collect()
}

async fn scan_with(settings: FetchSettings, files: SiteFileSet) -> Findings {
    let scanner = Scanner::new(Fetcher::new(settings).unwrap(), ScannerSettings::default());
    let options = ScanOptions {
        files,
        ..ScanOptions::default()
    };
    let domain = DomainName::parse("a.site.test").unwrap();
    let report = scanner.scan(&domain, &options, Duration::from_secs(30)).await;
    report.outcome.unwrap()
}

fn asked_for_files(site: &TestSite) -> Vec<String> {
    let is_file = |url: &String| url.contains(".txt") && !url.contains("/robots.txt");
    site.asked().into_iter().filter(is_file).collect()
}

fn answers(found: &Findings) -> Vec<(SiteFile, Option<bool>)> {
    found
        .files
        .iter()
        .map(|file| (file.file, file.is_there))
        .collect()
}

#[tokio::test]
async fn no_file_is_asked_for_unless_somebody_wants_it_and_none_if_none_may_be() {
    let site = site(|_| None).await;
    let found = scan_with(site.settings(), SiteFileSet::default()).await;
    assert!(found.files.is_empty() && asked_for_files(&site).is_empty());
    let settings = FetchSettings {
        files: None,
        ..site.settings()
    };
    let found = scan_with(settings, all()).await;
    assert!(found.files.is_empty() && asked_for_files(&site).is_empty());
    let settings = FetchSettings {
        files: Some([SiteFile::LlmsTxt].into_iter().collect()),
        ..site.settings()
    };
    let found = scan_with(settings, [SiteFile::HumansTxt].into_iter().collect()).await;
    assert_eq!(
        answers(&found),
        [
            (SiteFile::HumansTxt, Some(false)),
            (SiteFile::LlmsTxt, Some(false))
        ]
    );
}

/// The result of reading only the files, with ample time.
async fn files_of(site: &TestSite, files: SiteFileSet, robots: &str) -> (Findings, ScanContext) {
    let fetcher = Fetcher::new(site.settings()).unwrap();
    let context = ScanContext::clone(&Scanner::new(fetcher, ScannerSettings::default()).context);
    let context = context.for_one_visit(TenantId::DEFAULT, None).unwrap();
    let rules = Arc::new(Robots::parse(robots.as_bytes()).rules_for("sitelog"));
    let home = Url::parse("https://a.site.test/").unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let place = Site {
        home,
        rules,
        icon: None,
        logo: Url::parse("https://cdn.site.test/logo.svg").ok(),
    };
    let mut asked = Files::new(files.iter().collect(), place, until);
    asked.begin(&context);
    let mut found = Findings::default();
    asked.add_to(&mut found, until).await;
    (found, context)
}

#[tokio::test]
async fn each_file_is_read_counted_and_told_with_its_place() {
    let site = site(|path| match path {
        // The standard path returns a page for everything that does not exist.
        ".well-known/security.txt" => Some(Reply::html("<title>Oops</title>")),
        "security.txt" => Some(Reply::ok(
            "text/plain",
            "Contact: mailto:s@site.test\nExpires: 2001-01-01T00:00:00Z\n",
        )),
        "ads.txt" => Some(Reply::redirect("/sellers.txt")),
        "sellers.txt" => Some(Reply::ok(
            "text/plain",
            "g.test, 1, DIRECT\nh.test, 2, RESELLER\n",
        )),
        "humans.txt" => Some(Reply::ok("text/plain; charset=utf-8", "Anna\n")),
        "llms.txt" => Some(Reply::ok("text/markdown", "# Acme\n> Anvils\n")),
        _ => None,
    })
    .await;
    let (found, context) = files_of(&site, all(), "").await;
    let security = found.security_txt.as_ref().unwrap();
    assert_eq!(
        (security.url.as_str(), security.is_expired),
        ("https://a.site.test/security.txt", Some(true))
    );
    let ads = found.ads_txt.as_ref().unwrap();
    assert_eq!(
        (ads.direct, ads.reseller, ads.url.as_str()),
        (1, 1, "https://a.site.test/sellers.txt")
    );
    assert_eq!(found.humans_txt.as_ref().unwrap().first_lines, ["Anna"]);
    assert_eq!(
        found.llms_txt.as_ref().unwrap().summary.as_deref(),
        Some("Anvils")
    );
    assert!(
        answers(&found)
            .iter()
            .all(|(_, is_there)| *is_there == Some(true))
    );
    // Two paths, a redirect, and one request for each other file.
    assert_eq!(context.fetcher.cost().requests, 6);
}

#[tokio::test]
async fn pages_for_all_that_is_missing_are_no_files_and_robots_txt_is_obeyed() {
    let site = site(|path| match path {
        "humans.txt" => Some(Reply::ok("text/plain", "<!DOCTYPE html><title>Not found</title>")),
        "ads.txt" => Some(Reply::redirect("/")),
        _ => None,
    })
    .await;
    let (found, _) = files_of(&site, all(), "User-agent: *\nDisallow: /llms.txt\n").await;
    assert_eq!(
        answers(&found),
        [
            (SiteFile::SecurityTxt, Some(false)),
            (SiteFile::AdsTxt, Some(false)),
            (SiteFile::HumansTxt, Some(false)),
            (SiteFile::LlmsTxt, None),
        ]
    );
    assert!(found.security_txt.is_none() && found.ads_txt.is_none() && found.humans_txt.is_none());
    assert!(
        found.files[3].why.starts_with("robots.txt disallows it"),
        "{:?}",
        found.files
    );
    assert!(
        !asked_for_files(&site)
            .iter()
            .any(|url| url.ends_with("/llms.txt"))
    );
}

#[tokio::test]
async fn a_server_that_fails_and_an_address_that_is_not_public_leave_what_was_known() {
    let site = site(|path| match path {
        "humans.txt" => Some(Reply::status(503)),
        "ads.txt" => Some(Reply::redirect("https://ads.elsewhere.test/ads.txt")),
        "llms.txt" => Some(Reply::redirect("http://127.0.0.1/llms.txt")),
        _ => None,
    })
    .await;
    let (found, _) = files_of(&site, all(), "").await;
    assert_eq!(
        answers(&found),
        [
            (SiteFile::SecurityTxt, Some(false)),
            (SiteFile::AdsTxt, None),
            (SiteFile::HumansTxt, None),
            (SiteFile::LlmsTxt, None),
        ]
    );
    assert!(found.files[3].why.contains("127.0.0.1"), "{:?}", found.files);
}

#[tokio::test]
async fn a_file_that_does_not_come_delays_no_scan_and_fails_nothing() {
    let site = site(|path| {
        let mut never = Reply::ok("text/plain", "Contact: x");
        never.wait = Duration::from_hours(1);
        let is_file = path.contains(".txt") && path != "robots.txt";
        is_file.then_some(never)
    })
    .await;
    // If the scan waited for any of them, it would end at its time limit.
    let found = scan_with(site.settings(), all()).await;
    assert_eq!(found.title.as_deref(), Some("Home"));
    assert_eq!(found.files.len(), 4);
    assert!(
        answers(&found).iter().all(|(_, is_there)| is_there.is_none()),
        "{:?}",
        found.files
    );
    assert_eq!(found.performance.visit.unwrap().ended_by, None);
}

#[tokio::test]
async fn where_requests_are_kept_apart_files_come_after_all_else() {
    let site = site(|path| match path {
        "robots.txt" => Some(Reply::ok("text/plain", "User-agent: *\nCrawl-delay: 0.2\n")),
        "" => Some(Reply::html("<title>Home</title><a href=/contact>Contact</a>")),
        "contact" => Some(Reply::html("<title>Contact</title>x@site.test")),
        _ => None,
    })
    .await;
    let found = scan_with(site.settings(), all()).await;
    assert_eq!(found.files.len(), 4);
    let asked = site.asked();
    let last = asked.iter().rposition(|url| url.ends_with("/contact")).unwrap();
    let first = asked
        .iter()
        .position(|url| url.contains(".txt") && !url.contains("/robots.txt"));
    assert!(first.is_none_or(|first| first > last), "{asked:?}");
}

#[tokio::test]
async fn a_parked_domain_is_asked_for_no_files() {
    let site = site(|path| {
        path.is_empty()
            .then(|| Reply::html("<title>a.site.test</title><h1>This domain is for sale</h1>"))
    })
    .await;
    let found = scan_with(site.settings(), all()).await;
    assert!(found.site_state.is_some() && found.files.is_empty());
    assert!(asked_for_files(&site).is_empty());
}

const DRAWING: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0h9v9'/></svg>";

#[tokio::test]
async fn icon_and_logo_are_read_where_the_home_page_says() {
    let asked_of_page =
        "<title>Home</title><link rel=icon href=/i.svg><img class=logo src=/l.svg alt='Logo'>";
    let site = site(move |path| match path {
        "" => Some(Reply::html(asked_of_page)),
        "i.svg" => Some(Reply::ok("image/svg+xml", DRAWING)),
        // The content decides, not the type that the server states.
        "l.svg" => Some(Reply::ok("application/octet-stream", DRAWING)),
        _ => None,
    })
    .await;
    let found = scan_with(site.settings(), pictures()).await;
    let [icon, logo] = [&found.icon, &found.logo].map(|picture| picture.as_ref().unwrap());
    assert_eq!(
        (icon.url.as_str(), logo.url.as_str()),
        ("https://a.site.test/i.svg", "https://a.site.test/l.svg")
    );
    assert_eq!(&*logo.content, DRAWING.as_bytes());
    assert_eq!(
        answers(&found),
        [(SiteFile::Icon, Some(true)), (SiteFile::Logo, Some(true))]
    );
}

#[tokio::test]
async fn what_is_no_picture_and_what_leads_inside_fails_no_scan() {
    let html = "<!DOCTYPE html><title>Not found</title>";
    for (icon, logo, said) in [
        (
            Reply::ok("image/png", html),
            Reply::status(404),
            ["it is not a PNG", "HTTP 404"],
        ),
        (
            Reply::ok("image/png", vec![0x89; 600 * 1024]),
            Reply::redirect("http://127.0.0.1/logo.png"),
            ["it is larger than", "127.0.0.1"],
        ),
        (
            Reply::status(503),
            Reply::ok("image/svg+xml", "<svg><script/></svg>"),
            ["HTTP 503", "<script>"],
        ),
    ] {
        let site = site(move |path| match path {
            "favicon.ico" => Some(icon.clone()),
            "logo.svg" => Some(logo.clone()),
            _ => None,
        })
        .await;
        let (found, _) = files_of(&site, pictures(), "").await;
        assert!(found.icon.is_none() && found.logo.is_none());
        for (answer, said) in found.files.iter().zip(said) {
            assert!(answer.why.contains(said), "{said}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn robots_txt_speaks_for_pictures_of_its_own_host() {
    let site = site(|path| (path == "logo.svg").then(|| Reply::ok("image/svg+xml", DRAWING))).await;
    let (found, _) = files_of(&site, pictures(), "User-agent: *\nDisallow: /\n").await;
    assert!(found.icon.is_none() && found.logo.is_some());
    assert!(
        found.files[0].why.starts_with("robots.txt disallows it"),
        "{:?}",
        found.files
    );
}
