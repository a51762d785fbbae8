//! Records what an attempt read and how it ended: facts in events, lists and findings in bodies.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::bus::{Attachments, CommandBus, CommandError};
use super::compare_scan::{Compared, compare};
use super::seal_pictures::seal_pictures;
use super::start_scan::StartedScan;
use super::{CommandContext, LogError};
use crate::aggregates::scan::{AttemptOutcome, ReadFact, ScanTotals};
use crate::aggregates::{DomainScan, ScanCommand, ScanStatus};
use crate::log::body::{Body, Salt};
use crate::log::event::strip_nul;
use crate::values::report::{PageReport, RobotsReport, SiteReport, SitemapReport};
use crate::values::revisit::Earlier;
use crate::values::{BodyRef, FailureReason, Findings, Problem, Revisit};

/// The outcome of recording an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recorded {
    /// The scan has ended, with this attempt or otherwise.
    Ended,
    /// Another attempt is due after that time.
    RetryIn(Duration),
}

/// Records an attempt, after which the host must not be visited for the length of the cooldown. A result that comes too
/// late (the scan was cancelled or taken over) is dropped.
pub async fn record_scan(
    bus: &CommandBus,
    begun: &StartedScan,
    report: &SiteReport,
    cooldown: Duration,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Recorded, LogError> {
    loop {
        match try_record(bus, begun, report, cooldown, now, context).await {
            // What was known of the domain was erased meanwhile, or its salt stored by another process: this is new
            // knowledge, sealed with the new salt.
            Err(LogError::SaltChanged) => {}
            // It would be refused again, like that of the next attempt, so the scan ends with the reason.
            Err(error @ (LogError::BodyTooLarge { .. } | LogError::Rejected(_)))
                if report.outcome.is_ok() =>
            {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    scan.id = %begun.scan_id,
                    "Cannot store the findings of scan {}",
                    begun.scan_id
                );
                let report = SiteReport::failed(
                    FailureReason::TooLarge,
                    format!("cannot store the findings: {error}"),
                );
                return Box::pin(record_scan(bus, begun, &report, cooldown, now, context)).await;
            }
            other => return other,
        }
    }
}

