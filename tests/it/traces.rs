//! What a collector receives about a scan: its trace, and the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::app::wait_for;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// The spans that came.
type Spans = Arc<Mutex<Vec<Value>>>;
/// The last metrics that came, by name.
type Metrics = Arc<Mutex<BTreeMap<String, Value>>>;

async fn collector() -> (Spans, Metrics, String) {
    let (spans, metrics) = (Spans::default(), Metrics::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&spans))
        .route("/v1/metrics", post(take_metrics).with_state(Arc::clone(&metrics)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (spans, metrics, address)
}

async fn take_metrics(State(metrics): State<Metrics>, headers: HeaderMap, body: String) -> &'static str {
    assert_eq!(headers["content-type"], "application/json");
    let message: Value = serde_json::from_str(&body).unwrap();
    let resource = &message["resourceMetrics"][0];
    let service = json!([{ "key": "service.name", "value": { "stringValue": "sitelog" } }]);
    assert_eq!(resource["resource"]["attributes"], service);
    let came = resource["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let named = came
        .iter()
        .map(|metric| (metric["name"].as_str().unwrap().to_owned(), metric.clone()));
    *metrics.lock().unwrap() = named.collect();
    "{}"
}

async fn take(State(spans): State<Spans>, headers: HeaderMap, body: String) -> &'static str {
    assert_eq!(headers["content-type"], "application/json");
    let message: Value = serde_json::from_str(&body).unwrap();
    let items = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut spans = spans.lock().unwrap();
    for resource in items(&message, "resourceSpans") {
        for scope in items(&resource, "scopeSpans") {
            spans.extend(items(&scope, "spans"));
        }
    }
    "{}"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_one_trace_from_its_request_to_the_read_models_and_counts_in_the_metrics() {
    let (spans, metrics, address) = collector().await;
    let sites = Sites::start(SitesOptions {
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let settings = [
        ("SITELOG_TELEMETRY__OTLP_ENDPOINT", address.as_str()),
        ("SITELOG_TELEMETRY__METRICS_SECONDS", "3600"),
    ];
    let mut server = Server::start(&sites, &settings);
    let mut scans = Vec::new();
    for domain in ["site00001.sites.test", "err404.sites.test"] {
        let scan = server.post("/api/v4/scans", &json!({ "domain": domain })).await;
        let id = scan["scan_id"].as_str().unwrap().to_owned();
        let ended = |scan: &Value| scan["status"] == "completed" || scan["status"] == "failed";
        server.wait_for(&format!("/api/v4/scans/{id}"), ended).await;
        scans.push(id.replace('-', ""));
    }
    let (_, shown) = server.answer("/metrics", None).await;
    // What is left is sent when it stops.
    server.terminate().await;
    let of = |scan: &String| -> Vec<Value> {
        let spans = spans.lock().unwrap();
        spans
            .iter()
            .filter(|span| span["traceId"] == **scan)
            .cloned()
            .collect()
    };
    wait_for("the spans", async || (!of(&scans[1]).is_empty()).then_some(())).await;
    for (scan, is_good) in scans.iter().zip([true, false]) {
        let spans = of(scan);
        let named =
            |name: &str| -> Vec<&Value> { spans.iter().filter(|span| span["name"] == name).collect() };
        let [root] = named("scan requested")[..] else {
            panic!("one root: {spans:?}")
        };
        assert!(root["parentSpanId"].as_str().is_none_or(str::is_empty), "{root}");
        let [attempt] = named("attempt")[..] else {
            panic!("one attempt: {spans:?}")
        };
        assert_eq!(attempt["parentSpanId"], root["spanId"]);
        assert_eq!(
            attempt["status"]["message"].as_str().is_none_or(str::is_empty),
            is_good
        );
        assert!(named("append").len() >= 2, "its start and its end: {spans:?}");
        let fetches = named("GET");
        assert!(fetches.len() >= 2, "robots.txt and the home page: {spans:?}");
        for fetch in fetches {
            assert_eq!(fetch["parentSpanId"], attempt["spanId"], "{fetch}");
            assert!(
                fetch["attributes"]
                    .to_string()
                    .contains("http.response.status_code"),
                "{fetch}"
            );
        }
        assert_eq!(named("project jobs").len(), 1, "{spans:?}");
        assert_eq!(named("project jobs")[0]["parentSpanId"], root["spanId"]);
    }
    // The metrics at the end are those of `/metrics`, which were asked for shortly before it.
    let metrics = metrics.lock().unwrap().clone();
    let declared = shown.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for declared in declared {
        let (name, kind) = declared.split_once(' ').unwrap();
        let sent = metrics.get(name).unwrap_or_else(|| panic!("{name} is not sent"));
        let kind = if kind == "counter" { "sum" } else { kind };
        assert!(sent[kind]["dataPoints"][0].is_object(), "{sent}");
    }
    let attempts = metrics["sitelog_scan_attempt_seconds"]["histogram"]["dataPoints"]
        .as_array()
        .unwrap();
    let counts: Vec<&str> = attempts
        .iter()
        .map(|point| point["count"].as_str().unwrap())
        .collect();
    assert_eq!(counts, ["1", "1"], "one completed, one failed: {attempts:?}");
    assert!(
        metrics["sitelog_log_position"]["gauge"]["dataPoints"][0]["asDouble"]
            .as_f64()
            .unwrap()
            > 5.0
    );
}
