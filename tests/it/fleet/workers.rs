//! Workers without a database, and followers of the log, over one NATS server.

use std::time::Duration;

use serde_json::{Value, json};

use super::by_hand::{ByHand, Held};
use super::engines::{Engines, Nats};
use super::processes::{Node, sitelog, to_sites};
use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// A service without a local worker.
pub struct Service {
    pub nats: Nats,
    pub server: Server,
    pub sites: Sites,
    pub database: TestDatabase,
}

impl Service {
    pub async fn start(engines: &Engines, options: SitesOptions, more: &str) -> Self {
        let nats = Nats::start(engines, 1, more);
        nats.prepare(&[]).await;
        let (sites, database) = (Sites::start(options).await.unwrap(), TestDatabase::new().await);
        let [url, key] = nats.settings("dispatcher");
        let settings = [
            ("DATABASE_URL", database.url.as_str()),
            (url.0, url.1.as_str()),
            (key.0, key.1.as_str()),
        ];
        let roles = ["--roles", "api,projector,dispatcher,relay"];
        let server = Server::start_with(&sites, &settings, &roles);
        Self {
            nats,
            server,
            sites,
            database,
        }
    }

    /// A worker that has access only to the broker and the sites.
    pub fn worker(&self, name: &str) -> Node {
        let mut settings = Vec::from(to_sites(&self.sites));
        settings.extend(self.nats.settings("worker"));
        let dir = self.nats.dir.path();
        Node::start(
            name,
            dir,
            sitelog(&["worker", "--concurrency", "8"], dir, &settings),
        )
    }

