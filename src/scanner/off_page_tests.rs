//! Findings that are not from pages: DNS, answered by a name server on a loopback port, and certificates.

use hickory_resolver::proto::rr::rdata::{CNAME, MX, NS, TXT};
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::Instant;

use super::*;
use crate::fetch::FetchSettings;
use crate::fetch::test_dns::{DnsReply, TestDns, name};
use crate::fetch::test_site::{Reply, TestSite, Tls};
use crate::values::Findings;
use crate::values::certificate::Certificate;
use crate::values::findings::{Deliverable, Email, EmailCheck};

fn mx(preference: u16, host: &str) -> RData {
    RData::MX(MX::new(preference, name(host)))
}

fn txt(text: &str) -> RData {
    RData::TXT(TXT::new(
        text.as_bytes()
            .chunks(200)
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect(),
    ))
}

fn zone(host: &str, kind: RecordType) -> DnsReply {
    DnsReply::Records(match (host, kind) {
        ("site.test", RecordType::A) => vec![RData::A("127.0.0.1".parse().unwrap())],
        ("site.test", RecordType::NS) => vec![RData::NS(NS(name("ns1.ns.cloudflare.com.")))],
        ("site.test", RecordType::MX) => vec![mx(5, "b.google.com."), mx(1, "aspmx.l.google.com.")],
        ("site.test", RecordType::TXT) => {
            vec![
                txt("v=spf1 include:_spf.google.com ~all"),
                txt("\u{1b}[31mred"),
                txt(&"x".repeat(9_000)),
            ]
        }
        // A separate name: the target of the alias is reported, not followed.
        ("www.site.test", RecordType::CNAME) => vec![RData::CNAME(CNAME(name("www.site.test.")))],
        ("_dmarc.site.test", RecordType::TXT) => vec![txt("v=DMARC1; p=reject")],
        ("site.test", RecordType::CAA) => return DnsReply::Failure,
        ("silent.test", RecordType::MX) => vec![mx(0, ".")],
        ("a.test", RecordType::A) => vec![RData::A("192.0.2.1".parse().unwrap())],
        (_, RecordType::AAAA) => Vec::new(),
        _ => return DnsReply::NoName,
    })
}

fn context(settings: FetchSettings) -> ScanContext {
    let fetcher = Fetcher::new(settings).unwrap();
    ScanContext::clone(&Scanner::new(fetcher, ScannerSettings::default()).context)
}

fn mails(addresses: &[&str]) -> Findings {
    let email = |address: &&str| Email {
        value: (*address).to_owned(),
        ..Email::default()
    };
    Findings {
        emails: addresses.iter().map(email).collect(),
        ..Findings::default()
    }
}

#[tokio::test]
async fn what_dns_says_is_told_with_what_follows_and_each_failure_by_its_kind() {
    let server = TestDns::start(zone).await;
    let context = context(FetchSettings {
        name_servers: vec![server.address()],
        ..FetchSettings::default()
    });
    let domain = DomainName::parse("site.test").unwrap();
    let mut found = mails(&["info@site.test", "anna@silent.test", "x@a.test", "x@none.test"]);
    let questions = dns::ask(&context, &domain).unwrap();
    dns::add_to(
        &context,
        &mut found,
        questions,
        Instant::now() + Duration::from_mins(1),
    )
    .await;
    let dns = found.dns.as_ref().unwrap();
    assert_eq!((&dns.a[..], dns.aaaa.len()), (&["127.0.0.1".to_owned()][..], 0));
    assert_eq!(dns.mx, ["1 aspmx.l.google.com", "5 b.google.com"]);
    assert_eq!(dns.www_cname, ["www.site.test"]);
    assert_eq!(dns.txt.len(), 3);
    assert!(
        dns.txt
            .iter()
            .all(|text| text.len() <= 2_000 && !text.contains('\u{1b}')),
        "{:?}",
        dns.txt
    );
    let failures: Vec<_> = dns
        .failures
        .iter()
        .map(|(kind, why)| format!("{kind}: {why}"))
        .collect();
    assert_eq!(failures, ["caa: the name server failed"]);
    assert_eq!(found.email_provider.as_ref().unwrap().name, "Google Workspace");
    assert_eq!(found.dns_host.as_ref().unwrap().name, "Cloudflare");
    assert_eq!(found.spf.as_ref().unwrap().policy, "softfail");
    assert!(found.dmarc.as_ref().unwrap().is_strict);
    let checks: Vec<&EmailCheck> = found
        .emails
        .iter()
        .filter_map(|email| email.check.as_ref())
        .collect();
    let deliverable: Vec<Deliverable> = checks.iter().map(|check| check.deliverable).collect();
    assert_eq!(
        deliverable,
        [
            Deliverable::Yes,
            Deliverable::No,
            Deliverable::Yes,
            Deliverable::No
        ]
    );
    assert!(checks[0].is_role && checks[0].provider.is_some() && !checks[1].is_role);
}

