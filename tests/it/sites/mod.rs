//! The test sites themselves: tests of scans rely on them.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use reqwest::{Client, Response, redirect};

use axum::http::header::LOCATION;

use crate::support::sites::{Sites, SitesOptions};

fn small() -> SitesOptions {
    SitesOptions {
        sites: 3,
        slow: Duration::from_millis(300),
        bomb_bytes: 40 << 20,
        big_bytes: 1 << 20,
        ..Default::default()
    }
}

/// A client that trusts and finds the sites, and follows no redirects.
struct Visitor {
    client: Client,
    port: u16,
}

impl Visitor {
    fn of(sites: &Sites, hosts: &[&str]) -> Self {
        let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
        let ca = std::fs::read(sites.ca_pem()).unwrap();
        let mut builder = Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()])
            .redirect(redirect::Policy::none())
            .no_gzip();
        let connect_to = sites.connect_to();
        let address: SocketAddr = connect_to.strip_prefix("*.sites.test=").unwrap().parse().unwrap();
        for host in hosts {
            builder = builder.resolve(&format!("{host}.sites.test"), address);
        }
        Self {
            client: builder.build().unwrap(),
            port: address.port(),
        }
    }

    async fn get(&self, scheme: &str, host: &str, path: &str) -> Result<Response, reqwest::Error> {
        self.client
            .get(format!("{scheme}://{host}.sites.test:{}{path}", self.port))
            .send()
            .await
    }

    async fn text(&self, host: &str, path: &str) -> String {
        self.get("https", host, path).await.unwrap().text().await.unwrap()
    }
}

#[tokio::test]
async fn an_ordinary_site_is_whole_with_and_without_tls() {
    let sites = Sites::start(small()).await.unwrap();
    let visitor = Visitor::of(&sites, &["site00001"]);
    let site = Sites::site(1);
    for scheme in ["https", "http"] {
        let home = visitor
            .get(scheme, "site00001", "/")
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        for fact in [
            site.title(),
            site.email(),
            site.phone(),
            site.handle(),
            format!("lang=\"{}\"", site.language()),
        ] {
            assert!(home.contains(&fact), "{scheme} {fact}");
        }
        assert_eq!(home.contains("WordPress"), site.is_wordpress());
    }
    assert!(
        visitor
            .text("site00001", "/contact")
            .await
            .contains(&site.contact_email())
    );
    assert!(
        visitor
            .text("site00001", "/robots.txt")
            .await
            .contains("Sitemap: https://site00001.sites.test/sitemap.xml")
    );
    assert_eq!(
        visitor
            .text("site00001", "/sitemap.xml")
            .await
            .matches("<loc>")
            .count(),
        2
    );
    assert_eq!(
        visitor
            .text("site00001", "/sitemap-pages.xml")
            .await
            .matches("<loc>")
            .count(),
        50
    );
    let packed = visitor
        .get("https", "site00001", "/sitemap-goods.xml.gz")
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let mut goods = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut goods).unwrap();
    assert_eq!(
        goods.matches("<loc>https://site00001.sites.test/goods/").count(),
        50
    );
    assert_eq!(
        visitor
            .get("https", "site00001", "/private/")
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn each_special_host_does_what_its_name_says() {
    let sites = Sites::start(small()).await.unwrap();
    let names = [
        "err500", "err403", "err404", "empty", "loop", "hop", "inside", "meta", "soft404", "big", "slow",
    ];
    let visitor = Visitor::of(&sites, &names);
    for (host, status, location) in [
        ("err500", 500, None),
        ("err403", 403, None),
        ("err404", 404, None),
        ("empty", 200, None),
        ("loop", 302, Some("https://loop.sites.test/x")),
        ("hop", 301, Some("https://site00000.sites.test/")),
        ("inside", 301, Some("http://127.0.0.1:1/")),
        ("meta", 301, Some("http://169.254.169.254/latest/meta-data/")),
        ("soft404", 200, None),
    ] {
        let response = visitor.get("https", host, "/x").await.unwrap();
        assert_eq!(response.status(), status, "{host}");
        assert_eq!(
            response
                .headers()
                .get(LOCATION)
                .map(|value| value.to_str().unwrap()),
            location,
            "{host}"
        );
    }
    assert_eq!(visitor.text("empty", "/").await, "");
    assert!(
        visitor
            .text("soft404", "/robots.txt")
            .await
            .contains(&Sites::site(0).title())
    );
    let big = visitor.text("big", "/").await.len();
    assert!((1_000_000..1_100_000).contains(&big), "{big}");
    let start = Instant::now();
    visitor.text("slow", "/").await;
    assert!(start.elapsed() >= small().slow);
}

#[tokio::test]
async fn the_bomb_is_a_sound_gzip_file_that_inflates_a_thousandfold() {
    let sites = Sites::start(small()).await.unwrap();
    let visitor = Visitor::of(&sites, &["bomb"]);
    assert!(
        visitor
            .text("bomb", "/robots.txt")
            .await
            .contains("https://bomb.sites.test/sitemap.xml.gz")
    );
    let packed = visitor
        .get("https", "bomb", "/sitemap.xml.gz")
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let inflated = io::copy(&mut GzDecoder::new(&packed[..]), &mut io::sink()).unwrap();
    assert!(inflated > 40 << 20, "{inflated}");
    assert!(
        inflated / packed.len() as u64 > 900,
        "{inflated} from {}",
        packed.len()
    );
}

#[tokio::test]
async fn the_flaky_site_recovers_and_its_requests_are_counted() {
    let sites = Sites::start(small()).await.unwrap();
    let visitor = Visitor::of(&sites, &["flaky"]);
    let mut statuses = Vec::new();
    for path in ["/robots.txt", "/", "/"] {
        statuses.push(
            visitor
                .get("https", "flaky", path)
                .await
                .unwrap()
                .status()
                .as_u16(),
        );
    }
    assert_eq!(statuses, [503, 503, 200]);
    assert_eq!(sites.requests("flaky.sites.test", "/"), 2);
    assert_eq!(sites.requests_to("flaky.sites.test"), 3);
    assert_eq!(sites.all_requests(), 3);
}

#[tokio::test]
async fn a_certificate_for_other_names_leaves_plain_http() {
    let sites = Sites::start(small()).await.unwrap();
    let visitor = Visitor::of(&sites, &["bad.name", "back.name"]);
    for host in ["bad.name", "back.name"] {
        visitor.get("https", host, "/").await.unwrap_err();
    }
    assert_eq!(visitor.get("http", "bad.name", "/").await.unwrap().status(), 200);
    let back = visitor.get("http", "back.name", "/").await.unwrap();
    assert_eq!(back.headers()[LOCATION], "https://back.name.sites.test/");
}

#[tokio::test]
async fn a_gate_holds_requests_until_it_opens() {
    let sites = Sites::start(small()).await.unwrap();
    let visitor = Visitor::of(&sites, &["site00000"]);
    let gate = sites.hold("site00000.sites.test", "/");
    let mut held = std::pin::pin!(visitor.text("site00000", "/"));
    tokio::select! {
        _ = &mut held => panic!("the gate is closed"),
        () = gate.reached_by(1) => {}
    }
    assert!(
        !visitor.text("site00000", "/about").await.is_empty(),
        "other paths are free"
    );
    gate.open();
    assert!(held.await.contains("<h1>"));
}
