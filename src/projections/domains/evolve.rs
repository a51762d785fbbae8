//! Folds an event into the row of a domain. `values::merge_findings` merges the findings of a rescan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{DomainRow, Sighting, domain_id};
use crate::aggregates::scan::ScanTotals;
use crate::aggregates::{ScanEvent, ScanStatus};
use crate::projections::{Fact, RawJson};
use crate::values::findings::TechStack;
use crate::values::merge_findings::{self, version_of};
use crate::values::{Findings, ScanId};

/// The row after an event, in the order of the log: of two scans of a domain the one that ends last counts as the newer. They do
/// not run at the same time, because a host has at most one lease (`claim_scan_tasks`).
pub(super) fn evolve(row: Option<DomainRow>, fact: &Fact) -> Option<DomainRow> {
    let (scan_id, event) = fact.scan()?;
    let mut row = match row {
        Some(row) => row,
        None => first_seen(scan_id, event, fact),
    };
    if let ScanEvent::ScanErased { .. } = event {
        return Some(erased(row, fact));
    }
    row.status = event.status_after();
    scrape_status(row.status).clone_into(&mut row.content_scrape_status);
    row.last_scan_id = scan_id;
    row.batch_id = event.batch_id();
    row.position = fact.position;
    row.updated_at = fact.at;
    match event {
        ScanEvent::ScanCompleted { totals, .. } => {
            scanned(&mut row, fact);
            row.last_error = None;
            row.content_scrape_error = None;
            row.error_count = 0;
            merge(&mut row, fact.findings.as_ref(), totals);
            row.last_successful_scan = Some(fact.at);
            row.last_completed_id = Some(scan_id);
        }
        ScanEvent::ScanFailed { error, .. } => {
            scanned(&mut row, fact);
            row.last_error = Some(error.clone());
            row.content_scrape_error = Some(error.clone());
            row.error_count += 1;
        }
        _ => {}
    }
    Some(row)
}

fn scanned(row: &mut DomainRow, fact: &Fact) {
    row.first_scan = row.first_scan.or(Some(fact.at));
    row.last_scan = Some(fact.at);
    row.content_scrape_at = Some(fact.at);
}

fn merge(row: &mut DomainRow, findings: Option<&RawJson>, totals: &ScanTotals) {
    // Erased, or written by a release that knew more: the counts are still valid.
    let Some(found) = findings.and_then(RawJson::read::<Findings>) else {
        return;
    };
    let known = row.meta_json.read().unwrap_or_default();
    let (known, mut kept) = merge_findings::merge(known, found);
    let (sitemaps, urls) = (to_int(totals.sitemaps), to_int(totals.sitemap_urls));
    if sitemaps > 0 || row.total_sitemaps == 0 {
        (row.total_sitemaps, row.sitemap_urls) = (sitemaps, urls);
    } else {
        kept.extend(["total_sitemaps".to_owned(), "sitemap_urls".to_owned()]);
    }
    row.has_sitemap = row.total_sitemaps > 0;
    note_stale(row, kept);
    show(row, known);
}

/// Notes which fields a scan did not find again. Those that the scan before it found were found by that one last.
fn note_stale(row: &mut DomainRow, kept: Vec<String>) {
    let before = row.last_completed_id.zip(row.last_successful_scan);
    let before = before.map(|(scan_id, found_at)| Sighting { scan_id, found_at });
    let mut earlier = std::mem::take(&mut row.stale);
    row.stale = kept
        .iter()
        .filter_map(|name| Some((name.clone(), earlier.remove(name).or_else(|| before.clone())?)))
        .collect();
    row.stale_fields = kept;
}

/// Puts what is known into the columns.
fn show(row: &mut DomainRow, known: Findings) {
    row.meta_json = RawJson::of(&known);
    row.elementor_version = version_of(&known.technologies, "Elementor");
    row.technology_keys = technology_keys(&known);
    row.site_state = known.site_state.map(|found| found.state.as_str().to_owned());
    row.email_provider_key = known.email_provider.map(|found| found.name.to_lowercase());
    row.tls_expires = known.certificate.and_then(|found| found.valid_to);
    row.tech_stack = json!(known.tech_stack);
    row.title = known.title;
    row.description = known.description;
    row.language = known.language;
    row.favicon_url = known.favicon_url;
    row.logo_url = known.logo_url;
    row.image_url = known.image_url;
    row.canonical_url = known.canonical_url;
    row.final_url = known.final_url;
    row.is_wordpress = known.is_wordpress;
    row.wordpress_version = known.wordpress_version;
    row.has_elementor = known.has_elementor;
    row.email_addresses = known.contact_info.email;
    row.phone_numbers = known.contact_info.phone;
    row.facebook_url = known.social_links.facebook;
    row.twitter_url = known.social_links.twitter;
    row.linkedin_url = known.social_links.linkedin;
    row.instagram_url = known.social_links.instagram;
    row.youtube_url = known.social_links.youtube;
}

/// Names of technologies in lower case, each once.
fn technology_keys(known: &Findings) -> Vec<String> {
    let named = known
        .technologies
        .iter()
        .map(|technology| technology.name.as_str());
    let names: BTreeSet<String> = named
        .chain(known.tech_stack.names())
        .map(str::to_lowercase)
        .collect();
    names.into_iter().collect()
}

/// The row without findings. The status and times of the scans stay: they are in events, not in bodies.
fn erased(mut row: DomainRow, fact: &Fact) -> DomainRow {
    row.position = fact.position;
    row.updated_at = fact.at;
    (row.has_sitemap, row.total_sitemaps, row.sitemap_urls) = (false, 0, 0);
    note_stale(&mut row, Vec::new());
    show(&mut row, Findings::default());
    row.meta_json = RawJson::empty_object();
    row
}

fn first_seen(scan_id: ScanId, event: &ScanEvent, fact: &Fact) -> DomainRow {
    let domain = event.domain().to_owned();
    DomainRow {
        id: domain_id(fact.tenant, &domain),
        tenant_id: fact.tenant,
        domain,
        status: ScanStatus::Pending,
        created_by: fact.actor.clone(),
        title: None,
        description: None,
        language: None,
        favicon_url: None,
        logo_url: None,
        image_url: None,
        canonical_url: None,
        final_url: None,
        is_wordpress: false,
        wordpress_version: None,
        has_elementor: false,
        elementor_version: None,
        tech_stack: json!(TechStack::default()),
        technology_keys: Vec::new(),
        site_state: None,
        email_provider_key: None,
        tls_expires: None,
        email_addresses: Vec::new(),
        phone_numbers: Vec::new(),
        facebook_url: None,
        twitter_url: None,
        linkedin_url: None,
        instagram_url: None,
        youtube_url: None,
        meta_json: RawJson::empty_object(),
        stale_fields: Vec::new(),
        stale: BTreeMap::new(),
        first_scan: None,
        last_scan: None,
        content_scrape_status: String::new(),
        content_scrape_at: None,
        content_scrape_error: None,
        has_sitemap: false,
        sitemap_urls: 0,
        total_sitemaps: 0,
        batch_id: None,
        last_scan_id: scan_id,
        last_error: None,
        error_count: 0,
        last_successful_scan: None,
        last_completed_id: None,
        created_at: fact.at,
        updated_at: fact.at,
        position: fact.position,
    }
}

fn scrape_status(status: ScanStatus) -> &'static str {
    match status {
        ScanStatus::Pending => "Queued",
        ScanStatus::Running => "InProgress",
        ScanStatus::Completed => "Completed",
        ScanStatus::Failed => "Error",
        ScanStatus::Cancelled => "Cancelled",
    }
}

fn to_int(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