    /// Runs a command as a user of the broker; returns its exit code and output.
    pub async fn run(&self, user: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let command = sitelog(arguments, self.nats.dir.path(), &self.nats.settings(user));
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("site{n:05}.sites.test")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_without_a_database_scan_and_the_log_is_followed_elsewhere() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    // Lists that are too large for one message of this broker, to test large results.
    let options = SitesOptions {
        sites: 12,
        urls_per_sitemap: 6000,
        tagged: true,
        ..SitesOptions::default()
    };
    let service = Service::start(&engines, options, "max_payload: 32KB").await;
    let (server, mut worker) = (&service.server, service.worker("worker"));
    let mut domains = names(12);
    domains.push("err404.sites.test".into());
    let ended = |batch: String| async move {
        server
            .wait_for(&format!("/api/v4/batches/{batch}"), |batch| {
                !["pending", "running"].contains(&batch["status"].as_str().unwrap())
            })
            .await
    };
    // The broker's disk is full: workers report it and keep their results.
    let room = async |bytes: i64| {
        let admin = async_nats::jetstream::new(service.nats.client("admin").await);
        let results = admin.get_stream("SITELOG_main_RESULTS").await.unwrap();
        let mut config = results.cached_info().config.clone();
        config.max_bytes = bytes;
        admin.update_stream(config).await.unwrap();
    };
    room(64).await;
    let first = server.request_batch(&domains).await;
    wait_for("a full broker", async || {
        let full = "cannot store a result on the NATS server: ";
        let said = worker.said();
        let told = said.lines().find(|line| line.contains(full))?;
        told.contains("maximum bytes exceeded").then_some(())
    })
    .await;
    room(64 << 20).await;
    let first = ended(first).await;
    assert_eq!((&first["completed"], &first["failed"]), (&json!(12), &json!(1)));
    let domain = server.get("/api/v4/domains/site00003.sites.test").await;
    assert_eq!(domain["sitemap_urls"], json!(12000), "{domain}");
    // A second scan uses the data that the first one kept.
    let asked = service.sites.all_requests();
    let second = ended(server.request_batch(&domains).await).await;
    assert_eq!(second["completed"], json!(12));
    assert!(service.sites.all_requests() > asked);

    let workers = server.get("/api/v4/workers").await;
    let seen = &workers["items"][0];
    assert_eq!(workers["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&seen["connection"], &seen["concurrency"], &seen["under_way"]),
        (&json!("nats"), &json!(8), &json!(0)),
        "{seen}"
    );
    assert_eq!(worker.terminate(), Some(0));
    server
        .wait_for("/api/v4/workers", |workers| workers["items"] == json!([]))
        .await;

    // A follower that was stopped continues without a gap, with the events of the log.
    let head = server.get("/api/v4/events?limit=1000").await["items"]
        .as_array()
        .unwrap()
        .len();
    let events = wait_for("the copy of the log", async || {
        let (code, events, error) = service.run("follower", &["follow", "--no-wait"]).await;
        assert_eq!(code, Some(0), "{error}");
        let events: Vec<Value> = events
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (events.len() >= head).then_some(events)
    })
    .await;
    let positions: Vec<i64> = events
        .iter()
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert!(
        positions
            .iter()
            .copied()
            .eq(1..=i64::try_from(events.len()).unwrap())
    );
    let (_, rest, _) = service
        .run("follower", &["follow", "--no-wait", "--after", "7"])
        .await;
    let next: Value = serde_json::from_str(rest.lines().next().unwrap()).unwrap();
    assert_eq!(next["position"], json!(8));
    assert!(
        !rest.contains("hello@") && !rest.contains("site00003.sites.test/page"),
        "what can be erased is not in the copy"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_result_harms_nothing_and_is_named() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let service = Service::start(&engines, SitesOptions::default(), "").await;
    let server = &service.server;
    let worker = ByHand::connect(&service.nats, "by hand").await;
    worker.wait_for_dispatcher().await;
    // A worker of another release gets the required version; invalid requests are refused.
    let mut other = worker.request(&json!({ "wanted": 1 }));
    other["protocol"] = json!(99);
    let other = worker.send("sitelog.main.claim", &other).await;
    let needed = other["other_release"]["needed"].as_str().unwrap();
    assert!(
        needed.contains("protocol 1,") && needed.contains(env!("CARGO_PKG_VERSION")),
        "{needed}"
    );
    let nonsense = worker.send("sitelog.main.begin", &json!({})).await;
    assert_eq!(nonsense["failed"]["may_pass"], json!(false), "{nonsense}");
    let all = worker.request(&json!({ "wanted": 1001 }));
    let too_many = worker.send("sitelog.main.claim", &all).await;
    let error = too_many["failed"]["error"].as_str().unwrap();
    assert!(
        error.contains("asks for 1001 tasks") && error.contains("1000 at a time"),
        "{error}"
    );

    let scan = server
        .post("/api/v4/scans", &json!({ "domain": "site00001.sites.test" }))
        .await;
    let scan = scan["scan_id"].as_str().unwrap().to_owned();
    let (held, attempt) = worker.start().await;
    assert_eq!((&held.scan, attempt), (&scan, 1));
    let wrong = Held {
        fence: 1_000_000,
        ..held.clone()
    };
    assert_eq!(worker.begin(&wrong).await["done"], json!("superseded"));

    let publish = async |fence: i64, tenant: &str| {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Sitelog-Scan", scan.as_str());
        headers.insert("Sitelog-Fence", fence.to_string().as_str());
        let subject = format!("sitelog.main.result.{tenant}");
        let stored = worker
            .jetstream
            .publish_with_headers(subject, headers, "nonsense".into())
            .await
            .unwrap();
        stored.await.unwrap();
    };
    // A result of an earlier lease and one without a scan: both are removed from the broker and change nothing.
    publish(held.fence - 1, "t").await;
    worker
        .jetstream
        .publish("sitelog.main.result.t", "nonsense".into())
        .await
        .unwrap()
        .await
        .unwrap();
    // An unreadable result of the current lease: after five deliveries the scan fails with the reason.
    publish(held.fence, "t").await;
    let failed = server
        .wait_for(&format!("/api/v4/scans/{scan}"), |scan| {
            scan["status"] == "failed"
        })
        .await;
    assert_eq!(failed["reason"], json!("internal"));
    assert!(
        failed["error"]
            .as_str()
            .unwrap()
            .contains("the worker's result cannot be read"),
        "{failed}"
    );
    let metrics = server.answer("/metrics", None).await.1;
    for outcome in ["late", "unreadable", "recorded"] {
        let counted = format!("sitelog_fleet_results_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&counted), "{outcome}: {metrics}");
    }
    assert_eq!(
        server.get("/api/v4/scans?limit=10").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_of_the_broker_may_do_its_work_and_nothing_else() {
    use async_nats::jetstream::{self, consumer, stream};
    use futures::StreamExt;
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let nats = Nats::start(&engines, 1, "");
    nats.prepare(&[]).await;
    let admin = jetstream::new(nats.client("admin").await);
    for user in ["worker", "follower"] {
        let client = nats.client(user).await;
        let context = jetstream::new(client.clone());
        // Reading results: by a consumer, by number, or while they are published.
        let pull = consumer::pull::Config::default();
        assert!(
            context
                .create_consumer_on_stream(pull, "SITELOG_main_RESULTS")
                .await
                .is_err()
        );
        let results = context.get_stream_no_info("SITELOG_main_RESULTS").await.unwrap();
        assert!(results.get_raw_message(1).await.is_err());
        let mut heard = client.subscribe("sitelog.main.result.*").await.unwrap();
        // Reading responses to others.
        let mut others = client.subscribe("_INBOX_dispatcher.>").await.unwrap();
        // Claiming for another cell, writing into the log's copy, changing or deleting streams.
        assert!(client.request("sitelog.other.claim", "{}".into()).await.is_err());
        let copied = context
            .publish("sitelog.main.log.t", "{}".into())
            .await
            .unwrap()
            .await;
        assert!(copied.is_err());
        assert!(context.delete_stream("SITELOG_main_LOG").await.is_err());
        let own = stream::Config {
            name: "OWN".into(),
            ..stream::Config::default()
        };
        assert!(context.create_stream(own).await.is_err());
        client.flush().await.unwrap();
        // Another worker publishes a result; this user must not receive it.
        nats.client("worker")
            .await
            .publish("sitelog.main.result.t", "r".into())
            .await
            .unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(300), async {
            tokio::select! { heard = heard.next() => heard, heard = others.next() => heard }
        });
        assert!(
            nothing.await.ok().flatten().is_none(),
            "{user} heard what is not for it"
        );
    }
    for stream in [
        "SITELOG_main_RESULTS",
        "SITELOG_main_LOG",
        "OBJ_SITELOG_main_LARGE",
    ] {
        assert!(admin.get_stream(stream).await.is_ok(), "{stream} is there");
    }
    assert!(admin.get_stream("OWN").await.is_err());
}
