//! A result that is too large for a message reaches the log.

use std::time::Duration;

use serde_json::json;
use sitelog::fleet::{Cell, NatsSource};
use sitelog::tasks::workers::WorkerSighting;
use sitelog::values::Findings;
use sitelog::values::report::{SiteReport, SitemapReport};
use sitelog::values::sitemap::{SitemapKind, SitemapUrl};
use sitelog::worker::{Begin, Delivery, WorkSource};

use super::by_hand::ByHand;
use super::engines::Engines;
use super::workers::Service;
use crate::support::app::wait_for;
use crate::support::sites::SitesOptions;

/// Compressed size in megabytes; by default the size of three messages.
fn megabytes() -> usize {
    let wanted = std::env::var("FLEET_RESULT_MB").ok();
    wanted.map_or(3, |wanted| wanted.parse().unwrap())
}

/// URLs that do not compress, as long as the protocol of sitemaps allows.
fn urls(bytes: usize) -> Vec<SitemapUrl> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const LENGTH: usize = 2000;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut digit = || {
        // xorshift64 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(DIGITS[usize::try_from(state >> 58).unwrap()])
    };
    // Each character keeps six random bits.
    let count = bytes * 8 / 6 / LENGTH;
    let mut url = |_| SitemapUrl {
        loc: format!(
            "https://site00001.sites.test/{}",
            (0..LENGTH).map(|_| digit()).collect::<String>()
        ),
        ..SitemapUrl::default()
    };
    (0..count).map(&mut url).collect()
}

fn report(urls: Vec<SitemapUrl>) -> SiteReport {
    let sitemap = SitemapReport {
        url: "https://site00001.sites.test/sitemap.xml".into(),
        parent: None,
        kind: SitemapKind::Urlset,
        status: 200,
        not_modified: false,
        bytes: 0,
        entries: urls.len() as u64,
        urls,
        problems: Vec::new(),
    };
    SiteReport {
        robots: None,
        sitemaps: vec![sitemap],
        pages: Vec::new(),
        outcome: Ok(Findings::default()),
        revisit: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_fits_into_no_message_is_recorded_and_taken_off_the_broker() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let service = Service::start(&engines, SitesOptions::default(), "").await;
    let by_hand = ByHand::connect(&service.nats, "by hand").await;
    by_hand.wait_for_dispatcher().await;
    let domain = json!({ "domain": "site00001.sites.test" });
    let scan = service.server.post("/api/v4/scans", &domain).await;

    let worker = WorkerSighting {
        name: "large".to_owned(),
        version: "0".to_owned(),
        concurrency: 1,
        over_nats: true,
    };
    let cell = Cell::parse(Cell::DEFAULT).unwrap();
    let source = NatsSource::new(service.nats.client("worker").await, cell, worker);
    let task = wait_for("a task", async || source.claim(1).await.unwrap().pop()).await;
    let Begin::Scan(_, attempt) = source.begin(&task).await.unwrap() else {
        panic!("it is ours");
    };
    let report = report(urls(megabytes() << 20));
    let delivery = Delivery {
        report: &report,
        cooldown: Duration::ZERO,
    };
    source.deliver(&task, &attempt, delivery).await.unwrap();

    let path = format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap());
    let ended = service
        .server
        .wait_for(&path, |scan| {
            ["completed", "failed"].contains(&scan["status"].as_str().unwrap())
        })
        .await;
    assert_eq!(ended["status"], json!("completed"), "{ended}");
    let domain = service
        .server
        .wait_for("/api/v4/domains/site00001.sites.test", |domain| {
            domain["sitemap_urls"] != json!(0)
        })
        .await;
    assert_eq!(domain["sitemap_urls"], json!(report.sitemaps[0].urls.len()));
    let admin = async_nats::jetstream::new(service.nats.client("admin").await);
    for stream in ["SITELOG_main_RESULTS", "OBJ_SITELOG_main_LARGE"] {
        wait_for("an empty broker", async || {
            let left = admin.get_stream(stream).await.ok()?.cached_info().state.bytes;
            // A deleted object leaves one message behind.
            (left < 1000).then_some(())
        })
        .await;
    }
}
