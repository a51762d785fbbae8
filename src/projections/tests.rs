//! Rows from events, given/then.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::batch_jobs::{BatchJobs, BatchRow};
use super::domains::{DomainRow, Domains};
use super::fact::Happened;
use super::jobs::{JobRow, Jobs};
use super::sitemaps::{Sitemaps, SitemapsRow};
use super::{Fact, Projection, RawJson};
use crate::aggregates::scan::ScanTotals;
use crate::aggregates::{BatchEvent, BatchStatus, ScanEvent, ScanStatus};
use crate::values::options::WantedScan;
use crate::values::site_files::SiteFile;
use crate::values::sitemap::SitemapKind;
use crate::values::{BatchId, BatchOptions, BodyRef, FailureReason, Findings, ScanId, ScanOptions, TenantId};

const DOMAIN: &str = "example.com";

fn body(items: u64) -> BodyRef {
    BodyRef {
        digest: format!("{items:02x}"),
        bytes: 1,
        items,
    }
}

fn batch() -> BatchId {
    BatchId(Uuid::from_u128(9))
}

fn scan(n: u128, event: ScanEvent) -> Happened {
    Happened::Scan(ScanId(Uuid::from_u128(n)), event)
}

fn fact(position: i64, happened: Happened) -> Fact {
    let at = DateTime::from_timestamp(1_800_000_000 + position, 0).unwrap();
    Fact {
        position,
        at,
        tenant: TenantId::DEFAULT,
        actor: Some("me".into()),
        happened,
        findings: None,
    }
}

fn requested() -> ScanEvent {
    let (domain, batch_id) = (DOMAIN.to_owned(), Some(batch()));
    ScanEvent::ScanRequested {
        domain,
        batch_id,
        line: Some(1),
        max_concurrent: Some(5),
        options: ScanOptions::default(),
    }
}

fn started(attempt: u32) -> ScanEvent {
    let (domain, batch_id, worker) = (DOMAIN.to_owned(), Some(batch()), "w".to_owned());
    ScanEvent::ScanStarted {
        domain,
        batch_id,
        attempt,
        fence: 1,
        worker,
        deadline_at: DateTime::<Utc>::MAX_UTC,
    }
}

fn failed() -> ScanEvent {
    let (domain, batch_id, error) = (DOMAIN.to_owned(), Some(batch()), "slow".to_owned());
    ScanEvent::ScanFailed {
        domain,
        batch_id,
        attempt: 1,
        reason: FailureReason::Timeout,
        error,
    }
}

fn retried(ended: ScanStatus, reason: Option<FailureReason>) -> ScanEvent {
    let (domain, batch_id) = (DOMAIN.to_owned(), Some(batch()));
    ScanEvent::ScanRetried {
        domain,
        batch_id,
        round: 2,
        ended,
        reason,
        max_concurrent: Some(5),
    }
}

fn cancelled() -> ScanEvent {
    ScanEvent::ScanCancelled {
        domain: DOMAIN.to_owned(),
        batch_id: Some(batch()),
        attempt: 0,
    }
}

fn completed(sitemaps: u64) -> ScanEvent {
    ScanEvent::ScanCompleted {
        domain: DOMAIN.to_owned(),
        batch_id: Some(batch()),
        attempt: 1,
        findings: body(1),
        revisit: None,
        totals: ScanTotals {
            sitemaps,
            sitemap_urls: sitemaps * 50,
            ..ScanTotals::default()
        },
    }
}

fn sitemap(url: &str, urls: u64) -> ScanEvent {
    ScanEvent::SitemapParsed {
        domain: DOMAIN.to_owned(),
        attempt: 1,
        url: url.to_owned(),
        kind: SitemapKind::Urlset,
        status: 200,
        not_modified: false,
        bytes: 1,
        entries: urls,
        urls: Some(body(urls)),
        problems: Vec::new(),
    }
}

fn fold<P: Projection>(events: Vec<Happened>) -> Option<P::Row> {
    (1..)
        .zip(events)
        .map(|(position, happened)| fact(position, happened))
        .fold(None, |row, fact| P::evolve(row, &fact))
}

fn scans(events: Vec<ScanEvent>) -> Vec<Happened> {
    events.into_iter().map(|event| scan(1, event)).collect()
}

