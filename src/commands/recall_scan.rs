//! Recall what the last completed scan of a domain kept for the next one.

use super::LogError;
use super::bus::CommandBus;
use super::start_scan::BegunScan;
use crate::aggregates::ScanEvent;
use crate::log::body::load_bodies;
use crate::values::Revisit;
use crate::values::revisit::KnownSitemap;
use crate::values::sitemap::SitemapUrl;

/// What the tenant's last completed scan of the domain kept; `None` if there is none, it kept nothing, or that was
/// erased. It comes from the log alone, so that it does not depend on how far a read model is.
pub async fn recall_scan(bus: &CommandBus, begun: &BegunScan) -> Result<Option<Revisit>, LogError> {
    let log = bus.log();
    let domain = begun.loaded.aggregate.domain();
    let Some(event) = log.last_of_domain(begun.tenant, domain, "ScanCompleted").await? else {
        return Ok(None);
    };
    let ScanEvent::ScanCompleted {
        revisit: Some(reference),
        ..
    } = event.decode()?
    else {
        return Ok(None);
    };
    let Some(content) = log.body(&reference).await? else {
        return Ok(None);
    };
    // Of another shape: a reader of another release wrote it, and would not be believed anyway.
    let Ok(mut kept) = serde_json::from_slice::<Revisit>(&content) else {
        return Ok(None);
    };
    let lists = kept.sitemaps.iter().filter_map(|sitemap| sitemap.list.as_ref());
    let bodies = load_bodies(log.pool(), lists).await?;
    kept.sitemaps.retain_mut(|sitemap| {
        let content = match &sitemap.list {
            Some(list) => bodies.get(list),
            None => return true,
        };
        // A list that was erased or cannot be read is asked for again.
        matches!(content, Ok(Some(content)) if fill(sitemap, content))
    });
    Ok(Some(kept))
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
