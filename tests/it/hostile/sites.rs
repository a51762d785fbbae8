//! Hostile sites over real sockets: each scan ends in time with the right reason, and other scans are not affected.

use std::time::Duration;

use futures::future::join_all;
use sitelog::fetch::Fetcher;
use sitelog::fetch::settings::FetchSettings;
use sitelog::scanner::{Scanner, ScannerSettings};
use sitelog::values::report::SiteReport;
use sitelog::values::{DomainName, FailureReason, ScanOptions};

use super::hostile_site::HostileSite;
use crate::support::PATIENCE;

/// The time of a scan: that of one whose site never ends, and that of all others, also on a slow machine.
const LIMIT: Duration = Duration::from_secs(25);
const LONG_LIMIT: Duration = Duration::from_secs(90);

enum Ends {
    /// With this reason.
    Failed(FailureReason),
    /// With all of these among its problems, or those of its sitemaps.
    Completed(&'static [&'static str]),
}

use Ends::{Completed, Failed};
use FailureReason::{ConnectFailed, ProtocolError, RedirectLimit, Timeout, TlsFailed};

const SITES: &[(&str, Ends)] = &[
    ("headers", Failed(ProtocolError)),
    ("header", Failed(ProtocolError)),
    ("continue", Failed(Timeout)),
    ("body", Completed(&["too_large"])),
    ("drip", Failed(Timeout)),
    ("driphead", Failed(Timeout)),
    ("silent", Failed(Timeout)),
    ("gzip", Completed(&["too_large"])),
    ("zstd", Completed(&["too_large"])),
    ("brotli", Completed(&["too_large"])),
    ("nested", Completed(&["too_large"])),
    ("zstdwindow", Failed(ProtocolError)),
    ("brokengzip", Failed(ProtocolError)),
    ("robotsbomb", Completed(&[])),
    ("robotsendless", Completed(&[])),
    ("charset", Completed(&[])),
    ("unknowncharset", Completed(&[])),
    ("nul", Completed(&[])),
    ("redirects", Failed(RedirectLimit)),
    ("longredirect", Failed(RedirectLimit)),
    ("expired", Failed(TlsFailed)),
    ("selfsigned", Failed(TlsFailed)),
    ("wrongname", Failed(TlsFailed)),
    ("http10", Completed(&[])),
    ("premature", Completed(&["truncated"])),
    ("hangup", Failed(ConnectFailed)),
    ("nothttp", Failed(ProtocolError)),
    ("badchunk", Failed(ProtocolError)),
    ("twolengths", Failed(ProtocolError)),
    ("mapmillions", Completed(&[])),
    ("mapself", Completed(&[])),
    ("mapdeep", Completed(&["sitemap_limit"])),
    ("mapwide", Completed(&["sitemap_limit"])),
    ("maplaughs", Completed(&[])),
    ("mapexternal", Completed(&[])),
    ("mapnested", Completed(&[])),
    ("mapgzip", Completed(&["too_large"])),
    ("mapendless", Completed(&[])),
    ("mapnul", Completed(&[])),
    ("good", Completed(&[])),
    ("good2", Completed(&[])),
    ("good3", Completed(&[])),
];

fn scanner(site: &HostileSite) -> Scanner {
    let settings = FetchSettings {
        connect_to: vec![format!("*.hostile.test={}", site.address).parse().unwrap()],
        extra_ca: Some(site.ca.path().to_owned()),
        first_byte_timeout: Duration::from_secs(4),
        ..FetchSettings::default()
    };
    Scanner::new(Fetcher::new(settings).unwrap(), ScannerSettings::default())
}

async fn scan(scanner: &Scanner, name: &str, limit: Duration) -> SiteReport {
    let domain = DomainName::parse(&format!("{name}.hostile.test")).unwrap();
    scanner.scan(&domain, &ScanOptions::default(), limit).await
}

/// The codes of all problems of a report.
fn problems(report: &SiteReport) -> Vec<String> {
    let of_sitemaps = report.sitemaps.iter().flat_map(|file| &file.problems);
    let of_scan = report.outcome.iter().flat_map(|findings| &findings.problems);
    let kinds = report.sitemaps.iter().map(|file| format!("{:?}", file.kind));
    of_sitemaps
        .chain(of_scan)
        .map(|problem| problem.code.clone())
        .chain(
            kinds
                .filter(|kind| kind == "TooLarge")
                .map(|_| "too_large".to_owned()),
        )
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_site_ends_in_its_time_with_its_own_reason_and_good_ones_do_not_notice() {
    let site = HostileSite::start().await;
    let scanner = scanner(&site);
    let scans = SITES.iter().map(async |(name, ends)| {
        let limit = match ends {
            Failed(Timeout) => LIMIT,
            _ => LONG_LIMIT,
        };
        scan(&scanner, name, limit).await
    });
    let reports = tokio::time::timeout(PATIENCE, join_all(scans))
        .await
        .expect("no scan hangs");
    let mut wrong = Vec::new();
    for ((name, expected), report) in SITES.iter().zip(&reports) {
        let (codes, outcome) = (problems(report), &report.outcome);
        let fits = match (expected, outcome) {
            (Failed(reason), Err(failure)) => failure.reason == *reason,
            (Completed(wanted), Ok(_)) => wanted.iter().all(|code| codes.iter().any(|found| found == code)),
            _ => false,
        };
        if !fits {
            let ended = outcome
                .as_ref()
                .map(|_| "completed")
                .map_err(|failure| (failure.reason, &failure.detail));
            wrong.push(format!("{name}: {ended:?} {codes:?}"));
        }
        let title = outcome.as_ref().ok().and_then(|findings| findings.title.clone());
        if name.starts_with("good") {
            assert_eq!(title.as_deref(), Some("Good"), "{name}");
        }
        let text = format!("{report:?}");
        assert!(!text.contains("root:"), "{name} read a file: {text}");
        assert!(
            text.len() < 40_000_000,
            "{name} tells too much: {} bytes",
            text.len()
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // What one answer sets is never sent with another request.
    for head in site.heads.lock().unwrap().iter() {
        let head = head.to_lowercase();
        assert!(
            !head.contains("cookie") && !head.contains("authorization") && !head.contains("referer"),
            "{head}"
        );
        assert!(head.contains("user-agent: sitelog/"), "{head}");
    }
}