#[tokio::test]
async fn a_scan_does_not_wait_for_a_name_server_that_says_nothing() {
    let server = TestDns::start(|_, _| DnsReply::Silence).await;
    let site = TestSite::start(Tls::Trusted, |_| Reply::html("<title>Home</title>x@site.test")).await;
    let scanner = Scanner::new(
        Fetcher::new(FetchSettings {
            name_servers: vec![server.address()],
            ..site.settings()
        })
        .unwrap(),
        ScannerSettings::default(),
    );
    let domain = DomainName::parse("a.site.test").unwrap();
    let report = scanner
        .scan(&domain, &ScanOptions::default(), Duration::from_mins(1))
        .await;
    let found = report.outcome.unwrap();
    let dns = found.dns.unwrap();
    assert_eq!(
        (dns.name.as_str(), dns.zone.as_str(), dns.failures.len()),
        ("a.site.test", "site.test", 8)
    );
    assert_eq!(
        found.emails[0].check.as_ref().unwrap().deliverable,
        Deliverable::Unknown
    );
    assert!(
        dns.failures.values().all(|why| why == "no answer in time"),
        "{:?}",
        dns.failures
    );
    // A single query would take this long with its retries.
    assert!(found.performance.visit.unwrap().milliseconds < 6_000);
}

#[tokio::test]
async fn hosts_of_the_settings_are_not_looked_up() {
    let site = TestSite::start(Tls::Trusted, |_| Reply::html("<title>Home</title>x@site.test")).await;
    let context = context(site.settings());
    assert!(dns::ask(&context, &DomainName::parse("a.site.test").unwrap()).is_none());
}

async fn certificate_of(site: &TestSite, host: &str) -> (Certificate, String) {
    let scanner = Scanner::new(Fetcher::new(site.settings()).unwrap(), ScannerSettings::default());
    let domain = DomainName::parse(host).unwrap();
    let report = scanner
        .scan(&domain, &ScanOptions::default(), Duration::from_mins(1))
        .await;
    let found = report.outcome.unwrap();
    (found.certificate.unwrap(), found.final_url.unwrap())
}

#[tokio::test]
async fn a_certificate_is_told_as_the_connection_showed_it() {
    let site = TestSite::start(Tls::Trusted, |_| Reply::html("<title>Home</title>")).await;
    let (found, _) = certificate_of(&site, "a.site.test").await;
    assert_eq!(found.names, ["site.test", "*.site.test"]);
    assert_eq!(
        (found.host.as_str(), found.version.as_deref()),
        ("a.site.test", Some("TLS 1.3"))
    );
    assert_eq!(
        (found.issuer.as_deref(), found.fault),
        (Some("rcgen self signed cert"), None)
    );
    assert!(found.valid_from < found.valid_to);
}

#[tokio::test]
async fn a_certificate_that_is_refused_says_why_and_the_site_is_read_without_it() {
    let page = |_: &str| Reply::html("<title>Home</title>");
    for (site, fault) in [
        (
            TestSite::start_with_certificate(&["a.site.test"], true, page).await,
            "expired",
        ),
        (
            TestSite::start_with_certificate(&["elsewhere.test"], false, page).await,
            "wrong_name",
        ),
        (TestSite::start(Tls::Untrusted, page).await, "unknown_issuer"),
    ] {
        let (found, url) = certificate_of(&site, "a.site.test").await;
        assert_eq!(found.fault.as_deref(), Some(fault));
        assert_eq!((found.version, url.as_str()), (None, "http://a.site.test/"));
    }
}
