//! Loads what earlier scans of a domain left for the next one: content that may be reused, and what is known.

use super::LogError;
use super::bus::CommandBus;
use super::compare_scan::KnownDomain;
use super::start_scan::StartedScan;
use crate::aggregates::{ScanEvent, ScanStatus};
use crate::log::LogEvent;
use crate::log::body::{Bodies, load_bodies};
use crate::values::domain_change::{are_all_read, is_whole};
use crate::values::revisit::{Earlier, KnownSitemap};
use crate::values::sitemap::SitemapUrl;
use crate::values::{BodyRef, FailureReason, Findings, Revisit, ScanId};

/// The data of earlier scans.
#[derive(Debug, Default)]
pub struct PreviousScan {
    /// What the last completed scan kept of the files that it read.
    pub revisit: Option<Revisit>,
    /// What is known of the domain; `None` if no scan of it has ended.
    pub known: Option<KnownDomain>,
}

/// What the tenant's earlier scans of the domain left; nothing if that was erased. It comes from the log alone, so that
/// it does not depend on how far a read model is.
pub async fn load_previous_scan(bus: &CommandBus, begun: &StartedScan) -> Result<PreviousScan, LogError> {
    let log = bus.log();
    let domain = begun.loaded.aggregate.domain();
    // Failures that say nothing about the site.
    let ours: Vec<&str> = FailureReason::ALL
        .iter()
        .filter(|reason| !reason.is_the_sites())
        .map(|reason| reason.as_str())
        .collect();
    let ends = log
        .last_of_domain(begun.tenant, domain, &["ScanCompleted", "ScanFailed"], &ours)
        .await?;
    let (mut completed, mut failed) = (None, None);
    for event in ends {
        match event.decode()? {
            ended @ ScanEvent::ScanCompleted { .. } => completed = Some((event, ended)),
            ScanEvent::ScanFailed { .. } => failed = Some(event),
            _ => {}
        }
    }
    // A retry is the same scan: its own earlier failure is not what another scan found about the domain.
    let own = begun.scan_id.to_string();
    let failed = failed.filter(|event| completed.is_some() || event.aggregate_id != own);
    let Some((event, end)) = completed else {
        let known = failed.and_then(|event| ended(&event, ScanStatus::Failed));
        return Ok(PreviousScan { revisit: None, known });
    };
    // Before the bodies: if it is another one later, they were erased meanwhile.
    let salt = log.salt(begun.tenant, domain).await?;
    let ScanEvent::ScanCompleted {
        findings,
        revisit,
        attempt,
        totals,
        ..
    } = end
    else {
        return Ok(PreviousScan::default());
    };
    let bodies = load_bodies(log.pool(), revisit.iter().chain([&findings])).await?;
    let mut kept: Option<Revisit> = revisit.as_ref().and_then(|reference| read(&bodies, reference));
    let mut known = match failed.filter(|failed| failed.position > event.position) {
        Some(failed) => ended(&failed, ScanStatus::Failed),
        None => ended(&event, ScanStatus::Completed),
    };
    // The predecessor used other rules, so the first scan here is compared with nothing.
    if let Some(known) = known.as_mut().filter(|_| !event.is_imported()) {
        let earlier = kept.as_mut().map(|kept| std::mem::take(&mut kept.earlier));
        let Earlier {
            findings: merged,
            url_lists,
        } = earlier.unwrap_or_default();
        let found = read::<Findings>(&bodies, &findings);
        let all_read = found.as_ref().is_some_and(|found| are_all_read(&found.problems));
        known.findings = merged.map(|merged| *merged).or(found);
        known.salt = Some(salt);
        known.url_lists = match url_lists {
            Some(lists) => Some(lists),
            None if all_read && totals.sitemap_urls > 0 => {
                let events = log
                    .of_stream("domain_scan", &event.aggregate_id, "SitemapParsed")
                    .await?;
                lists_of(&events, attempt)?
            }
            None => None,
        };
    }
    if let Some(kept) = &mut kept {
        fill_lists(bus, kept).await?;
    }
    Ok(PreviousScan { revisit: kept, known })
}

fn ended(event: &LogEvent, status: ScanStatus) -> Option<KnownDomain> {
    let scan_id: ScanId = event.aggregate_id.parse().ok()?;
    Some(KnownDomain::ended(scan_id, status))
}

/// What a body holds; nothing if it was erased, or is of another shape: another release wrote it.
fn read<T: serde::de::DeserializeOwned>(bodies: &Bodies, reference: &BodyRef) -> Option<T> {
    serde_json::from_slice(bodies.get(reference).ok()??).ok()
}

/// The URL lists of the sitemaps that an attempt read; nothing if it did not read all of them to their end.
fn lists_of(events: &[LogEvent], of_attempt: u32) -> Result<Option<Vec<BodyRef>>, LogError> {
    let mut lists = Vec::new();
    for event in events {
        if let ScanEvent::SitemapParsed {
            attempt,
            kind,
            urls,
            problems,
            ..
        } = event.decode()?
            && attempt == of_attempt
        {
            if !is_whole(kind, &problems) {
                return Ok(None);
            }
            lists.extend(urls);
        }
    }
    Ok(Some(lists))
}

/// Gives each sitemap its URLs. A list that was erased or cannot be read is fetched again.
async fn fill_lists(bus: &CommandBus, kept: &mut Revisit) -> Result<(), LogError> {
    let lists = kept.sitemaps.iter().filter_map(|sitemap| sitemap.list.as_ref());
    let bodies = load_bodies(bus.log().pool(), lists).await?;
    kept.sitemaps.retain_mut(|sitemap| {
        let content = match &sitemap.list {
            Some(list) => bodies.get(list),
            None => return true,
        };
        matches!(content, Ok(Some(content)) if fill(sitemap, content))
    });
    Ok(())
}

/// Gives a sitemap the URLs it names; `false` if they cannot be read.
fn fill(sitemap: &mut KnownSitemap, content: &[u8]) -> bool {
    let lines = serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>();
    match lines.collect::<Result<Vec<_>, _>>() {
        Ok(urls) => {
            sitemap.urls = urls;
            true
        }
        Err(_) => false,
    }
}