fn domain_after(finds: &[Findings]) -> DomainRow {
    let facts = (1..).zip(finds).flat_map(|(number, found)| {
        let at = 3 * i64::try_from(number).unwrap();
        let mut end = fact(at, scan(number, completed(u64::from(found.title.is_some()))));
        end.findings = RawJson::parse(json!(found).to_string().as_bytes()).ok();
        [
            fact(at - 2, scan(number, requested())),
            fact(at - 1, scan(number, started(1))),
            end,
        ]
    });
    facts.fold(None, |row, fact| Domains::evolve(row, &fact)).unwrap()
}

fn found(title: &str, email: &str) -> Findings {
    let mut findings = Findings {
        title: Some(title.into()),
        is_wordpress: true,
        ..Findings::default()
    };
    findings.contact_info.email = vec![email.into()];
    findings
}

#[test]
fn a_rescan_replaces_what_it_finds() {
    let row = domain_after(&[found("Old", "a@example.com"), found("New", "b@example.com")]);
    assert_eq!(
        (row.title.as_deref(), row.email_addresses),
        (Some("New"), vec!["b@example.com".to_owned()])
    );
    assert!(row.stale_fields.is_empty());
}

#[test]
fn a_rescan_that_finds_nothing_blanks_nothing_and_says_so() {
    let row = domain_after(&[found("Old", "a@example.com"), Findings::default()]);
    assert_eq!(
        (row.title.as_deref(), row.email_addresses),
        (Some("Old"), vec!["a@example.com".to_owned()])
    );
    assert_eq!(
        row.stale_fields,
        [
            "is_wordpress",
            "title",
            "email_addresses",
            "total_sitemaps",
            "sitemap_urls"
        ]
    );
    assert_eq!((row.total_sitemaps, row.sitemap_urls), (1, 50));
    assert!(
        row.is_wordpress,
        "a page without any technology says nothing of it"
    );
}

#[test]
fn what_is_stale_names_the_scan_that_found_it_last() {
    let missed = Findings::default;
    let row = domain_after(&[found("Old", "a@example.com"), missed(), missed()]);
    let first = domain_after(&[found("Old", "a@example.com")]);
    let sighting = &row.stale["title"];
    assert_eq!(Some(sighting.scan_id), first.last_completed_id);
    assert_eq!(Some(sighting.found_at), first.last_successful_scan);
    assert_ne!(row.last_completed_id, first.last_completed_id);
    assert!(
        row.stale
            .keys()
            .eq(row.stale_fields.iter().collect::<std::collections::BTreeSet<_>>())
    );
    let again = domain_after(&[
        found("Old", "a@example.com"),
        missed(),
        found("New", "b@example.com"),
    ]);
    assert!(again.stale.is_empty(), "{:?}", again.stale);
}

#[test]
fn a_failed_rescan_keeps_what_was_known_and_counts() {
    let row = domain_after(&[found("Old", "a@example.com")]);
    let row = Domains::evolve(Some(row), &fact(9, scan(2, failed()))).unwrap();
    assert_eq!(
        (row.status, row.title.as_deref(), row.error_count),
        (ScanStatus::Failed, Some("Old"), 1)
    );
    assert_eq!(row.last_error.as_deref(), Some("slow"));
    assert!(row.last_scan > row.first_scan && row.last_successful_scan < row.last_scan);
}

#[test]
fn an_input_that_is_no_domain_has_no_row_of_domains() {
    let refused = ScanEvent::ScanFailed {
        domain: "not a domain".into(),
        batch_id: None,
        attempt: 0,
        reason: FailureReason::InvalidDomain,
        error: "no".into(),
    };
    assert_eq!(Domains::key(&fact(1, scan(1, refused))), None);
}

#[test]
fn erased_findings_leave_the_row_as_it_was() {
    let row = domain_after(&[found("Old", "a@example.com")]);
    let row = Domains::evolve(Some(row), &fact(9, scan(2, completed(3)))).unwrap();
    assert_eq!(
        (row.title.as_deref(), row.status),
        (Some("Old"), ScanStatus::Completed)
    );
}

fn job_after(events: Vec<ScanEvent>) -> JobRow {
    fold::<Jobs>(scans(events)).unwrap()
}

