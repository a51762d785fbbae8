//! What a domain's row is after an event. The one place where a rescan is merged into what was known: what it finds
//! replaces, what it does not find again stays and is named in `stale_fields`.

use serde_json::{Value, json};

use super::{DomainRow, domain_id};
use crate::aggregates::scan::ScanTotals;
use crate::aggregates::{ScanEvent, ScanStatus};
use crate::projections::{Fact, RawJson};
use crate::values::findings::TechStack;
use crate::values::{Findings, ScanId};

pub(super) fn evolve(row: Option<DomainRow>, fact: &Fact) -> Option<DomainRow> {
    let (scan_id, event) = fact.scan()?;
    let mut row = match row {
        Some(row) => row,
        None => first_seen(scan_id, event, fact),
    };
    if let ScanEvent::ScanErased { .. } = event {
        return Some(erased(row, fact));
    }
    row.status = ScanStatus::after(event);
    scrape_status(row.status).clone_into(&mut row.content_scrape_status);
    row.last_scan_id = scan_id;
    row.batch_id = event.batch_id();
    row.position = fact.position;
    row.updated_at = fact.at;
    match event {
        ScanEvent::ScanCompleted { totals, .. } => {
            scanned(&mut row, fact);
            row.last_successful_scan = Some(fact.at);
            row.last_error = None;
            row.content_scrape_error = None;
            row.error_count = 0;
            merge(&mut row, fact.findings.as_ref(), totals);
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
    // Erased, or written by a release that knew more: the counts still stand.
    let Some(raw) = findings else { return };
    let Some(found) = raw.read::<Findings>() else {
        return;
    };
    let mut stale = Vec::new();
    row.is_wordpress = found.is_wordpress;
    row.has_elementor = found.has_elementor;
    if !found.is_wordpress {
        row.wordpress_version = None;
    }
    if !found.has_elementor {
        row.elementor_version = None;
    }
    let elementor = found
        .technologies
        .iter()
        .find(|t| t.name == "Elementor")
        .and_then(|t| t.version.clone());
    let social = found.social_links;
    for (name, known, new) in [
        ("title", &mut row.title, found.title),
        ("description", &mut row.description, found.description),
        ("language", &mut row.language, found.language),
        ("favicon_url", &mut row.favicon_url, found.favicon_url),
        ("logo_url", &mut row.logo_url, found.logo_url),
        ("image_url", &mut row.image_url, found.image_url),
        ("canonical_url", &mut row.canonical_url, found.canonical_url),
        ("final_url", &mut row.final_url, found.final_url),
        (
            "wordpress_version",
            &mut row.wordpress_version,
            found.wordpress_version,
        ),
        ("elementor_version", &mut row.elementor_version, elementor),
        ("facebook_url", &mut row.facebook_url, social.facebook),
        ("twitter_url", &mut row.twitter_url, social.twitter),
        ("linkedin_url", &mut row.linkedin_url, social.linkedin),
        ("instagram_url", &mut row.instagram_url, social.instagram),
        ("youtube_url", &mut row.youtube_url, social.youtube),
    ] {
        replace(&mut stale, name, known, new, Option::is_none);
    }
    let contacts = found.contact_info;
    replace(
        &mut stale,
        "email_addresses",
        &mut row.email_addresses,
        contacts.email,
        Vec::is_empty,
    );
    replace(
        &mut stale,
        "phone_numbers",
        &mut row.phone_numbers,
        contacts.phone,
        Vec::is_empty,
    );
    let stack = json!(found.tech_stack);
    replace(
        &mut stale,
        "tech_stack",
        &mut row.tech_stack,
        stack,
        is_empty_stack,
    );
    let (sitemaps, urls) = (to_int(totals.sitemaps), to_int(totals.sitemap_urls));
    if sitemaps > 0 || row.total_sitemaps == 0 {
        (row.total_sitemaps, row.sitemap_urls) = (sitemaps, urls);
    } else {
        stale.extend(["total_sitemaps".to_owned(), "sitemap_urls".to_owned()]);
    }
    row.has_sitemap = row.total_sitemaps > 0;
    row.meta_json = raw.clone();
    row.stale_fields = stale;
}

/// The row without what scans found. What happened to them, and when, stays: that is said by events, not by bodies.
fn erased(row: DomainRow, fact: &Fact) -> DomainRow {
    DomainRow {
        position: fact.position,
        updated_at: fact.at,
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
        email_addresses: Vec::new(),
        phone_numbers: Vec::new(),
        facebook_url: None,
        twitter_url: None,
        linkedin_url: None,
        instagram_url: None,
        youtube_url: None,
        meta_json: RawJson::empty_object(),
        stale_fields: Vec::new(),
        has_sitemap: false,
        sitemap_urls: 0,
        total_sitemaps: 0,
        ..row
    }
}

/// Takes the new value, unless it is empty while something is known: then that stays and is noted as stale.
fn replace<T>(stale: &mut Vec<String>, name: &str, known: &mut T, new: T, is_empty: impl Fn(&T) -> bool) {
    if !is_empty(&new) {
        *known = new;
    } else if !is_empty(known) {
        stale.push(name.to_owned());
    }
}

fn is_empty_stack(stack: &Value) -> bool {
    stack.as_object().is_none_or(|drawers| {
        drawers
            .values()
            .all(|drawer| drawer.as_array().is_none_or(Vec::is_empty))
    })
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
        email_addresses: Vec::new(),
        phone_numbers: Vec::new(),
        facebook_url: None,
        twitter_url: None,
        linkedin_url: None,
        instagram_url: None,
        youtube_url: None,
        meta_json: RawJson::empty_object(),
        stale_fields: Vec::new(),
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
