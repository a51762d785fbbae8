//! Compares what an attempt found with what was known of the domain. Only this module turns a change into an event.
//!
//! The difference is computed once, when the attempt is recorded (`values::domain_change` says what counts), from data
//! that was loaded before the attempt. The scan decides whether it becomes an event: only the end of a scan says
//! something about the domain.

use std::collections::HashSet;

use serde_json::json;

use super::LogError;
use super::bus::CommandBus;
use crate::aggregates::ScanStatus;
use crate::aggregates::scan::{DomainChange, ReadFact, StatusChange, UrlsChange};
use crate::log::body::{Bodies, Body, Salt, load_bodies};
use crate::log::event::strip_nul;
use crate::values::domain_change::{
    FieldDifference, SITEMAP_URLS, STATUS, UrlDifference, are_all_read, differences, is_whole, url_difference,
};
use crate::values::report::SiteReport;
use crate::values::revisit::Earlier;
use crate::values::sitemap::SitemapUrl;
use crate::values::{BodyRef, Findings, ScanId, merge_findings};

/// What is known of a domain from earlier scans.
#[derive(Clone, Debug)]
pub struct KnownDomain {
    /// The latest scan that ended, and how.
    scan_id: ScanId,
    status: ScanStatus,
    /// All that is known of its fields; nothing if no scan has completed, or if that was erased.
    pub(super) findings: Option<Findings>,
    /// Bodies: the URLs of its sitemaps, as they were last read to their end.
    pub(super) url_lists: Option<Vec<BodyRef>>,
    /// The salt under which the bodies were read. If there is another one later, they were erased.
    pub(super) salt: Option<Salt>,
}

impl KnownDomain {
    /// A domain of which nothing is known but how its latest scan ended.
    pub(super) fn ended(scan_id: ScanId, status: ScanStatus) -> Self {
        Self {
            scan_id,
            status,
            findings: None,
            url_lists: None,
            salt: None,
        }
    }
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The differences, if any.
    pub(super) change: Option<Box<DomainChange>>,
    /// What stays known although the attempt did not find it.
    pub(super) earlier: Earlier,
    /// Bodies that the change refers to.
    pub(super) bodies: Vec<Body>,
}

/// Compares what an attempt found with what was known. `read` are the facts of the report, `salt` is the domain's.
pub(super) async fn compare(
    bus: &CommandBus,
    known: &KnownDomain,
    report: &SiteReport,
    read: &[ReadFact],
    salt: &Salt,
) -> Result<Compared, LogError> {
    let mut compared = Compared::default();
    let status = status_change(known, report);
    // Values that were erased during the attempt are no longer known, so the findings are new.
    let is_erased = known.salt.as_ref().is_some_and(|before| before != salt);
    let (mut values, mut urls) = (Vec::new(), None);
    if let Ok(found) = &report.outcome
        && !is_erased
    {
        if let Some(before) = &known.findings {
            let (now, kept) = merge_findings::merge(before.clone(), found.clone());
            values = differences(before, &now);
            compared.earlier.findings = (!kept.is_empty()).then(|| Box::new(now));
        }
        let all_read = are_all_read(&found.problems) && read.iter().all(is_read_to_its_end);
        if all_read && report.sitemaps.iter().any(|sitemap| !sitemap.urls.is_empty()) {
            urls = compare_urls(bus, known.url_lists.as_deref(), report, read).await?;
        } else {
            compared.earlier.url_lists.clone_from(&known.url_lists);
        }
    }
    let mut fields: Vec<String> = values.iter().map(|value| value.field.clone()).collect();
    fields.extend(status.map(|_| STATUS.to_owned()));
    fields.extend(urls.as_ref().map(|_| SITEMAP_URLS.to_owned()));
    if fields.is_empty() {
        return Ok(compared);
    }
    fields.sort_unstable();
    let values = (!values.is_empty()).then(|| seal_values(&values, salt, &mut compared.bodies));
    let urls = urls.map(|urls| seal_urls(&urls, salt, &mut compared.bodies));
    compared.change = Some(Box::new(DomainChange {
        previous_scan_id: known.scan_id,
        fields,
        status,
        values,
        urls,
    }));
    Ok(compared)
}

fn status_change(known: &KnownDomain, report: &SiteReport) -> Option<StatusChange> {
    let (after, reason) = match &report.outcome {
        Ok(_) => (ScanStatus::Completed, None),
        Err(failure) if failure.reason.is_the_sites() => (ScanStatus::Failed, Some(failure.reason)),
        Err(_) => return None,
    };
    (known.status != after).then_some(StatusChange {
        before: known.status,
        after,
        reason,
    })
}

