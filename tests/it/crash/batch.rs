//! A batch while the server and its database are killed, and a server that is stopped.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::host;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Events that end a scan, by scan and attempt.
async fn endings(server: &Server) -> HashMap<(String, u64), usize> {
    let mut endings = HashMap::new();
    let mut after = 0;
    loop {
        let page = server
            .get(&format!("/api/v4/events?after={after}&limit=1000"))
            .await;
        let events = page["items"].as_array().unwrap();
        let Some(last) = events.last() else { return endings };
        after = last["position"].as_i64().unwrap();
        for event in events {
            if ["ScanCompleted", "ScanFailed"].contains(&event["type"].as_str().unwrap()) {
                let stream = event["stream"]["id"].as_str().unwrap().to_owned();
                let attempt = event["data"]["attempt"].as_u64().unwrap();
                *endings.entry((stream, attempt)).or_default() += 1;
            }
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_survives_three_kills_of_the_server_and_two_of_postgres() {
    let sites = Sites::start(SitesOptions {
        sites: 40,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let mut server = Server::start(&sites, &[("SITELOG_WORKER__CONCURRENCY", "6")]);
    // Each gate holds one scan in the middle, so that each kill meets work under way.
    let gates: Vec<_> = [0, 9, 18, 27, 36].map(|n| sites.hold(&host(n), "/")).into();
    let mut domains: Vec<String> = (0..40).map(host).collect();
    domains.extend(["err404.sites.test".to_owned(), "empty.sites.test".to_owned()]);
    let batch = server.request_batch(&domains).await;
    let mut singles = Vec::new();
    for (number, gate) in gates.into_iter().enumerate() {
        gate.reached_by(1).await;
        let scan = server
            .post("/api/v4/scans", &json!({ "domain": host(number) }))
            .await;
        singles.push(text(&scan, "scan_id").to_owned());
        if number % 2 == 0 {
            server.kill();
            gate.open();
            server.restart();
        } else {
            server.kill_postgres();
            gate.open();
        }
    }

    let path = format!("/api/v4/batches/{batch}");
    let ended = server
        .wait_for(&path, |batch| {
            !["pending", "running"].contains(&text(batch, "status"))
        })
        .await;
    assert_eq!(
        (text(&ended, "status"), &ended["completed"], &ended["failed"]),
        ("partial", &json!(40), &json!(2))
    );
    assert_eq!(ended["failures"], json!({ "http_status": 1, "empty_body": 1 }));
    for scan in &singles {
        let path = format!("/api/v4/scans/{scan}");
        server
            .wait_for(&path, |scan| text(scan, "status") == "completed")
            .await;
    }

    let endings = endings(&server).await;
    assert_eq!(
        endings.len(),
        47,
        "42 scans of the batch and 5 acknowledged singles ended"
    );
    assert!(endings.values().all(|times| *times == 1), "each once");
    // Each read model follows the log by itself.
    let is_known = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == 42);
    let have_ended = |page: &Value| {
        let items = page["items"].as_array().unwrap();
        is_known(page) && items.iter().all(|scan| scan["completed_at"].is_string())
    };
    server
        .wait_for(&format!("{path}/scans?limit=100"), have_ended)
        .await;
    server.wait_for("/api/v4/domains?limit=100", is_known).await;
    for scan in server.all(&format!("{path}/scans")).await {
        let shown = (
            text(&scan, "scan_id").to_owned(),
            scan["attempts"].as_u64().unwrap(),
        );
        assert_eq!(
            endings.get(&shown),
            Some(&1),
            "the attempt that the status shows is the one that ended: {scan}"
        );
    }
    let known = server.all("/api/v4/domains").await;
    assert_eq!(known.len(), 42);
    for domain in known
        .iter()
        .filter(|domain| text(domain, "domain").starts_with("site"))
    {
        let facts = [
            "title",
            "language",
            "facebook_url",
            "twitter_url",
            "linkedin_url",
            "logo_url",
        ];
        assert!(
            facts.iter().all(|fact| !text(domain, fact).is_empty()),
            "{domain}"
        );
        assert_eq!(
            (&domain["total_sitemaps"], &domain["sitemap_urls"]),
            (&json!(2), &json!(100)),
            "{domain}"
        );
    }
    let urls = server.all(&format!("/api/v4/domains/{}/urls", host(9))).await;
    assert_eq!(urls.len(), 100);
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_finishes_what_it_has_begun() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let mut server = Server::start(&sites, &[]);
    let gate = sites.hold(&host(0), "/");
    let scan = server.post("/api/v4/scans", &json!({ "domain": host(0) })).await;
    gate.reached_by(1).await;
    server.ask_to_stop().await;
    gate.open();
    server.wait_for_exit();
    server.restart();
    let path = format!("/api/v4/scans/{}", text(&scan, "scan_id"));
    let scan = server
        .wait_for(&path, |scan| text(scan, "status") == "completed")
        .await;
    assert_eq!(scan["attempts"], json!(1), "nothing had to be done twice");
}