#[test]
fn a_job_tells_the_attempts_and_why_the_last_one_failed() {
    let row = job_after(vec![requested(), started(1), failed()]);
    assert_eq!(
        (row.status, row.attempts, row.reason),
        (ScanStatus::Failed, 1, Some(FailureReason::Timeout))
    );
    assert!(row.completed_at.is_some());
}

#[test]
fn a_job_that_waits_for_its_next_attempt_is_pending_and_says_when() {
    let waits = ScanEvent::ScanAttemptFailed {
        domain: DOMAIN.into(),
        batch_id: None,
        attempt: 1,
        reason: FailureReason::Timeout,
        error: "slow".into(),
        retry_at: DateTime::UNIX_EPOCH,
    };
    let row = job_after(vec![requested(), started(1), waits]);
    assert_eq!(
        (row.status, row.next_attempt_at),
        (ScanStatus::Pending, Some(DateTime::UNIX_EPOCH))
    );
}

#[test]
fn a_retried_job_forgets_its_failure_and_ends_anew() {
    let again = retried(ScanStatus::Failed, Some(FailureReason::Timeout));
    let row = job_after(vec![
        requested(),
        started(1),
        failed(),
        again,
        started(2),
        completed(0),
    ]);
    assert_eq!(
        (row.status, row.attempts, row.reason, row.round),
        (ScanStatus::Completed, 2, None, 2)
    );
}

fn batch_after(events: Vec<Happened>) -> BatchRow {
    batch_with(BatchOptions::new(None, None), events)
}

fn batch_with(options: BatchOptions, events: Vec<Happened>) -> BatchRow {
    let mut all = vec![Happened::Batch(
        batch(),
        BatchEvent::BatchRequested {
            total: 2,
            options,
            items: body(2),
            monitor_id: None,
        },
    )];
    all.extend(events);
    fold::<BatchJobs>(all).unwrap()
}

fn ended(round: u32) -> Happened {
    Happened::Batch(batch(), BatchEvent::BatchCompleted { round })
}

#[test]
fn a_batch_says_what_it_was_requested_with() {
    let plain = batch_with(BatchOptions::new(None, None), Vec::new());
    assert_eq!(plain.options, json!({ "max_concurrent": 50, "max_pages": 4 }));
    let wanted = WantedScan {
        files: [SiteFile::AdsTxt].into_iter().collect(),
        sitemap_sample: Some(20),
        ..WantedScan::default()
    };
    let more = batch_with(BatchOptions::wanted(wanted, None), Vec::new());
    let shown = json!({ "max_concurrent": 50, "max_pages": 4, "files": ["ads_txt"], "sitemap_sample": 20 });
    assert_eq!(more.options, shown);
}

#[test]
fn a_batch_counts_its_scans_statuses() {
    let row = batch_after(vec![
        scan(1, started(1)),
        scan(1, completed(0)),
        scan(2, failed()),
        ended(1),
    ]);
    assert_eq!(
        (row.status, row.completed_domains, row.failed_domains),
        (BatchStatus::Partial, 1, 1)
    );
    assert_eq!((row.failures["timeout"], row.progress), (1, 1.0));
}

#[test]
fn an_abandoned_and_restarted_scan_is_counted_once() {
    let row = batch_after(vec![
        scan(1, started(1)),
        scan(1, started(2)),
        scan(1, completed(0)),
    ]);
    assert_eq!(
        (row.status, row.completed_domains, row.progress),
        (BatchStatus::Running, 1, 0.5)
    );
}

#[test]
fn a_reopened_batch_counts_each_scan_once_over_its_rounds() {
    let again = retried(ScanStatus::Failed, Some(FailureReason::Timeout));
    let reopened = Happened::Batch(
        batch(),
        BatchEvent::BatchReopened {
            round: 2,
            total: 1,
            scans: None,
        },
    );
    let first = vec![scan(1, completed(0)), scan(2, failed()), ended(1)];
    let row = batch_after([first.clone(), vec![scan(2, again.clone()), reopened.clone()]].concat());
    assert_eq!(
        (row.status, row.failed_domains, row.failures.len()),
        (BatchStatus::Running, 0, 0)
    );
    let row = batch_after(
        [
            first,
            vec![scan(2, again), reopened, scan(2, completed(0)), ended(2)],
        ]
        .concat(),
    );
    assert_eq!(
        (row.status, row.completed_domains, row.round),
        (BatchStatus::Completed, 2, 2)
    );
}

