//! From what the scanner read to what the log keeps: facts, counts and bodies.

use serde_json::Value;

use crate::aggregates::ScanError;
use crate::aggregates::scan::{AttemptOutcome, ReadFact, ScanTotals};
use crate::commands::record_scan::AttemptRecord;
use crate::commands::{CommandBus, CommandError};
use crate::log::body::{Body, Salt};
use crate::log::event::strip_nul;
use crate::scanner::report::{PageReport, RobotsReport, SiteReport, SitemapReport};
use crate::tasks::ClaimedTask;
use crate::values::{BodyRef, Findings, Problem};

/// Seals the lists of a report into bodies and says the rest in facts.
pub(super) async fn record_of(
    bus: &CommandBus,
    task: &ClaimedTask,
    report: &SiteReport,
) -> Result<AttemptRecord, CommandError<ScanError>> {
    let salt = bus.log().salt(task.tenant, &task.host).await?;
    let mut bodies = Vec::new();
    let mut read = Vec::new();
    read.extend(report.robots.as_ref().map(robots_fact));
    for sitemap in &report.sitemaps {
        read.push(sitemap_fact(sitemap, &salt, &mut bodies));
    }
    read.extend(report.pages.iter().map(page_fact));
    let outcome = match &report.outcome {
        Ok(findings) => AttemptOutcome::Completed {
            findings: seal_findings(findings, &salt, &mut bodies),
            totals: totals(report, findings),
        },
        Err(failure) => AttemptOutcome::Failed {
            reason: failure.reason,
            error: failure.detail.clone(),
            may_pass: failure.may_pass,
            retry_after: failure.retry_after,
        },
    };
    Ok(AttemptRecord {
        read,
        outcome,
        bodies,
    })
}

fn seal_findings(findings: &Findings, salt: &Salt, bodies: &mut Vec<Body>) -> BodyRef {
    let mut content = serde_json::to_value(findings).expect("findings are plain data");
    if strip_nul(&mut content)
        && let Some(Value::Array(problems)) = content.get_mut("problems")
    {
        let problem = Problem::new("nul_removed", "U+0000 was taken out of the texts found");
        problems.push(serde_json::to_value(problem).expect("a problem is plain data"));
    }
    let (reference, body) = salt.seal(content.to_string().as_bytes(), 1);
    bodies.push(body);
    reference
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
        bytes: page.bytes,
        problems: page.problems.clone(),
    }
}