async fn try_record(
    bus: &CommandBus,
    begun: &StartedScan,
    report: &SiteReport,
    cooldown: Duration,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Recorded, LogError> {
    let salt = bus
        .log()
        .salt(begun.tenant, begun.loaded.aggregate.domain())
        .await?;
    let (mut bodies, mut read) = seal_files(report, &salt);
    let with_pictures = seal_pictures(report, &salt, &mut bodies, &mut read);
    let report = with_pictures.as_ref().unwrap_or(report);
    let compared = match &begun.known {
        Some(known) => compare(bus, known, report, &read, &salt).await?,
        None => Compared::default(),
    };
    bodies.extend(compared.bodies);
    let outcome = seal_outcome(report, cooldown, (&read, compared.earlier), &salt, &mut bodies);
    let attempt = begun.loaded.aggregate.attempt();
    let command = ScanCommand::Record {
        attempt,
        read,
        outcome,
        change: compared.change,
        now,
    };
    let attachments = Attachments {
        bodies,
        ..Attachments::default()
    };
    let (id, loaded) = (begun.scan_id.0, begun.loaded.clone());
    // The state at the start of the attempt is nearly always still current, so the stream need not be read again.
    let mut done = bus
        .execute_on(loaded, id, command.clone(), attachments.clone(), context)
        .await;
    if let Err(CommandError::Log(LogError::Conflict)) = done {
        done = bus.execute(id, command, attachments, context).await;
    }
    match done {
        Ok(done) => Ok(recorded(&done.loaded.aggregate, now)),
        Err(CommandError::Log(error)) => Err(error),
        Err(refused) => {
            tracing::info!(scan.id = %begun.scan_id, "Attempt {attempt} of scan {} came too late: {refused}", begun.scan_id);
            Ok(Recorded::Ended)
        }
    }
}

fn recorded(scan: &DomainScan, now: DateTime<Utc>) -> Recorded {
    match scan.next_attempt_at() {
        Some(due) if scan.status() == Some(ScanStatus::Pending) => {
            Recorded::RetryIn((due - now).to_std().unwrap_or_default())
        }
        _ => Recorded::Ended,
    }
}

/// What was read, as the log keeps it.
fn seal_files(report: &SiteReport, salt: &Salt) -> (Vec<Body>, Vec<ReadFact>) {
    let (mut bodies, mut read) = (Vec::new(), Vec::new());
    read.extend(report.robots.as_ref().map(robots_fact));
    for sitemap in &report.sitemaps {
        read.push(sitemap_fact(sitemap, salt, &mut bodies));
    }
    read.extend(report.pages.iter().map(page_fact));
    (bodies, read)
}

/// How it ended, as the log keeps it, with what stays known from earlier scans.
fn seal_outcome(
    report: &SiteReport,
    cooldown: Duration,
    (read, earlier): (&[ReadFact], Earlier),
    salt: &Salt,
    bodies: &mut Vec<Body>,
) -> AttemptOutcome {
    match &report.outcome {
        Ok(findings) => AttemptOutcome::Completed {
            findings: seal_findings(findings, salt, bodies),
            revisit: seal_revisit(report.revisit.as_ref(), (read, earlier), salt, bodies),
            totals: totals(report, findings),
        },
        Err(failure) => AttemptOutcome::Failed {
            reason: failure.reason,
            error: failure.detail.clone(),
            is_transient: failure.is_transient,
            cooldown,
        },
    }
}

fn seal_findings(findings: &Findings, salt: &Salt, bodies: &mut Vec<Body>) -> BodyRef {
    let mut content = serde_json::to_string(findings).expect("findings are plain data");
    // How JSON writes U+0000.
    if content.contains("\\u0000") {
        content = without_nul(findings);
    }
    let (reference, body) = salt.seal_object(&content);
    bodies.push(body);
    reference
}

fn without_nul(findings: &Findings) -> String {
    let mut content = serde_json::to_value(findings).expect("findings are plain data");
    if strip_nul(&mut content)
        && let Some(Value::Array(problems)) = content.get_mut("problems")
    {
        let problem = Problem::new("nul_removed", "U+0000 was removed from the findings");
        problems.push(serde_json::to_value(problem).expect("a problem is plain data"));
    }
    content.to_string()
}

/// What the next scan may use again, and what it is to know; nothing if there is neither. The lists of sitemaps are
/// bodies already, which it names.
fn seal_revisit(
    kept: Option<&Revisit>,
    (read, earlier): (&[ReadFact], Earlier),
    salt: &Salt,
    bodies: &mut Vec<Body>,
) -> Option<BodyRef> {
    if kept.is_none() && earlier.is_empty() {
        return None;
    }
    let mut kept = kept.cloned().unwrap_or_default();
    kept.earlier = earlier;
    for sitemap in &mut kept.sitemaps {
        sitemap.list = read.iter().find_map(|fact| match fact {
            ReadFact::Sitemap { url, urls, .. } if *url == sitemap.file.asked => urls.clone(),
            _ => None,
        });
    }
    let items = usize::from(kept.robots.is_some()) + kept.sitemaps.len() + kept.pages.len();
    let content = serde_json::to_vec(&kept).expect("what is kept is plain data");
    let (reference, body) = salt.seal(&content, u64::try_from(items).unwrap_or(u64::MAX));
    bodies.push(body);
    Some(reference)
}

fn totals(report: &SiteReport, findings: &Findings) -> ScanTotals {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let listing = report
        .sitemaps
        .iter()
        .filter(|sitemap| sitemap.kind.lists_pages());
    ScanTotals {
        sitemaps: count(listing.count()),
        sitemap_urls: report
            .sitemaps
            .iter()
            .map(|sitemap| count(sitemap.urls.len()))
            .sum(),
        pages: count(report.pages.len()),
        emails: count(findings.emails.len()),
        phones: count(findings.phones.len()),
    }
}

fn robots_fact(robots: &RobotsReport) -> ReadFact {
    ReadFact::Robots {
        url: robots.url.clone(),
        status: robots.status,
        not_modified: robots.not_modified,
        bytes: robots.bytes,
        allowed: robots.allowed,
        crawl_delay: robots.crawl_delay,
        sitemaps: robots.sitemaps.clone(),
    }
}

fn sitemap_fact(sitemap: &SitemapReport, salt: &Salt, bodies: &mut Vec<Body>) -> ReadFact {
    let urls = (!sitemap.urls.is_empty()).then(|| {
        let mut content = Vec::new();
        for url in &sitemap.urls {
            serde_json::to_writer(&mut content, url).expect("plain data into memory");
            content.push(b'\n');
        }
        let (reference, body) = salt.seal(&content, u64::try_from(sitemap.urls.len()).unwrap_or(u64::MAX));
        bodies.push(body);
        reference
    });
    ReadFact::Sitemap {
        url: sitemap.url.clone(),
        kind: sitemap.kind,
        status: sitemap.status,
        not_modified: sitemap.not_modified,
        bytes: sitemap.bytes,
        entries: sitemap.entries,
        urls,
        problems: sitemap.problems.clone(),
    }
}

fn page_fact(page: &PageReport) -> ReadFact {
    ReadFact::Page {
        url: page.url.clone(),
        status: page.status,
        not_modified: page.not_modified,
        bytes: page.bytes,
        problems: page.problems.clone(),
    }
}