fn is_read_to_its_end(fact: &ReadFact) -> bool {
    match fact {
        ReadFact::Sitemap { kind, problems, .. } => is_whole(*kind, problems),
        ReadFact::Robots { .. } | ReadFact::Page { .. } | ReadFact::Picture { .. } => true,
    }
}

/// How the URLs differ; nothing if they are the same, or if what was known was erased. Files with the same content have
/// bodies of the same name, so only those that differ are read.
async fn compare_urls(
    bus: &CommandBus,
    known: Option<&[BodyRef]>,
    report: &SiteReport,
    read: &[ReadFact],
) -> Result<Option<UrlDifference>, LogError> {
    let Some(known) = known else { return Ok(None) };
    let before: HashSet<&str> = known.iter().map(|list| list.digest.as_str()).collect();
    let lists = read.iter().filter_map(|fact| match fact {
        ReadFact::Sitemap { urls, .. } => Some(urls.as_ref().map(|list| list.digest.as_str())),
        _ => None,
    });
    // One fact for each sitemap of the report, in the same order.
    let files: Vec<(Option<&str>, &[SitemapUrl])> = lists
        .zip(report.sitemaps.iter().map(|sitemap| sitemap.urls.as_slice()))
        .collect();
    let now: HashSet<&str> = files.iter().filter_map(|(digest, _)| *digest).collect();
    let gone: Vec<&BodyRef> = known
        .iter()
        .filter(|list| !now.contains(list.digest.as_str()))
        .collect();
    if gone.is_empty() && now.len() == before.len() {
        return Ok(None);
    }
    let bodies = load_bodies(bus.log().pool(), gone.iter().copied()).await?;
    let mut olds = Vec::new();
    for list in gone {
        let Some(content) = bodies.get(list)? else {
            return Ok(None);
        };
        for url in serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>() {
            olds.push(url.map_err(|error| bodies.unreadable(list, error))?.loc);
        }
    }
    let (mut news, mut same) = (Vec::new(), Vec::new());
    for (digest, urls) in files {
        let list = if digest.is_some_and(|digest| before.contains(digest)) {
            &mut same
        } else {
            &mut news
        };
        list.extend(urls.iter().map(|url| url.loc.as_str()));
    }
    let difference = url_difference(&olds, &news, &same);
    Ok((difference != UrlDifference::default()).then_some(difference))
}

/// The values of a change; `None` if they were erased.
pub fn values_of(bodies: &Bodies, reference: &BodyRef) -> Result<Option<Vec<FieldDifference>>, LogError> {
    let Some(content) = bodies.get(reference)? else {
        return Ok(None);
    };
    let lines = serde_json::Deserializer::from_slice(content).into_iter();
    let values = lines.collect::<Result<Vec<_>, _>>();
    Ok(Some(values.map_err(|error| bodies.unreadable(reference, error))?))
}

fn seal_values(values: &[FieldDifference], salt: &Salt, bodies: &mut Vec<Body>) -> BodyRef {
    let lines = values.iter().map(|value| {
        let mut line = serde_json::to_value(value).expect("plain data");
        strip_nul(&mut line);
        line
    });
    seal_lines(lines, salt, bodies)
}

fn seal_urls(urls: &UrlDifference, salt: &Salt, bodies: &mut Vec<Body>) -> UrlsChange {
    let lines = |change: &'static str, urls: &[String]| {
        let lines = urls
            .iter()
            .map(move |url| json!({ "change": change, "url": url }));
        lines.collect::<Vec<_>>()
    };
    let all = [lines("added", &urls.added), lines("removed", &urls.removed)].concat();
    let count = |urls: &[String]| u64::try_from(urls.len()).unwrap_or(u64::MAX);
    UrlsChange {
        added: count(&urls.added),
        removed: count(&urls.removed),
        list: seal_lines(all.into_iter(), salt, bodies),
    }
}

fn seal_lines(
    lines: impl Iterator<Item = serde_json::Value>,
    salt: &Salt,
    bodies: &mut Vec<Body>,
) -> BodyRef {
    let (mut content, mut items) = (String::new(), 0);
    for line in lines {
        content.push_str(&line.to_string());
        content.push('\n');
        items += 1;
    }
    let (reference, body) = salt.seal(content.as_bytes(), items);
    bodies.push(body);
    reference
}
