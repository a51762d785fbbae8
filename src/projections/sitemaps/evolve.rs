//! Folds an event into the sitemaps of a domain.

use super::{SitemapFile, SitemapsRow};
use crate::aggregates::ScanEvent;
use crate::projections::Fact;

pub(super) fn evolve(row: Option<SitemapsRow>, fact: &Fact) -> Option<SitemapsRow> {
    let (scan_id, event) = fact.scan()?;
    match event {
        ScanEvent::SitemapParsed {
            domain,
            url,
            kind,
            status,
            bytes,
            entries,
            urls,
            problems,
            ..
        } => {
            let mut row = row.unwrap_or_else(|| SitemapsRow {
                tenant_id: fact.tenant,
                domain: domain.clone(),
                scan_id,
                total_urls: 0,
                files: Vec::new(),
                reading: Vec::new(),
                position: fact.position,
            });
            row.position = fact.position;
            row.reading.push(SitemapFile {
                url: url.clone(),
                kind: *kind,
                status: *status,
                bytes: *bytes,
                entries: *entries,
                urls: urls.clone(),
                problems: problems.clone(),
            });
            Some(row)
        }
        // What an attempt read counts when the scan completes; a new attempt starts over.
        ScanEvent::ScanStarted { .. } => {
            let mut row = row?;
            row.reading.clear();
            Some(row)
        }
        ScanEvent::ScanCompleted { .. } => {
            let mut row = row?;
            row.position = fact.position;
            if row.reading.iter().any(|file| file.kind.lists_pages()) || row.files.is_empty() {
                row.files = std::mem::take(&mut row.reading);
                row.scan_id = scan_id;
                row.total_urls = row
                    .files
                    .iter()
                    .filter_map(|file| file.urls.as_ref())
                    .map(kept)
                    .sum();
            }
            row.reading.clear();
            Some(row)
        }
        ScanEvent::ScanErased { .. } => {
            let mut row = row?;
            row.position = fact.position;
            row.total_urls = 0;
            row.files.clear();
            row.reading.clear();
            Some(row)
        }
        _ => row,
    }
}

fn kept(urls: &crate::values::BodyRef) -> i64 {
    i64::try_from(urls.items).unwrap_or(i64::MAX)
}