#[test]
fn a_cancelled_batch_stays_cancelled_whatever_its_scans_do() {
    let cancel = Happened::Batch(batch(), BatchEvent::BatchCancelled {});
    let row = batch_after(vec![scan(1, completed(0)), cancel, scan(2, cancelled())]);
    assert_eq!(
        (row.status, row.cancelled_domains, row.completed_domains),
        (BatchStatus::Cancelled, 1, 1)
    );
}

fn files(row: &SitemapsRow) -> Vec<&str> {
    row.files.iter().map(|file| file.url.as_str()).collect()
}

#[test]
fn sitemaps_count_when_the_scan_completes() {
    let read = vec![started(1), sitemap("a", 50), sitemap("b", 50)];
    assert!(fold::<Sitemaps>(scans(read.clone())).unwrap().files.is_empty());
    let row = fold::<Sitemaps>(scans([read, vec![completed(2)]].concat())).unwrap();
    assert_eq!((files(&row), row.total_urls), (vec!["a", "b"], 100));
}

#[test]
fn what_a_lost_attempt_read_is_read_anew() {
    let row = fold::<Sitemaps>(scans(vec![
        sitemap("a", 1),
        started(2),
        sitemap("b", 1),
        completed(1),
    ]))
    .unwrap();
    assert_eq!(files(&row), ["b"]);
}

#[test]
fn a_rescan_without_sitemaps_keeps_those_that_were_known() {
    let row = fold::<Sitemaps>(scans(vec![
        sitemap("a", 1),
        completed(1),
        started(2),
        completed(0),
    ]))
    .unwrap();
    assert_eq!(files(&row), ["a"]);
}

fn erased() -> ScanEvent {
    ScanEvent::ScanErased {
        domain: DOMAIN.to_owned(),
        batch_id: Some(batch()),
        status: ScanStatus::Completed,
    }
}

#[test]
fn an_erased_domain_keeps_what_happened_and_nothing_that_was_found() {
    let row = domain_after(&[found("Old", "a@example.com")]);
    // A later scan is under way; the erasure of the earlier one does not speak of it.
    let row = Domains::evolve(Some(row), &fact(8, scan(2, started(1)))).unwrap();
    let gone = Domains::evolve(Some(row.clone()), &fact(9, scan(1, erased()))).unwrap();
    assert_eq!(
        (gone.title, gone.email_addresses.len(), gone.total_sitemaps),
        (None, 0, 0)
    );
    assert_eq!(gone.meta_json, RawJson::empty_object());
    assert_eq!(
        (gone.status, gone.last_scan_id, gone.last_scan),
        (row.status, row.last_scan_id, row.last_scan)
    );
}

#[test]
fn a_replay_without_the_bodies_ends_in_the_row_that_an_erasure_leaves() {
    let live = domain_after(&[found("Old", "a@example.com"), found("New", "b@example.com")]);
    let live = Domains::evolve(Some(live), &fact(9, scan(1, erased())));
    let scan_without_body = || [requested(), started(1), completed(1)];
    let scans = [1, 1, 1, 2, 2, 2];
    let facts = (1..)
        .zip(scans)
        .zip(scan_without_body().into_iter().chain(scan_without_body()));
    let replayed = facts.fold(None, |row, ((position, number), event)| {
        Domains::evolve(row, &fact(position, scan(number, event)))
    });
    assert_eq!(Domains::evolve(replayed, &fact(9, scan(1, erased()))), live);
}

#[test]
fn an_erased_job_has_no_result_and_an_erased_domain_no_sitemaps() {
    let mut end = fact(3, scan(1, completed(1)));
    end.findings = RawJson::parse(b"{}").ok();
    let facts = [
        fact(1, scan(1, requested())),
        fact(2, scan(1, started(1))),
        end,
        fact(4, scan(1, erased())),
    ];
    let row = facts.iter().fold(None, Jobs::evolve).unwrap();
    assert_eq!((row.status, row.findings), (ScanStatus::Completed, None));
    let row = fold::<Sitemaps>(scans(vec![
        sitemap("a", 50),
        completed(1),
        sitemap("b", 1),
        erased(),
    ]))
    .unwrap();
    assert_eq!((files(&row).len(), row.reading.len(), row.total_urls), (0, 0, 0));
}
